import type { Clock } from '../contracts/clock.ts';
import type { BackendReport } from './outcome.ts';

export interface CircuitSettings {
  readonly clock: Clock;
  /** Connection failures in a row that eject. */
  readonly connectFailures: number;
  /** Time-outs, broken and unwell answers in a row that eject, if another back end is there to take over. */
  readonly answerFailures: number;
  /** Milliseconds of the first ejection; each further one lasts twice as long. */
  readonly firstEjectionMs: number;
  readonly longestEjectionMs: number;
  /** Milliseconds after which a trial that nobody reported on no longer keeps others from trying. */
  readonly trialMs: number;
}

/** Weight of one answer in the share of bad ones. */
const WEIGHT = 1 / 16;
/** Share of bad answers among the last ones that ejects, though never so many were bad in a row. */
const BAD_SHARE = 0.3;
/** Milliseconds of good answers after which a further ejection is a first one again: one that flaps stays out longer. */
const WELL_MS = 10_000;

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
  #badShare = 0;
  /** Ejections before the last success, and when that was. */
  #formerEjections = 0;
  #closedAt = 0;

  constructor(settings: CircuitSettings) {
    this.#settings = settings;
  }

  /** Whether requests are kept from this back end now, other than a trial. */
  get ejected(): boolean {
    return this.#ejections > 0;
  }

  /** The last request failed: what cannot be sent again should go elsewhere. */
  get suspect(): boolean {
    return this.#connectFailures > 0 || this.#answerFailures > 0 || this.#ejections > 0;
  }

  /** When the breaker last closed, in monotonic milliseconds; 0: it was never open. */
  get closedAt(): number {
    return this.#closedAt;
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

  report(outcome: BackendReport): void {
    if (outcome === 'ok') {
      this.#connectFailures = 0;
      this.#answerFailures = 0;
      this.#badShare -= this.#badShare * WEIGHT;
      this.#wantsEjection &&= this.#badShare > BAD_SHARE;
      if (this.#ejections > 0) this.#close();
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
      this.#badShare += (1 - this.#badShare) * WEIGHT;
      if (this.#answerFailures >= this.#settings.answerFailures || this.#badShare > BAD_SHARE)
        this.#wantsEjection = true;
    }
  }

  #close(): void {
    this.#formerEjections = this.#ejections;
    this.#closedAt = this.#settings.clock.monotonic();
    this.#ejections = 0;
    this.#trialUntil = 0;
    this.#wantsEjection = false;
    this.#badShare = 0;
  }

  eject(): void {
    const { clock, firstEjectionMs, longestEjectionMs } = this.#settings;
    const now = clock.monotonic();
    if (this.#ejections === 0 && this.#closedAt > 0 && now - this.#closedAt < WELL_MS)
      this.#ejections = this.#formerEjections;
    const duration = Math.min(firstEjectionMs * 2 ** Math.min(this.#ejections, 30), longestEjectionMs);
    this.#ejections += 1;
    this.#ejectedUntil = now + duration;
    this.#trialUntil = 0;
    this.#connectFailures = 0;
    this.#answerFailures = 0;
    this.#wantsEjection = false;
    this.#badShare = 0;
  }
}
