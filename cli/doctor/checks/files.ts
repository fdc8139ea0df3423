import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codePaths } from '../../confine/code.ts';
import { type Account, type Attempt, attemptAs, STRANGER, shownUser } from '../accounts.ts';
import { type Check, NOT_ROOT, type Outcome, outcomes, type PartName, type Subject } from '../types.ts';
import { attemptsOn, filesOf, socketsOf, stateFilesOf, tell } from './reach.ts';

const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** Nobody but its owner or root may change a file, nor put another in its place from a folder above it. */
export const fileModes: Check = ({ parts }) => {
  const { ok, skipped } = outcomes('file-modes');
  return parts.flatMap(({ name, loaded, side: { account } }) => {
    if (loaded === undefined || account === undefined) return [skipped(name, 'without its settings')];
    const paths = new Set<string>();
    for (const file of [...filesOf(loaded), ...stateFilesOf(loaded)]) {
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

type ClosedCheck = 'checker-files-closed' | 'gateway-files-closed' | 'issuer-files-closed';

/** Every other process's user at one process's files, stores and, where it has no business there, socket. */
function closed(check: ClosedCheck, owner: PartName, subject: Subject): readonly Outcome[] {
  const { skipped } = outcomes(check);
  const target = subject.parts.find(({ name }) => name === owner);
  if (target === undefined) return [];
  return subject.parts.flatMap(({ name, side: { account } }) => {
    if (name === owner) return [];
    const who = `the ${name}'s user`;
    if (!subject.root) return [skipped(who, NOT_ROOT)];
    if (target.loaded === undefined || account === undefined)
      return [skipped(who, 'it takes both settings files')];
    // The gateway connects to both sockets; that is what they are for.
    const sockets = owner === 'gateway' || name === 'gateway' ? [] : socketsOf(target.loaded);
    return tell(check, who, account, [...attemptsOn(target.loaded), ...sockets]);
  });
}

export const checkerFilesClosed: Check = (subject) => closed('checker-files-closed', 'checker', subject);
export const gatewayFilesClosed: Check = (subject) => closed('gateway-files-closed', 'gateway', subject);
export const issuerFilesClosed: Check = (subject) => closed('issuer-files-closed', 'issuer', subject);

export const strangersKeptOut: Check = ({ root, parts }) => {
  const { skipped } = outcomes('strangers-kept-out');
  const who = 'any other user';
  if (!root) return [skipped(who, NOT_ROOT)];
  const attempts = parts.flatMap(({ loaded }) =>
    loaded === undefined ? [] : [...attemptsOn(loaded), ...socketsOf(loaded)],
  );
  if (attempts.length === 0) return [skipped(who, 'no settings were given')];
  return tell('strangers-kept-out', who, STRANGER, attempts);
};

/** Whoever takes a process over must not be able to leave something in the program that starts next time. */
export const codeUnwritable: Check = ({ root, parts }) => {
  const { ok, failed, skipped } = outcomes('code-unwritable');
  if (!root) return [skipped('', NOT_ROOT)];
  const attempts: Attempt[] = [realpathSync(process.execPath), ...codePaths()].map((path) =>
    statSync(path).isDirectory() ? { kind: 'change', path } : { kind: 'write', path },
  );
  // A sample of each package would prove little; the folders decide who can put a file in another's place.
  return parts.map(({ name, side: { account } }) => {
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
