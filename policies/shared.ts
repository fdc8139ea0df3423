/**
 * Things that are made of some content and never change: made once for each content, as long as somebody uses them.
 * Thousands of tenants have the same conditions, roles and lists of methods.
 */
export class Shared<T extends object> {
  readonly #known = new Map<string, WeakRef<T>>();
  /** Entries at which those that nobody uses are swept out. */
  #sweepAt = 4_096;

  /** @param key says all of the content */
  get(key: string): T | undefined {
    return this.#known.get(key)?.deref();
  }

  keep(key: string, value: T): T {
    if (this.#known.size >= this.#sweepAt) {
      for (const [old, reference] of this.#known)
        if (reference.deref() === undefined) this.#known.delete(old);
      this.#sweepAt = Math.max(4_096, this.#known.size * 2);
    }
    this.#known.set(key, new WeakRef(value));
    return value;
  }
}

const texts = new Map<string, string>();
/** Texts that are remembered at once. */
const MOST_TEXTS = 16_384;

/**
 * The same string object for the same text, most of the time: what ten thousand tenants write alike is then looked at
 * in one place of memory.
 */
export function interned(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= MOST_TEXTS) texts.clear();
  texts.set(text, text);
  return text;
}
