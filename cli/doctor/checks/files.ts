import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CheckerSettings, GatewaySettings } from '../../../contracts/settings.ts';
import { codePaths } from '../../confine/code.ts';
import { type Account, type Attempt, type Attempted, attemptAs, STRANGER, shownUser } from '../accounts.ts';
import { type Check, type Loaded, NOT_ROOT, type Outcome, outcomes } from '../types.ts';

const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
/** A PEM file without a private key is public by its nature: a certificate, an authority, a public key. */
const PUBLIC_PEM = /^-----BEGIN (?!.*PRIVATE)/m;

/** Nobody but its owner or root may change a file, nor put another in its place from a folder above it. */
export const fileModes: Check = ({ gateway, checker, gatewaySide, checkerSide }) => {
  const { ok, skipped } = outcomes('file-modes');
  const sides = [
    ['gateway', gateway, gatewaySide.account],
    ['checker', checker, checkerSide.account],
  ] as const;
  return sides.flatMap(([name, loaded, account]) => {
    if (loaded === undefined || account === undefined) return [skipped(name, 'without its settings')];
    const paths = new Set<string>();
    for (const file of filesOf(loaded)) {
      for (let path = file; ; path = dirname(path)) {
        paths.add(path);
        if (path === dirname(path)) break;
      }
    }
    const found = [...paths].flatMap((path) => modeFault(path, account));
    return found.length > 0 ? found : [ok(name, `${paths.size} files and folders: owner and mode are right`)];
  });
};

function modeFault(path: string, account: Account): readonly Outcome[] {
  const { failed } = outcomes('file-modes');
  let status: ReturnType<typeof statSync>;
  try {
    status = statSync(path);
  } catch {
    return [failed(path, 'it cannot be looked at', 'check that it exists')];
  }
  const { uid, mode } = status;
  if (uid !== 0 && uid !== account.uid) {
    return [
      failed(
        path,
        `it belongs to ${shownUser(uid)}, who can change it or what is in it`,
        `chown root ${path}`,
      ),
    ];
  }
  const sticky = status.isDirectory() && (mode & STICKY) !== 0;
  if ((mode & GROUP_OR_OTHERS_WRITE) === 0 || sticky) return [];
  return [
    failed(
      path,
      `its mode ${(mode & 0o7777).toString(8)} lets others than its owner change it`,
      `chmod go-w ${path}`,
    ),
  ];
}

/** What a process reads. */
function filesOf(loaded: Loaded<CheckerSettings | GatewaySettings>): readonly string[] {
  return [...loaded.files, ...baselines(loaded)];
}

function baselines({ settings }: Loaded<CheckerSettings | GatewaySettings>): readonly string[] {
  return 'databases' in settings ? settings.databases.map(({ baseline }) => baseline) : [];
}

/** Files that others may read without harm, as long as they cannot change them. */
function openFiles(loaded: Loaded<CheckerSettings | GatewaySettings>): ReadonlySet<string> {
  const { settings } = loaded;
  const policies = 'policies' in settings ? [...settings.policies.values()].map(({ file }) => file) : [];
  return new Set([...loaded.files.filter(isPublic), ...baselines(loaded), ...policies]);
}

const isPublic = (path: string): boolean => {
  try {
    return PUBLIC_PEM.test(readFileSync(path, 'latin1').slice(0, 65_536));
  } catch {
    return false;
  }
};

/** Reading what is secret, listing what is kept, and changing anything. */
function attemptsOn(loaded: Loaded<CheckerSettings | GatewaySettings>): readonly Attempt[] {
  const files = filesOf(loaded);
  const open = openFiles(loaded);
  const folders = new Set(files.map((file) => dirname(file)));
  const store = storeOf(loaded);
  return [
    ...files.filter((file) => !open.has(file)).map((path) => ({ kind: 'read', path }) as const),
    ...files.map((path) => ({ kind: 'write', path }) as const),
    ...[...folders].map((path) => ({ kind: 'change', path }) as const),
    ...(store === undefined
      ? []
      : ([
          { kind: 'list', path: store },
          { kind: 'change', path: store },
        ] as const)),
  ];
}

/** The folder that a process fills: the gateway's activity log, the checker's sealed rows and checkpoints. */
function storeOf({ settings }: Loaded<CheckerSettings | GatewaySettings>): string | undefined {
  return 'databases' in settings ? settings.seal?.directory : settings.activityLog.directory;
}

const DONE: Readonly<Record<Attempt['kind'], string>> = {
  read: 'can read',
  write: 'can write',
  list: 'can list',
  change: 'can replace what is in',
  connect: 'can connect to',
};

function told(
  check: 'checker-files-closed' | 'gateway-files-closed' | 'strangers-kept-out',
  who: string,
  account: Account,
  attempts: readonly Attempt[],
): readonly Outcome[] {
  const { ok, failed } = outcomes(check);
  const tried = attemptAs(account, attempts);
  const worked = tried.filter((each) => each.worked);
  // A refusal is what is wanted; anything else (a file that is not there) would prove nothing.
  const refused = tried.filter((each) => ['EACCES', 'EPERM', 'EROFS'].includes(each.code));
  if (worked.length > 0) return worked.map((each) => open(check, who, account, each));
  const unclear = tried.length - refused.length;
  return unclear > 0
    ? [
        failed(
          who,
          `${unclear} of ${tried.length} attempts ended in another way than a refusal`,
          'look for missing files',
        ),
      ]
    : [ok(who, `${shownUser(account.uid)} tried ${tried.length} times and was refused each time`)];
}

function open(
  check: Parameters<typeof told>[0],
  who: string,
  account: Account,
  { kind, path }: Attempted,
): Outcome {
  const remedy =
    kind === 'read' || kind === 'write'
      ? `chmod 600 ${path}; chmod 700 ${dirname(path)}; and the right owner`
      : `chmod 700 ${path}, and the right owner`;
  return outcomes(check).failed(who, `${shownUser(account.uid)} ${DONE[kind]} ${path}`, remedy);
}

export const checkerFilesClosed: Check = ({ root, checker, gatewaySide }) => {
  const { skipped } = outcomes('checker-files-closed');
  const who = "the gateway's user";
  if (!root) return [skipped(who, NOT_ROOT)];
  if (checker === undefined || gatewaySide.account === undefined)
    return [skipped(who, 'it takes both settings files')];
  return told('checker-files-closed', who, gatewaySide.account, attemptsOn(checker));
};

export const gatewayFilesClosed: Check = (subject) => {
  const { skipped } = outcomes('gateway-files-closed');
  const who = "the checker's user";
  const { root, gateway, checkerSide } = subject;
  if (!root) return [skipped(who, NOT_ROOT)];
  if (gateway === undefined || checkerSide.account === undefined)
    return [skipped(who, 'it takes both settings files')];
  return told('gateway-files-closed', who, checkerSide.account, attemptsOn(gateway));
};

export const strangersKeptOut: Check = (subject) => {
  const { skipped } = outcomes('strangers-kept-out');
  const who = 'any other user';
  const { root, gateway, checker } = subject;
  if (!root) return [skipped(who, NOT_ROOT)];
  const attempts = [
    ...(gateway === undefined ? [] : attemptsOn(gateway)),
    ...(checker === undefined ? [] : attemptsOn(checker)),
    ...[...new Set([gateway?.settings.integrity.socket, checker?.settings.socket])].flatMap((path) =>
      path === undefined ? [] : [{ kind: 'connect', path } as const],
    ),
  ];
  if (attempts.length === 0) return [skipped(who, 'no settings were given')];
  return told('strangers-kept-out', who, STRANGER, attempts);
};

/** Whoever takes a process over must not be able to leave something in the program that starts next time. */
export const codeUnwritable: Check = ({ root, gatewaySide, checkerSide }) => {
  const { ok, failed, skipped } = outcomes('code-unwritable');
  if (!root) return [skipped('', NOT_ROOT)];
  const attempts: Attempt[] = [realpathSync(process.execPath), ...codePaths()].map((path) =>
    statSync(path).isDirectory() ? { kind: 'change', path } : { kind: 'write', path },
  );
  // A sample of each package would prove little; the folders decide who can put a file in another's place.
  return (
    [
      ['gateway', gatewaySide.account],
      ['checker', checkerSide.account],
    ] as const
  ).map(([name, account]) => {
    if (account === undefined) return skipped(name, 'without its settings');
    const worked = attemptAs(account, attempts).filter((each) => each.worked);
    return worked.length === 0
      ? ok(name, `${shownUser(account.uid)} can change nothing of the program or its runtime`)
      : failed(
          name,
          `${shownUser(account.uid)} can change ${worked.map(({ path }) => path).join(', ')}`,
          'install as root, and chmod -R go-w the installation',
        );
  });
};

/** Files of a folder, not those below folders in it, of a size that settings have. */
export function smallFiles(folder: string): readonly (readonly [path: string, bytes: Buffer])[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(folder, entry.name))
      .filter((path) => statSync(path).size <= 262_144)
      .map((path) => [path, readFileSync(path)] as const);
  } catch {
    return [];
  }
}

export function foldersOf(loaded: Loaded<unknown> | undefined): readonly string[] {
  return loaded === undefined ? [] : [...new Set(loaded.files.map((file) => dirname(file)))];
}

/** The gateway's folders hold no copy of a password that is the checker's. */
export const databaseSecretKept: Check = ({ gateway, checker }) => {
  const { ok, failed, skipped } = outcomes('database-secret-kept');
  if (gateway === undefined || checker === undefined) return [skipped('', 'it takes both settings files')];
  const passwords = checker.settings.databases.map(({ id, password }) => [id, password.reveal()] as const);
  const found = foldersOf(gateway)
    .flatMap(smallFiles)
    .flatMap(([path, bytes]) =>
      passwords
        .filter(([, password]) => password.length > 0 && bytes.includes(password))
        .map(([id]) =>
          failed(
            path,
            `it holds the checker's password for database ${id}`,
            `remove it from ${path}, and change the password`,
          ),
        ),
    );
  return found.length > 0
    ? found
    : [ok('', "no file in the gateway's folders holds a password of the checker's")];
};
