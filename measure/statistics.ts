/** The middle value; of an even number, the mean of the two in the middle. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  if (upper === undefined) return Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[(sorted.length >> 1) - 1] ?? Number.NaN) + upper) / 2;
}

/** Median, least and greatest of a number of rounds, and the rounds themselves in the order they ran. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: readonly number[];
}

/** Undefined for no values: "not measured" must never look like a figure. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    rounds: Object.freeze([...values]),
  };
}

/** `of / to`, or undefined when either was not measured or `to` is not a positive number. */
export function ratio(of: number | undefined, to: number | undefined): number | undefined {
  if (of === undefined || to === undefined) return undefined;
  const value = of / to;
  return to > 0 && Number.isFinite(value) ? value : undefined;
}

/** Rounds to so many decimals, so that a figure in JSON claims no more than was measured. */
export function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/** The items from `start` on, then those before it: each round begins with another subject, so that none always runs first. */
export function rotated<T>(items: readonly T[], start: number): T[] {
  if (items.length === 0) return [];
  const first = ((start % items.length) + items.length) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
