import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepts, fetched, freePort, sshIsHere, TunnelBench, USER, until } from './support.ts';

const EMR = 'the EMR of the clinic';

if (!sshIsHere && process.env.CI === 'true') {
  throw new Error('OpenSSH is missing: scripts/setup.mjs installs openssh-server');
}

describe.runIf(sshIsHere)('tunnels over a real sshd', () => {
  let bench: TunnelBench;
  let north: { readonly port: number; readonly out: string };
  let south: { readonly port: number; readonly out: string };
  beforeAll(async () => {
    bench = await TunnelBench.start();
    north = bench.issue('north');
    south = bench.issue('south');
  }, 30_000);
  afterAll(() => bench?.stop());

  it('leads from its loopback port to the EMR of the clinic, and the list says so', async () => {
    expect(north.port).not.toBe(south.port);
    const client = bench.dial(north.out);
    await until(
      async () => (await fetched(north.port)) === EMR,
      5_000,
      () => bench.log,
    );
    const [first, second] = bench.list();
    expect(first).toMatchObject({ tenant: 'north', port: north.port, up: true, peer: '127.0.0.1' });
    expect(Date.now() - Date.parse(String(first?.since))).toBeLessThan(60_000);
    if (spawnSync('ss', ['-V']).status === 0) expect(first?.roundTripMs).toBeGreaterThan(0);
    expect(second).toMatchObject({ tenant: 'south', up: false, since: null });
    expect(bench.command('list').stdout).toMatch(/^north\s+\d+\s+up\s+\d{4}-.*ms$/m);
    client.kill('SIGKILL');
    await once(client, 'exit');
    await until(async () => !(await accepts(north.port)), 5_000);
  });

  it('is back by itself after the line was cut without a word', async () => {
    const first = bench.dial(north.out);
    await until(
      async () => (await fetched(north.port)) === EMR,
      5_000,
      () => bench.log,
    );
    // A machine that vanished: it answers nothing any more, and closes nothing.
    first.kill('SIGSTOP');
    await wait(1_000);
    // What the clinic's unit does: dial again each second until the port is free.
    let next = bench.dial(north.out);
    await until(
      async () => {
        if (next.exitCode !== null) next = bench.dial(north.out);
        return (await fetched(north.port, 300)) === EMR;
      },
      12_000,
      () => bench.log,
      // As a gateway whose circuit breaker is open: sshd looks for a client that is gone when its ports are quiet.
      1_000,
    );
    first.kill('SIGKILL');
    next.kill('SIGKILL');
    await until(async () => !(await accepts(north.port)), 5_000);
  }, 20_000);

  it.each([
    ["another tenant's port", () => ['-N', '-R', `127.0.0.1:${south.port}:127.0.0.1:1`]],
    ['a port that nobody has', () => ['-N', '-R', '127.0.0.1:28123:127.0.0.1:1']],
    ['its port for the whole network', () => ['-N', '-R', `0.0.0.0:${north.port}:127.0.0.1:1`]],
    ['its port under another loopback address', () => ['-N', '-R', `127.0.0.2:${north.port}:127.0.0.1:1`]],
    ['any port that the server chooses', () => ['-N', '-R', '127.0.0.1:0:127.0.0.1:1']],
    ['a Unix socket on the server', () => ['-N', '-R', '/tmp/chartgate-tunnel.sock:127.0.0.1:1']],
    ['a shell', () => ['-T']],
    ['a terminal', () => ['-tt']],
    ['a program', () => ['/bin/echo', 'here']],
    ['a file transfer', () => ['-s', 'sftp']],
    ['a network device', () => ['-N', '-w', '0:0']],
    ['X11', () => ['-X', '-T', '/bin/echo', 'here']],
    ['its own agent on the server', () => ['-A', '-T', '/bin/echo', 'here']],
  ])('refuses %s', async (_what, words) => {
    const { status, stdout } = await bench.try(north.out, words(), 2_500);
    expect(stdout).toBe('');
    expect(status).not.toBe(0);
    expect(await accepts(south.port)).toBe(false);
    expect(await accepts(28_123)).toBe(false);
  });

  it('refuses to lead from the clinic to anything on the side of the gateway', async () => {
    const secret = createServer((_request, response) => response.end('on the side of the gateway'));
    secret.listen(0, '127.0.0.1');
    await once(secret, 'listening');
    const { port } = secret.address() as AddressInfo;
    const entrance = await freePort();
    const attempt = bench.try(north.out, ['-N', '-L', `127.0.0.1:${entrance}:127.0.0.1:${port}`], 3_000);
    await until(() => accepts(entrance), 2_500);
    expect(await fetched(port)).toBe('on the side of the gateway');
    expect(await fetched(entrance)).toBeUndefined();
    await attempt;
    secret.close();
  });

  it('lets nobody in without a key, nor with one that was not issued', async () => {
    const stranger = join(bench.folder, 'stranger');
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
    for (const words of [
      ['-o', `IdentityFile=${stranger}`, '-o', 'IdentitiesOnly=no'],
      ['-o', 'PubkeyAuthentication=no'],
    ]) {
      const { status, stderr } = await bench.try(bench.folder, [...words, '-N'], 3_000);
      expect(status).toBe(255);
      expect(stderr).toMatch(/Permission denied|Host key verification failed/);
    }
  });

  it('ends at once when it is revoked, and its key opens nothing any more', async () => {
    const west = bench.issue('west');
    const client = bench.dial(west.out);
    await until(
      async () => (await fetched(west.port)) === EMR,
      5_000,
      () => bench.log,
    );
    const ended = once(client, 'exit');
    const { status, stdout } = bench.command('revoke', 'west', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ tenant: 'west', revoked: true, cut: true });
    await ended;
    await until(async () => !(await accepts(west.port)), 2_000);
    const again = bench.dial(west.out);
    await once(again, 'exit');
    expect(again.exitCode).toBe(255);
    const key = join(west.out, 'key.pub');
    const second = bench.command(
      'issue',
      'west',
      '--gateway',
      'g',
      '--out',
      join(bench.folder, 'w2'),
      '--public-key',
      key,
    );
    expect(second.status).toBe(2);
    expect(second.stderr).toMatch(/revoked/);
  });

  it('when it is revoked ends whoever has its key and took nothing yet, and nobody else', async () => {
    const honest = bench.dial(north.out);
    const centre = bench.issue('centre');
    // Somebody with the same key, who waits until the port is free.
    const control = join(bench.folder, 'control');
    const gone = bench.try(centre.out, ['-M', '-S', control, '-N'], 15_000);
    await until(
      () => existsSync(control),
      5_000,
      () => bench.log,
    );
    await until(async () => (await fetched(north.port)) === EMR, 5_000);
    const { status, stdout } = bench.command('revoke', 'centre', '--json');
    expect([status, JSON.parse(stdout)]).toMatchObject([0, { cut: true }]);
    expect((await gone).status).toBe(255);
    expect(honest.exitCode).toBe(null);
    expect(await fetched(north.port)).toBe(EMR);
    const next = bench.issue('centre2');
    expect(next.port).not.toBe(centre.port);
    honest.kill('SIGKILL');
    await until(async () => !(await accepts(north.port)), 5_000);
  }, 20_000);

  it('tells a port that somebody else listens on from a tunnel, and gives it to nobody', async () => {
    const other = createServer((_request, response) => response.end('somebody else'));
    other.listen(south.port, '127.0.0.1');
    await once(other, 'listening');
    expect(bench.list().find(({ tenant }) => tenant === 'south')).toMatchObject({ up: false, taken: true });
    expect(bench.command('list').stdout).toMatch(/^south\s+\d+\s+down: port taken by another process$/m);
    other.close();
    const free = await freePort();
    const third = createServer().listen(free, '127.0.0.1');
    await once(third, 'listening');
    const words = ['--gateway', 'g', '--out', join(bench.folder, 'busy'), '--port', String(free)];
    const refused = bench.command('issue', 'busy', ...words);
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringMatching(/in use by another process/)]);
    third.close();
  });

  it('refuses to be made for a user that does not exist, and can be made once there is one', () => {
    const init = (directory: string, user: string) =>
      spawnSync(
        process.execPath,
        [
          join(import.meta.dirname, '../../../bin/chartgate.mjs'),
          'tunnel',
          'init',
          '--directory',
          directory,
          '--user',
          user,
        ],
        { encoding: 'utf8' },
      );
    const directory = join(bench.folder, 'second');
    const refused = init(directory, 'nobody-of-that-name');
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringMatching(/systemd-sysusers/)]);
    expect(existsSync(directory)).toBe(false);
    expect(init(directory, USER).status).toBe(0);
    expect(init(directory, USER)).toMatchObject({ status: 2, stderr: expect.stringMatching(/already/) });
    // One that broke off before it was done: its key is the server's.
    const key = readFileSync(join(directory, 'host_key'), 'utf8');
    for (const name of ['tunnels.json', 'host_key.pub', 'sshd_config']) rmSync(join(directory, name));
    expect(init(directory, USER).status).toBe(0);
    expect(readFileSync(join(directory, 'host_key'), 'utf8')).toBe(key);
  });

  it('refuses to issue for addresses that sshd would never match, and the list stays readable', () => {
    for (const from of ['fe80::1%eth0', '127.0.0.1/8', '192.0.2.0/99']) {
      const out = join(bench.folder, 'from');
      const refused = bench.command('issue', 'from', '--gateway', 'g', '--out', out, '--from', from);
      expect([from, refused.status, existsSync(out)]).toEqual([from, 2, false]);
    }
    expect(bench.list().some(({ tenant }) => tenant === 'from')).toBe(false);
  });

  it('notices a host key that is another: the clinic does not dial, and the list warns', async () => {
    const east = bench.issue('east');
    await bench.stopServer();
    const key = join(bench.directory, 'host_key');
    rmSync(key);
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key], { input: 'y\n' });
    if (process.getuid?.() === 0) spawnSync('chown', [USER, key]);
    await bench.startServer();
    const client = bench.dial(east.out);
    await once(client, 'exit');
    expect(client.exitCode).toBe(255);
    expect(await accepts(east.port)).toBe(false);
    const { status, stderr } = bench.command('list');
    expect(status).toBe(1);
    expect(stderr).toMatch(/WARNING: the host key/);
  });

  it('leaves no folder and no key behind when it refuses', () => {
    const out = join(bench.folder, 'again');
    const { status, stderr } = bench.command('issue', 'south', '--gateway', 'g', '--out', out);
    expect(status).toBe(2);
    expect(stderr).toMatch(/has a tunnel already/);
    expect(existsSync(out)).toBe(false);
  });

  it('gives the clinic files in which nothing but its own key is a secret', () => {
    const names = [
      'README.txt',
      'known_hosts',
      'ssh_config',
      'chartgate-tunnel.service',
      'install-windows.ps1',
      'tunnel.cmd',
      'plink.cmd',
    ];
    for (const name of names) {
      const text = readFileSync(join(south.out, name), 'utf8');
      expect(text).not.toMatch(/PRIVATE KEY/);
      if (name === 'plink.cmd' || name === 'ssh_config') expect(text).toContain(`127.0.0.1:${south.port}`);
    }
  });
});
