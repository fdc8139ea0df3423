/** Milliseconds between looks; a deadline is noticed at most this much late. */
const LOOK_MS = 50;

interface Deadline {
  readonly at: number;
  readonly passed: () => void;
}

const deadlines = new Set<Deadline>();
let timer: NodeJS.Timeout | undefined;

/**
 * Calls `passed` once, soon after the monotonic instant `at` (milliseconds), unless the returned function was
 * called before. One timer for all: a timer for each request costs more than everything else that it is for.
 */
export function onDeadline(at: number, passed: () => void): () => void {
  const deadline: Deadline = { at, passed };
  deadlines.add(deadline);
  if (timer === undefined) timer = setTimeout(look, LOOK_MS);
  return () => void deadlines.delete(deadline);
}

function look(): void {
  const now = performance.now();
  for (const deadline of deadlines) {
    if (deadline.at > now) continue;
    deadlines.delete(deadline);
    deadline.passed();
  }
  timer = deadlines.size > 0 ? setTimeout(look, LOOK_MS) : undefined;
}
