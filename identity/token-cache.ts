import { LRUCache } from 'lru-cache';
import type { Clock } from '../contracts/clock.ts';
import type { BearerPrincipal } from '../contracts/principal.ts';
import type { Confirmation } from './tokens/confirmation.ts';
import type { TokenMarks } from './tokens/revocations.ts';

/** A successful authentication by token. */
export interface Accepted {
  readonly ok: true;
  readonly principal: BearerPrincipal;
}

/** A token that was found good, and what each request that presents it must still hold to. */
export interface Judged {
  readonly result: Accepted;
  readonly confirmation: Confirmation | undefined;
  readonly marks: TokenMarks;
}

interface Entry {
  readonly judged: Judged;
  readonly wallUntil: number;
  readonly monotonicUntil: number;
}

/**
 * Tokens found good, bounded in number and in seconds. An entry ends at the token's `exp` by the wall clock
 * and, should that clock be set back, after the time that was left when the token was judged.
 */
export class TokenCache {
  readonly #entries: LRUCache<string, Entry>;
  readonly #clock: Clock;
  readonly #maxMs: number;
  /** Monotonic; nothing that was judged before counts. */
  #since = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, bounds: { readonly maxTokens: number; readonly maxSeconds: number }) {
    this.#entries = new LRUCache({ max: Math.max(1, bounds.maxTokens) });
    this.#clock = clock;
    this.#maxMs = bounds.maxSeconds * 1000;
  }

  get(key: string): Judged | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#clock.wall() < entry.wallUntil && this.#clock.monotonic() < entry.monotonicUntil)
      return entry.judged;
    this.#entries.delete(key);
    return undefined;
  }

  /** Forgets all of them, and what is being judged at this moment. */
  clear(): void {
    this.#since = this.#clock.monotonic();
    this.#entries.clear();
  }

  /** @param begun monotonic milliseconds at which the judgement began: its age counts from there */
  set(key: string, judged: Judged, begun: number): void {
    if (begun < this.#since) return;
    const wallUntil = judged.result.principal.expiresAt * 1000;
    const left = Math.min(this.#maxMs, wallUntil - this.#clock.wall());
    if (left > 0) this.#entries.set(key, { judged, wallUntil, monotonicUntil: begun + left });
  }
}
