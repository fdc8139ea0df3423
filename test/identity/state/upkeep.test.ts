import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secretOf } from '../../../config/secret.ts';
import { createSealer, openState } from '../../../identity/state/index.ts';
import { backupState, inspectState, migrateState } from '../../../identity/state/upkeep.ts';

let folder: string;
let file: string;
const settings = (): { readonly kind: 'sqlite'; readonly file: string } => ({ kind: 'sqlite', file });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cg-state-upkeep-'));
  file = join(folder, 'state.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const UNAVAILABLE = { code: 'state-unavailable' };

describe('looking at a store', () => {
  it('counts live documents by kind, and those that wait to be purged', async () => {
    const store = await openState(settings());
    await store.insert('session', 'a', { body: {}, indexes: { tenant: 't' } });
    await store.insert('session', 'b', { body: {} });
    await store.insert('account', 'c', { body: {}, indexes: { login: 'l' } });
    await store.insert('session', 'd', { body: {}, expiresAt: Date.now() - 1 });
    expect(await inspectState(settings())).toEqual({
      engine: 'sqlite',
      schema: 1,
      newest: 1,
      documents: { account: 1, session: 2 },
      expired: 1,
      findings: [],
    });
    await store.close();
  });

  it('makes nothing where there is nothing', async () => {
    await expect(inspectState(settings())).rejects.toMatchObject(UNAVAILABLE);
    await expect(backupState(settings())).rejects.toMatchObject(UNAVAILABLE);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['migration-needed', 'PRAGMA user_version = 0', 'chartgate state migrate'],
    ['values-without-documents', "INSERT INTO claim VALUES ('account', 'login', 'x', 'nobody')", '1 values'],
    [
      'kinds-unknown',
      "INSERT INTO document VALUES ('spell', 'a', 1, '{}', '{}', 0, 9007199254740991)",
      'spell',
    ],
  ])('finds: %s', async (code, sql, says) => {
    await (await openState(settings())).close();
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
    const { findings } = await inspectState(settings());
    expect(findings).toEqual([{ code, sentence: expect.stringContaining(says) }]);
  });

  it('finds damage', async () => {
    const store = await openState(settings());
    for (let n = 0; n < 200; n += 1)
      await store.insert('session', `s${n}`, { body: { text: 'x'.repeat(500) } });
    await store.close();
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4096 * 20, 4096 * 22);
    writeFileSync(file, bytes);
    const seen = await inspectState(settings()).catch((error: unknown) => error);
    expect(JSON.stringify(seen)).toMatch(/damage|state-unavailable/);
  });
});

it('a copy is whole while others write, for its user alone, and can be used in the place of the store', async () => {
  const store = await openState(settings());
  const writing = (async () => {
    for (let n = 0; n < 300; n += 1)
      await store.insert('session', `s${n}`, { body: {}, indexes: { tenant: `t${n}` } });
  })();
  const copy = await backupState(settings());
  await writing;
  await store.close();
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  const { findings, documents } = await inspectState({ kind: 'sqlite', file: copy });
  expect(findings).toEqual([]);
  expect(documents.session ?? 0).toBeLessThanOrEqual(300);
});

it('migrating makes the tables, and then has nothing to do', async () => {
  expect(await migrateState(settings(), false)).toEqual({ steps: 1, copy: undefined });
  expect(await migrateState(settings(), false)).toEqual({ steps: 0, copy: undefined });
});

describe('chartgate state', () => {
  const run = (...args: readonly string[]): { status: number | null; said: string } => {
    const main = join(import.meta.dirname, '../../../cli/main.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'state', ...args], {
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  };

  it.each<[string, readonly string[], number, RegExp]>([
    ['help', ['check', '--help'], 0, /OS user of the process/],
    ['no settings', ['check'], 2, /--config/],
    [
      'settings that are not there',
      ['migrate', '--config', 'nowhere.yaml'],
      3,
      /nowhere\.yaml: .*does not exist/,
    ],
    ['an unknown option', ['backup', '--config', 'x', '--force'], 2, /--force/],
  ])('%s', (_, args, status, said) => {
    const found = run(...args);
    expect([found.status, found.said]).toEqual([status, expect.stringMatching(said)]);
  });

  it('settings of another kind', () => {
    const policy = join(folder, 'policy.yaml');
    writeFileSync(policy, 'routes: []\n');
    expect(run('check', '--config', policy)).toEqual({
      status: 2,
      said: expect.stringContaining('keeps state'),
    });
  });

  it('works on the state of the process whose settings are given', async () => {
    const config = join(folder, 'issuer.yaml');
    const random = (): string => randomBytes(32).toString('base64');
    const settle = (...keys: readonly string[]): void => {
      for (const name of keys) {
        if (!existsSync(join(folder, name))) writeFileSync(join(folder, name), random(), { mode: 0o600 });
      }
      writeFileSync(
        config,
        `issuer: https://id.clinic.example
issuerSocket: ${join(folder, 'issuer.sock')}
gatewaySecret: { file: secret }
state: { file: state.db, keys: [${keys.map((name) => `{ file: ${name} }`).join(', ')}] }
tenants: [{ id: north, name: North, audience: "https://north.example" }]
clients: []
`,
      );
    };
    writeFileSync(join(folder, 'secret'), random(), { mode: 0o600 });
    settle('key-1');
    expect(run('check', '--config', config)).toEqual({
      status: 4,
      said: expect.stringContaining('does not exist'),
    });
    expect(run('migrate', '--config', config)).toEqual({ status: 0, said: 'Up to date; 1 step.\n' });
    expect(run('migrate', '--config', config, '--json').said).toBe('{\n  "steps": 0\n}\n');
    const store = await openState(settings());
    const place = { kind: 'passkey', id: 'a', field: 'name' } as const;
    const sealed = createSealer(secretOf(readFileSync(join(folder, 'key-1')))).seal('x', place);
    await store.insert('passkey', 'a', { body: { name: sealed }, indexes: { principal: 'p' } });
    expect(run('check', '--config', config).said).toBe('sqlite, schema 1 of 1\n  passkey: 1\nsound\n');
    settle('key-2', 'key-1');
    expect(run('reseal', '--config', config)).toEqual({ status: 0, said: 'Sealed anew: 1 documents.\n' });
    settle('key-2');
    expect(run('reseal', '--config', config)).toEqual({ status: 0, said: 'Sealed anew: 0 documents.\n' });
    settle('key-3');
    expect(run('reseal', '--config', config)).toEqual({
      status: 1,
      said: expect.stringContaining('no key that is given: 1'),
    });
    const { status, said } = run('backup', '--config', config);
    expect([status, statSync(said.trim()).mode & 0o777]).toEqual([0, 0o600]);
    await store.close();
  }, 60_000);
});
