import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { guard } from './guardian.ts';
import { freePort } from './ports.ts';
import { findProgram } from './private-database.ts';

export interface PrivateRedisOptions {
  /** A folder of its own. */
  readonly directory: string;
  readonly port?: number;
  readonly password?: string;
  /** PEM files; with them the port speaks TLS only. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly authority: string };
  /** Further lines of its configuration file. */
  readonly extra?: readonly string[];
}

export interface PrivateRedis {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly pid: number;
  /** At once, as when the machine is lost. */
  kill(): Promise<void>;
  /** Stands still and answers nothing, or goes on. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Whether this machine has Redis or Valkey. */
export function redisProgram(): string | undefined {
  return findProgram('redis-server', 'valkey-server');
}

/** A Redis of our own: on loopback, without persistence, gone with this process. */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const program = redisProgram();
  if (program === undefined) throw new Error('There is no redis-server or valkey-server on this machine.');
  const port = options.port ?? (await freePort());
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  const file = join(options.directory, 'redis.conf');
  const { tls } = options;
  writeFileSync(
    file,
    [
      'bind 127.0.0.1',
      tls === undefined ? `port ${port}` : `port 0\ntls-port ${port}\ntls-auth-clients no`,
      ...(tls === undefined
        ? []
        : [
            `tls-cert-file ${tls.certificate}`,
            `tls-key-file ${tls.key}`,
            `tls-ca-cert-file ${tls.authority}`,
          ]),
      'save ""',
      'appendonly no',
      `dir ${options.directory}`,
      `logfile ${join(options.directory, 'redis.log')}`,
      ...(options.password === undefined ? [] : [`requirepass ${options.password}`]),
      ...(options.extra ?? []),
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  chmodSync(file, 0o600);
  const child = spawn(program, [file], { stdio: 'ignore' });
  guard(child);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilAccepting(port, () => child.exitCode !== null || child.signalCode !== null);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
  };
  return {
    host: '127.0.0.1',
    port,
    pid: child.pid ?? 0,
    kill: () => end('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: () => end('SIGKILL'),
  };
}

async function untilAccepting(port: number, ended: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      setTimeout(() => socket.destroy(), 500).unref();
      socket.once('connect', () => socket.destroy());
    });
    if (accepted) return;
    if (ended()) throw new Error('Redis ended at once');
    if (performance.now() > deadline) throw new Error('Redis did not accept a connection within 10 s');
    await sleep(20);
  }
}
