import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { StateStore } from '../../contracts/state.ts';

/** Remembers what may be used once. */
export interface ReplayGuard {
  /**
   * True for the first that asks with this id, false for every other.
   * @param issuedAt wall-clock milliseconds at which the thing says that it was made
   * @param until wall-clock milliseconds from which on it is refused for its age anyway
   * Rejects with `state-unavailable` where that cannot be known: then it must not be accepted.
   */
  first(id: string, issuedAt: number, until: number): Promise<boolean>;
}

/** Ids remembered in memory, at most; about 150 bytes each. */
const MAX_REMEMBERED = 100_000;
/** Kept beyond `until`, should the wall clock be set back a little. Milliseconds. */
const SLACK_MS = 30_000;

/**
 * For one process alone. What claims to have been made before the guard was is refused, since the process
 * before this one may have seen it. Full of ids that still count: nothing is accepted, and nothing forgotten.
 */
export class MemoryReplayGuard implements ReplayGuard {
  readonly #seen = new Map<string, number>();
  readonly #clock: Clock;
  readonly #since: number;
  readonly #max: number;

  constructor(clock: Clock, max: number = MAX_REMEMBERED) {
    this.#clock = clock;
    // Whole seconds, as `iat` has them: one made in this very second may be older than the guard.
    this.#since = Math.floor(clock.wall() / 1000) * 1000;
    this.#max = max;
  }

  first(id: string, issuedAt: number, until: number): Promise<boolean> {
    if (issuedAt < this.#since) return Promise.resolve(false);
    return this.remember(id, until);
  }

  /** The same for whoever has another way to know what came before. */
  async remember(id: string, until: number): Promise<boolean> {
    if (this.#seen.has(id)) return false;
    if (this.#seen.size >= this.#max) this.#forgetOld();
    if (this.#seen.size >= this.#max)
      throw new ChartgateError('state-unavailable', 'too many one-time ids to remember');
    this.#seen.set(id, until + SLACK_MS);
    return true;
  }

  /** They were added about in the order in which they end. */
  #forgetOld(): void {
    const now = this.#clock.wall();
    let looked = 0;
    for (const [id, until] of this.#seen) {
      if (until <= now) this.#seen.delete(id);
      else if (++looked > 1000) return;
    }
  }
}

/** For every process that shares the store, and across restarts. */
export class StoreReplayGuard implements ReplayGuard {
  readonly #near: MemoryReplayGuard;
  readonly #store: StateStore;

  constructor(store: StateStore, clock: Clock) {
    this.#near = new MemoryReplayGuard(clock);
    this.#store = store;
  }

  async first(id: string, _issuedAt: number, until: number): Promise<boolean> {
    // What this process saw itself need not be asked about: a flood of repeats costs the store nothing.
    if (!(await this.#near.remember(id, until))) return false;
    return this.#store.insert('used-code', id, { body: {}, expiresAt: until + SLACK_MS });
  }
}
