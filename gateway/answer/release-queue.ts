import type { Clock } from '../../contracts/clock.ts';

/**
 * Milliseconds between the instants at which hidden answers may leave, on the monotonic clock. They leave together, so
 * that the wait for the exact instant is paid once for all of them.
 */
export const TICK_MS = 4;

/**
 * Milliseconds before an instant from which on it is waited for actively. Timers have whole milliseconds, counted from
 * when the event loop last slept: two sleeps that differ by what the EMR did would end at different fractions of one.
 */
const LEAD_MS = 1.1;

/**
 * Ticks before an instant at which it is woken up already, only to sleep again: on a busy machine, how soon a process
 * runs again depends on how long it has slept, and so would tell when the last answer became ready.
 */
const APPROACH = 3;

interface Waiting {
  readonly at: number;
  readonly arrivedAt: number;
  /** Random: of two that arrived in the same instant neither is known to come first. */
  readonly id: string;
  readonly go: () => void;
}

/** The first instant, not before `instant`, at which a hidden answer may leave. Monotonic milliseconds. */
export function tickOf(instant: number): number {
  return Math.ceil(instant / TICK_MS) * TICK_MS;
}

/**
 * Where hidden answers wait. Each leaves at its instant, and those of one instant in the order in which their requests
 * arrived: neither when an answer was ready nor which timer was set for it shows. While none waits, nothing runs.
 */
export class ReleaseQueue {
  readonly #clock: Clock;
  /** The next to leave first. */
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** For when the timer, or the next look, is due. */
  #armedFor = Number.POSITIVE_INFINITY;
  #spinning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves at the monotonic instant `at` (milliseconds), never before it.
   *
   * @param arrivedAt orders those of one instant
   */
  until(at: number, arrivedAt: number, id: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#add({ at, arrivedAt, id, go: resolve });
    if (at < this.#armedFor) this.#arm();
    return promise;
  }

  #add(one: Waiting): void {
    const waiting = this.#waiting;
    // On one route they come in the order in which they leave.
    let at = waiting.length;
    while (at > 0 && before(one, waiting[at - 1] as Waiting)) at -= 1;
    if (at === waiting.length) waiting.push(one);
    else waiting.splice(at, 0, one);
  }

  #arm(): void {
    const first = this.#waiting[0];
    if (first === undefined || this.#spinning) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedFor = first.at;
    const left = first.at - this.#clock.monotonic();
    if (left > LEAD_MS + 1) {
      const approach = Math.min(APPROACH, Math.floor((left - LEAD_MS - 1) / TICK_MS)) * TICK_MS;
      this.#timer = setTimeout(this.#wake, Math.floor(left - LEAD_MS - approach));
      return;
    }
    this.#spinning = true;
    setImmediate(this.#look);
  }

  readonly #wake = (): void => {
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#arm();
  };

  /** One turn of the event loop: whatever else there is to do is done between two looks. */
  readonly #look = (): void => {
    const now = this.#clock.monotonic();
    const first = this.#waiting[0];
    if (first !== undefined && now < first.at && first.at - now <= LEAD_MS + 2) {
      setImmediate(this.#look);
      return;
    }
    this.#spinning = false;
    this.#armedFor = Number.POSITIVE_INFINITY;
    let due = 0;
    while (due < this.#waiting.length && (this.#waiting[due] as Waiting).at <= now) due += 1;
    for (const { go } of this.#waiting.splice(0, due)) go();
    this.#arm();
  };
}

function before(a: Waiting, b: Waiting): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.arrivedAt !== b.arrivedAt) return a.arrivedAt < b.arrivedAt;
  return a.id < b.id;
}
