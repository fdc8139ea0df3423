import type { Clock } from '../contracts/clock.ts';

/** Further attempts that are always there, so that a quiet tenant gets them too. */
const FEW = 10;
/** Milliseconds after which one of these is there again. */
const AGAIN_MS = 2_000;
/** The most that is saved up: what fails at once when a busy back end goes. */
const MOST = 200;

/**
 * How many requests may be sent again: a share of those that are sent at all, and always a few. A tenant all of whose
 * back ends fail is asked for little more than its clients ask for.
 */
export class RetryBudget {
  readonly #share: number;
  readonly #clock: Clock;
  #left: number;
  /** Of the few; when it was last looked at. */
  #few = FEW;
  #since = 0;

  /** @param percent 0: nothing is sent again */
  constructor(percent: number, clock: Clock) {
    this.#share = percent / 100;
    this.#clock = clock;
    this.#left = 0;
  }

  /** A request is being sent for the first time. */
  earn(): void {
    this.#left = Math.min(MOST, this.#left + this.#share);
  }

  /**
   * Whether one may be sent again; it is counted when it may.
   * @param keep so many have to be left, for those that need it more
   */
  take(keep = 0): boolean {
    if (this.#share === 0) return false;
    if (this.#left >= 1 + keep) {
      this.#left -= 1;
      return true;
    }
    if (keep > 0) return false;
    const now = this.#clock.monotonic();
    this.#few = Math.min(FEW, this.#few + (now - this.#since) / AGAIN_MS);
    this.#since = now;
    if (this.#few < 1) return false;
    this.#few -= 1;
    return true;
  }
}
