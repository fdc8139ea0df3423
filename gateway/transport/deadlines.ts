import { Places } from './places.ts';

/** Milliseconds between looks; a deadline is noticed at most this much late. */
const LOOK_MS = 50;

interface Deadline {
  readonly at: number;
  readonly passed: () => void;
}

const deadlines = new Places<Deadline>();
let timer: NodeJS.Timeout | undefined;

/**
 * Calls `passed` once, soon after the monotonic instant `at` (milliseconds), unless the returned function was
 * called before. One timer for all: a timer for each request costs more than everything else that it is for.
 */
export function onDeadline(at: number, passed: () => void): () => void {
  const deadline: Deadline = { at, passed };
  const place = deadlines.take(deadline);
  if (timer === undefined) timer = setTimeout(look, LOOK_MS);
  return () => deadlines.leave(place, deadline);
}

function look(): void {
  const now = performance.now();
  deadlines.visit((deadline, place) => {
    if (deadline.at > now) return;
    deadlines.leave(place, deadline);
    deadline.passed();
  });
  timer = deadlines.size > 0 ? setTimeout(look, LOOK_MS) : undefined;
}
