/**
 * Deadlines that a route may have, in milliseconds: each step is long enough that a change is rare, and that the number
 * says nothing about any one request.
 */
export const STEPS_MS: readonly number[] = Object.freeze([
  10, 15, 20, 30, 50, 75, 100, 150, 250, 400, 600, 1000, 1500, 2500, 4000, 6000, 10_000,
]);

/** How long times are gathered before anything is concluded from them. */
const WINDOW_MS = 60_000;
/** Times of one principal that count in a window: nobody alone decides what is usual. */
const MOST_OF_ONE = 8;
/** Principals that are told apart in a window; of others nothing is learned. */
const MOST_PRINCIPALS = 256;
/** Steps by which a deadline may rise after one window. */
const MOST_RISE = 2;
/** Of the times, this share may be above the deadline. */
const MAY_EXCEED = 0.005;
/** Windows in a row that would do with less, before a deadline falls by one step. */
const CALM_WINDOWS = 10;
/** What such a row must have seen before it is believed: times in all, times of what was hidden, and principals. */
const ENOUGH = Object.freeze({ times: 100, hidden: 20, principals: 3 });

/** What one window saw: by step, how many were ready within it. The last place is for those beyond every step. */
interface Seen {
  readonly counts: Uint32Array;
  total: number;
}

const nothing = (): Seen => ({ counts: new Uint32Array(STEPS_MS.length + 1), total: 0 });

/**
 * What is a usual time for one route of one tenant, and the deadline that follows. Learned from answers that were
 * released and from those that the EMR was asked for and that were then hidden, apart from each other: what is absent
 * may take longer to look for than what is there. It rises soon and falls slowly, by steps, at most once a minute.
 */
export class LearnedDeadline {
  #step: number;
  #windowEnd: number;
  #released = nothing();
  #hidden = nothing();
  readonly #of = new Map<string, number>();
  /** Some of those who saw it exceeded. */
  readonly #slow = new Set<string>();
  #calm = 0;
  #calmTimes = 0;
  #calmHidden = 0;
  #calmPrincipals = new Set<string>();

  /**
   * @param startMs what holds until something is known; the next step at or above it
   * @param now monotonic milliseconds, as everywhere here
   */
  constructor(startMs: number, now: number) {
    this.#step = stepOf(startMs);
    this.#windowEnd = now + WINDOW_MS;
  }

  get milliseconds(): number {
    return STEPS_MS[this.#step] as number;
  }

  /**
   * A request took `ms` from its arrival until its answer could have gone.
   *
   * @param who tells principals apart
   * @param hidden the EMR was asked and its answer is not released
   */
  observe(ms: number, who: string, hidden: boolean, now: number): void {
    if (now >= this.#windowEnd) this.#conclude(now);
    const already = this.#of.get(who) ?? 0;
    if (already >= MOST_OF_ONE || (already === 0 && this.#of.size >= MOST_PRINCIPALS)) return;
    this.#of.set(who, already + 1);
    const seen = hidden ? this.#hidden : this.#released;
    const step = ms > (STEPS_MS.at(-1) as number) ? STEPS_MS.length : stepOf(ms);
    seen.counts[step] = (seen.counts[step] ?? 0) + 1;
    seen.total += 1;
    if (step > this.#step && this.#slow.size < MOST_RISE) this.#slow.add(who);
  }

  #conclude(now: number): void {
    const needed = Math.max(neededBy(this.#released), neededBy(this.#hidden));
    if (needed > this.#step) {
      // Somebody who finds slow records does not move it for the others; whoever is alone here, by one step at a time.
      const rise = this.#of.size === 1 ? 1 : this.#slow.size > 1 ? MOST_RISE : 0;
      this.#step = Math.min(needed, this.#step + rise);
      this.#forgetCalm();
    } else if (needed < this.#step && needed >= 0) {
      this.#calm += 1;
      this.#calmTimes += this.#released.total + this.#hidden.total;
      this.#calmHidden += this.#hidden.total;
      for (const who of this.#of.keys())
        if (this.#calmPrincipals.size < ENOUGH.principals) this.#calmPrincipals.add(who);
      if (this.#calmEnough()) {
        this.#step -= 1;
        this.#forgetCalm();
      }
    } else if (needed === this.#step) this.#forgetCalm();
    this.#released = nothing();
    this.#hidden = nothing();
    this.#of.clear();
    this.#slow.clear();
    this.#windowEnd = now + WINDOW_MS;
  }

  #calmEnough(): boolean {
    return (
      this.#calm >= CALM_WINDOWS &&
      this.#calmTimes >= ENOUGH.times &&
      this.#calmHidden >= ENOUGH.hidden &&
      this.#calmPrincipals.size >= ENOUGH.principals
    );
  }

  #forgetCalm(): void {
    this.#calm = 0;
    this.#calmTimes = 0;
    this.#calmHidden = 0;
    this.#calmPrincipals = new Set();
  }
}

/** The first step that is not below `ms`; the last one for whatever is above all. */
function stepOf(ms: number): number {
  const step = STEPS_MS.findIndex((each) => ms <= each);
  return step < 0 ? STEPS_MS.length - 1 : step;
}

/** The step above the one that nearly all kept; -1 where nothing was seen. */
function neededBy({ counts, total }: Seen): number {
  if (total === 0) return -1;
  let above = 0;
  for (let step = STEPS_MS.length; step > 0; step -= 1) {
    above += counts[step] as number;
    if (above > total * MAY_EXCEED) return Math.min(step + 1, STEPS_MS.length - 1);
  }
  return 1;
}
