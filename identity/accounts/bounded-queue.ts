/**
 * Runs at most so many tasks at a time, in order; holds a bounded number of others. So many people who sign
 * in at once wait a little, and a flood of guesses cannot take the thread pool from everything else.
 */
export class BoundedQueue {
  readonly #concurrency: number;
  readonly #waiting: number;
  readonly #next: (() => void)[] = [];
  #running = 0;

  constructor(concurrency: number, waiting: number) {
    this.#concurrency = concurrency;
    this.#waiting = waiting;
  }

  /** How many run, and how many wait. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running, waiting: this.#next.length };
  }

  /** Whether one more would be refused. Ask before anything is changed that a refusal should not change. */
  get full(): boolean {
    return this.#running >= this.#concurrency && this.#next.length >= this.#waiting;
  }

  /** @returns undefined, without having begun, when too many wait already; otherwise what the task gives */
  async run<T>(task: () => Promise<T>): Promise<T | undefined> {
    if (this.full) return undefined;
    if (this.#running >= this.#concurrency) {
      // Whoever ends hands its place over, so that nobody slips in between.
      await new Promise<void>((resolve) => this.#next.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await task();
    } finally {
      const next = this.#next.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
