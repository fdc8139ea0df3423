import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import mysql from 'mysql2/promise';
import { guard } from './guardian.ts';
import { freePort } from './ports.ts';

export interface PrivateMariadb {
  readonly directory: string;
  readonly socket: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The administrator (`root`), whose password was made at start. */
  readonly administrator: { readonly user: 'root'; readonly password: string };
  readonly pid: number;
  /** A connection as the administrator, over the socket. The caller ends it. */
  connect(options?: mysql.ConnectionOptions): Promise<mysql.Connection>;
  /** Orderly stop. */
  stop(): Promise<void>;
  /** `kill -9`: the server gets no chance to say goodbye. */
  kill(): Promise<void>;
  /** Starts the same data folder again on the same port, after `stop` or `kill`. */
  restart(extra?: readonly string[]): Promise<void>;
}

export interface PrivateMariadbOptions {
  /** Made when missing; its contents are removed first unless `keep`. */
  readonly directory: string;
  readonly port?: number;
  readonly keep?: boolean;
  /** Further options of `mariadbd`, such as `--log-bin`. */
  readonly extra?: readonly string[];
  /** Folder for the empty data folder that is made once and copied from then on. */
  readonly template?: string;
}

/** Where Debian puts daemons is not on every user's path. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  for (const name of names) {
    for (const folder of folders) {
      if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

const SMALL = ['--innodb-log-file-size=16M', '--innodb-buffer-pool-size=128M', '--performance-schema=OFF'];

function identity(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

async function installTemplate(template: string): Promise<void> {
  if (existsSync(join(template, 'ready'))) return;
  const installer = findProgram('mariadb-install-db');
  if (installer === undefined) throw new Error('mariadb-install-db is missing; run: npm run setup');
  // Made beside the template and renamed, so that two suites that start together cannot share a half-made one.
  const making = `${template}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await mkdir(making, { recursive: true });
  const made = spawnSync(
    installer,
    [
      '--no-defaults',
      `--datadir=${join(making, 'data')}`,
      `--tmpdir=${making}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
      ...SMALL.slice(0, 1),
      ...identity(),
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`mariadb-install-db failed:\n${made.stdout}\n${made.stderr}`);
  await appendFile(join(making, 'ready'), '');
  try {
    await rename(making, template);
  } catch {
    await rm(making, { recursive: true, force: true });
  }
}

/**
 * Starts a MariaDB server of our own: its own data folder, socket and loopback port. Never touches a
 * database service of the machine. It ends with this process, however this process ends.
 */
export async function startPrivateMariadb(options: PrivateMariadbOptions): Promise<PrivateMariadb> {
  const daemon = findProgram('mariadbd', 'mysqld');
  if (daemon === undefined) throw new Error('mariadbd is missing; run: npm run setup');
  const directory = options.directory;
  const data = join(directory, 'data');
  const log = join(directory, 'server.log');
  const temporary = join(directory, 'tmp');
  const fresh = !(options.keep === true && existsSync(data));
  if (fresh) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const template = options.template ?? join(dirname(directory), 'mariadb-template');
    await mkdir(dirname(template), { recursive: true });
    await installTemplate(template);
    await cp(join(template, 'data'), data, { recursive: true });
    await chmod(data, 0o700);
  }
  await mkdir(temporary, { recursive: true });
  const port = options.port ?? (await freePort());
  // A Unix socket's path is limited to 107 bytes; a checkout may lie deeper than that.
  const preferred = join(directory, 's.sock');
  const socketFolder = preferred.length < 100 ? undefined : await mkdtemp(join(tmpdir(), 'cg-'));
  const socket = socketFolder === undefined ? preferred : join(socketFolder, 's.sock');
  const passwordFile = join(directory, 'administrator.password');
  const password = fresh
    ? randomBytes(18).toString('base64url')
    : (await readFile(passwordFile, 'utf8')).trim();

  let child: ChildProcess | undefined;

  async function launch(extra: readonly string[]): Promise<void> {
    const started = spawn(
      daemon as string,
      [
        '--no-defaults',
        `--datadir=${data}`,
        // A starting server clears its temporary folder of every server's leftovers; in /tmp, of those in use too.
        `--tmpdir=${temporary}`,
        `--socket=${socket}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--pid-file=${join(directory, 'server.pid')}`,
        `--log-error=${log}`,
        '--skip-name-resolve',
        '--character-set-server=utf8mb4',
        ...SMALL,
        ...identity(),
        ...extra,
      ],
      { stdio: 'ignore' },
    );
    child = started;
    guard(started);
    const deadline = performance.now() + 60_000;
    for (;;) {
      if (started.exitCode !== null || started.signalCode !== null) {
        throw new Error(
          `mariadbd ended at once:\n${(await readFile(log, 'utf8').catch(() => '')).slice(-2000)}`,
        );
      }
      const ready = await tryConnect();
      if (ready !== undefined) {
        await ready.end();
        return;
      }
      if (performance.now() > deadline) throw new Error(`mariadbd did not answer within 60 s; see ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  let passwordSet = !fresh;
  async function tryConnect(): Promise<mysql.Connection | undefined> {
    try {
      return await mysql.createConnection({
        socketPath: socket,
        user: 'root',
        password: passwordSet ? password : '',
      });
    } catch {
      return undefined;
    }
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = child;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill(signal);
    await ended;
  }

  await launch(options.extra ?? []);
  if (fresh) {
    const connection = await mysql.createConnection({ socketPath: socket, user: 'root' });
    const [accounts] = await connection.query<mysql.RowDataPacket[]>(
      "SELECT Host h FROM mysql.user WHERE User='root'",
    );
    for (const account of accounts) {
      if (account.h !== 'localhost') await connection.query('DROP USER ?@?', ['root', account.h]);
    }
    await connection.query("ALTER USER 'root'@'localhost' IDENTIFIED BY ?", [password]);
    await connection.end();
    passwordSet = true;
    await appendFile(passwordFile, password, { mode: 0o600 });
  }

  return {
    directory,
    socket,
    host: '127.0.0.1',
    port,
    administrator: { user: 'root', password },
    get pid() {
      return child?.pid ?? 0;
    },
    connect: (extra = {}) => mysql.createConnection({ socketPath: socket, user: 'root', password, ...extra }),
    stop: async () => {
      await end('SIGTERM');
      if (socketFolder !== undefined) await rm(socketFolder, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
    restart: (extra = options.extra ?? []) => launch(extra),
  };
}
