/** A comparison reads a hundred times what a probe does: on a busy server it may take its time. */
const COMPARISON_MS = 10_000;
const TIMES_A_PROBE = 10;

/** Limit of one comparison, in milliseconds, where a probe has `timeoutMs`. */
export function comparisonLimit(timeoutMs: number): number {
  return Math.max(COMPARISON_MS, TIMES_A_PROBE * timeoutMs);
}
