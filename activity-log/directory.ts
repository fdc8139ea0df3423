import { type FileHandle, lstat, mkdir, open, readdir } from 'node:fs/promises';
import { ChartgateError } from '../contracts/errors.ts';
import { parseFileName } from './format.ts';

/** Write permission for the group or for others. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes the log's directory (mode 0700) if it is missing and refuses one in which somebody else could
 * delete or replace files.
 * @throws ChartgateError activity-log-unavailable
 */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const status = await lstat(directory);
    const own = process.geteuid?.();
    if (!status.isDirectory()) throw unavailable(directory, 'it is not a directory');
    if ((status.mode & WRITABLE_BY_OTHERS) !== 0) {
      throw unavailable(directory, 'others than its owner may write to it; set its mode to 0700');
    }
    if (own !== undefined && status.uid !== own && status.uid !== 0) {
      throw unavailable(directory, `it belongs to another user (uid ${status.uid})`);
    }
  } catch (error) {
    if (error instanceof ChartgateError) throw error;
    throw unavailable(directory, errorCode(error), error);
  }
}

/**
 * Waits until a file's or a folder's changes are on the disk. Under Node's permission model there is no fsync
 * at all (`fs.fsync` says so itself). What is lost with it is small, because each caller is preceded or followed
 * by a record written with O_DSYNC: the write that makes a new file's first record durable makes its name durable
 * too on ext4, XFS, btrfs and ZFS, where a file that is synchronised can be found again; and a cut that a power
 * failure undoes is found and made again by the next start. See docs/separation.md.
 */
export async function synchronise(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    if (process.permission === undefined || errorCode(error) !== 'ERR_ACCESS_DENIED') throw error;
  }
}

/** Makes a new or removed name in the directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await synchronise(handle);
  } finally {
    await handle.close();
  }
}

/** File numbers of every chain in the directory, ascending, by chain name in order. */
export async function listChains(directory: string): Promise<ReadonlyMap<string, readonly number[]>> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    throw unavailable(directory, errorCode(error), error);
  }
  const chains = new Map<string, number[]>();
  for (const name of names.sort()) {
    const parsed = parseFileName(name);
    if (parsed === undefined) continue;
    const files = chains.get(parsed.chain);
    if (files) files.push(parsed.file);
    else chains.set(parsed.chain, [parsed.file]);
  }
  return chains;
}

export function unavailable(directory: string, why: string, cause?: unknown): ChartgateError {
  return new ChartgateError(
    'activity-log-unavailable',
    `The activity log in ${directory} cannot be used: ${why}.`,
    cause === undefined ? undefined : { cause },
  );
}

/** The operating system's code of an error, or a word that says there was none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
