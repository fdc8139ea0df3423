/**
 * Values in numbered places that are used again, for what comes and goes with each request. Not a Set or a Map:
 * whenever one of those is laid out anew, the old layout keeps pointing at the new one; once one of them has
 * grown old, every request that was ever in it counts as alive for the collections of the young generation, with
 * its headers and its answer. That cost a sixth of the processor.
 */
export class Places<Value extends object> {
  readonly #values: (Value | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#values.length - this.#free.length;
  }

  /** @returns the value's place, to be given back with `leave`, once */
  take(value: Value): number {
    const place = this.#free.pop() ?? this.#values.length;
    this.#values[place] = value;
    return place;
  }

  /** Does nothing when the place is somebody else's by now. */
  leave(place: number, value: Value): void {
    if (this.#values[place] !== value) return;
    this.#values[place] = undefined;
    this.#free.push(place);
    if (this.#free.length < this.#values.length) return;
    // Nobody is left: the room that a busy moment took is given back.
    this.#values.length = 0;
    this.#free.length = 0;
  }

  /** Those that are here now. Whoever is visited may leave, and others may come meanwhile. */
  visit(visitor: (value: Value, place: number) => void): void {
    for (let place = 0; place < this.#values.length; place += 1) {
      const value = this.#values[place];
      if (value !== undefined) visitor(value, place);
    }
  }
}
