import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SYSTEMD = join(import.meta.dirname, '../../deploy/systemd');
const UNITS = ['chartgate.service', 'chartgate-checker.service', 'chartgate-issuer.service'] as const;

function run(command: string, ...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(`${command} is missing: apt-get install -y --no-install-recommends systemd`);
  return { status, text: stdout + stderr };
}

const unit = (name: string): string => readFileSync(join(SYSTEMD, name), 'utf8');
/** Every value of a key, in order. */
const values = (name: string, key: string): string[] =>
  [...unit(name).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1] ?? '');

/** A root folder made of the shipped files alone, as an administrator's machine would be. */
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cg-root-'));
  for (const folder of ['etc/systemd/system', 'usr/lib/sysusers.d', 'usr/lib/tmpfiles.d', 'bin'])
    mkdirSync(join(root, folder), { recursive: true });
  const runtime = join(root, 'opt/chartgate/node_modules/.bin');
  mkdirSync(runtime, { recursive: true });
  for (const program of [join(runtime, 'node'), join(root, 'bin/kill')]) {
    writeFileSync(program, '');
    chmodSync(program, 0o755);
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  for (const name of UNITS) copyFileSync(join(SYSTEMD, name), join(root, 'etc/systemd/system', name));
  copyFileSync(join(SYSTEMD, 'sysusers.conf'), join(root, 'usr/lib/sysusers.d/chartgate.conf'));
  copyFileSync(join(SYSTEMD, 'tmpfiles.conf'), join(root, 'usr/lib/tmpfiles.d/chartgate.conf'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.each(UNITS)('%s', (name) => {
  it('is exposed at most 1.5 by the measure of systemd itself', () => {
    const { status, text } = run(
      'systemd-analyze',
      'security',
      '--offline=true',
      '--threshold=15',
      join(SYSTEMD, name),
    );
    expect(text).toMatch(/Overall exposure level/);
    expect({ status, worst: status === 0 ? '' : text }).toEqual({ status: 0, worst: '' });
  });

  it('has no directive that systemd does not know', () => {
    const { text } = run('systemd-analyze', 'verify', `--root=${root}`, name);
    // Of units that are not in the folder it says so; of ours it says nothing.
    expect(
      text.split('\n').filter((line) => line.includes(name) && !/Unit \S+ not found/.test(line)),
    ).toEqual([]);
  });

  it('starts what the package has, with settings of its own', () => {
    const own = { '': 'gateway', '-checker': 'checker', '-issuer': 'issuer' }[
      /^chartgate(.*)\.service$/.exec(name)?.[1] ?? ''
    ];
    const others = ['gateway', 'checker', 'issuer'].filter((other) => other !== own);
    const [start = ''] = values(name, 'ExecStart');
    expect(start).toContain('/node_modules/chartgate/bin/chartgate.mjs ');
    expect(start).toContain(`--config /etc/chartgate/${own}/${own}.yaml`);
    for (const other of others) {
      expect(values(name, 'InaccessiblePaths').join(' ')).toContain(`-/etc/chartgate/${other}`);
    }
  });

  it("does not see the others' stores, nor a socket that it has no business at", () => {
    const hidden = values(name, 'InaccessiblePaths').join(' ').split(' ');
    const account = name.replace('.service', '');
    const stores = UNITS.map((unit) => `-/var/lib/${unit.replace('.service', '')}`);
    expect(hidden).toEqual(
      expect.arrayContaining(stores.filter((store) => store !== `-/var/lib/${account}`)),
    );
    expect(hidden).not.toContain(`-/var/lib/${account}`);
    const sockets = { 'chartgate-checker': '-/run/chartgate-issuer', 'chartgate-issuer': '-/run/chartgate' };
    expect(hidden.filter((path) => path.startsWith('-/run/chartgate'))).toEqual(
      Object.entries(sockets).flatMap(([who, socket]) => (who === account ? [socket] : [])),
    );
  });

  it('is one user and one group, and no other', () => {
    const account = name.replace('.service', '');
    expect([values(name, 'User'), values(name, 'Group'), values(name, 'SupplementaryGroups')]).toEqual([
      [account],
      [account],
      [],
    ]);
  });

  it('holds at most the power to open a low port', () => {
    const power = name === 'chartgate.service' ? 'CAP_NET_BIND_SERVICE' : '';
    expect([values(name, 'CapabilityBoundingSet'), values(name, 'AmbientCapabilities')]).toEqual([
      [power],
      [power],
    ]);
  });

  it('leaves no core dump, and comes back by itself whatever ended it', () => {
    expect([
      values(name, 'LimitCORE'),
      values(name, 'Restart'),
      values(name, 'StartLimitIntervalSec'),
    ]).toEqual([['0'], ['always'], ['0']]);
  });

  it('does not take the other one down with it', () => {
    for (const key of ['Requires', 'BindsTo', 'PartOf', 'Requisite']) expect(values(name, key)).toEqual([]);
  });
});

it.each([
  ['chartgate-checker.service', ['localhost']],
  // Not even loopback, where an EMR may listen.
  ['chartgate-issuer.service', []],
])('%s reaches no address but %j unless a drop-in says so, and listens on none', (name, reached) => {
  expect(values(name, 'IPAddressDeny')).toEqual(['any']);
  expect(values(name, 'IPAddressAllow')).toEqual(reached);
  expect(values(name, 'SocketBindDeny')).toEqual(['any']);
});

it.runIf(process.getuid?.() === 0)(
  'sysusers and tmpfiles make three users without a common group, and their folders',
  () => {
    expect(run('systemd-sysusers', `--root=${root}`).status).toBe(0);
    expect(run('systemd-tmpfiles', '--create', `--root=${root}`, 'chartgate.conf').status).toBe(0);
    const ids = (file: string): Map<string, number> =>
      new Map(
        readFileSync(join(root, 'etc', file), 'utf8')
          .split('\n')
          .map((line) => line.split(':'))
          .map(([name = '', , id]) => [name, Number(id)] as const),
      );
    const users = ids('passwd');
    const groups = ids('group');
    const members = readFileSync(join(root, 'etc/group'), 'utf8').match(/^chartgate[^:]*:[^:]*:\d+:(.+)$/m);
    expect(members).toBeNull();
    const accounts = ['chartgate', 'chartgate-checker', 'chartgate-issuer'];
    expect(new Set(accounts.map((account) => users.get(account))).size).toBe(3);
    const state = (path: string): object => {
      const { uid, gid, mode } = statSync(join(root, path));
      return { uid, gid, mode: (mode & 0o7777).toString(8) };
    };
    const gateway = { uid: users.get('chartgate'), gid: groups.get('chartgate') };
    const checker = { uid: users.get('chartgate-checker'), gid: groups.get('chartgate-checker') };
    const issuer = { uid: users.get('chartgate-issuer'), gid: groups.get('chartgate-issuer') };
    expect(state('etc/chartgate/issuer')).toEqual({ ...issuer, mode: '700' });
    expect(state('run/chartgate-issuer')).toEqual({ uid: issuer.uid, gid: gateway.gid, mode: '2750' });
    expect(state('etc/chartgate')).toEqual({ uid: 0, gid: 0, mode: '711' });
    expect(state('etc/chartgate/gateway')).toEqual({ ...gateway, mode: '700' });
    expect(state('etc/chartgate/checker')).toEqual({ ...checker, mode: '700' });
    expect(state('run/chartgate')).toEqual({ uid: checker.uid, gid: gateway.gid, mode: '2750' });
  },
);
