/** Milliseconds after which nobody waits any more. */
const FORGET_MS = 5_000;

/** Which workers have not yet said that they know of a mark. */
export class Noted {
  readonly #waiting = new Map<
    number,
    { readonly workers: Set<string>; readonly done: () => void; readonly at: number }
  >();
  #next = 1;

  /**
   * @param names of the workers that are to know
   * @param tell tells every worker under this number
   * @returns resolves when all of them know; one that ends meanwhile need not
   */
  spread(names: readonly string[], tell: (number: number) => void): Promise<void> {
    const number = this.#next;
    this.#next += 1;
    if (names.length === 0) return Promise.resolve();
    const at = performance.now();
    // A worker that hangs notes nothing; whoever asked has given up.
    for (const [old, waiting] of this.#waiting) {
      if (waiting.at > at - FORGET_MS) break;
      this.#waiting.delete(old);
    }
    return new Promise((done) => {
      this.#waiting.set(number, { workers: new Set(names), done, at });
      tell(number);
    });
  }

  noted(worker: string, number: number): void {
    const waiting = this.#waiting.get(number);
    if (waiting?.workers.delete(worker) !== true || waiting.workers.size > 0) return;
    this.#waiting.delete(number);
    waiting.done();
  }

  left(worker: string): void {
    for (const number of [...this.#waiting.keys()]) this.noted(worker, number);
  }
}
