/** Statements a second that probes of one database may come to; the rest of a thousand is for comparisons. */
const STATEMENTS_PER_SECOND = 950;
/** So many probes may begin at once after a pause: timers fire late by about a millisecond, which this makes up for. */
const AT_ONCE = 3;

/**
 * Spaces probes, so that however many ask, a database has at most about a thousand statements a second to
 * answer. Nobody who asks alone waits.
 */
export class Pace {
  /** When the next probe is due at the permitted rate. */
  #due = Number.NEGATIVE_INFINITY;

  /**
   * How long to wait with the next probe, in milliseconds; 0 when it may begin, and then counts as begun.
   * @param now monotonic milliseconds
   * @param statements that the probe consists of
   */
  begin(now: number, statements: number): number {
    const apart = (1_000 / STATEMENTS_PER_SECOND) * statements;
    const wait = this.#due - (AT_ONCE - 1) * apart - now;
    if (wait > 0) return wait;
    this.#due = Math.max(this.#due, now) + apart;
    return 0;
  }
}
