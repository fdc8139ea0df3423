import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ChartgateError } from '../contracts/errors.ts';
import { ChainCheck, type ChainFault } from './chain-check.ts';
import { errorCode, synchronise, unavailable } from './directory.ts';
import { type ChainHead, fileName, parseLine } from './format.ts';
import { type Line, lineBefore, readLines } from './lines.ts';

/** Bytes that were cut off because they were never acknowledged. */
export interface Cut {
  readonly bytes: number;
  /** SHA-256, hex. */
  readonly digest: string;
}

/** Where an existing chain ends and what the writer must do first. */
export interface ResumePoint {
  /** Number of the newest file. */
  readonly file: number;
  /** Its length after the cut; 0: its header has still to be written. */
  readonly size: number;
  /** Undefined only when the chain has no record at all. */
  readonly head: ChainHead | undefined;
  readonly id: string | undefined;
  /** What was cut off its end, when something was. */
  readonly cut: Cut | undefined;
}

/**
 * Checks the newest file of a chain from its first byte to its last, and that it follows the file
 * before it. Cuts an unfinished last line: a record is acknowledged only after its newline is on the
 * disk, so nobody was ever told that this one was kept.
 * @param files numbers of the chain's files, ascending, at least one
 * @throws ChartgateError activity-log-broken; nothing was changed
 */
export async function resumeChain(
  directory: string,
  chain: string,
  files: readonly number[],
): Promise<ResumePoint> {
  const newest = files.at(-1) ?? 1;
  const first = files[0] ?? newest;
  // Older files may have been archived, but there is no hole between those that are here.
  if (newest - first + 1 !== files.length) {
    throw broken(directory, chain, 'a file between others is missing.');
  }
  const former = newest > first ? await endOf(directory, chain, newest - 1) : undefined;
  const faults: ChainFault[] = [];
  const check = new ChainCheck(chain, { fault: (fault) => faults.push(fault), warning: () => undefined });
  if (newest > 1) check.resume(newest - 1, former);
  check.startFile(newest);
  const { size, unfinished } = await checkFile(join(directory, fileName(chain, newest)), check);
  const fault = faults[0];
  if (fault !== undefined) {
    const place = `${fault.file}${fault.line > 0 ? `:${fault.line}` : ''}`;
    throw broken(directory, chain, `${place}: ${fault.message}`);
  }
  const head = check.head ?? former?.head;
  if (head === undefined && newest > 1)
    throw broken(directory, chain, 'the file before the newest is missing.');
  const cut = unfinished ? await cutOff(directory, fileName(chain, newest), size) : undefined;
  return { file: newest, size, head, id: check.id ?? former?.id, cut };
}

/** @returns the length of the complete lines, and whether something follows them */
async function checkFile(path: string, check: ChainCheck): Promise<{ size: number; unfinished: boolean }> {
  let size = 0;
  for await (const lines of readLines(path)) {
    for (const line of lines) {
      // An endless line is no torn record; it is reported like any other line that cannot be.
      if (!line.complete && !line.overlong) return { size: line.offset, unfinished: true };
      check.line(line);
      size = line.offset + line.bytes.length + 1;
    }
  }
  return { size, unfinished: false };
}

/** The last record of a finished file, and the chain's id from its first. */
async function endOf(
  directory: string,
  chain: string,
  file: number,
): Promise<{ head: ChainHead; id: string }> {
  const name = fileName(chain, file);
  const path = join(directory, name);
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const bytes = await lineBefore(handle, size);
    const last = bytes && parseLine(bytes);
    let first: Line | undefined;
    for await (const lines of readLines(path)) {
      first = lines[0];
      break;
    }
    const id = first && parseLine(first.bytes)?.entry.id;
    if (!last || last.computed !== last.hash || typeof id !== 'string') {
      throw broken(directory, chain, `${name}: its first or last record is not whole.`);
    }
    return { head: { seq: last.seq, hash: last.hash }, id };
  } finally {
    await handle.close();
  }
}

async function cutOff(directory: string, name: string, size: number): Promise<Cut> {
  // O_NOFOLLOW: a link in the file's place must not lead the cut elsewhere.
  const handle = await open(join(directory, name), constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    return await truncateTo(handle, size);
  } catch (error) {
    throw unavailable(directory, errorCode(error), error);
  } finally {
    await handle.close();
  }
}

/** Cuts a file down to `size`, durably, and says what was cut. */
export async function truncateTo(handle: FileHandle, size: number): Promise<Cut> {
  const digest = createHash('sha256');
  let bytes = 0;
  const buffer = Buffer.allocUnsafe(65_536);
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, size + bytes);
    if (bytesRead === 0) break;
    digest.update(buffer.subarray(0, bytesRead));
    bytes += bytesRead;
  }
  if (bytes > 0) {
    await handle.truncate(size);
    await synchronise(handle);
  }
  return { bytes, digest: digest.digest('hex') };
}

function broken(directory: string, chain: string, what: string): ChartgateError {
  return new ChartgateError(
    'activity-log-broken',
    `The chain ${chain} in ${directory} is broken: ${what} Nothing was changed. ` +
      'Look with "chartgate log verify", keep the files as evidence, and start with an empty directory.',
  );
}
