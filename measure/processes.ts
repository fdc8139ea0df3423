import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { guard } from '../examples/support/guardian.ts';

export interface LaunchOptions {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The core to run on; the parent's cores when undefined. */
  readonly core: number | undefined;
  /** Receives standard output and error. */
  readonly log: string;
  /** The loopback port that accepts connections once it is ready. */
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Running {
  readonly pid: number;
  /** Idempotent; resolves when the process is gone. */
  stop(): Promise<void>;
}

type Cleanup = () => Promise<void>;

const cleanups = new Set<Cleanup>();
let listening = false;

/** Registers what must be undone when the measurement ends, also by Ctrl-C. @returns takes it off the list again */
export function onStop(cleanup: Cleanup): () => void {
  if (!listening) {
    listening = true;
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      process.once(signal, () => {
        stopEverything().finally(() => process.exit(code));
      });
    }
  }
  cleanups.add(cleanup);
  return () => cleanups.delete(cleanup);
}

/** Undoes everything, the last first. Never rejects: one that fails must not keep the others alive. */
export async function stopEverything(): Promise<void> {
  for (const cleanup of [...cleanups].reverse()) {
    cleanups.delete(cleanup);
    await cleanup().catch((error: unknown) => console.error('measure: while stopping:', error));
  }
}

/** Starts a program and waits until its port accepts. It ends with this process, however this process ends. */
export async function launch(options: LaunchOptions): Promise<Running> {
  const [command, args] =
    options.core === undefined
      ? [options.command, options.args]
      : ['taskset', ['-c', String(options.core), options.command, ...options.args]];
  const log = openSync(options.log, 'w', 0o600);
  const child = spawn(command, [...args], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.environment },
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  guard(child);
  const stop = (): Promise<void> => {
    forget();
    return end(child, ended);
  };
  const forget = onStop(stop);
  try {
    await untilAccepting(options.port, child);
  } catch (error) {
    await stop();
    const output = await readFile(options.log, 'utf8').catch(() => '');
    throw new Error(`${options.name} did not start:\n${output.slice(-2000)}`, { cause: error });
  }
  return { pid: child.pid ?? 0, stop };
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(patience);
}

async function untilAccepting(port: number, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new Error('it ended at once');
    }
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      if (performance.now() > deadline) throw new Error('no connection accepted within 15 s');
      await new Promise((resolve) => setTimeout(resolve, 30));
    } finally {
      socket.destroy();
    }
  }
}

/** Runs a program to its end. @returns its output; rejects when it fails or outlives the bound */
export async function runToEnd(
  command: string,
  args: readonly string[],
  core: number | undefined,
  boundMs: number,
): Promise<string> {
  const [program, all] =
    core === undefined ? [command, args] : ['taskset', ['-c', String(core), command, ...args]];
  const child = spawn(program, [...all], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const failure = new Promise<never>((_, reject) => child.once('error', reject));
  guard(child);
  const forget = onStop(() => end(child, ended));
  const bound = setTimeout(() => child.kill('SIGKILL'), boundMs);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  try {
    await Promise.race([ended, failure]);
  } finally {
    clearTimeout(bound);
    forget();
  }
  if (child.exitCode !== 0) {
    throw new Error(
      `${command} failed (${child.signalCode ?? child.exitCode}):\n${errors}\n${output}`.slice(0, 4000),
    );
  }
  return output;
}
