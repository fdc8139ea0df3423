import type { Clock } from '../contracts/clock.ts';
import type { BackendOutcome } from './outcome.ts';

export interface CircuitSettings {
  readonly clock: Clock;
  /** Connection failures in a row that eject. */
  readonly connectFailures: number;
  /** Time-outs and broken answers in a row that eject, if another back end is there to take over. */
  readonly answerFailures: number;
  /** Milliseconds of the first ejection; each further one lasts twice as long. */
  readonly firstEjectionMs: number;
  readonly longestEjectionMs: number;
  /** Milliseconds after which a trial that nobody reported on no longer keeps others from trying. */
  readonly trialMs: number;
}

/**
 * The breaker of one back end. Closed: every request. Open: none until the ejection is over. Then one
 * request at a time is let through as a trial, until one succeeds.
 */
export class Circuit {
  readonly #settings: CircuitSettings;
  #connectFailures = 0;
  #answerFailures = 0;
  /** Ejections since the last success; 0 while closed. */
  #ejections = 0;
  #ejectedUntil = 0;
  #trialUntil = 0;
  #wantsEjection = false;

  constructor(settings: CircuitSettings) {
    this.#settings = settings;
  }

  /** Whether requests are kept from this back end now, other than a trial. */
  get ejected(): boolean {
    return this.#ejections > 0;
  }

  /** Whether a request may be sent now. */
  available(): boolean {
    if (this.#ejections === 0) return true;
    const now = this.#settings.clock.monotonic();
    return now >= this.#ejectedUntil && now >= this.#trialUntil;
  }

  /** A request is being sent; while ejected, it is the trial. */
  take(): void {
    if (this.#ejections > 0) this.#trialUntil = this.#settings.clock.monotonic() + this.#settings.trialMs;
  }

  /** Answer failures have added up; the caller ejects if another back end can take over. */
  get wantsEjection(): boolean {
    return this.#wantsEjection;
  }

  report(outcome: BackendOutcome): void {
    if (outcome === 'ok') {
      this.#connectFailures = 0;
      this.#answerFailures = 0;
      this.#ejections = 0;
      this.#trialUntil = 0;
      this.#wantsEjection = false;
      return;
    }
    if (this.#ejections > 0) {
      // Requests that were under way when the ejection began say nothing new.
      if (this.#settings.clock.monotonic() >= this.#ejectedUntil) this.eject();
      return;
    }
    if (outcome === 'connect-failed') {
      this.#connectFailures += 1;
      if (this.#connectFailures >= this.#settings.connectFailures) this.eject();
    } else {
      // It did connect, so that the row of connection failures is broken.
      this.#connectFailures = 0;
      this.#answerFailures += 1;
      if (this.#answerFailures >= this.#settings.answerFailures) this.#wantsEjection = true;
    }
  }

  eject(): void {
    const { clock, firstEjectionMs, longestEjectionMs } = this.#settings;
    const duration = Math.min(firstEjectionMs * 2 ** Math.min(this.#ejections, 30), longestEjectionMs);
    this.#ejections += 1;
    this.#ejectedUntil = clock.monotonic() + duration;
    this.#trialUntil = 0;
    this.#connectFailures = 0;
    this.#answerFailures = 0;
    this.#wantsEjection = false;
  }
}
