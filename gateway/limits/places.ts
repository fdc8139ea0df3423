interface Occupied {
  total: number;
  readonly byWorker: Map<string, number>;
}

/** Who occupies how many places of limits on requests at once. */
export class Places {
  /** By limit, then by key. */
  readonly #limits = new Map<string, Map<string, Occupied>>();

  /** @returns how many of the wanted places there were */
  occupy(
    worker: string,
    wish: { readonly limiter: string; readonly key: string; readonly most: number; readonly want: number },
  ): number {
    let keys = this.#limits.get(wish.limiter);
    if (keys === undefined) {
      keys = new Map();
      this.#limits.set(wish.limiter, keys);
    }
    let occupied = keys.get(wish.key);
    if (occupied === undefined) {
      occupied = { total: 0, byWorker: new Map() };
      keys.set(wish.key, occupied);
    }
    const granted = Math.max(0, Math.min(wish.want, wish.most - occupied.total));
    occupied.total += granted;
    occupied.byWorker.set(worker, (occupied.byWorker.get(worker) ?? 0) + granted);
    if (occupied.total === 0) keys.delete(wish.key);
    return granted;
  }

  vacate(
    worker: string,
    what: { readonly limiter: string; readonly key: string; readonly places: number },
  ): void {
    const keys = this.#limits.get(what.limiter);
    const occupied = keys?.get(what.key);
    const had = occupied?.byWorker.get(worker) ?? 0;
    // No worker can free what it does not have.
    const freed = Math.min(had, what.places);
    if (keys === undefined || occupied === undefined || freed <= 0) return;
    occupied.total -= freed;
    if (had === freed) occupied.byWorker.delete(worker);
    else occupied.byWorker.set(worker, had - freed);
    if (occupied.total <= 0) keys.delete(what.key);
  }

  leave(worker: string): void {
    for (const [limiter, keys] of this.#limits) {
      for (const [key, { byWorker }] of keys) {
        this.vacate(worker, { limiter, key, places: byWorker.get(worker) ?? 0 });
      }
    }
  }
}
