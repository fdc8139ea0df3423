import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';

/** Why a file gave no content. */
export const FILE_PROBLEMS = [
  'missing',
  'forbidden',
  'out-of-bounds',
  'not-a-file',
  'too-large',
  'unreadable',
] as const;
export type FileProblem = (typeof FILE_PROBLEMS)[number];

export type FileRead =
  | {
      readonly ok: true;
      readonly bytes: Buffer;
      /** Permission bits of the very file that was read. */
      readonly mode: number;
    }
  | { readonly ok: false; readonly problem: FileProblem };

export type FolderRead =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly problem: FileProblem };

/** All that validation wants of the outside world. Never throws. */
export interface FileAccess {
  /** Names in a folder, in no order; a problem when it cannot be read. Without it there are no folders. */
  list?(folder: string): FolderRead;
  /** @param limit bytes; a larger file is `too-large` and is not read to its end */
  read(path: string, limit: number): FileRead;
}

export const realFiles: FileAccess & { list(folder: string): FolderRead } = Object.freeze({ read, list });

function list(folder: string): FolderRead {
  try {
    return { ok: true, names: readdirSync(folder) };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

function read(path: string, limit: number): FileRead {
  let descriptor: number;
  try {
    // O_NONBLOCK: opening a named pipe must not wait for somebody to write into it.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
  try {
    // Asked of the open file, so that what is checked and what is read cannot be two files.
    const status = fstatSync(descriptor);
    if (!status.isFile()) return { ok: false, problem: 'not-a-file' };
    const bytes = readUpTo(descriptor, limit + 1);
    if (bytes.length > limit) return { ok: false, problem: 'too-large' };
    return { ok: true, bytes, mode: status.mode & 0o7777 };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  } finally {
    closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, most: number): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  while (total < most) {
    const part = Buffer.allocUnsafe(Math.min(65_536, most - total));
    const count = readSync(descriptor, part, 0, part.length, null);
    if (count === 0) break;
    parts.push(part.subarray(0, count));
    total += count;
  }
  return Buffer.concat(parts);
}

function problemOf(error: unknown): FileProblem {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'missing';
    case 'EACCES':
    case 'EPERM':
      return 'forbidden';
    // The runtime's own permission model (`--permission`).
    case 'ERR_ACCESS_DENIED':
      return 'out-of-bounds';
    case 'EISDIR':
    case 'ENXIO':
      return 'not-a-file';
    default:
      return 'unreadable';
  }
}

/** What to tell a person. The path is not repeated: it stands at the place the fault points at. */
export function describeProblem(problem: FileProblem, limit: number, directory?: string): string {
  const where = directory === undefined ? '' : ` (relative paths start at ${directory})`;
  switch (problem) {
    case 'missing':
      return `the file does not exist${where}`;
    case 'forbidden':
      return 'the file cannot be read: permission denied for the user this runs as';
    case 'out-of-bounds':
      return 'restart needed: the running process may read only the files that its settings named when it started, and the folder of the settings; the file was left unread';
    case 'not-a-file':
      return 'this is not a regular file';
    case 'too-large':
      return `the file is larger than ${limit} bytes, the most allowed`;
    case 'unreadable':
      return `the file cannot be read${where}`;
  }
}
