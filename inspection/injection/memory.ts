import type { RequestFacts } from '../../contracts/facts.ts';

/** Values of each header that are remembered, and characters of one. */
const VALUES = 256;
const LENGTH = 512;
const NAMES = 128;

/** Of these nothing is kept: they are secrets, or differ with every request. */
const NEVER: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'dpop',
  'referer',
  'traceparent',
  'sec-websocket-key',
  'content-md5',
]);

/**
 * Header values in which nothing was found. Clients send the same few again and again, and the rules do not change
 * while an inspector lives. Names and values are kept apart, so that one cannot stand for the other.
 */
export class HeaderMemory {
  readonly #clean = new Map<string, Set<string>>();

  knows(name: string, value: string): boolean {
    return this.#clean.get(name)?.has(value) === true;
  }

  /** Every header of a request in which nothing was found, no exception made. */
  learn(facts: RequestFacts): void {
    for (const [name, value] of facts.headers) {
      if (value.length > LENGTH || NEVER.has(name)) continue;
      let values = this.#clean.get(name);
      if (values?.has(value)) continue;
      if (values === undefined) {
        if (this.#clean.size >= NAMES) this.#clean.clear();
        values = new Set();
        this.#clean.set(name, values);
      }
      // Begun anew when full, so that a client that invents values cannot keep the common ones out.
      if (values.size >= VALUES) values.clear();
      values.add(value);
    }
  }
}
