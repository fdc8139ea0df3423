import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { access, constants, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/** An OS account as the kernel knows it. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, without `gid`. */
  readonly groups: readonly number[];
}

/** Somebody who is neither of the two: `nobody`. */
export const STRANGER: Account = Object.freeze({ uid: 65_534, gid: 65_534, groups: Object.freeze([]) });

export const ATTEMPTS = ['read', 'write', 'list', 'change', 'connect'] as const;
/**
 * What is tried. `read` and `write` open a file and close it again; `list` reads a folder; `change` asks the
 * kernel whether entries of a folder could be made and removed; `connect` opens and closes a connection to a
 * Unix socket. Nothing is altered by any.
 */
export type AttemptKind = (typeof ATTEMPTS)[number];

export interface Attempt {
  readonly kind: AttemptKind;
  readonly path: string;
}

/** Whether it worked; the system's code when not. */
export type Attempted = Attempt & { readonly worked: boolean; readonly code: string };

/**
 * Really tries, as `account` with its groups and nobody else's powers, in a process made for it.
 * Only for root. @throws Error when the process could not become that user
 */
export function attemptAs(account: Account, attempts: readonly Attempt[]): readonly Attempted[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)],
    {
      input: JSON.stringify({ account, attempts }),
      encoding: 'utf8',
      cwd: '/',
      env: {},
      timeout: 20_000,
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  if (status !== 0) throw new Error(`cannot try things as uid ${account.uid}: ${stderr.slice(0, 500)}`);
  return JSON.parse(stdout) as readonly Attempted[];
}

/** The groups of a user of the machine's user list, without its primary one; none for a number without an entry. */
export function groupsOf(uid: number, gid: number): readonly number[] {
  const name = nameOf(uid);
  const asked = name === undefined ? undefined : spawnSync('id', ['-G', '--', name], { encoding: 'utf8' });
  if (asked === undefined || asked.status !== 0) return [];
  return asked.stdout
    .trim()
    .split(/\s+/)
    .map(Number)
    .filter((group) => group !== gid);
}

/** `name (uid)` for a person, or the number alone. */
export function shownUser(uid: number): string {
  const name = nameOf(uid);
  return name === undefined ? `uid ${uid}` : `${name} (uid ${uid})`;
}

function nameOf(uid: number): string | undefined {
  const found = spawnSync('getent', ['passwd', String(uid)], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.split(':')[0] : undefined;
}

async function attempt({ kind, path }: Attempt): Promise<void> {
  switch (kind) {
    case 'read':
      return closeSync(openSync(path, 'r'));
    case 'write':
      return closeSync(openSync(path, 'r+'));
    case 'list':
      await readdir(path);
      return;
    case 'change':
      return access(path, constants.W_OK | constants.X_OK);
    case 'connect':
      return new Promise((resolve, reject) => {
        const socket = connect(path);
        socket.once('connect', () => {
          socket.destroy();
          resolve();
        });
        socket.once('error', reject);
      });
  }
}

// The other half of `attemptAs`: this very file, started as a program.
if (import.meta.main) {
  const { account, attempts } = JSON.parse(readFileSync(0, 'utf8')) as {
    account: Account;
    attempts: Attempt[];
  };
  process.setgroups?.([...account.groups]);
  process.setgid?.(account.gid);
  process.setuid?.(account.uid);
  const done: Attempted[] = [];
  for (const each of attempts) {
    const code = await attempt(each).then(
      () => '',
      (error: NodeJS.ErrnoException) => error.code ?? error.name,
    );
    done.push({ ...each, worked: code === '', code });
  }
  process.stdout.write(JSON.stringify(done));
}
