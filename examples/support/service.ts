import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { guard } from './guardian.ts';

export interface ServiceOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A line of standard output that says the service is ready. */
  readonly ready: RegExp;
  /** Everything the service prints goes here, appended. */
  readonly logFile: string;
  /** Numeric OS user and group; this process's own when undefined. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  readonly cwd?: string;
  /** Milliseconds until it has to be ready; 30 s unless given. */
  readonly readyMs?: number | undefined;
}

/** One process of the demo or of a test: started, watched, stopped, killed, started again. */
export class Service {
  readonly name: string;
  readonly #options: ServiceOptions;
  #child: ChildProcess | undefined;
  #readyLine = '';

  constructor(options: ServiceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The line that said the service is ready. */
  get readyLine(): string {
    return this.#readyLine;
  }

  /** Resolves when the service says it is ready; rejects with the end of its output when it ends before. */
  async start(): Promise<void> {
    const { command, args, env, ready, logFile, account, cwd, readyMs = 30_000 } = this.#options;
    const log: WriteStream = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: '/nonexistent', NODE_NO_WARNINGS: '1', ...env },
      ...(account ?? {}),
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    guard(child);
    let seen = '';
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`${this.name} ended at once (${code ?? signal}):\n${seen.slice(-3000)}`)),
    );
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      if (this.#readyLine !== '') return;
      seen += text;
      const line = seen.split('\n').find((each) => ready.test(each));
      if (line === undefined) return;
      this.#readyLine = line;
      resolve();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      if (seen.length < 20_000) seen += text;
    });
    const timer = setTimeout(
      () =>
        reject(
          new Error(`${this.name} did not become ready within ${readyMs / 1000} s:\n${seen.slice(-3000)}`),
        ),
      readyMs,
    );
    try {
      this.#readyLine = '';
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Sends the signal and waits for the end; `SIGKILL` follows after ten seconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }

  kill(): Promise<void> {
    return this.stop('SIGKILL');
  }
}
