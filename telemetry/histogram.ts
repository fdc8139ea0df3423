import type { HistogramReading, Sample } from './snapshot.ts';

/** Seconds, from a quarter of a millisecond to ten seconds. */
export const REQUEST_BUCKETS: readonly number[] = [
  0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** A grouped probe takes well under a millisecond; a full comparison up to a fifth of a second. */
export const ATTESTATION_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

/** Counts per bucket, in a tenth of the time of prom-client's own histogram, which hashes labels each time. */
export class HistogramCounts {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Ignores what is no duration. */
  observe(seconds: number): void {
    if (!(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) return;
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && seconds > (bounds[index] ?? 0)) index += 1;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += seconds;
  }

  add(other: HistogramReading): void {
    addCounts(this.#counts, other.counts);
    this.#sum += other.sum;
  }

  reading(): HistogramReading {
    return { counts: [...this.#counts], sum: this.#sum };
  }

  /** The samples of one series: cumulative buckets, sum, count; none when nothing was observed. */
  samples(name: string, labels: Readonly<Record<string, string>>): Sample[] {
    let total = 0;
    const samples: Sample[] = [];
    for (const [index, count] of this.#counts.entries()) {
      total += count;
      const le = this.#bounds[index] ?? '+Inf';
      samples.push({ labels: { ...labels, le }, value: total, metricName: `${name}_bucket` });
    }
    if (total === 0) return [];
    samples.push({ labels, value: this.#sum, metricName: `${name}_sum` });
    samples.push({ labels, value: total, metricName: `${name}_count` });
    return samples;
  }
}

/** Adds number by number what both have. */
export function addCounts(to: number[], from: readonly number[]): void {
  for (let index = 0; index < to.length; index += 1) to[index] = (to[index] ?? 0) + (from[index] ?? 0);
}
