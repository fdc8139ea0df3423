import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { IssuerProcessSettings } from '../../../contracts/issuer-settings.ts';
import type { CheckerSettings, GatewaySettings } from '../../../contracts/settings.ts';
import type { StateSettings } from '../../../contracts/state.ts';
import { type Account, type Attempt, type Attempted, attemptAs, shownUser } from '../accounts.ts';
import { type CheckName, type Loaded, type Outcome, outcomes } from '../types.ts';

export type Settings = GatewaySettings | CheckerSettings | IssuerProcessSettings;

/** A PEM file without a private key is public by its nature: a certificate, an authority, a public key. */
const PUBLIC_PEM = /^-----BEGIN (?!.*PRIVATE)/m;

/** What a process reads. */
export function filesOf(loaded: Loaded<Settings>): readonly string[] {
  return [...loaded.files, ...baselines(loaded)];
}

function baselines({ settings }: Loaded<Settings>): readonly string[] {
  return 'databases' in settings ? settings.databases.map(({ baseline }) => baseline) : [];
}

/** Where accounts, sessions and keys are kept; undefined for a process that keeps nothing. */
export function stateOf(settings: Settings): StateSettings | undefined {
  return 'state' in settings ? settings.state : undefined;
}

/** The files of a SQLite store that are there: itself, and those that SQLite replays. */
export function stateFilesOf({ settings }: Loaded<Settings>): readonly string[] {
  const state = stateOf(settings);
  if (state?.kind !== 'sqlite') return [];
  return ['', '-wal', '-shm'].map((end) => `${state.file}${end}`).filter((file) => existsSync(file));
}

/** The folders that a process fills: an activity log, sealed rows and checkpoints, a store of state. */
function storesOf({ settings }: Loaded<Settings>): readonly string[] {
  const state = stateOf(settings);
  const kept = 'databases' in settings ? settings.seal?.directory : undefined;
  const log = 'activityLog' in settings ? settings.activityLog.directory : undefined;
  return [kept, log, state?.kind === 'sqlite' ? dirname(state.file) : undefined].flatMap((folder) =>
    folder === undefined ? [] : [folder],
  );
}

/** Files that others may read without harm, as long as they cannot change them. */
function openFiles(loaded: Loaded<Settings>): ReadonlySet<string> {
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
export function attemptsOn(loaded: Loaded<Settings>): readonly Attempt[] {
  const files = [...filesOf(loaded), ...stateFilesOf(loaded)];
  const open = openFiles(loaded);
  const stores = storesOf(loaded);
  const folders = new Set([...files.map((file) => dirname(file)), ...stores]);
  return [
    ...files.filter((file) => !open.has(file)).map((path) => ({ kind: 'read', path }) as const),
    ...files.map((path) => ({ kind: 'write', path }) as const),
    ...[...folders].map((path) => ({ kind: 'change', path }) as const),
    ...stores.map((path) => ({ kind: 'list', path }) as const),
  ];
}

/** Connecting to what a process listens on, and putting something else in its place. */
export function socketsOf({ settings }: Loaded<Settings>): readonly Attempt[] {
  // A gateway's settings name sockets too, which are other processes'.
  const path = 'integrity' in settings ? settings.integrity.socket : settings.socket;
  return [
    { kind: 'connect', path },
    { kind: 'change', path: dirname(path) },
  ];
}

const DONE: Readonly<Record<Attempt['kind'], string>> = {
  read: 'can read',
  write: 'can write',
  list: 'can list',
  change: 'can replace what is in',
  connect: 'can connect to',
};

/** Tries as `account` and says what came of it: nothing may work, and nothing may be unclear. */
export function tell(
  check: CheckName,
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

function open(check: CheckName, who: string, account: Account, { kind, path }: Attempted): Outcome {
  const remedy =
    kind === 'read' || kind === 'write'
      ? `chmod 600 ${path}; chmod 700 ${dirname(path)}; and the right owner`
      : `chmod 700 ${path}, and the right owner`;
  return outcomes(check).failed(who, `${shownUser(account.uid)} ${DONE[kind]} ${path}`, remedy);
}
