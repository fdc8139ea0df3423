import type { LimitDemand } from '../../contracts/policy.ts';

/**
 * The part of a limit that one of several holders has, when they cannot count together: rounded down. Where that is
 * less than one request, each lets one pass in as many windows as make the sum what was written.
 */
export function share(demand: LimitDemand, holders: number): LimitDemand {
  const requests = Math.floor(demand.requests / holders);
  if (requests >= 1) return { requests, windowSeconds: demand.windowSeconds };
  return {
    requests: 1,
    windowSeconds: Math.ceil((demand.windowSeconds * holders) / Math.max(1, demand.requests)),
  };
}

/** How much of a limit may be stranded with holders that have no use for it any more. */
const STRANDED = 0.02;

/**
 * How many requests a holder fetches at a time. A sole holder may have all of a window at once; of several, what lies
 * with the others together stays below 2 % of the limit.
 */
export function chunk(demand: LimitDemand, holders: number): number {
  if (holders <= 1) return demand.requests;
  return Math.max(1, Math.floor((demand.requests * STRANDED) / holders));
}
