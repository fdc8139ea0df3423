/** Makes a label value out of whatever came: one of a bounded set. */
export type LabelRule = (value: unknown) => string;

/** Where everything goes that comes when the table is full. No configured name can begin with `_`. */
export const OVERFLOW = '_other';

/**
 * Values by two labels, found by two lookups in nested maps: nothing is joined, hashed or allocated for
 * a pair that was seen before. Bounded whatever comes: label rules first, then a cap on the pairs.
 */
export class PairTable<T> {
  readonly #first: LabelRule;
  readonly #second: LabelRule;
  readonly #make: () => T;
  readonly #limit: number;
  readonly #pairs = new Map<unknown, Map<unknown, T>>();
  #size = 0;

  constructor(first: LabelRule, second: LabelRule, limit: number, make: () => T) {
    this.#first = first;
    this.#second = second;
    this.#make = make;
    this.#limit = limit;
  }

  get(first: unknown, second: unknown): T {
    return this.#pairs.get(first)?.get(second) ?? this.#slow(first, second);
  }

  *entries(): IterableIterator<readonly [first: string, second: string, value: T]> {
    for (const [first, values] of this.#pairs) {
      for (const [second, value] of values) yield [String(first), String(second), value];
    }
  }

  #slow(first: unknown, second: unknown): T {
    const a = this.#first(first);
    const b = this.#second(second);
    const found = this.#pairs.get(a)?.get(b);
    if (found !== undefined) return found;
    return this.#size < this.#limit ? this.#add(a, b) : this.#overflow();
  }

  #overflow(): T {
    return this.#pairs.get(OVERFLOW)?.get(OVERFLOW) ?? this.#add(OVERFLOW, OVERFLOW);
  }

  #add(first: string, second: string): T {
    const value = this.#make();
    const values = this.#pairs.get(first);
    if (values) values.set(second, value);
    else this.#pairs.set(first, new Map([[second, value]]));
    this.#size += 1;
    return value;
  }
}
