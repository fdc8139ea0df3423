import { randomBytes } from 'node:crypto';
import { constants, statSync, write } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../contracts/clock.ts';
import { syncDirectory } from './directory.ts';
import {
  type ChainEntry,
  type ChainHead,
  chainLine,
  FORMAT,
  fileName,
  GENESIS,
  groupParts,
  parseLine,
  type TimedEntry,
} from './format.ts';
import { lineBefore } from './lines.ts';
import { type Cut, type ResumePoint, truncateTo } from './resume.ts';

/**
 * O_DSYNC makes each write return only when its data, and the length of the file, are on the disk: a
 * write and an fdatasync (open(2)) in one trip to the thread pool instead of two. O_APPEND: not even a
 * fault of ours can overwrite a record. O_NOFOLLOW: a link planted in a file's place is refused.
 */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_DSYNC | constants.O_NOFOLLOW;
const FLAGS_NEW = FLAGS | constants.O_CREAT | constants.O_EXCL;

export interface ChainFileOptions {
  readonly directory: string;
  readonly name: string;
  readonly maxFileBytes: number;
  readonly clock: Clock;
}

/** The file that is being written. */
interface Current {
  readonly handle: FileHandle;
  readonly number: number;
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/**
 * What a recovery writes, without a newline, and cuts off again to see that there is room for more than
 * its own small record; else a full disk would open and close the service twice a second. Shorter than
 * a line may be: if the process dies in between, it is a torn tail like any other.
 */
const PROBE = Buffer.alloc(32_768, '.');

type Done = (error: unknown) => void;

/**
 * The end of one chain on disk. Its state is that of the last record which the disk confirmed, and
 * moves only then: numbers and hashes are given when records are written, so a failed write needs no
 * undoing in memory. One operation at a time; the caller sees to that.
 */
export class ChainFile {
  readonly #options: ChainFileOptions;
  readonly #id: string;
  #current: Current;
  #head: ChainHead;
  #size: number;

  private constructor(
    options: ChainFileOptions,
    id: string,
    current: Current,
    head: ChainHead,
    size: number,
  ) {
    this.#options = options;
    this.#id = id;
    this.#current = current;
    this.#head = head;
    this.#size = size;
  }

  /** @param from where an existing chain ends; undefined for a new one */
  static async open(options: ChainFileOptions, from: ResumePoint | undefined): Promise<ChainFile> {
    const number = from?.file ?? 1;
    const current = await openFile(options, number, from === undefined ? FLAGS_NEW : FLAGS);
    const id = from?.id ?? randomBytes(16).toString('hex');
    const head = from?.head ?? { seq: 0, hash: GENESIS };
    const file = new ChainFile(options, id, current, head, from?.size ?? 0);
    try {
      if (file.#size === 0) await file.#writeOwn(file.#header(number));
      if (from?.cut !== undefined) await file.#writeOwn(recovered('torn-tail', from.cut));
      await syncDirectory(options.directory);
      return file;
    } catch (error) {
      await current.handle.close();
      throw error;
    }
  }

  get head(): ChainHead {
    return this.#head;
  }

  /**
   * Appends entries with one write, into a new file when this one is full. `done`
   * is called without an error only when all of them are durable.
   */
  write(entries: readonly TimedEntry[], done: Done): void {
    if (this.#size < this.#options.maxFileBytes) this.#writeHere(entries, done);
    else this.#rotate(entries[0]?.at).then(() => this.#writeHere(entries, done), done);
  }

  /**
   * After a failure: makes sure that the file still ends with the last acknowledged record, cuts what
   * follows it, and proves by a record of its own that writing works again.
   * @throws when it does not, or when acknowledged records are gone; then nothing was changed in memory
   */
  async recover(cause: string): Promise<void> {
    const current = await openFile(this.#options, this.#current.number, FLAGS);
    let cut: Cut;
    try {
      const last = await lineBefore(current.handle, this.#size);
      const parsed = last && parseLine(last);
      if (parsed?.computed !== this.#head.hash) throw new Error('acknowledged records are gone');
      cut = await truncateTo(current.handle, this.#size);
      await current.handle.appendFile(PROBE);
      await truncateTo(current.handle, this.#size);
    } catch (error) {
      await current.handle.close();
      throw error;
    }
    const former = this.#current.handle;
    this.#current = current;
    await former.close().catch(() => undefined);
    await this.#writeOwn(recovered(cause, cut));
  }

  async close(): Promise<void> {
    await this.#current.handle.close();
  }

  #writeHere(entries: readonly TimedEntry[], done: Done): void {
    let head = this.#head;
    let text = '';
    for (const part of groupParts(entries)) {
      const next = chainLine(head, part);
      head = { seq: head.seq + 1, hash: next.hash };
      text += next.line;
    }
    const bytes = Buffer.from(text);
    this.#writeAll(bytes, 0, (error) => {
      const failure = error ?? this.#misplaced(this.#size + bytes.length);
      if (failure === undefined) {
        this.#head = head;
        this.#size += bytes.length;
      }
      done(failure);
    });
  }

  #writeAll(bytes: Buffer, from: number, done: Done): void {
    write(this.#current.handle.fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error !== null) done(error);
      else if (from + written === bytes.length) done(undefined);
      else this.#writeAll(bytes, from + written, done);
    });
  }

  /** A write into a file that was deleted, replaced, cut or added to by somebody else is not a record. */
  #misplaced(expected: number): Error | undefined {
    const { path, device, inode } = this.#current;
    try {
      const status = statSync(path, { throwIfNoEntry: false });
      if (status?.ino === inode && status.dev === device && status.size === expected) return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error('stat failed');
    }
    return Object.assign(new Error('the file was changed by somebody else'), { code: 'replaced' });
  }

  /** @param at the time of the new file's header: that of the record that follows it, which came before now */
  async #rotate(at: number | undefined): Promise<void> {
    const former = { current: this.#current, size: this.#size, head: this.#head };
    const number = former.current.number + 1;
    const current = await openFile(this.#options, number, FLAGS_NEW);
    this.#current = current;
    this.#size = 0;
    try {
      await this.#writeOwn(this.#header(number), at);
      await syncDirectory(this.#options.directory);
    } catch (error) {
      this.#current = former.current;
      this.#size = former.size;
      this.#head = former.head;
      await current.handle.close().catch(() => undefined);
      // Nothing in it was acknowledged. If even this fails, the next attempt says that it is in the way.
      await rm(current.path, { force: true }).catch(() => undefined);
      throw error;
    }
    await former.current.handle.close().catch(() => undefined);
  }

  #writeOwn(entry: ChainEntry, at = this.#options.clock.wall()): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writeHere([{ at, json: JSON.stringify(entry) }], (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  #header(file: number): ChainEntry {
    const event = file === 1 ? 'begin' : 'continue';
    return { kind: 'chain', event, chain: this.#options.name, id: this.#id, format: FORMAT, file };
  }
}

async function openFile(options: ChainFileOptions, number: number, flags: number): Promise<Current> {
  const path = join(options.directory, fileName(options.name, number));
  const handle = await open(path, flags, 0o600);
  try {
    const status = await handle.stat();
    return { handle, number, path, device: status.dev, inode: status.ino };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function recovered(cause: string, cut: Cut): ChainEntry {
  return { kind: 'chain', event: 'recovered', cause, cutBytes: cut.bytes, cutDigest: cut.digest };
}
