import type { Counted, Refusal } from './bucket.ts';

/**
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10 §3, §4): lists of Structured Fields
 * (RFC 9651). `q`: requests in a window, `w`: its seconds, `r`: how many are left, `t`: seconds until there are all again.
 * They depend on what the same principal or peer sent before, and on nothing else.
 * @returns names and values, alternating
 */
export function rateLimitFields(counted: readonly Counted[]): string[] {
  const policies: string[] = [];
  const standings: string[] = [];
  for (const { bucket, key } of counted) {
    for (const window of bucket.windows) {
      const { requests, windowSeconds } = window.demand;
      const name = bucket.windows.length === 1 ? bucket.scope.name : `${bucket.scope.name}-${windowSeconds}s`;
      const { left, resetMs } = window.standing(key);
      policies.push(`"${name}";q=${requests};w=${windowSeconds}`);
      standings.push(
        `"${name}";r=${Math.max(0, Math.min(requests, left))};t=${Math.max(1, Math.ceil(resetMs / 1000))}`,
      );
    }
  }
  if (policies.length === 0) return [];
  return ['ratelimit-policy', policies.join(', '), 'ratelimit', standings.join(', ')];
}

/** Seconds, rounded up, at least one (RFC 9110 §10.2.3). */
export function retryAfter(refusal: Pick<Refusal, 'waitMs'>): number {
  return Math.max(1, Math.ceil(refusal.waitMs / 1000));
}
