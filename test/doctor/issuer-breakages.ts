import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parse, stringify } from 'yaml';
import type { CheckName, Result } from '../../cli/doctor/index.ts';
import type { Part, Patient } from './support.ts';

export interface Breakage {
  readonly what: string;
  readonly check: CheckName;
  /** @returns what the doctor must be given besides the issuer's settings for it to be seen */
  readonly breakIt: (patient: Patient) => unknown;
  readonly result?: Result;
  readonly says: RegExp;
}

/** Where the embedded issuer's things are. */
export function placesOf(patient: () => Patient) {
  return {
    run: (name: string): string => join(patient().stack.layout.run, '..', 'run-issuer', name),
    state: (name = ''): string => patient().file('issuer', join('state', name)),
    of: (who: Part): { uid: number; gid: number } => patient().stack.isolation[who] ?? { uid: 0, gid: 0 },
  };
}

const as = ({ uid, gid }: { uid: number; gid: number }, ...more: string[]): string[] => [
  'setpriv',
  '--reuid',
  String(uid),
  '--regid',
  String(gid),
  ...more,
];

/** A consistent copy, made by the store's owner. */
const VACUUM =
  "const [,from,to]=process.argv;new (require('node:sqlite').DatabaseSync)(from).prepare('VACUUM INTO ?').run(to)";

/** Each promise about the embedded issuer, broken on purpose. */
export function breakages(patient: () => Patient): readonly Breakage[] {
  const { run, state, of } = placesOf(patient);
  return [
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
      breakIt: (p) => ({
        issuer: p.variant('issuer', (text) => text.replace('id.localhost', 'ie.localhost')),
      }),
    },
    {
      what: 'a tenant is for another audience at the issuer',
      check: 'settings',
      says: /is not the audience of a tenant/,
      breakIt: (p) => ({
        issuer: p.variant('issuer', (text) =>
          text.replace(/audience: \S+/, 'audience: https://other.example'),
        ),
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
      what: "the key that approves baselines lies in the issuer's folder",
      check: 'signing-key-away',
      says: /identity\/signer\.pem: it is the private key that approves baselines/,
      breakIt: (p) => {
        const keys = generateKeyPairSync('ed25519', {
          publicKeyEncoding: { type: 'spki', format: 'pem' },
          privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        });
        p.content(p.file('checker', 'north.baseline.pub'), () => keys.publicKey);
        p.add('issuer', 'signer.pem', keys.privateKey);
      },
    },
    {
      what: "the EMR runs as the issuer's user",
      check: 'emr-user',
      says: /who is the issuer too/,
      breakIt: async (p) => {
        const port = await p.listenAs(of('issuer').uid);
        const elsewhere = (text: string): string =>
          text.replace(/http:\/\/127\.0\.0\.1:\d+/, `http://127.0.0.1:${port}`);
        return { gateway: p.variant('gateway', elsewhere) };
      },
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
}
