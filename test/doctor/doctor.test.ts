import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, chownSync, cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CheckName, Result } from '../../cli/doctor/index.ts';
import { reportText } from '../../cli/doctor/report.ts';
import { freePort } from '../../examples/support/ports.ts';
import { stackFor } from '../support/stack.ts';
import { type Given, Patient } from './support.ts';

/** Only root can be two users: as somebody else the demo itself has only one, and says so. */
const asRoot = process.getuid?.() === 0;
const root = join(import.meta.dirname, '../..');

let patient: Patient;

beforeAll(async () => {
  patient = new Patient(await stackFor('doctor'));
});
afterEach(() => patient.mend());
afterAll(() => patient?.stack.stop());

function doctor(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, 'bin/chartgate.mjs'), 'doctor', ...args], {
    encoding: 'utf8',
  });
}

describe('chartgate doctor', () => {
  it.runIf(asRoot)('finds nothing failed in the demo, and looks at everything', () => {
    const { status, stdout, stderr } = doctor(
      '--gateway',
      patient.file('gateway'),
      '--checker',
      patient.file('checker'),
      '--json',
    );
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as {
      ok: boolean;
      checks: { check: string; result: Result; about: string }[];
    };
    expect(report.checks.filter(({ result }) => result === 'failed')).toEqual([]);
    expect({ ok: report.ok, status }).toEqual({ ok: true, status: 0 });
    const skipped = report.checks.filter(({ result }) => result === 'skipped');
    expect(skipped.map(({ check, about }) => `${check} ${about}`)).toEqual([
      'database-tls north',
      'database-tls south',
      'emr-around from outside',
    ]);
  });

  it('tells a person every check by name, and ends with a sum', async () => {
    const outcomes = await patient.examine(undefined);
    const text = reportText(outcomes, false);
    for (const name of new Set(outcomes.map(({ check }) => check))) expect(text).toContain(name);
    expect(text).toMatch(/: \d+ ok, \d+ failed, \d+ warn, \d+ skipped\.$/);
    expect(text).not.toContain('\u001b');
  });

  it('holds no secret in what it says', async () => {
    const text = JSON.stringify(await patient.examine(undefined));
    for (const [side, name] of [
      ['gateway', 'attestation.secret'],
      ['gateway', 'introspection.secret'],
      ['checker', 'north.password'],
    ] as const)
      expect(text).not.toContain(readFileSync(patient.file(side, name), 'utf8').trim());
  });

  it('with neither settings nor an address ends with 2, and with a check that does not exist', () => {
    expect(doctor().status).toBe(2);
    const { status, stderr } = doctor('--gateway', 'x', '--only', 'nothing');
    expect({ status, told: stderr.includes('there is no check nothing') }).toEqual({ status: 2, told: true });
  });

  it('on a machine of the clients, where there are no settings, tries the address alone', async () => {
    const port = await patient.listen('127.0.0.1');
    const { status, stdout } = doctor('--emr-address', `127.0.0.1:${port}`, '--only', 'emr-around');
    expect(status).toBe(1);
    expect(stdout).toMatch(/it answers from this machine/);
    expect(doctor('--emr-address', `127.0.0.1:${await freePort()}`, '--only', 'emr-around').status).toBe(0);
  });

  it.runIf(asRoot)('run by somebody else, says what it could not look at instead of calling it right', () => {
    const command = [
      process.execPath,
      join(root, 'bin/chartgate.mjs'),
      'doctor',
      '--json',
      '--gateway',
      patient.file('gateway'),
      '--checker',
      patient.file('checker'),
    ];
    const { stdout } = spawnSync(command[0] ?? '', command.slice(1), {
      encoding: 'utf8',
      uid: 65_534,
      gid: 65_534,
    });
    const { checks } = JSON.parse(stdout) as { checks: { check: string; result: Result }[] };
    expect(checks.filter(({ result }) => result === 'ok').map(({ check }) => check)).toEqual([]);
    expect(checks.some(({ check, result }) => check === 'checker-files-closed' && result === 'skipped')).toBe(
      true,
    );
  });
});

interface Breakage {
  readonly what: string;
  readonly check: CheckName;
  /** Breaks it; @returns what the doctor must be given for it to be seen */
  readonly breakIt: (patient: Patient) => unknown;
  readonly result?: Result;
  /** Of a sentence that must be among those with `result`. */
  readonly says: RegExp;
}

const gateway = (): { uid: number; gid: number } => patient.stack.isolation.gateway ?? { uid: 0, gid: 0 };
const checker = (): { uid: number; gid: number } => patient.stack.isolation.checker ?? { uid: 0, gid: 0 };
const as = (uid: number, gid: number, ...more: string[]): string[] => [
  'setpriv',
  '--reuid',
  String(uid),
  '--regid',
  String(gid),
  ...more,
];
const backend = (text: string, port: number): string =>
  text.replace(/http:\/\/127\.0\.0\.1:\d+/, `http://127.0.0.1:${port}`);

async function sql(statement: string, undo: string): Promise<void> {
  const connection = await patient.stack.mariadb.connect();
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
  patient.later(async () => {
    const again = await patient.stack.mariadb.connect();
    await again.query(undo);
    await again.end();
  });
}

const checkerAccount = (): string => `'${patient.stack.tenants.north.checkerUser.user}'@'127.0.0.1'`;

/** Each promise, broken on purpose. */
const BREAKAGES: readonly Breakage[] = [
  {
    what: 'the two hold different secrets',
    check: 'settings',
    says: /another secret/,
    breakIt: (p) => p.content(p.file('gateway', 'attestation.secret'), () => 'x'.repeat(43)),
  },
  {
    what: 'a secret that the group may read',
    check: 'settings',
    says: /its group or others can get at the secret/,
    breakIt: (p) => p.mode(p.file('checker', 'north.password'), 0o640),
  },
  {
    what: 'the checker does not run',
    check: 'processes-run',
    result: 'warn',
    says: /does not run here/,
    breakIt: async (p) => ({
      checker: p.variant('checker', (text) => text.replace('c.sock', 'nobody.sock')),
    }),
  },
  {
    what: "the checker runs as the gateway's user",
    check: 'users-differ',
    says: /one OS user is both/,
    breakIt: async (p) => ({ checker: await p.checkerOfGateway() }),
  },
  {
    what: "the checker is in the gateway's group",
    check: 'users-differ',
    says: /both are in group 64110/,
    breakIt: async (p) => ({
      checker: await p.otherChecker(as(checker().uid, checker().gid, '--groups', String(gateway().gid))),
    }),
  },
  {
    what: 'the checker runs as root',
    check: 'users-differ',
    says: /runs as root/,
    breakIt: async (p) => ({ checker: await p.otherChecker([]) }),
  },
  {
    what: 'the checker was started with permissions of its own',
    check: 'process-limits',
    says: /every file/,
    breakIt: async (p) => ({
      checker: await p.otherChecker(as(checker().uid, checker().gid, '--clear-groups'), [
        '--permission',
        '--allow-fs-read=*',
        '--allow-fs-write=*',
        '--allow-net',
        '--allow-child-process',
        '--allow-worker',
      ]),
    }),
  },
  {
    what: 'the checker may start programs',
    check: 'process-limits',
    says: /may start programs/,
    breakIt: async (p) => ({
      checker: await p.otherChecker(as(checker().uid, checker().gid, '--clear-groups'), [
        '--permission',
        '--allow-fs-read=*',
        '--allow-fs-write=*',
        '--allow-net',
        '--allow-child-process',
        '--allow-worker',
      ]),
    }),
  },
  {
    what: 'the checker holds a capability',
    check: 'process-limits',
    says: /capabilities beyond its task/,
    breakIt: async (p) => ({
      checker: await p.otherChecker(
        as(
          checker().uid,
          checker().gid,
          '--clear-groups',
          '--inh-caps=+net_admin',
          '--ambient-caps=+net_admin',
        ),
      ),
    }),
  },
  {
    what: "the checker's settings can be written by everybody",
    check: 'file-modes',
    says: /lets others than its owner change it/,
    breakIt: (p) => p.mode(p.file('checker'), 0o602),
  },
  {
    what: "the checker's folder can be written by its group",
    check: 'file-modes',
    says: /lets others than its owner change it/,
    breakIt: (p) => p.mode(p.stack.layout.checker, 0o770),
  },
  {
    what: 'a baseline belongs to somebody else',
    check: 'file-modes',
    says: /it belongs to .*65534/,
    breakIt: (p) => p.owner(p.file('checker', 'north.baseline.json'), 65_534, 65_534),
  },
  {
    what: "a folder above the gateway's belongs to somebody else",
    check: 'file-modes',
    says: /it belongs to .*65534/,
    breakIt: (p) => p.owner(p.stack.directory, 65_534, 65_534),
  },
  {
    what: "everybody may read the checker's settings",
    check: 'checker-files-closed',
    says: /can read .*checker\.yaml/,
    breakIt: (p) => {
      p.mode(p.stack.layout.checker, 0o711);
      p.mode(p.file('checker'), 0o644);
    },
  },
  {
    what: "the checker's files belong to the gateway's group",
    check: 'checker-files-closed',
    says: /can write .*baseline\.json/,
    breakIt: (p) => {
      p.mode(p.stack.layout.checker, 0o711);
      p.owner(p.file('checker', 'north.baseline.json'), checker().uid, gateway().gid);
      p.mode(p.file('checker', 'north.baseline.json'), 0o660);
    },
  },
  {
    what: "the checker's folder is the gateway's",
    check: 'checker-files-closed',
    says: /can replace what is in/,
    breakIt: (p) => p.owner(p.stack.layout.checker, gateway().uid, gateway().gid),
  },
  {
    what: "everybody may read the gateway's settings",
    check: 'gateway-files-closed',
    says: /can read .*gateway\.yaml/,
    breakIt: (p) => {
      p.mode(p.stack.layout.gateway, 0o711);
      p.mode(p.file('gateway'), 0o644);
    },
  },
  {
    what: 'everybody may list the activity log',
    check: 'gateway-files-closed',
    says: /can list .*activity/,
    breakIt: (p) => {
      p.mode(p.stack.layout.gateway, 0o711);
      p.mode(p.stack.layout.activity, 0o755);
    },
  },
  {
    what: 'everybody may connect to the checker',
    check: 'strangers-kept-out',
    says: /can connect to/,
    breakIt: (p) => {
      p.mode(p.stack.layout.run, 0o2755);
      p.mode(p.stack.layout.socket, 0o666);
    },
  },
  {
    what: "the gateway's folder holds the checker's password",
    check: 'database-secret-kept',
    says: /password for database north/,
    breakIt: (p) => p.add('gateway', 'notes.txt', `db: ${p.stack.tenants.north.checkerUser.password}\n`),
  },
  {
    what: "the key that approves baselines lies in the checker's folder",
    check: 'signing-key-away',
    says: /private key that approves baselines/,
    breakIt: (p) => {
      const keys = generateKeyPairSync('ed25519', {
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      });
      p.content(p.file('checker', 'north.baseline.pub'), () => keys.publicKey);
      p.add('checker', 'signer.pem', keys.privateKey);
    },
  },
  {
    what: 'the socket is open to everybody',
    check: 'socket',
    says: /lets everybody connect/,
    breakIt: (p) => p.mode(p.stack.layout.socket, 0o666),
  },
  {
    what: "the socket's folder can be written by the gateway",
    check: 'socket',
    says: /lets others put a socket|can replace the socket/,
    breakIt: (p) => p.mode(p.stack.layout.run, 0o2770),
  },
  {
    what: 'the socket is closed to the gateway',
    check: 'socket',
    says: /cannot connect/,
    breakIt: (p) => p.mode(p.stack.layout.socket, 0o600),
  },
  {
    what: "the socket is not the checker's",
    check: 'socket',
    says: /not to the checker's user/,
    breakIt: (p) => p.owner(p.stack.layout.socket, 65_534, gateway().gid),
  },
  {
    what: 'the socket is missing',
    check: 'socket',
    says: /not there/,
    breakIt: (p) => {
      const elsewhere = (text: string): string => text.replace('c.sock', 'nobody.sock');
      return { checker: p.variant('checker', elsewhere), gateway: p.variant('gateway', elsewhere) };
    },
  },
  {
    what: 'the two look for each other in two places',
    check: 'socket',
    says: /the gateway looks for it at/,
    breakIt: (p) => ({ gateway: p.variant('gateway', (text) => text.replace('c.sock', 'e.sock')) }),
  },
  {
    what: 'the checker is stopped',
    check: 'verdict',
    says: /unverified/,
    breakIt: (p) => {
      p.stack.checker.signal('SIGSTOP');
      p.later(() => p.stack.checker.signal('SIGCONT'));
    },
  },
  {
    what: "the gateway's secret is wrong",
    check: 'verdict',
    says: /unverified/,
    breakIt: (p) => p.content(p.file('gateway', 'attestation.secret'), () => 'y'.repeat(43)),
  },
  {
    what: 'somebody may drop triggers',
    check: 'verdict',
    says: /broken/,
    breakIt: () =>
      sql(
        `GRANT TRIGGER ON emr_north.* TO ${checkerAccount()}`,
        `REVOKE TRIGGER ON emr_north.* FROM ${checkerAccount()}`,
      ),
  },
  {
    what: 'a byte of a baseline is another',
    check: 'baseline',
    says: /not valid/,
    breakIt: (p) =>
      p.content(p.file('checker', 'north.baseline.json'), (text) =>
        text.toString().replace('AFTER', 'aFTER'),
      ),
  },
  {
    what: 'a baseline is signed by another key',
    check: 'baseline',
    says: /not valid/,
    breakIt: (p) =>
      p.content(p.file('checker', 'north.baseline.json'), () =>
        readFileSync(p.file('checker', 'south.baseline.json')),
      ),
  },
  {
    what: "the checker's account holds TRIGGER",
    check: 'sql-grants',
    says: /TRIGGER/,
    breakIt: () =>
      sql(
        `GRANT TRIGGER ON emr_north.* TO ${checkerAccount()}`,
        `REVOKE TRIGGER ON emr_north.* FROM ${checkerAccount()}`,
      ),
  },
  {
    what: "the checker's account may give its right away",
    check: 'sql-grants',
    says: /WITH GRANT OPTION|more than it needs/,
    breakIt: () =>
      sql(
        `GRANT EXECUTE ON PROCEDURE emr_north_audit.chartgate_snapshot TO ${checkerAccount()} WITH GRANT OPTION`,
        `REVOKE GRANT OPTION ON PROCEDURE emr_north_audit.chartgate_snapshot FROM ${checkerAccount()}`,
      ),
  },
  {
    what: "the checker's account may delete audit rows",
    check: 'sql-attempts',
    says: /delete audit rows/,
    breakIt: () =>
      sql(
        `GRANT SELECT, DELETE ON emr_north_audit.audit_row TO ${checkerAccount()}`,
        `REVOKE SELECT, DELETE ON emr_north_audit.audit_row FROM ${checkerAccount()}`,
      ),
  },
  {
    what: "the host's clock is ten seconds off",
    check: 'clock',
    says: /10\d{3} ms behind|999\d ms behind/,
    breakIt: () => ({ options: { now: () => Date.now() + 10_000 } }),
  },
  {
    what: "the host's clock is one second off",
    check: 'clock',
    result: 'warn',
    says: /ms ahead/,
    breakIt: () => ({ options: { now: () => Date.now() - 1000 } }),
  },
  {
    what: 'the server runs a statement in each session',
    check: 'server-settings',
    result: 'warn',
    says: /SET @x = 1/,
    breakIt: () => sql("SET GLOBAL init_connect = 'SET @x = 1'", "SET GLOBAL init_connect = ''"),
  },
  {
    what: "the EMR runs as the gateway's user",
    check: 'emr-user',
    says: /who is the gateway too/,
    breakIt: async (p) => {
      const port = await p.listenAs(gateway().uid);
      return { gateway: p.variant('gateway', (text) => backend(text, port)) };
    },
  },
  {
    what: "the EMR runs as the checker's user",
    check: 'emr-user',
    says: /who is the checker too/,
    breakIt: async (p) => {
      const port = await p.listenAs(checker().uid);
      return { gateway: p.variant('gateway', (text) => backend(text, port)) };
    },
  },
  {
    what: 'the EMR listens on every address',
    check: 'emr-around',
    says: /listens on every address/,
    breakIt: async (p) => {
      const port = await p.listen('0.0.0.0');
      return { gateway: p.variant('gateway', (text) => backend(text, port)) };
    },
  },
  {
    what: 'the EMR answers where clients are',
    check: 'emr-around',
    says: /it answers from 127\.0\.0\.2/,
    breakIt: async (p) => ({
      options: { emrAddresses: [`127.0.0.1:${await p.listen('127.0.0.1')}`], from: '127.0.0.2' },
    }),
  },
  {
    what: 'an address that cannot be tried',
    check: 'emr-around',
    says: /cannot be tried/,
    breakIt: () => ({ options: { emrAddresses: ['127.0.0.1:80'], from: '192.0.2.77' } }),
  },
];

describe.runIf(asRoot)('a broken promise', () => {
  it.each(BREAKAGES)('$what: $check says so', async ({ check, breakIt, result = 'failed', says }) => {
    const given = ((await breakIt(patient)) ?? {}) as Given;
    const told = (await patient.examine([check], given)).filter((each) => each.check === check);
    const sentences = told
      .filter((each) => each.result === result)
      .map(({ about, sentence }) => `${about}: ${sentence}`);
    expect(sentences.join('\n') || JSON.stringify(told)).toMatch(says);
    for (const each of told) if (each.result === 'failed') expect(each.remedy).not.toBe('');
  });

  it('mended, nothing is left of it', async () => {
    const outcomes = await patient.examine(undefined);
    expect(outcomes.filter(({ result }) => result === 'failed')).toEqual([]);
  });

  it("a program that the gateway's user can change: code-unwritable says so", () => {
    const copy = join(patient.stack.directory, 'copy');
    patient.later(() => rmSync(copy, { recursive: true, force: true }));
    for (const part of [
      'activity-log',
      'audit-sql',
      'bin',
      'cli',
      'config',
      'console',
      'contracts',
      'gateway',
      'identity',
      'inspection',
      'integrity-checker',
      'policies',
      'telemetry',
      'tenant-router',
      'package.json',
    ])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const run = (): string =>
      spawnSync(
        process.execPath,
        [
          join(copy, 'bin/chartgate.mjs'),
          'doctor',
          '--gateway',
          patient.file('gateway'),
          '--checker',
          patient.file('checker'),
          '--only',
          'code-unwritable',
        ],
        { encoding: 'utf8' },
      ).stdout;
    expect(run()).toMatch(/✓ gateway: .* can change nothing/);
    chmodSync(join(copy, 'gateway'), 0o777);
    chownSync(join(copy, 'cli'), gateway().uid, gateway().gid);
    expect(run()).toMatch(/✗ gateway: .* can change .*copy\/cli.*copy\/gateway/);
  });
});
