import type { Clock } from '../../contracts/clock.ts';
import type { Tally, TallyReport } from './desk-messages.ts';

/** Different patients that are counted of one principal; more than any step is far enough. */
const MOST_PATIENTS = 50_000;

interface Window {
  misses: number;
  readonly patients: Set<string>;
  readonly until: number;
}

/** Sums of what the enumeration guards saw. A window begins with the first thing that is seen of somebody. */
export class Tallies {
  readonly #windows = new Map<string, Window>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(report: TallyReport): Tally {
    const now = this.#clock.monotonic();
    let window = this.#windows.get(report.key);
    if (window === undefined || now >= window.until) {
      window = { misses: 0, patients: new Set(), until: now + report.windowMs };
      this.#windows.set(report.key, window);
    }
    window.misses += report.misses;
    for (const patient of report.patients) {
      if (window.patients.size < MOST_PATIENTS) window.patients.add(patient);
    }
    const { misses, patients, until } = window;
    return { key: report.key, misses, patients: patients.size, resetMs: until - now };
  }

  forget(key: string): void {
    this.#windows.delete(key);
  }

  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, window] of this.#windows) if (now >= window.until) this.#windows.delete(key);
  }
}
