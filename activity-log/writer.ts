import { channel } from 'node:diagnostics_channel';
import type { ActivityEntry, ActivitySink } from '../contracts/activity.ts';
import { ChartgateError } from '../contracts/errors.ts';
import { type AlarmEvent, CHANNELS } from '../contracts/events.ts';
import { ChainFile, type ChainFileOptions } from './chain-file.ts';
import type { Claim } from './claim.ts';
import { errorCode } from './directory.ts';
import { type ChainHead, MAX_LINE_BYTES, type TimedEntry } from './format.ts';
import type { ResumePoint } from './resume.ts';
import { serializeEntry } from './serialize.ts';

/** Room in a line for its number, time and hashes. */
const FRAME_BYTES = 256;
const MAX_ENTRY_BYTES = MAX_LINE_BYTES - FRAME_BYTES;

/**
 * A durable write costs the processor twice what one request does. So after a write that carried this many
 * entries the next one waits a moment for more of them; whoever comes alone never waits.
 */
const GATHER_FROM = 20;
const GATHER_MS = 2;
/** So many are enough: nobody waits for more. */
const GATHER_ENOUGH = 56;
/** Turns of the event loop that bring no entry, after which none is waited for: there is nothing else to do. */
const STILL_TURNS = 3;

const alarms = channel(CHANNELS.alarm);

export interface WriterOptions extends ChainFileOptions {
  readonly recoverEveryMs: number;
  readonly stallMs: number;
}

/** Entries that share one write and one promise. */
interface Batch {
  readonly entries: TimedEntry[];
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  quiet(promise);
  return { entries: [], promise, resolve, reject };
}

/**
 * How many entries the next write waits for: most of those that are about, since each write costs the processor about the
 * same; not all of them, or the core would stand still until the write is done.
 */
function enoughAfter(written: number, waiting: number): number {
  if (written < GATHER_FROM) return 1;
  return Math.min(GATHER_ENOUGH, Math.max(GATHER_FROM, ((written + waiting) * 3) >> 2));
}

/** Whoever appended sees the rejection; one who did not look must not end the process by it. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Group commit over one chain: what arrives while a write is under way goes into the next, together. */
export class ChainWriter implements ActivitySink {
  readonly #options: WriterOptions;
  readonly #claim: Claim;
  readonly #file: ChainFile;
  #pending: Batch | undefined;
  #inFlight: Batch | undefined;
  #scheduled = false;
  /** Entries for which the next write waits; more than one while there is much to write. */
  #enough = 1;
  /** While it waits: since when, how many there were a turn ago, and for how many turns that has not changed. */
  #gatheringSince = 0;
  #seen = 0;
  #still = 0;
  /** A write or a recovery is under way. */
  #busy = false;
  #busySince = 0;
  #closed = false;
  /** What every append gets while the log cannot be written. */
  #refusal: Promise<never> | undefined;
  #recoverTimer: NodeJS.Timeout | undefined;
  #recovery: Promise<void> | undefined;
  readonly #stallTimer: NodeJS.Timeout;

  private constructor(options: WriterOptions, claim: Claim, file: ChainFile) {
    this.#options = options;
    this.#claim = claim;
    this.#file = file;
    this.#stallTimer = setInterval(() => this.#watchForStall(), Math.max(10, options.stallMs / 4));
    this.#stallTimer.unref();
  }

  static async start(
    options: WriterOptions,
    claim: Claim,
    from: ResumePoint | undefined,
  ): Promise<ChainWriter> {
    return new ChainWriter(options, claim, await ChainFile.open(options, from));
  }

  get healthy(): boolean {
    return this.#refusal === undefined;
  }

  /** The last acknowledged record. Kept elsewhere, it shows later whether the end of the chain was cut off. */
  get head(): ChainHead {
    return this.#file.head;
  }

  append(entry: ActivityEntry): Promise<void> {
    if (this.#refusal !== undefined) return this.#refusal;
    let json: string;
    try {
      json = serializeEntry(entry);
      // No character takes more than three bytes of UTF-8 for each of its UTF-16 units.
      if (json.length * 3 > MAX_ENTRY_BYTES && Buffer.byteLength(json) > MAX_ENTRY_BYTES) {
        throw new RangeError('an activity entry is too long');
      }
    } catch (cause) {
      return quiet(
        Promise.reject(new ChartgateError('internal', 'An activity entry cannot be recorded.', { cause })),
      );
    }
    this.#pending ??= newBatch();
    const { entries, promise } = this.#pending;
    entries.push({ at: this.#options.clock.wall(), json });
    // After this turn's I/O events: everything that they append goes into one write.
    if (!this.#busy) {
      if (!this.#scheduled) this.#gather();
      else if (this.#enough > 1 && entries.length >= this.#enough) this.#flush();
    }
    return promise;
  }

  /** Writes what was appended before, gives the chain free, and refuses what comes after. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([this.#inFlight?.promise, this.#pending?.promise]);
    this.#refusal = quiet(Promise.reject(this.#unavailable('closed')));
    clearInterval(this.#stallTimer);
    clearTimeout(this.#recoverTimer);
    await this.#recovery;
    // A write that hangs keeps its file, and its claim: the chain is free when the process ends.
    if (this.#busy) return;
    await this.#file.close();
    await this.#claim.release();
  }

  #gather(): void {
    this.#scheduled = true;
    this.#gatheringSince = performance.now();
    this.#seen = 0;
    this.#still = 0;
    setImmediate(this.#turn);
  }

  /**
   * After each turn of the event loop: as long as turns bring entries the core is at work, and a write can wait until
   * there are enough of them. A core that would stand still writes what there is.
   */
  readonly #turn = (): void => {
    // Enough of them came within a turn, and it went on without this.
    if (!this.#scheduled || this.#busy) return;
    const waiting = this.#pending?.entries.length ?? 0;
    this.#still = waiting === this.#seen ? this.#still + 1 : 0;
    this.#seen = waiting;
    if (
      waiting >= this.#enough ||
      this.#still >= STILL_TURNS ||
      performance.now() - this.#gatheringSince >= GATHER_MS
    )
      this.#flush();
    else setImmediate(this.#turn);
  };

  readonly #flush = (): void => {
    this.#scheduled = false;
    const batch = this.#pending;
    if (batch === undefined || this.#busy || this.#refusal !== undefined) return;
    this.#pending = undefined;
    this.#inFlight = batch;
    this.#busy = true;
    this.#busySince = performance.now();
    this.#file.write(batch.entries, (error) => {
      this.#busy = false;
      // After a stall these were refused already; that they are in the log all the same harms nobody.
      if (this.#inFlight !== batch) return;
      if (error !== undefined) {
        this.#fail(errorCode(error), error);
        return;
      }
      this.#inFlight = undefined;
      batch.resolve();
      const waiting = this.#pending?.entries.length ?? 0;
      this.#enough = enoughAfter(batch.entries.length, waiting);
      if (waiting >= this.#enough) this.#flush();
      else if (waiting > 0) this.#gather();
    });
  };

  /** Refuses everybody who waits and everybody who comes, until a recovery succeeds. */
  #fail(code: string, cause: unknown): void {
    const error = this.#unavailable(code, cause);
    this.#refusal = quiet(Promise.reject(error));
    this.#inFlight?.reject(error);
    this.#pending?.reject(error);
    this.#inFlight = undefined;
    this.#pending = undefined;
    if (alarms.hasSubscribers) alarms.publish({ alarm: 'activity-log', tenant: '' } satisfies AlarmEvent);
    this.#recoverLater(code);
  }

  #recoverLater(code: string): void {
    if (this.#closed) return;
    this.#recoverTimer = setTimeout(() => {
      this.#recovery = this.#recover(code);
    }, this.#options.recoverEveryMs);
    this.#recoverTimer.unref();
  }

  async #recover(code: string): Promise<void> {
    if (this.#busy) return this.#recoverLater(code);
    this.#busy = true;
    try {
      await this.#file.recover(code);
      if (!this.#closed) this.#refusal = undefined;
    } catch {
      this.#recoverLater(code);
    } finally {
      this.#busy = false;
    }
  }

  #watchForStall(): void {
    if (this.#inFlight === undefined || performance.now() - this.#busySince < this.#options.stallMs) return;
    this.#fail('stalled', undefined);
  }

  #unavailable(code: string, cause?: unknown): ChartgateError {
    return new ChartgateError(
      'activity-log-unavailable',
      `The activity log ${this.#options.name} in ${this.#options.directory} cannot be written (${code}).`,
      cause === undefined ? undefined : { cause },
    );
  }
}
