import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { LimitDemand } from '../../contracts/policy.ts';

/** A wish for some of a limit's requests. */
export interface Ask {
  /** Which limit: a name that no other has. */
  readonly limiter: string;
  readonly demand: LimitDemand;
  readonly key: string;
  readonly want: number;
  /** What the asking one let pass in this window on another's account: counted here too. */
  readonly used: number;
}

/** What came of it. Less than was wanted: there is no more in this window. */
export interface Grant {
  readonly granted: number;
  /** What is left to others in this window. */
  readonly rest: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

/** Whoever counts. Rejects when it cannot be asked. */
export interface Counters {
  lease(ask: Ask): Promise<Grant>;
}

/**
 * Takes as much of a window as is there. A limiter refuses a wish that is larger than what is left and counts it all
 * the same; what it would have granted of it is granted, and everybody who comes later finds nothing.
 */
export async function consume(limiter: RateLimiterAbstract, ask: Ask): Promise<Grant> {
  const points = ask.want + ask.used;
  let result: RateLimiterRes;
  try {
    result = await limiter.consume(ask.key, points);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    result = refused;
  }
  const { consumedPoints, msBeforeNext } = result;
  if (!Number.isFinite(consumedPoints) || !Number.isFinite(msBeforeNext)) throw new Error('no number');
  const before = consumedPoints - ask.want;
  const granted = Math.min(ask.want, Math.max(0, ask.demand.requests - before));
  return {
    granted,
    rest: Math.max(0, ask.demand.requests - consumedPoints),
    // The library counts by the wall clock, which may have jumped: no window ends later than it would last.
    resetMs: Math.min(ask.demand.windowSeconds * 1000, Math.max(1, msBeforeNext)),
  };
}

/** Counts in this process (`rate-limiter-flexible`): windows that begin with a key's first request. */
export class MemoryCounters implements Counters {
  readonly #limiters = new Map<string, RateLimiterMemory>();

  lease(ask: Ask): Promise<Grant> {
    let limiter = this.#limiters.get(ask.limiter);
    if (limiter === undefined) {
      const { requests, windowSeconds } = ask.demand;
      limiter = new RateLimiterMemory({ keyPrefix: '', points: requests, duration: windowSeconds });
      this.#limiters.set(ask.limiter, limiter);
    }
    return consume(limiter, ask);
  }
}
