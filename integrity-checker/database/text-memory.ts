import type { Texts } from '../../audit-sql/fingerprint/index.ts';
import type { Counters } from '../watch/types.ts';

/** After so long they are read again, whatever the counters say. */
const LIFETIME_MS = 60_000;

function unmoved(one: Counters, other: Counters): boolean {
  return one.hard.length === other.hard.length && one.hard.every((value, i) => value === other.hard[i]);
}

/**
 * Texts of triggers and the like from the last comparison. Reading them all takes most of a comparison's
 * time, and whoever changes one begins a statement that moves a counter; the catalogue is read each time.
 */
export class TextMemory {
  #kept: { readonly texts: Texts; readonly counters: Counters; readonly until: number } | undefined;

  /** The texts, if no statement that defines anything has begun since they were read. */
  recall(counters: Counters): Texts | undefined {
    const kept = this.#kept;
    if (kept === undefined || performance.now() >= kept.until) return undefined;
    return unmoved(kept.counters, counters) ? kept.texts : undefined;
  }

  /** Remembers what was read between two moments between which nothing moved. */
  keep(texts: Texts, before: Counters, after: Counters): void {
    if (!unmoved(before, after)) {
      this.#kept = undefined;
      return;
    }
    if (this.#kept?.texts === texts) return;
    this.#kept = { texts, counters: after, until: performance.now() + LIFETIME_MS };
  }
}
