import { readFile, stat } from 'node:fs/promises';
import { ChartgateError } from '../../contracts/errors.ts';
import type { CheckFinding } from '../watch/types.ts';

/** What a signed baseline file holds at the moment, or why it holds nothing that counts. */
export type BaselineState<T> =
  | { readonly ok: true; readonly baseline: T }
  | { readonly ok: false; readonly finding: CheckFinding };

/**
 * A baseline file that is read again when it changes. Whatever is wrong with it is a state, never an
 * exception: the checker stays up, calls the database broken, and takes the next good file.
 */
export class BaselineFile<T> {
  readonly #file: string;
  readonly #open: (bytes: Buffer) => T;
  #seen: readonly number[] = [];
  #state: BaselineState<T> = refused('The baseline has not been read yet.');

  /** @param open verifies and parses, and throws when either fails */
  constructor(file: string, open: (bytes: Buffer) => T) {
    this.#file = file;
    this.#open = open;
  }

  get state(): BaselineState<T> {
    return this.#state;
  }

  /** Reads the file if it is not the one read last. @returns whether it was another */
  async refresh(): Promise<boolean> {
    let seen: readonly number[];
    try {
      const found = await stat(this.#file);
      seen = [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs];
    } catch {
      seen = [-1];
    }
    if (seen.length === this.#seen.length && seen.every((value, index) => value === this.#seen[index])) {
      return false;
    }
    this.#seen = seen;
    this.#state = await this.#read();
    return true;
  }

  async #read(): Promise<BaselineState<T>> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#file);
    } catch {
      return refused('The baseline file cannot be read.');
    }
    try {
      return { ok: true, baseline: this.#open(bytes) };
    } catch (error) {
      return refused(error instanceof ChartgateError ? error.message : 'The baseline file is not valid.');
    }
  }
}

function refused(sentence: string): BaselineState<never> {
  return Object.freeze({
    ok: false,
    finding: Object.freeze({ code: 'baseline-invalid', object: '', sentence }),
  });
}
