import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcp } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '../../..');
const SSHD = '/usr/sbin/sshd';

/** Root cannot be the user of the server; every system has the user `daemon`, who owns nothing. */
const { uid, username } = userInfo();
export const USER = uid === 0 ? 'daemon' : username;
const IDS = uid === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};

function idOf(which: '-u' | '-g'): number {
  return Number(spawnSync('id', [which, USER], { encoding: 'utf8' }).stdout);
}

export const sshIsHere = existsSync(SSHD) && spawnSync('ssh', ['-V']).status === 0;

export async function freePort(): Promise<number> {
  const server = createTcp().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server for tunnels as `chartgate tunnel init` makes it, and the EMR of a clinic. */
export class TunnelBench {
  readonly folder: string;
  readonly directory: string;
  readonly port: number;
  readonly emr: Server;
  readonly emrPort: number;
  #sshd: ChildProcess | undefined;
  readonly #clients: ChildProcess[] = [];
  log = '';

  private constructor(folder: string, port: number, emr: Server) {
    this.folder = folder;
    this.directory = join(folder, 'server');
    this.port = port;
    this.emr = emr;
    this.emrPort = (emr.address() as AddressInfo).port;
  }

  static async start(): Promise<TunnelBench> {
    const folder = mkdtempSync(join(tmpdir(), 'cg-tunnel-'));
    chmodSync(folder, 0o755);
    const emr = createServer((_request, response) => response.end('the EMR of the clinic'));
    emr.listen(0, '127.0.0.1');
    await once(emr, 'listening');
    const bench = new TunnelBench(folder, await freePort(), emr);
    const made = bench.command('init', '--user', USER, '--listen', `127.0.0.1:${bench.port}`);
    if (made.status !== 0) throw new Error(made.stderr);
    await bench.startServer();
    return bench;
  }

  async startServer(): Promise<void> {
    const sshd = spawn(
      SSHD,
      // Folders above a temporary one are open to all; in a real one StrictModes stays on.
      ['-D', '-e', '-f', join(this.directory, 'sshd_config'), '-o', 'StrictModes=no'],
      { ...IDS, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    sshd.stderr?.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
    });
    this.#sshd = sshd;
    await until(
      () => accepts(this.port),
      5_000,
      () => `sshd does not listen:\n${this.log}`,
    );
  }

  async stopServer(): Promise<void> {
    const sshd = this.#sshd;
    this.#sshd = undefined;
    if (sshd === undefined || sshd.exitCode !== null) return;
    sshd.kill('SIGTERM');
    await once(sshd, 'exit');
  }

  command(...words: readonly string[]): Result {
    const [name = '', ...more] = words;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'bin/chartgate.mjs'), 'tunnel', name, '--directory', this.directory, ...more],
      { encoding: 'utf8', cwd: this.folder },
    );
    return { status, stdout, stderr };
  }

  issue(tenant: string, ...more: readonly string[]): { readonly port: number; readonly out: string } {
    const out = join(this.folder, tenant);
    const { status, stdout, stderr } = this.command(
      'issue',
      tenant,
      '--gateway',
      '127.0.0.1',
      '--emr',
      `127.0.0.1:${this.emrPort}`,
      '--out',
      out,
      '--json',
      ...more,
    );
    if (status !== 0) throw new Error(stderr);
    return { port: (JSON.parse(stdout) as { port: number }).port, out };
  }

  list(): readonly Record<string, unknown>[] {
    return (JSON.parse(this.command('list', '--json').stdout) as { tunnels: Record<string, unknown>[] })
      .tunnels;
  }

  /** What the clinic's unit runs. */
  dial(out: string): ChildProcess {
    const child = spawn('ssh', [...clientWords(out), '-N', 'chartgate'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.resume();
    this.#clients.push(child);
    return child;
  }

  /** Another use of the same key, with words of one's own. */
  async try(out: string, words: readonly string[], milliseconds = 6_000): Promise<Result> {
    const child = spawn('ssh', words[0] === undefined ? [] : [...bareWords(out, this.port), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#clients.push(child);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    await once(child, 'exit');
    clearTimeout(timer);
    return { status: child.exitCode, stdout, stderr };
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.kill('SIGKILL');
    await this.stopServer();
    this.emr.closeAllConnections();
    this.emr.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const clientWords = (out: string): readonly string[] => [
  '-F',
  join(out, 'ssh_config'),
  '-i',
  join(out, 'key'),
  '-o',
  `UserKnownHostsFile=${join(out, 'known_hosts')}`,
  '-o',
  'GlobalKnownHostsFile=none',
];

const bareWords = (out: string, port: number): readonly string[] => [
  '-F',
  'none',
  '-i',
  join(out, 'key'),
  '-o',
  `UserKnownHostsFile=${join(out, 'known_hosts')}`,
  '-o',
  'GlobalKnownHostsFile=none',
  '-o',
  'BatchMode=yes',
  '-o',
  'IdentitiesOnly=yes',
  '-o',
  'ExitOnForwardFailure=yes',
  '-o',
  'ConnectTimeout=5',
  '-p',
  String(port),
  '-l',
  USER,
  '127.0.0.1',
];

export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** What the gateway gets from a loopback port; undefined when nothing answers. */
export async function fetched(port: number, milliseconds = 2_000): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(milliseconds) });
    return await answer.text();
  } catch {
    return undefined;
  }
}

export async function until(
  holds: () => Promise<boolean> | boolean,
  milliseconds: number,
  otherwise: () => string = () => 'it did not come to be',
  every = 50,
): Promise<number> {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > milliseconds) throw new Error(otherwise());
    await wait(every);
  }
  return performance.now() - began;
}
