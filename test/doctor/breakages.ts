import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CheckName, Result } from '../../cli/doctor/index.ts';
import { freePort } from '../../examples/support/ports.ts';
import type { Patient } from './support.ts';

export interface Breakage {
  readonly what: string;
  readonly check: CheckName;
  /** Breaks it; @returns what the doctor must be given for it to be seen */
  readonly breakIt: (patient: Patient) => unknown;
  readonly result?: Result;
  /** Of a sentence that must be among those with `result`. */
  readonly says: RegExp;
}

export const gateway = (p: Patient): { uid: number; gid: number } =>
  p.stack.isolation.gateway ?? { uid: 0, gid: 0 };
const checker = (p: Patient): { uid: number; gid: number } => p.stack.isolation.checker ?? { uid: 0, gid: 0 };
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

async function sql(p: Patient, statement: string, undo: string): Promise<void> {
  const connection = await p.stack.mariadb.connect();
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
  p.later(async () => {
    const again = await p.stack.mariadb.connect();
    await again.query(undo);
    await again.end();
  });
}

const checkerAccount = (p: Patient): string => `'${p.stack.tenants.north.checkerUser.user}'@'127.0.0.1'`;

/** Each promise, broken on purpose. */
export const BREAKAGES: readonly Breakage[] = [
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
      checker: await p.otherChecker(as(checker(p).uid, checker(p).gid, '--groups', String(gateway(p).gid))),
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
      checker: await p.otherChecker(as(checker(p).uid, checker(p).gid, '--clear-groups'), [
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
      checker: await p.otherChecker(as(checker(p).uid, checker(p).gid, '--clear-groups'), [
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
          checker(p).uid,
          checker(p).gid,
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
      p.owner(p.file('checker', 'north.baseline.json'), checker(p).uid, gateway(p).gid);
      p.mode(p.file('checker', 'north.baseline.json'), 0o660);
    },
  },
  {
    what: "the checker's folder is the gateway's",
    check: 'checker-files-closed',
    says: /can replace what is in/,
    breakIt: (p) => p.owner(p.stack.layout.checker, gateway(p).uid, gateway(p).gid),
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
    breakIt: (p) => p.owner(p.stack.layout.socket, 65_534, gateway(p).gid),
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
    breakIt: (p) =>
      sql(
        p,
        `GRANT TRIGGER ON emr_north.* TO ${checkerAccount(p)}`,
        `REVOKE TRIGGER ON emr_north.* FROM ${checkerAccount(p)}`,
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
    breakIt: (p) =>
      sql(
        p,
        `GRANT TRIGGER ON emr_north.* TO ${checkerAccount(p)}`,
        `REVOKE TRIGGER ON emr_north.* FROM ${checkerAccount(p)}`,
      ),
  },
  {
    what: "the checker's account may give its right away",
    check: 'sql-grants',
    says: /WITH GRANT OPTION|more than it needs/,
    breakIt: (p) =>
      sql(
        p,
        `GRANT EXECUTE ON PROCEDURE emr_north_audit.chartgate_snapshot TO ${checkerAccount(p)} WITH GRANT OPTION`,
        `REVOKE GRANT OPTION ON PROCEDURE emr_north_audit.chartgate_snapshot FROM ${checkerAccount(p)}`,
      ),
  },
  {
    what: "the checker's account may delete audit rows",
    check: 'sql-attempts',
    says: /delete audit rows/,
    breakIt: (p) =>
      sql(
        p,
        `GRANT SELECT, DELETE ON emr_north_audit.audit_row TO ${checkerAccount(p)}`,
        `REVOKE SELECT, DELETE ON emr_north_audit.audit_row FROM ${checkerAccount(p)}`,
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
    breakIt: (p) => sql(p, "SET GLOBAL init_connect = 'SET @x = 1'", "SET GLOBAL init_connect = ''"),
  },
  {
    what: "the EMR runs as the gateway's user",
    check: 'emr-user',
    says: /who is the gateway too/,
    breakIt: async (p) => {
      const port = await p.listenAs(gateway(p).uid);
      return { gateway: p.variant('gateway', (text) => backend(text, port)) };
    },
  },
  {
    what: "the EMR runs as the checker's user",
    check: 'emr-user',
    says: /who is the checker too/,
    breakIt: async (p) => {
      const port = await p.listenAs(checker(p).uid);
      return { gateway: p.variant('gateway', (text) => backend(text, port)) };
    },
  },
  {
    what: "the EMR is begun by root and works as the gateway's user",
    check: 'emr-user',
    says: /who is the gateway too/,
    breakIt: async (p) => {
      const port = await p.listenThenWorkAs(gateway(p).uid);
      return { gateway: p.variant('gateway', (text) => backend(text, port)) };
    },
  },
  {
    what: 'the gateway has the port of the EMR at another address, and is not taken for it',
    check: 'emr-user',
    result: 'ok',
    says: /EMR of \w+: it runs as nobody \(uid 65534\)$/m,
    breakIt: async (p) => {
      const port = await p.listenAs(65_534);
      await p.listenAs(gateway(p).uid, '127.0.0.2', port);
      return { gateway: p.variant('gateway', (text) => backend(text, port)) };
    },
  },
  {
    what: 'the EMR does not run, and nothing is said of who reaches it',
    check: 'emr-around',
    result: 'skipped',
    says: /nobody listens/,
    breakIt: async (p) => {
      const port = await freePort();
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
