import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { guard } from '../support/guardian.ts';

export interface LaunchOptions {
  readonly clinic: string;
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly name: string;
    readonly user: string;
    /** Path of a file that holds the password. */
    readonly passwordFile: string;
  };
  /** Any free port when not given. */
  readonly port?: number;
  /** What the EMR believes its address to be. */
  readonly publicUrl?: string;
}

export interface LaunchedEmr {
  readonly port: number;
  readonly origin: string;
  readonly pid: number;
  /** Orderly end; resolves with the exit code, null when a signal ended it. */
  stop(): Promise<number | null>;
  kill(): Promise<number | null>;
}

/** Starts `main.ts` as a process of its own and waits until it listens. It ends with this process. */
export async function launchEmr(options: LaunchOptions): Promise<LaunchedEmr> {
  const { database } = options;
  const child = spawn(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      EMR_PORT: String(options.port ?? 0),
      EMR_CLINIC: options.clinic,
      EMR_DB_HOST: database.host,
      EMR_DB_PORT: String(database.port),
      EMR_DB_NAME: database.name,
      EMR_DB_USER: database.user,
      EMR_DB_PASSWORD_FILE: database.passwordFile,
      ...(options.publicUrl === undefined ? {} : { EMR_PUBLIC_URL: options.publicUrl }),
    },
  });
  guard(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const port = await listening(child, exited);
  const end = (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

function listening(child: ChildProcess, exited: Promise<number | null>): Promise<number> {
  let out = '';
  let err = '';
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    const found = /^listening on (\d+)$/m.exec(out);
    if (found !== null) resolve(Number(found[1]));
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.once('error', reject);
  void exited.then((code) => reject(new Error(`the EMR ended at once (${code}): ${err}`)));
  return promise;
}
