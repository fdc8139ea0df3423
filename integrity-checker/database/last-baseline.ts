import { closeSync, constants, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ChartgateError } from '../../contracts/errors.ts';

/** What is remembered of the newest baseline that was taken for good. */
interface Accepted {
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  readonly digest: string;
}

/** Node's permission model leaves no fsync; with O_DSYNC a write returns when it is on the disk (open(2)). */
const DURABLE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_DSYNC;

/** Where the checker remembers it for one database. */
export function lastBaselineFile(directory: string, database: string): string {
  return join(directory, `${database}.baseline`);
}

/** A baseline's time comes from another machine. */
const AHEAD_MS = 5 * 60_000;

function refuse(message: string): ChartgateError {
  return new ChartgateError('baseline-invalid', message);
}

/**
 * Keeps an old baseline from coming back: it is as well signed as on the day on which it was approved, but
 * the database that it describes may be one without the tables, triggers or privileges of today. To go back,
 * administrators take and sign a new one of the database as it then is.
 */
export class LastBaseline {
  readonly #file: string | undefined;
  readonly #readOnly: boolean;
  #last: Accepted | undefined;
  #unreadable = false;

  /**
   * @param file where it is remembered when the checker ends; only in memory when undefined
   * @param options `readOnly`: for somebody who only looks; what is admitted is not remembered
   */
  constructor(file: string | undefined, options: { readonly readOnly?: boolean } = {}) {
    this.#file = file;
    this.#readOnly = options.readOnly === true;
    if (file !== undefined) this.#load(file);
  }

  /**
   * @returns the baseline itself
   * @throws ChartgateError `baseline-invalid` when it is older than the newest so far, when it says it was
   *   taken in the future, and when it cannot be remembered
   */
  admit<T extends Accepted>(baseline: T, now: number = Date.now()): T {
    if (this.#unreadable) {
      throw refuse('The record of the last accepted baseline cannot be read; an older one would not show.');
    }
    const taken = Date.parse(baseline.takenAt);
    if (!(taken <= now + AHEAD_MS)) throw refuse('The baseline says that it was taken in the future.');
    const last = this.#last;
    if (last?.digest === baseline.digest) return baseline;
    if (last !== undefined && taken <= Date.parse(last.takenAt)) {
      throw refuse(
        `The baseline was taken at ${baseline.takenAt}, and one of ${last.takenAt} was accepted already; take it anew to go back.`,
      );
    }
    const { takenAt, digest } = baseline;
    if (this.#readOnly) return baseline;
    if (this.#file !== undefined) this.#store(this.#file, { takenAt, digest });
    this.#last = { takenAt, digest };
    return baseline;
  }

  #load(file: string): void {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      this.#unreadable = (error as NodeJS.ErrnoException).code !== 'ENOENT';
      return;
    }
    try {
      const { takenAt, digest } = JSON.parse(text) as Partial<Accepted>;
      if (typeof takenAt !== 'string' || typeof digest !== 'string' || Number.isNaN(Date.parse(takenAt))) {
        throw new TypeError('not what was written');
      }
      this.#last = { takenAt, digest };
    } catch {
      this.#unreadable = true;
    }
  }

  #store(file: string, accepted: Accepted): void {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const handle = openSync(`${file}.new`, DURABLE, 0o600);
      try {
        writeSync(handle, `${JSON.stringify(accepted)}\n`);
      } finally {
        closeSync(handle);
      }
      renameSync(`${file}.new`, file);
    } catch {
      throw refuse('Which baseline was accepted cannot be recorded, so it was not.');
    }
  }
}
