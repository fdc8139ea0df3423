import { channel } from 'node:diagnostics_channel';
import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { CHANNELS, type LimitEvent } from '../contracts/events.ts';
import type { TenantId } from '../contracts/identifiers.ts';
import type { LimitDemand, Route } from '../contracts/policy.ts';

const events = channel(CHANNELS.limit);

/** Each answers 0 when the request is within the limit, else the milliseconds until it would be. */
export interface Limits {
  peer(address: string): Promise<number>;
  principal(tenant: TenantId, key: string): Promise<number>;
  route(tenant: TenantId, route: Route, key: string): Promise<number>;
}

/**
 * One budget is shared by the workers of a gateway: each holds its part, rounded down. Where that is less
 * than one request, each lets one pass in as many windows as make the sum what was written.
 */
export function share(demand: LimitDemand, workers: number): { points: number; duration: number } {
  const points = Math.floor(demand.requests / workers);
  if (points >= 1) return { points, duration: demand.windowSeconds };
  return { points: 1, duration: Math.ceil((demand.windowSeconds * workers) / Math.max(1, demand.requests)) };
}

/**
 * The gateway's rate limits, in this worker's memory (`rate-limiter-flexible`). The kernel spreads
 * connections over the workers, so each holds an equal part of every limit: stricter than written for a
 * peer with one connection, on average never looser.
 */
export function createLimits(
  settings: { readonly perPeer: LimitDemand; readonly perPrincipal: LimitDemand },
  workers: number,
): Limits {
  const peers = new RateLimiterMemory({ keyPrefix: '', ...share(settings.perPeer, workers) });
  // One limiter a tenant and one a route of a tenant: keys are never joined out of several names.
  const principals = new Map<TenantId, RateLimiterMemory>();
  // Weak: the routes of a policy that was replaced take their counters with them.
  const routes = new Map<TenantId, WeakMap<Route, RateLimiterMemory>>();

  return {
    peer: (address) => consume(peers, peerKey(address), 'peer', ''),
    principal(tenant, key) {
      let limiter = principals.get(tenant);
      if (limiter === undefined) {
        limiter = new RateLimiterMemory({ keyPrefix: '', ...share(settings.perPrincipal, workers) });
        principals.set(tenant, limiter);
      }
      return consume(limiter, key, 'principal', tenant);
    },
    route(tenant, route, key) {
      if (route.limit === undefined) return Promise.resolve(0);
      let ofTenant = routes.get(tenant);
      if (ofTenant === undefined) {
        ofTenant = new WeakMap();
        routes.set(tenant, ofTenant);
      }
      let limiter = ofTenant.get(route);
      if (limiter === undefined) {
        limiter = new RateLimiterMemory({ keyPrefix: '', ...share(route.limit, workers) });
        ofTenant.set(route, limiter);
      }
      return consume(limiter, key, 'route', tenant);
    },
  };
}

/** An IPv6 peer usually has a whole /64 to itself; counting single addresses would limit nothing. */
export function peerKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    while (groups.length + rest.length < 8) groups.push('0');
    groups.push(...rest);
  }
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}

async function consume(
  limiter: RateLimiterMemory,
  key: string,
  limit: LimitEvent['limit'],
  tenant: string,
): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (refused) {
    if (events.hasSubscribers) events.publish({ limit, tenant } satisfies LimitEvent);
    // An error of the limiter itself is a refusal too: failing open would lift every limit.
    const waitMs = refused instanceof RateLimiterRes ? refused.msBeforeNext : Number.NaN;
    return Number.isFinite(waitMs) ? Math.max(1, waitMs) : 1000;
  }
}
