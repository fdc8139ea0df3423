import { hash } from 'node:crypto';
import type { Clock } from '../../contracts/clock.ts';
import { type DeskLine, type RedisStore, Tallies, type Tally, type TallyReport } from '../limits/index.ts';
import type { Level } from './thresholds.ts';

const SWEEP_MS = 5000;
/** Milliseconds for which what was seen is gathered before it is told. */
const GATHER_MS = 10;
/** Hashes that need not be made again; forgotten all together, within a window at the latest. */
const MOST_HASHES = 1024;
/** Different patients that are remembered of one principal; more than any step is far enough. */
export const MOST_NAMED = 50_000;

/** What this worker knows of one principal in the window. */
export interface Seen {
  misses: number;
  patients: number;
  /** Monotonic milliseconds at which the window ends. */
  until: number;
  /** Hashes of patients that this worker has reported in this window. */
  readonly named: Set<string>;
  /** The highest level that was said, and the wall-clock second since which a fresh factor is wanted. */
  said: Level;
  stepUpSince: number | undefined;
  /** Requests that wait because the principal is slowed. */
  waiting: number;
}

export interface CountsOptions {
  readonly windowMs: number;
  /** Makes the hashes of patients; the same at every worker. */
  readonly key: Buffer;
  readonly desk: DeskLine | undefined;
  readonly redis: RedisStore | undefined;
  readonly clock: Clock;
}

/**
 * What the guard counts: here at once, and together in Redis, at the supervisor's desk, or in this process, whose sums
 * come back. Of patients it keeps keyed hashes, for one window.
 */
export class Counts {
  readonly #options: CountsOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #own: Tallies;
  readonly #key: string;
  readonly #hashes = new Map<string, string>();
  /** What was not said yet, by principal. */
  #pending = new Map<string, { misses: number; patients: string[] }>();
  readonly #sweeping: NodeJS.Timeout;

  constructor(options: CountsOptions) {
    this.#options = options;
    this.#own = new Tallies(options.clock);
    this.#key = hash('sha256', options.key, 'hex');
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  /** Undefined: nothing in a window that is still open. */
  of(key: string): Seen | undefined {
    const seen = this.#seen.get(key);
    return seen === undefined || this.#options.clock.monotonic() >= seen.until ? undefined : seen;
  }

  report(key: string, misses: number, patients: readonly string[]): void {
    const seen = this.of(key) ?? this.#open(key, this.#options.windowMs);
    const fresh: string[] = [];
    for (const patient of patients) {
      const hashed = this.#hash(patient);
      if (seen.named.has(hashed) || seen.named.size >= MOST_NAMED) continue;
      seen.named.add(hashed);
      fresh.push(hashed);
    }
    if (misses === 0 && fresh.length === 0) return;
    seen.misses += misses;
    seen.patients = Math.max(seen.patients, seen.named.size);
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      pending.misses += misses;
      pending.patients.push(...fresh);
      return;
    }
    if (this.#pending.size === 0) setTimeout(() => this.#tell(), GATHER_MS).unref();
    this.#pending.set(key, { misses, patients: fresh });
  }

  /** Sums over all that count together. Never lowers what was seen here itself. */
  learn(tally: Tally): void {
    const seen = this.of(tally.key) ?? this.#open(tally.key, tally.resetMs);
    seen.misses = Math.max(seen.misses, tally.misses);
    seen.patients = Math.max(seen.patients, tally.patients);
    seen.until = Math.max(seen.until, this.#options.clock.monotonic() + tally.resetMs);
  }

  /** Another worker asked for a factor: one that was given after that counts here too. */
  asked(key: string, since: number): void {
    const seen = this.of(key);
    if (seen !== undefined) seen.stepUpSince = Math.min(seen.stepUpSince ?? since, since);
  }

  /** What was counted of these counts no more, anywhere. */
  forget(whom: (key: string) => boolean): void {
    const { desk, redis } = this.#options;
    for (const key of [...this.#seen.keys()].filter(whom)) {
      this.#seen.delete(key);
      this.#pending.delete(key);
      this.#own.forget(key);
      desk?.forget(key);
      redis?.forget(key).catch(() => {
        // It is away, and with it what it had counted.
      });
    }
  }

  close(): void {
    clearInterval(this.#sweeping);
  }

  #open(key: string, forMs: number): Seen {
    const seen: Seen = {
      misses: 0,
      patients: 0,
      until: this.#options.clock.monotonic() + forMs,
      named: new Set(),
      said: 'none',
      stepUpSince: undefined,
      waiting: 0,
    };
    this.#seen.set(key, seen);
    return seen;
  }

  #tell(): void {
    const { windowMs, desk, redis } = this.#options;
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [key, { misses, patients }] of pending) {
      const report = { key, windowMs, misses, patients };
      if (redis?.available !== true) {
        this.#near(report);
        continue;
      }
      redis
        .tally(report)
        .then((tally) => {
          this.learn(tally);
          desk?.tell(tally);
        })
        .catch(() => this.#near(report));
    }
  }

  #near(report: TallyReport): void {
    const { desk } = this.#options;
    if (desk === undefined) this.learn(this.#own.add(report));
    else desk.tally(report);
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    this.#hashes.clear();
    for (const [key, seen] of this.#seen) if (now >= seen.until && seen.waiting === 0) this.#seen.delete(key);
    this.#own.sweep();
  }

  #hash(patient: string): string {
    const known = this.#hashes.get(patient);
    if (known !== undefined) return known;
    // The key has a fixed length and comes first; nobody sees the hash who could lengthen what was hashed.
    const made = hash('sha256', this.#key + patient, 'base64url').slice(0, 22);
    if (this.#hashes.size >= MOST_HASHES) this.#hashes.clear();
    this.#hashes.set(patient, made);
    return made;
  }
}
