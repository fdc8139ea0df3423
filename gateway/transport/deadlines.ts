import { Places } from './places.ts';

/** Milliseconds between looks; a deadline is noticed at most this much late. */
const LOOK_MS = 50;

/**
 * Something that happens unless it is called off before. One timer for all: a timer for each request costs more than
 * everything else that it is for.
 */
export abstract class Deadline {
  #at = 0;
  #place = -1;

  /** Called soon after the instant, unless it was disarmed. */
  abstract passed(): void;

  /** @param at monotonic milliseconds; in place of the instant before, if there was one */
  arm(at: number): void {
    this.#at = at;
    if (this.#place < 0) this.#place = deadlines.take(this);
    if (timer === undefined) timer = setTimeout(look, LOOK_MS);
  }

  disarm(): void {
    if (this.#place < 0) return;
    deadlines.leave(this.#place, this);
    this.#place = -1;
  }

  /** Calls `passed` if it is time. */
  look(now: number): void {
    if (this.#at > now) return;
    this.disarm();
    this.passed();
  }
}

const deadlines = new Places<Deadline>();
let timer: NodeJS.Timeout | undefined;

class Call extends Deadline {
  readonly passed: () => void;

  constructor(passed: () => void) {
    super();
    this.passed = passed;
  }
}

/** Calls `passed` once, soon after the monotonic instant `at` (milliseconds), unless the returned function was called before. */
export function onDeadline(at: number, passed: () => void): () => void {
  const call = new Call(passed);
  call.arm(at);
  return () => call.disarm();
}

function look(): void {
  const now = performance.now();
  deadlines.visit((deadline) => deadline.look(now));
  timer = deadlines.size > 0 ? setTimeout(look, LOOK_MS) : undefined;
}
