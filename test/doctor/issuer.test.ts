import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { CheckName, Result } from '../../cli/doctor/index.ts';
import { attemptAs } from '../separation/support/probe.ts';
import { stackFor } from '../support/stack.ts';
import { type Given, Patient } from './support.ts';

/** Three OS users take root; as somebody else the demo has only one, and says so. */
const asRoot = process.getuid?.() === 0;
const root = join(import.meta.dirname, '../..');

let patient: Patient;

beforeAll(async () => {
  patient = new Patient(await stackFor('doctor-issuer', { people: true }));
}, 180_000);
afterEach(() => patient.mend());
afterAll(() => patient?.stack.stop());

const given = (): Given => ({ issuer: patient.file('issuer') });
const run = (name: string): string => join(patient.stack.layout.run, '..', 'run-issuer', name);
const state = (name = ''): string => patient.file('issuer', join('state', name));
const of = (who: 'gateway' | 'checker' | 'issuer'): { uid: number; gid: number } =>
  patient.stack.isolation[who] ?? { uid: 0, gid: 0 };
const as = ({ uid, gid }: { uid: number; gid: number }, ...more: string[]): string[] => [
  'setpriv',
  '--reuid',
  String(uid),
  '--regid',
  String(gid),
  ...more,
];
const both = (of: Given): Given => ({ ...given(), ...of });

describe.runIf(asRoot)('chartgate doctor --issuer', () => {
  it('finds nothing failed in the demo, and looks at everything', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(root, 'bin/chartgate.mjs'),
        'doctor',
        ...['--gateway', patient.file('gateway')],
        ...['--checker', patient.file('checker')],
        ...['--issuer', patient.file('issuer')],
        '--no-sql-attempts',
        '--json',
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const { checks } = JSON.parse(stdout) as {
      checks: { check: string; result: Result; about: string; sentence: string }[];
    };
    expect(checks.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(status).toBe(0);
    const good = checks
      .filter(({ result }) => result === 'ok')
      .map(({ check, about }) => `${check} ${about}`);
    expect(good).toEqual(
      expect.arrayContaining([
        'settings issuer',
        'processes-run issuer',
        'users-differ ',
        'file-modes issuer',
        "checker-files-closed the issuer's user",
        "gateway-files-closed the issuer's user",
        "issuer-files-closed the gateway's user",
        "issuer-files-closed the checker's user",
        'strangers-kept-out any other user',
        'code-unwritable issuer',
        'sealing-keys ',
        'state-stores issuer',
        'state-stores gateway',
        `issuer-socket ${run('i.sock')}`,
      ]),
    );
    expect(good.some((each) => each.startsWith('issuer-answers https://id.localhost'))).toBe(true);
    expect(checks.find(({ check }) => check === 'users-differ')?.sentence).toMatch(/64112/);
  });

  it('holds no secret in what it says', async () => {
    const text = JSON.stringify(await patient.examine(undefined, given()));
    for (const [side, name] of [
      ['issuer', 'gateway.secret'],
      ['issuer', 'client.secret'],
      ['issuer', 'state.key'],
      ['gateway', 'state.key'],
    ] as const)
      expect(text).not.toContain(readFileSync(patient.file(side, name), 'utf8').trim());
  });

  it('without --issuer says that it was not told of the issuer that the gateway has', async () => {
    const told = await patient.examine(['users-differ']);
    expect(told.filter(({ about }) => about === 'issuer')).toMatchObject([
      { check: 'settings', result: 'skipped', sentence: expect.stringMatching(/no --issuer was given/) },
    ]);
  });

  it('`chartgate check` says the same of two files that do not fit together', () => {
    const check = (issuer: string): { status: number | null; stdout: string } =>
      spawnSync(
        process.execPath,
        [
          join(root, 'bin/chartgate.mjs'),
          'check',
          ...['--gateway', patient.file('gateway'), '--issuer', issuer, '--json'],
        ],
        { encoding: 'utf8' },
      );
    expect(check(patient.file('issuer')).status).toBe(0);
    const { status, stdout } = check(patient.variant('issuer', (text) => text.replace('i.sock', 'k.sock')));
    expect(status).toBe(3);
    expect(JSON.parse(stdout).faults).toMatchObject([
      { path: 'issuers[1].embedded.socket', message: expect.stringMatching(/is not the issuer's socket/) },
    ]);
  });

  it('leaves no file of its own in the stores', async () => {
    const owners = (): string =>
      spawnSync('find', [state(), '-not', '-uid', String(of('issuer').uid)], { encoding: 'utf8' }).stdout;
    await patient.examine(['state-stores'], given());
    expect(owners()).toBe('');
  });
});

describe('the running issuer', () => {
  it('is refused by its own runtime whatever it has no use for', () => {
    const { layout, people } = patient.stack;
    const fs = (call: string): string => `(await import('node:fs')).${call}`;
    const read = (path: string): string => fs(`readFileSync(${JSON.stringify(path)})`);
    const write = (path: string): string => fs(`writeFileSync(${JSON.stringify(path)}, '')`);
    const probe = state('probe');
    expect(
      attemptAs(people?.service.pid ?? 0, {
        'read the users of the machine': read('/etc/passwd'),
        "read the gateway's settings": read(patient.file('gateway')),
        "read the checker's settings": read(patient.file('checker')),
        "list the gateway's sessions": fs(`readdirSync(${JSON.stringify(join(layout.gateway, 'state'))})`),
        'write its own settings': write(patient.file('issuer')),
        'write beside its socket': write(run('other')),
        'start a program': `(await import('node:child_process')).execSync('true')`,
        'become another program': `process.execve('/bin/true', ['true'], {})`,
        'start a thread': `new (await import('node:worker_threads')).Worker('1', { eval: true })`,
        'open the inspector': `(await import('node:inspector')).open(0)`,
        'load an addon': `process.dlopen({ exports: {} }, '/lib/x.node')`,
        'read its settings': read(patient.file('issuer')),
        'write in the folder of its state': write(probe),
        'and remove it': fs(`rmSync(${JSON.stringify(probe)})`),
      }),
    ).toEqual({
      'read the users of the machine': 'ERR_ACCESS_DENIED',
      "read the gateway's settings": 'ERR_ACCESS_DENIED',
      "read the checker's settings": 'ERR_ACCESS_DENIED',
      "list the gateway's sessions": 'ERR_ACCESS_DENIED',
      'write its own settings': 'ERR_ACCESS_DENIED',
      'write beside its socket': 'ERR_ACCESS_DENIED',
      'start a program': 'ERR_ACCESS_DENIED',
      'become another program': 'ERR_ACCESS_DENIED',
      'start a thread': 'ERR_ACCESS_DENIED',
      'open the inspector': 'ERR_ACCESS_DENIED',
      'load an addon': 'ERR_DLOPEN_DISABLED',
      'read its settings': 'ok',
      'write in the folder of its state': 'ok',
      'and remove it': 'ok',
    });
  });
});

interface Breakage {
  readonly what: string;
  readonly check: CheckName;
  /** @returns what the doctor must be given besides the issuer's settings for it to be seen */
  readonly breakIt: (patient: Patient) => unknown;
  readonly result?: Result;
  readonly says: RegExp;
}

const BREAKAGES: readonly Breakage[] = [
  {
    what: 'gateway and issuer hold different secrets',
    check: 'settings',
    says: /another secret than the issuer's/,
    breakIt: (p) => p.content(p.file('issuer', 'gateway.secret'), () => 'x'.repeat(43)),
  },
  {
    what: 'gateway and issuer look for each other in two places',
    check: 'settings',
    says: /is not the issuer's socket/,
    breakIt: (p) => ({ gateway: p.variant('gateway', (text) => text.replace('i.sock', 'k.sock')) }),
  },
  {
    what: 'the gateway mounts another issuer',
    check: 'settings',
    says: /has no entry with "embedded"/,
    breakIt: (p) => ({ issuer: p.variant('issuer', (text) => text.replace('id.localhost', 'ie.localhost')) }),
  },
  {
    what: 'a tenant is for another audience at the issuer',
    check: 'settings',
    says: /is not the audience of a tenant/,
    breakIt: (p) => ({
      issuer: p.variant('issuer', (text) => text.replace(/audience: \S+/, 'audience: https://other.example')),
    }),
  },
  {
    what: 'the issuer does not run',
    check: 'processes-run',
    result: 'warn',
    says: /issuer: it does not run here/,
    breakIt: (p) => ({ issuer: p.variant('issuer', (text) => text.replace('i.sock', 'nobody.sock')) }),
  },
  {
    what: "the issuer is in the checker's group",
    check: 'users-differ',
    says: /checker and issuer: both are in group 64111/,
    breakIt: async (p) => ({
      issuer: await p.otherIssuer(as(of('issuer'), '--groups', String(of('checker').gid))),
    }),
  },
  {
    what: "the issuer's files are the gateway's user's",
    check: 'users-differ',
    says: /gateway and issuer: one OS user is both/,
    breakIt: (p) => {
      const file = p.variant('issuer', (text) => text.replace('i.sock', 'nobody.sock'));
      p.owner(file, of('gateway').uid, of('gateway').gid);
      return { issuer: file };
    },
  },
  {
    what: 'the issuer was started with permissions of its own',
    check: 'process-limits',
    says: /issuer, .*every file/,
    breakIt: async (p) => ({
      issuer: await p.otherIssuer(as(of('issuer'), '--clear-groups'), [
        '--permission',
        '--allow-fs-read=*',
        '--allow-fs-write=*',
        '--allow-net',
        '--allow-worker',
      ]),
    }),
  },
  {
    what: 'the issuer holds a capability',
    check: 'process-limits',
    says: /issuer, .*capabilities beyond its task/,
    breakIt: async (p) => ({
      issuer: await p.otherIssuer(
        as(
          of('issuer'),
          '--clear-groups',
          '--inh-caps=+net_bind_service',
          '--ambient-caps=+net_bind_service',
        ),
      ),
    }),
  },
  {
    what: "the issuer's settings can be written by everybody",
    check: 'file-modes',
    says: /lets others than its owner change it/,
    breakIt: (p) => p.mode(p.file('issuer'), 0o602),
  },
  {
    what: "the issuer's store can be written by its group",
    check: 'file-modes',
    says: /state\.sqlite: its mode 660/,
    breakIt: (p) => p.mode(state('state.sqlite'), 0o660),
  },
  {
    what: "everybody may read the issuer's store",
    check: 'issuer-files-closed',
    says: /the gateway's user: .* can read .*state\.sqlite/,
    breakIt: (p) => {
      p.mode(p.file('issuer', ''), 0o711);
      p.mode(state(), 0o711);
      p.mode(state('state.sqlite'), 0o644);
    },
  },
  {
    what: "the issuer's folder is the checker's",
    check: 'issuer-files-closed',
    says: /the checker's user: .* can replace what is in/,
    breakIt: (p) => p.owner(p.file('issuer', ''), of('checker').uid, of('checker').gid),
  },
  {
    what: "the checker may connect to the issuer's socket",
    check: 'issuer-files-closed',
    says: /the checker's user: .* can connect to .*i\.sock/,
    breakIt: (p) => {
      p.mode(run(''), 0o2755);
      p.mode(run('i.sock'), 0o666);
    },
  },
  {
    what: "the issuer may connect to the checker's socket",
    check: 'checker-files-closed',
    says: /the issuer's user: .* can connect to .*c\.sock/,
    breakIt: (p) => {
      p.mode(p.stack.layout.run, 0o2755);
      p.mode(p.stack.layout.socket, 0o666);
    },
  },
  {
    what: "everybody may read the gateway's store",
    check: 'gateway-files-closed',
    says: /the issuer's user: .* can read .*state\.sqlite/,
    breakIt: (p) => {
      p.mode(p.stack.layout.gateway, 0o711);
      p.mode(p.file('gateway', 'state'), 0o711);
      p.mode(p.file('gateway', 'state/state.sqlite'), 0o644);
    },
  },
  {
    what: 'everybody may connect to the issuer',
    check: 'strangers-kept-out',
    says: /can connect to .*i\.sock/,
    breakIt: (p) => {
      p.mode(run(''), 0o2755);
      p.mode(run('i.sock'), 0o666);
    },
  },
  {
    what: "the issuer's folder holds the checker's password",
    check: 'database-secret-kept',
    says: /identity\/notes\.txt: it holds the checker's password/,
    breakIt: (p) => p.add('issuer', 'notes.txt', `db: ${p.stack.tenants.north.checkerUser.password}\n`),
  },
  {
    what: "the key lies in its store's folder",
    check: 'sealing-keys',
    says: /state\/copy\.key: it is the sealing key/,
    breakIt: (p) => p.add('issuer', 'state/copy.key', readFileSync(p.file('issuer', 'state.key'))),
  },
  {
    what: "the gateway holds the issuer's sealing key",
    check: 'sealing-keys',
    says: /the gateway holds the issuer's sealing key/,
    breakIt: (p) => p.add('gateway', 'spare.key', readFileSync(p.file('issuer', 'state.key'))),
  },
  {
    what: 'both seal with one key',
    check: 'sealing-keys',
    says: /the issuer holds the gateway's sealing key/,
    breakIt: (p) =>
      p.content(p.file('issuer', 'state.key'), () => readFileSync(p.file('gateway', 'state.key'))),
  },
  {
    what: 'the store of the issuer is open to others',
    check: 'state-stores',
    says: /issuer: .*open to other users \(mode 0644\)/,
    breakIt: (p) => p.mode(state('state.sqlite'), 0o644),
  },
  {
    what: "the store is root's",
    check: 'state-stores',
    says: /issuer: .*belongs to/,
    breakIt: (p) => p.owner(state('state.sqlite'), 0, 0),
  },
  {
    what: 'a value without its document is in the store',
    check: 'state-stores',
    says: /issuer: .*belong to no document/,
    breakIt: (p) => {
      const copy = state('broken.sqlite');
      spawnSync(process.execPath, ['-e', VACUUM, state('state.sqlite'), copy], { ...of('issuer') });
      chmodSync(copy, 0o600);
      p.later(() => rmSync(copy, { force: true }));
      const database = new DatabaseSync(copy);
      database.exec(
        "DELETE FROM document WHERE rowid IN (SELECT rowid FROM document WHERE kind = 'account')",
      );
      database.close();
      return { issuer: p.variant('issuer', (text) => text.replace('state.sqlite', 'broken.sqlite')) };
    },
  },
  {
    what: 'the store is not a store',
    check: 'state-stores',
    says: /issuer: .*noise\.sqlite: /,
    breakIt: (p) => {
      p.add('issuer', 'state/noise.sqlite', Buffer.alloc(8192, 7));
      return { issuer: p.variant('issuer', (text) => text.replace('state.sqlite', 'noise.sqlite')) };
    },
  },
  {
    what: 'the state is on a server where no tables were made',
    check: 'state-stores',
    says: /issuer: The store has schema 0/,
    breakIt: async (p) => {
      const { host, port } = p.stack.mariadb;
      const password = 'only-for-this-test-0123456789';
      const connection = await p.stack.mariadb.connect();
      await connection.query('CREATE DATABASE empty_state CHARACTER SET utf8mb4');
      await connection.query(`CREATE USER empty_state@'127.0.0.1' IDENTIFIED BY '${password}'`);
      await connection.query("GRANT SELECT, INSERT ON empty_state.* TO empty_state@'127.0.0.1'");
      p.later(async () => {
        await connection.query('DROP DATABASE empty_state');
        await connection.query("DROP USER empty_state@'127.0.0.1'");
        await connection.end();
      });
      p.add('issuer', 'database.password', password);
      const server = { host, port, database: 'empty_state', user: 'empty_state' };
      return {
        issuer: p.variant('issuer', (text) => {
          const settings = parse(text) as { state: { keys: unknown } };
          const state = {
            server: { ...server, password: { file: 'database.password' } },
            keys: settings.state.keys,
          };
          return stringify({ ...settings, state });
        }),
      };
    },
  },
  {
    what: "the issuer's socket is open to everybody",
    check: 'issuer-socket',
    says: /lets everybody connect/,
    breakIt: (p) => p.mode(run('i.sock'), 0o666),
  },
  {
    what: "the issuer's socket's folder can be written by the gateway",
    check: 'issuer-socket',
    says: /the gateway's user can replace the socket/,
    breakIt: (p) => p.mode(run(''), 0o2770),
  },
  {
    what: "the issuer's socket is closed to the gateway",
    check: 'issuer-socket',
    says: /cannot connect/,
    breakIt: (p) => p.mode(run('i.sock'), 0o600),
  },
  {
    what: "the gateway's secret is not the issuer's",
    check: 'issuer-answers',
    says: /does not take the gateway's secret/,
    breakIt: (p) => p.content(p.file('gateway', 'issuer.secret'), () => 'y'.repeat(43)),
  },
  {
    what: 'the issuer is stopped',
    check: 'issuer-answers',
    says: /does not answer the gateway/,
    breakIt: (p) => {
      p.stack.people?.service.signal('SIGSTOP');
      p.later(() => p.stack.people?.service.signal('SIGCONT'));
    },
  },
  {
    what: 'something that answers everybody listens at the socket',
    check: 'issuer-answers',
    says: /answers 200 to somebody without the secret/,
    breakIt: async (p) => {
      const server = createServer((_request, response) => response.end('{}'));
      await new Promise<void>((resolve) => server.listen(run('k.sock'), resolve));
      p.later(() => new Promise((resolve) => server.close(resolve)));
      const other = (text: string): string => text.replace('i.sock', 'k.sock');
      return { issuer: p.variant('issuer', other), gateway: p.variant('gateway', other) };
    },
  },
];

/** A consistent copy, made by the store's owner. */
const VACUUM =
  "const [,from,to]=process.argv;new (require('node:sqlite').DatabaseSync)(from).prepare('VACUUM INTO ?').run(to)";

describe.runIf(asRoot)('a broken promise about the embedded issuer', () => {
  it.each(BREAKAGES)('$what: $check says so', async ({ check, breakIt, result = 'failed', says }) => {
    const changed = ((await breakIt(patient)) ?? {}) as Given;
    const told = (await patient.examine([check], both(changed))).filter((each) => each.check === check);
    const sentences = told
      .filter((each) => each.result === result)
      .map(({ about, sentence }) => `${about}: ${sentence}`);
    expect(sentences.join('\n') || JSON.stringify(told)).toMatch(says);
    for (const each of told) if (each.result === 'failed') expect(each.remedy).not.toBe('');
  });

  it('mended, nothing is left of it', async () => {
    const outcomes = await patient.examine(undefined, given());
    expect(outcomes.filter(({ result }) => result === 'failed')).toEqual([]);
  });
});
