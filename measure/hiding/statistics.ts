/** The bound that is customary for leaks in time (dudect): beyond it, two samples differ. */
export const T_BOUND = 4.5;
/** Crops, and how they lie: many where most of the values are, as dudect has them. */
const CROPS = 100;
/** Fewer values than this say nothing of a crop, and of the whole. */
const LEAST = 100;
const LEAST_OF_ALL = 10;

/** Of one sample, below one threshold. */
interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

export interface Difference {
  /** The largest |t| of all crops, that of the whole among them. */
  readonly t: number;
  /** Of the whole sample. */
  readonly raw: number;
  /** Of the squared distances from the common mean: whether one varies more. */
  readonly second: number;
  /** Share of the values that the crop with the largest |t| keeps; 1: all of them. */
  readonly share: number;
}

/** Welch's t between two samples of which these are known: how far their means differ, in standard errors. */
function welch(a: Moments, b: Moments): number {
  const error = Math.sqrt(a.variance / a.n + b.variance / b.n);
  if (error === 0) return a.mean === b.mean ? 0 : Number.POSITIVE_INFINITY;
  return (a.mean - b.mean) / error;
}

function momentsOf(values: Float64Array): Moments {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { n: values.length, mean, variance: squares / Math.max(1, values.length - 1) };
}

/** Shares of the values that the crops keep, the whole last. */
export const SHARES: readonly number[] = [
  ...Array.from({ length: CROPS }, (_, i) => 1 - 0.5 ** ((10 * (i + 1)) / CROPS)),
  1,
];

/** Moments of each sample below each threshold; thresholds are those of all samples together. */
function cropped(samples: readonly Float64Array[]): Moments[][] {
  const pooled = new Float64Array(samples.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of samples) {
    pooled.set(each, at);
    at += each.length;
  }
  pooled.sort();
  const thresholds = SHARES.map((share) =>
    share === 1
      ? Number.POSITIVE_INFINITY
      : (pooled[Math.min(pooled.length - 1, Math.floor(share * pooled.length))] ?? 0),
  );
  // Sums of what is far from zero and close together lose their digits.
  const shift = pooled[pooled.length >> 1] ?? 0;
  return samples.map((sample) => {
    const sorted = sample.toSorted();
    let n = 0;
    let sum = 0;
    let squares = 0;
    return thresholds.map((threshold) => {
      while (n < sorted.length && (sorted[n] as number) < threshold) {
        const value = (sorted[n] as number) - shift;
        sum += value;
        squares += value * value;
        n += 1;
      }
      const mean = sum / n;
      return { n, mean: mean + shift, variance: Math.max(0, squares - n * mean * mean) / Math.max(1, n - 1) };
    });
  });
}

/**
 * How each pair of samples differs, raw and at every crop. A cell of the answer: the two samples' places, and by how
 * much.
 */
export function differences(
  samples: readonly Float64Array[],
): readonly { readonly a: number; readonly b: number; readonly by: Difference }[] {
  const moments = cropped(samples);
  const found: { a: number; b: number; by: Difference }[] = [];
  for (let a = 0; a < samples.length; a += 1) {
    for (let b = a + 1; b < samples.length; b += 1) {
      found.push({ a, b, by: difference(moments[a] ?? [], moments[b] ?? [], samples[a], samples[b]) });
    }
  }
  return found;
}

function difference(
  one: readonly Moments[],
  two: readonly Moments[],
  a: Float64Array = new Float64Array(),
  b: Float64Array = new Float64Array(),
): Difference {
  let t = 0;
  let share = 1;
  let raw = 0;
  for (const [i, kept] of SHARES.entries()) {
    const [m, n] = [one[i], two[i]];
    if (m === undefined || n === undefined || Math.min(m.n, n.n) < (kept === 1 ? LEAST_OF_ALL : LEAST))
      continue;
    const value = Math.abs(welch(m, n));
    if (kept === 1) raw = value;
    if (value > t) {
      t = value;
      share = kept;
    }
  }
  return { t, raw, share, second: Math.abs(secondOrder(a, b)) };
}

function secondOrder(a: Float64Array, b: Float64Array): number {
  const [m, n] = [momentsOf(a), momentsOf(b)];
  const mean = (m.mean * m.n + n.mean * n.n) / (m.n + n.n);
  return welch(
    momentsOf(a.map((value) => (value - mean) ** 2)),
    momentsOf(b.map((value) => (value - mean) ** 2)),
  );
}

/** Several samples as one. */
export function together(samples: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(samples.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of samples) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}

export function medianOf(values: Float64Array): number {
  return values.toSorted()[values.length >> 1] ?? Number.NaN;
}
