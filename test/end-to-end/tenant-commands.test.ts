import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askGateway } from '../../cli/commands/tenant/running.ts';
import { CONTROL_SOCKET } from '../../contracts/control.ts';
import { give } from '../../examples/demo/isolation.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask } from '../../examples/support/https-client.ts';
import { freePort } from '../../examples/support/ports.ts';
import { good, Load } from '../support/load.ts';
import { childrenOf, showFigures, until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

/** `chartgate tenant …` beside a gateway that serves others meanwhile. */

const CHARTGATE = join(import.meta.dirname, '..', '..', 'bin', 'chartgate.mjs');
const AUDIENCE = 'https://west.example';
const figures: Record<string, unknown> = {};
let stack: Stack;
let folder = '';
let config = '';
/** Of the tenant that comes and goes. */
let origin = '';
let token = '';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly json: Record<string, unknown>;
}

function tenant(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CHARTGATE, 'tenant', ...args, '--config', config, '--json'],
      (error, out, err) => {
        const code = error === null ? 0 : Number(error.code);
        let json: Record<string, unknown> = {};
        try {
          json = JSON.parse(out) as Record<string, unknown>;
        } catch {
          // Some failures print none.
        }
        resolve({ code, out, err, json });
      },
    );
  });
}

function textOf(changes: Readonly<Record<string, string>> = {}): string {
  const { host } = new URL(origin);
  const written: Record<string, string> = {
    id: 'west',
    hosts: `[${host}]`,
    audience: AUDIENCE,
    issuers: '[demo]',
    database: 'north',
    policy: 'emr',
    backends: `[{ origin: '${stack.tenants.north.emr.origin}' }]`,
    ...changes,
  };
  return `# Westside Clinic\n${Object.entries(written)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}`;
}

function draft(changes: Readonly<Record<string, string>> = {}): string {
  const file = join(stack.directory, 'draft.yaml');
  writeFileSync(file, textOf(changes));
  return file;
}

async function status(path = '/fhir/Patient?_count=1'): Promise<number> {
  return (await ask({ url: `${origin}${path}`, authority: stack.authority, token })).status;
}

/** Where the gateway would be asked, somebody accepts and leaves, as a gateway does that is about to end. */
async function withoutAnswer(run: () => Promise<Ran>): Promise<Ran> {
  const server = createServer((socket) => socket.on('data', () => socket.destroy()));
  await once(server.listen(join(stack.layout.activity, CONTROL_SOCKET)), 'listening');
  try {
    return await run();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

beforeAll(async () => {
  const plenty = { requests: 1_000_000, window: '10s' };
  stack = await stackFor('tenant-commands', {
    workers: 2,
    clients: [{ id: 'west', what: 'another partner', scopes: ['system/Patient.rs'], resources: [AUDIENCE] }],
    limits: { perPeer: plenty, perPrincipal: plenty },
    prepare: async ({ layout, isolation }) => {
      folder = join(layout.gateway, 'tenants.d');
      mkdirSync(folder, { mode: 0o750 });
      give(folder, isolation.gateway);
      return { adjust: (usual) => ({ ...usual, tenantsFolder: 'tenants.d' }) };
    },
  });
  config = join(stack.layout.gateway, 'gateway.yaml');
  origin = `https://localhost:${new URL(stack.tenants.north.origin).port}`;
  token = await stack.token({
    tenant: 'north',
    client: 'west',
    scopes: ['system/Patient.rs'],
    audience: AUDIENCE,
  });
});
afterAll(async () => {
  showFigures('tenant-commands', figures);
  await stack?.stop();
});

describe('a tenant that cannot be', () => {
  it.each([
    [
      'two tenants of one host',
      { hosts: '[NORTH]' },
      3,
      /hosts\[0\]: is listed already \([^)]*gateway\.yaml, line \d+\)/,
    ],
    [
      'an EMR that is not there',
      { backends: "[{ origin: 'http://127.0.0.1:CLOSED' }]" },
      1,
      /cannot be reached from here/,
    ],
  ] as const)('%s is refused, with its place, and nothing is written', async (_, changes, code, said) => {
    const closed = await freePort();
    const filled = Object.fromEntries(
      Object.entries(changes).map(([key, value]) => [
        key,
        value.replace('NORTH', new URL(stack.tenants.north.origin).host).replace('CLOSED', String(closed)),
      ]),
    );
    const ran = await tenant('add', '--file', draft(filled));
    expect(ran.code, ran.err).toBe(code);
    expect(`${ran.out}\n${ran.err}`).toMatch(said);
    expect(readdirSync(folder)).toEqual([]);
    expect(await status()).toBe(421);
  });
});

it('a tenant is added while others are served, comes into force in every worker, and no request is lost', async () => {
  const load = await Load.start(stack, { readers: 2, writers: 1 });
  await load.content(performance.now(), 20_000);
  const ran = await tenant('add', '--file', draft());
  expect(ran.code, ran.err).toBe(0);
  expect(ran.json).toMatchObject({ tenant: 'west', served: true, written: join(folder, 'west.yaml') });
  figures.addMs = ran.json.milliseconds;
  for (let n = 0; n < 8; n++) expect(await status()).toBe(200);
  const samples = await load.stop();
  expect(samples.filter((sample) => !good(sample))).toEqual([]);
  figures.requests = samples.length;

  const found = statSync(join(folder, 'west.yaml'));
  expect(found.mode & 0o777).toBe(0o640);
  expect(found.uid).toBe(statSync(folder).uid);
  const findings = ran.json.findings as { about: string; mark: string; sentence: string }[];
  expect(findings).toContainEqual(
    expect.objectContaining({
      about: 'database north',
      mark: 'ok',
      sentence: expect.stringMatching(/intact/),
    }),
  );
  expect(findings).toContainEqual(expect.objectContaining({ about: 'issuer demo', mark: 'todo' }));
});

it("with an administrator's SQL account the audit in the database itself is looked at, and nothing is written", async () => {
  const { mariadb, tenants } = stack;
  const password = join(stack.directory, 'administrator.password');
  writeFileSync(password, mariadb.administrator.password, { mode: 0o600 });
  const sql = ['--sql-socket', mariadb.socket, '--sql-user', 'root', '--sql-password-file', password];
  const look = (schema: string) =>
    tenant('add', '--file', draft(), '--replace', '--dry-run', '--sql-schema', schema, ...sql);
  const about = (ran: Ran, schema: string) =>
    (ran.json.findings as { about: string; mark: string }[]).find(
      (each) => each.about === `schema ${schema}`,
    );
  const audited = await look(tenants.north.schema);
  expect(audited.code, audited.err).toBe(0);
  expect(about(audited, tenants.north.schema)).toMatchObject({ mark: 'ok' });
  const connection = await mariadb.connect();
  await connection.query('CREATE DATABASE emr_bare');
  await connection.query('CREATE TABLE emr_bare.patient (id INT PRIMARY KEY) ENGINE=InnoDB');
  await connection.end();
  const bare = await look('emr_bare');
  expect(about(bare, 'emr_bare')).toMatchObject({ mark: 'todo' });
  expect(bare.json).toMatchObject({ written: null, served: false });
});

it('list and show tell what is written and what is in force', async () => {
  const { json } = await tenant('list');
  const states = (json.tenants as { id: string; state: string }[]).map(({ id, state }) => [id, state]);
  expect(states).toEqual([
    ['north', 'served'],
    ['south', 'served'],
    ['west', 'served'],
  ]);
  const shown = await tenant('show', 'west');
  expect(shown.code, shown.out).toBe(0);
  expect(shown.json).toMatchObject({ tenant: 'west', state: 'served', policy: 'emr', paused: false });
});

it('a tenant is paused and served again; what a person wrote in its file stays', async () => {
  expect((await tenant('pause', 'west')).json).toMatchObject({ paused: true, changed: true, served: true });
  expect(await status()).toBe(503);
  expect(readFileSync(join(folder, 'west.yaml'), 'utf8')).toMatch(/^# Westside Clinic\n[\s\S]*paused: true/);
  expect((await tenant('resume', 'west')).json).toMatchObject({ paused: false, served: true });
  expect(await status()).toBe(200);
  expect(readFileSync(join(folder, 'west.yaml'), 'utf8')).toBe(textOf());
});

it('what is paused already stays as it is, and the gateway is told all the same', async () => {
  const file = join(folder, 'west.yaml');
  writeFileSync(file, `${textOf()}paused: true\n`);
  expect(await status()).toBe(200);
  const ran = await tenant('pause', 'west');
  expect([ran.code, ran.err]).toEqual([0, '']);
  expect(ran.json).toMatchObject({ paused: true, changed: false, served: true });
  expect(await status()).toBe(503);
  expect(readFileSync(file, 'utf8')).toBe(`${textOf()}paused: true\n`);
  writeFileSync(file, textOf());
  expect((await tenant('resume', 'west')).json).toMatchObject({ changed: false, served: true });
  expect(await status()).toBe(200);
});

it('what the running gateway does not take is no success, and the file is as it was', async () => {
  const file = join(folder, 'west.yaml');
  const main = readFileSync(config, 'utf8');
  // The settings on disk know of a policy that the running gateway was not told of.
  writeFileSync(config, main.replace(/^policies:$/m, 'policies:\n  later: policy.yaml'));
  try {
    for (const paused of ['', 'paused: true\n']) {
      const text = `${textOf({ policy: 'later' })}${paused}`;
      writeFileSync(file, text);
      const ran = await tenant('pause', 'west');
      expect(ran.code, ran.out).toBe(3);
      expect(ran.err).toMatch(/running gateway refused it, and goes on as before/);
      expect(ran.json).toMatchObject({ error: { code: 'configuration-invalid' } });
      expect(readFileSync(file, 'utf8')).toBe(text);
      expect(await status()).toBe(200);
    }
  } finally {
    writeFileSync(config, main);
    writeFileSync(file, textOf());
  }
  expect((await tenant('take', 'west')).json).toMatchObject({ served: true });
});

it.each([
  ['a mistyped one', ['wets'], 2, /There is no file for "wets" in .*serves none of that name/],
  ['a mistyped one beside a good one', ['west', 'wets'], 2, /There is no file for "wets"/],
  ['one of the main file', ['north'], 2, /Tenant "north" stands in .*gateway\.yaml itself: .* reload/],
] as const)('take: %s is refused and changes nothing', async (_, ids, code, said) => {
  const before = readdirSync(folder);
  const file = join(folder, 'west.yaml');
  writeFileSync(file, `${textOf()}paused: true\n`);
  const ran = await tenant('take', ...ids);
  writeFileSync(file, textOf());
  expect([ran.code, ran.err]).toEqual([code, expect.stringMatching(said)]);
  expect(ran.json).toMatchObject({ error: { code: 'usage' } });
  // Nor was the good one taken.
  expect(await status()).toBe(200);
  expect(readdirSync(folder)).toEqual(before);
});

it('a file that somebody broke is refused with its line, and the former tenants go on', async () => {
  const file = join(folder, 'west.yaml');
  writeFileSync(file, textOf({ database: 'North Clinic' }));
  const ran = await tenant('take', 'west');
  expect(ran.code).toBe(3);
  expect(ran.err).toMatch(/west\.yaml:6:11: database/);
  expect(await status()).toBe(200);
  writeFileSync(file, textOf({ identityHeader: 'X-Forwarded-User' }));
  expect((await tenant('take', 'west')).json).toMatchObject({ served: true });
  expect(await status()).toBe(200);
});

it('a tenant is removed; its file is kept where nobody reads it', async () => {
  const { json } = await tenant('remove', 'west');
  expect(json).toMatchObject({ tenant: 'west', served: true });
  expect(existsSync(String(json.kept))).toBe(true);
  expect(await status()).toBe(421);
});

it('with the gateway away the file is written, and the command says so', async () => {
  await stack.gateway.stop();
  const ran = await tenant('add', '--file', draft());
  expect(ran.code, ran.err).toBe(0);
  expect(ran.json).toMatchObject({ served: false, gateway: expect.stringMatching(/no gateway runs/) });
  expect((await tenant('pause', 'west')).code).toBe(0);
  expect(await withoutAnswer(() => tenant('resume', 'west'))).toMatchObject({
    code: 4,
    json: { paused: false, changed: true, served: false, gateway: expect.stringMatching(/gave no answer/) },
  });
  expect(await withoutAnswer(() => tenant('resume', 'west'))).toMatchObject({
    code: 4,
    json: { changed: false },
  });
});

it('what was written while the gateway was away, or starts and cannot be asked, is in force once it has', async () => {
  expect(await tenant('resume', 'west')).toMatchObject({ code: 0, json: { changed: false, served: false } });
  const starting = stack.gateway.start();
  // It has read the files by then.
  await until('workers to be started', () => childrenOf(stack.gateway.pid).length > 0, 20_000);
  writeFileSync(join(folder, 'west.yaml'), `${textOf()}paused: true\n`);
  await starting;
  await until('it to be paused', async () => (await status()) === 503, 10_000);
  expect((await tenant('resume', 'west')).json).toMatchObject({ paused: false, served: true });
  expect(await status()).toBe(200);
});

describe('whether a gateway runs', () => {
  it.each([
    ['nowhere', 'not-running', 'nobody made the socket'],
    ['x'.repeat(120), 'too-far', 'longer than a path of a socket can be'],
    ['draft.yaml', 'silent', 'what else fails says nothing of it'],
  ])('is told apart: %s is %s, as %s', async (name, state) => {
    draft();
    expect(await askGateway(join(stack.directory, name), { do: 'status' })).toEqual({ state });
  });
});
