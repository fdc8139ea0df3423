import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import mysql from 'mysql2/promise';
import { guard } from './guardian.ts';
import { freePort } from './ports.ts';

/** A database server of our own, MariaDB or MySQL: the same to whoever uses it. */
export interface PrivateDatabase {
  readonly engine: 'mariadb' | 'mysql';
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

export interface PrivateDatabaseOptions {
  /** Made when missing; its contents are removed first unless `keep`. */
  readonly directory: string;
  readonly port?: number;
  readonly keep?: boolean;
  /** Further options of the server, such as `--log-bin`. */
  readonly extra?: readonly string[];
  /** Folder for the empty data folder that is made once and copied from then on. */
  readonly template?: string;
}

/** What one kind of server wants different from another. */
export interface Flavour {
  readonly engine: 'mariadb' | 'mysql';
  /** For messages, and the name of the template's folder. */
  readonly name: string;
  /** The program and the arguments that come before all others. */
  readonly command: readonly [string, ...string[]];
  settings(extra: readonly string[]): readonly string[];
  /**
   * Makes an empty data folder, `making`/data, whose `root` has no password.
   * @throws Error with what the installer said
   */
  install(making: string): void;
  /** Files of the data folder that two servers must not share. */
  readonly notCopied: readonly string[];
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

/**
 * The command line of a program that `scripts/setup-unstable.mjs` unpacked into `folder`: run through its own
 * dynamic loader, because its libraries are newer than this machine's.
 * @throws Error when it was not set up
 */
export function unpackedProgram(folder: string, path: string): readonly [string, ...string[]] {
  if (!existsSync(join(folder, 'ready'))) throw new Error(`There is no ${join(folder, 'ready')}.`);
  const libraries = join(folder, 'root/usr/lib', readFileSync(join(folder, 'multiarch'), 'utf8').trim());
  const loader = readdirSync(libraries).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  if (loader === undefined) throw new Error(`There is no dynamic loader in ${libraries}.`);
  return [join(libraries, loader), '--library-path', libraries, join(folder, 'root', path)];
}

/** A server that is started by root must be told so. */
export function runAs(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

async function installTemplate(flavour: Flavour, template: string): Promise<void> {
  if (existsSync(join(template, 'ready'))) return;
  // Made beside the template and renamed, so that two suites that start together cannot share a half-made one.
  const making = `${template}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await mkdir(making, { recursive: true });
  flavour.install(making);
  for (const name of flavour.notCopied) await rm(join(making, 'data', name), { force: true });
  await appendFile(join(making, 'ready'), '');
  try {
    await rename(making, template);
  } catch {
    await rm(making, { recursive: true, force: true });
  }
}

/**
 * Starts a server of our own: its own data folder, socket and loopback port. Never touches a database
 * service of the machine. It ends with this process, however this process ends.
 */
export async function startPrivate(
  flavour: Flavour,
  options: PrivateDatabaseOptions,
): Promise<PrivateDatabase> {
  const directory = options.directory;
  const data = join(directory, 'data');
  const log = join(directory, 'server.log');
  const temporary = join(directory, 'tmp');
  const fresh = !(options.keep === true && existsSync(data));
  if (fresh) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const template = options.template ?? join(dirname(directory), `${flavour.name}-template`);
    await mkdir(dirname(template), { recursive: true });
    await installTemplate(flavour, template);
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
    const [program, ...before] = flavour.command;
    const started = spawn(
      program,
      [
        ...before,
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
        ...flavour.settings(extra),
        ...runAs(),
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
          `${flavour.name} ended at once:\n${(await readFile(log, 'utf8').catch(() => '')).slice(-2000)}`,
        );
      }
      const ready = await tryConnect();
      if (ready !== undefined) {
        await ready.end();
        return;
      }
      if (performance.now() > deadline)
        throw new Error(`${flavour.name} did not answer within 60 s; see ${log}`);
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
    engine: flavour.engine,
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
