import type { Labelled } from './tree.ts';

const PASSES = 12;
const STEP = 0.05;
const DECAY = 1e-4;

/** Logistic regression over standardised features, by stochastic gradient descent. */
export class Logistic {
  readonly #means: Float64Array;
  readonly #scales: Float64Array;
  readonly #weights: Float64Array;

  private constructor(means: Float64Array, scales: Float64Array, weights: Float64Array) {
    this.#means = means;
    this.#scales = scales;
    this.#weights = weights;
  }

  static learn({ rows, labels }: Labelled): Logistic {
    const features = rows[0]?.length ?? 0;
    const means = new Float64Array(features);
    const scales = new Float64Array(features).fill(1);
    for (let f = 0; f < features; f += 1) {
      let sum = 0;
      for (const row of rows) sum += row[f] ?? 0;
      const mean = sum / rows.length;
      let squares = 0;
      for (const row of rows) squares += ((row[f] ?? 0) - mean) ** 2;
      means[f] = mean;
      scales[f] = Math.sqrt(squares / rows.length) || 1;
    }
    const learned = new Logistic(means, scales, new Float64Array(features + 1));
    for (let pass = 0; pass < PASSES; pass += 1) {
      const step = STEP / (1 + pass);
      for (const [i, row] of rows.entries()) learned.#step(row, labels[i] ?? 0, step);
    }
    return learned;
  }

  /** 0 or 1. */
  guess(row: Float64Array): number {
    return this.#score(row) > 0 ? 1 : 0;
  }

  #standard(row: Float64Array, f: number): number {
    const value = ((row[f] ?? 0) - (this.#means[f] ?? 0)) / (this.#scales[f] ?? 1);
    // One wild value must not undo what a thousand taught.
    return Math.max(-6, Math.min(6, value));
  }

  #score(row: Float64Array): number {
    let score = this.#weights[row.length] ?? 0;
    for (let f = 0; f < row.length; f += 1) score += (this.#weights[f] ?? 0) * this.#standard(row, f);
    return score;
  }

  #step(row: Float64Array, label: number, step: number): void {
    const error = label - 1 / (1 + Math.exp(-this.#score(row)));
    const weights = this.#weights;
    for (let f = 0; f < row.length; f += 1)
      weights[f] = (weights[f] ?? 0) * (1 - step * DECAY) + step * error * this.#standard(row, f);
    weights[row.length] = (weights[row.length] ?? 0) + step * error;
  }
}
