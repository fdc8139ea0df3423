import { closeSync, lstatSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ChartgateError } from '../../../contracts/errors.ts';

function unavailable(message: string): ChartgateError {
  return new ChartgateError('state-unavailable', message);
}

function reason(error: unknown): string {
  switch ((error as { code?: unknown }).code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
    case 'ERR_ACCESS_DENIED':
      return 'cannot be reached by this user';
    default:
      return 'cannot be used';
  }
}

/**
 * Whoever can write in the folder can put another file in the store's place, and the file beside it that
 * SQLite replays. So: the folder of this user, closed to everybody else.
 * @throws ChartgateError `state-unavailable`
 */
export function judgeFolder(file: string): void {
  const folder = dirname(file);
  let found: Stats;
  try {
    found = statSync(folder);
  } catch (error) {
    throw unavailable(`${folder}: the folder of the state store ${reason(error)}; make it, with mode 0700.`);
  }
  if (!found.isDirectory())
    throw unavailable(`${folder}: is not a folder, and the state store should be in it.`);
  judgeOwner(folder, found, 'the folder of the state store');
  if ((found.mode & 0o077) !== 0) {
    throw unavailable(
      `${folder}: the folder of the state store is open to other users (mode ${mode(found)}); chmod 0700 it.`,
    );
  }
}

/** @returns device and inode, to notice another file in its place; @throws ChartgateError `state-unavailable` */
export function judgeFile(file: string): string {
  let found: Stats;
  try {
    found = lstatSync(file);
  } catch (error) {
    throw unavailable(`${file}: the state store ${reason(error)}.`);
  }
  if (!found.isFile()) throw unavailable(`${file}: the state store is not a regular file.`);
  judgeOwner(file, found, 'the state store');
  if ((found.mode & 0o077) !== 0) {
    throw unavailable(
      `${file}: the state store is open to other users (mode ${mode(found)}); chmod 0600 it.`,
    );
  }
  return `${found.dev}:${found.ino}`;
}

/** Makes an empty file that only this user can read. @returns false when there is something already */
export function makeFile(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false;
    throw unavailable(`${file}: the state store cannot be made; its folder ${reason(error)}.`);
  }
}

function judgeOwner(path: string, found: Stats, what: string): void {
  const user = process.geteuid?.();
  if (user !== undefined && found.uid !== user) {
    throw unavailable(
      `${path}: ${what} belongs to another user (${found.uid}, not ${user}); run as that user, or chown it.`,
    );
  }
}

function mode(found: Stats): string {
  return (found.mode & 0o777).toString(8).padStart(4, '0');
}
