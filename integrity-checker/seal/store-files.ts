import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ChartgateError } from '../../contracts/errors.ts';
import { LEAF_BYTES } from './leaf.ts';

/** Leaves in one file; 43 MB. */
export const SEGMENT_LEAVES = 2 ** 20;
/** Leaves under one hash of the tiles file. */
export const TILE_LEVEL = 8;
export const TILE_LEAVES = 2 ** TILE_LEVEL;
export const TILES_FILE = 'tiles-8.bin';
export const HASH_BYTES = 32;

const LEAVES = /^leaves-(\d{8})\.bin$/;
const CHECKPOINTS = /^checkpoints-(\d{8})\.txt$/;

export function leavesFile(segment: number): string {
  return `leaves-${String(segment).padStart(8, '0')}.bin`;
}

export function checkpointsFile(segment: number): string {
  return `checkpoints-${String(segment).padStart(8, '0')}.txt`;
}

export interface StoreListing {
  /** Numbers of the files, ascending. */
  readonly leaves: readonly number[];
  readonly checkpoints: readonly number[];
}

export function unavailable(what: string, error: unknown): ChartgateError {
  const code = (error as { code?: unknown } | null)?.code;
  const known = typeof code === 'string' && /^[A-Z_0-9]{1,64}$/.test(code) ? ` (${code})` : '';
  return new ChartgateError('seal-unavailable', `The store of sealed rows cannot be ${what}${known}.`, {
    cause: error,
  });
}

export function broken(sentence: string): ChartgateError {
  return new ChartgateError('seal-broken', sentence);
}

/** @throws ChartgateError `seal-unavailable` */
export async function listStore(directory: string): Promise<StoreListing> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    throw unavailable('read', error);
  }
  const numbers = (pattern: RegExp): number[] =>
    names
      .flatMap((name) => pattern.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  return { leaves: numbers(LEAVES), checkpoints: numbers(CHECKPOINTS) };
}

/** Reads leaves of a store wherever they are. Files stay open until `close`; afterwards nothing is read. */
export class LeafFiles {
  readonly #directory: string;
  readonly #handles = new Map<number, Promise<FileHandle>>();
  #closed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * The bytes of leaves.
   * @throws ChartgateError `seal-broken` when the store does not have that many, `seal-unavailable`
   */
  async read(start: number, count: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(count * LEAF_BYTES);
    let done = 0;
    while (done < count) {
      const segment = Math.floor((start + done) / SEGMENT_LEAVES);
      const within = (start + done) % SEGMENT_LEAVES;
      const some = Math.min(count - done, SEGMENT_LEAVES - within);
      await this.#fill(bytes.subarray(done * LEAF_BYTES, (done + some) * LEAF_BYTES), segment, within);
      done += some;
    }
    return bytes;
  }

  async #fill(into: Buffer, segment: number, within: number): Promise<void> {
    const handle = await this.#open(segment);
    let done = 0;
    while (done < into.length) {
      const position = within * LEAF_BYTES + done;
      const { bytesRead } = await handle.read(into, done, into.length - done, position).catch((error) => {
        throw unavailable('read', error);
      });
      if (bytesRead === 0) throw broken(`${leavesFile(segment)} is shorter than the checkpoints say.`);
      done += bytesRead;
    }
  }

  async #open(segment: number): Promise<FileHandle> {
    if (this.#closed) throw unavailable('read', undefined);
    let handle = this.#handles.get(segment);
    if (handle === undefined) {
      handle = open(join(this.#directory, leavesFile(segment)), 'r').catch((error: unknown) => {
        this.#handles.delete(segment);
        if ((error as { code?: unknown }).code === 'ENOENT') {
          throw broken(`${leavesFile(segment)} is missing.`);
        }
        throw unavailable('read', error);
      });
      this.#handles.set(segment, handle);
    }
    return handle;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.allSettled(handles.map(async (handle) => (await handle).close()));
  }
}
