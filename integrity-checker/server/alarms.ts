import { type Clock, systemClock } from '../../contracts/clock.ts';
import type { Log } from '../log.ts';

/** After an alarm new connections are admitted at this rate … */
const ADMITTED_PER_SECOND = 4;
/** … after this many at once … */
const BURST = 8;
/** … until so long after the last alarm. */
const CAUTIOUS_MS = 10_000;
/** Log lines for alarms per second; the counter has them all. */
const LINES_PER_SECOND = 10;

/**
 * Counts what should never happen on the socket, says so in the log without letting a peer fill it,
 * and slows new connections down afterwards. They are slowed, not refused: whoever may connect could
 * otherwise keep the gateway out by misbehaving.
 */
export class Alarms {
  readonly #log: Log;
  readonly #clock: Clock;
  #count = 0;
  #cautiousUntil = Number.NEGATIVE_INFINITY;
  #tokens = BURST;
  #refilledAt = 0;
  #lines = 0;
  #linesSince = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(log: Log, clock: Clock = systemClock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Alarms since the start. */
  get count(): number {
    return this.#count;
  }

  /** @param why one of our own sentences; never what a peer sent */
  raise(why: string): void {
    const now = this.#clock.monotonic();
    this.#count += 1;
    if (now >= this.#cautiousUntil) {
      this.#tokens = BURST;
      this.#refilledAt = now;
    }
    this.#cautiousUntil = now + CAUTIOUS_MS;
    if (now - this.#linesSince >= 1_000) {
      this.#linesSince = now;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_PER_SECOND) {
      this.#unsaid += 1;
      return;
    }
    this.#lines += 1;
    const unsaid = this.#unsaid > 0 ? ` ${this.#unsaid} more alarms were not logged.` : '';
    this.#unsaid = 0;
    this.#log({
      level: 'error',
      event: 'alarm',
      codes: ['checker-protocol'],
      sentence: `A connection was closed: ${why} Alarm ${this.#count}.${unsaid}`,
    });
  }

  /** Whether one more connection may be accepted now. */
  admit(): boolean {
    const now = this.#clock.monotonic();
    if (now >= this.#cautiousUntil) return true;
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#refilledAt) / 1_000) * ADMITTED_PER_SECOND);
    this.#refilledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
