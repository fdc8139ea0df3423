import type { Clock } from '../contracts/clock.ts';

const MINUTE_MS = 60_000;

/**
 * How long something fetched from an issuer counts. A removed key may be believed until `maxAgeMs`, and
 * while the issuer does not answer until `staleMs`: an outage shorter than that stops nobody, and an
 * attacker who holds the issuer down gains no more than that.
 */
export interface Lifetimes {
  /** From this age on, a use starts a reload but does not wait for it. */
  readonly renewMs: number;
  /** From this age on, a use waits for the reload. */
  readonly maxAgeMs: number;
  /** From this age on, it is not used any more, whatever the reload said. */
  readonly staleMs: number;
  /** Between two reloads at least. */
  readonly intervalMs: number;
  /** The same while there is nothing usable at all. */
  readonly firstIntervalMs: number;
}

export const LIFETIMES: Lifetimes = Object.freeze({
  renewMs: 5 * MINUTE_MS,
  maxAgeMs: 10 * MINUTE_MS,
  staleMs: 60 * MINUTE_MS,
  intervalMs: 10_000,
  firstIntervalMs: 1000,
});

/** A value that is loaded when it is needed, shared by all who wait, reloaded with age, and never too often. */
export class Refreshed<T> {
  readonly #load: () => Promise<T>;
  readonly #clock: Clock;
  readonly #lifetimes: Lifetimes;
  #value: T | undefined;
  /** Monotonic; when the load that gave the value began. */
  #loadedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  #failed = false;
  /** Counts up when what is being loaded must not be believed any more. */
  #era = 0;

  constructor(load: () => Promise<T>, clock: Clock, lifetimes: Lifetimes = LIFETIMES) {
    this.#load = load;
    this.#clock = clock;
    this.#lifetimes = lifetimes;
  }

  /** True when the last load that was tried failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** The value, reloaded first when it is too old; `undefined` when there is none that may still be used. Never rejects. */
  async get(): Promise<T | undefined> {
    const age = this.#age();
    if (age >= this.#lifetimes.maxAgeMs) await this.reload();
    else if (age >= this.#lifetimes.renewMs) void this.reload();
    return this.#usable();
  }

  /** What is there is not to be used any more, nor what is being loaded: the next use waits for a new load. */
  expire(): void {
    this.#era += 1;
    this.#value = undefined;
    this.#loadedAt = Number.NEGATIVE_INFINITY;
    this.#triedAt = Number.NEGATIVE_INFINITY;
    this.#loading = undefined;
  }

  /** Loads anew unless that was tried a moment ago, then gives what may be used. Never rejects. */
  async reload(): Promise<T | undefined> {
    const interval =
      this.#usable() === undefined ? this.#lifetimes.firstIntervalMs : this.#lifetimes.intervalMs;
    if (this.#loading === undefined && this.#clock.monotonic() - this.#triedAt >= interval) {
      const loading = this.#run().finally(() => {
        if (this.#loading === loading) this.#loading = undefined;
      });
      this.#loading = loading;
    }
    const era = this.#era;
    await this.#loading;
    // Whoever waited for what is not to be used any more waits for what takes its place.
    return era === this.#era ? this.#usable() : this.reload();
  }

  #age(): number {
    return this.#clock.monotonic() - this.#loadedAt;
  }

  #usable(): T | undefined {
    return this.#age() < this.#lifetimes.staleMs ? this.#value : undefined;
  }

  async #run(): Promise<void> {
    const begun = this.#clock.monotonic();
    const era = this.#era;
    this.#triedAt = begun;
    try {
      const value = await this.#load();
      if (era !== this.#era) return;
      this.#value = value;
      this.#loadedAt = begun;
      this.#failed = false;
    } catch {
      // What went wrong may hold parts of an answer; that it went wrong is all that is needed.
      if (era === this.#era) this.#failed = true;
    }
  }
}
