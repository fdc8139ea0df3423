import { channel } from 'node:diagnostics_channel';
import { CHANNELS, type LimitEvent } from '../../contracts/events.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import type { Exchange, Step } from '../pipeline/exchange.ts';
import type { Counted, Refusal } from './bucket.ts';
import { whenEnded } from './ended.ts';
import { rateLimitFields, retryAfter } from './headers.ts';
import type { AtOnce } from './limits.ts';

const events = channel(CHANNELS.limit);

const REASON: Readonly<Record<LimitEvent['limit'], ReasonCode>> = Object.freeze({
  peer: 'limit-peer',
  principal: 'limit-principal',
  client: 'limit-client',
  tenant: 'limit-tenant',
  route: 'limit-route',
  'peer-at-once': 'limit-at-once',
  'principal-at-once': 'limit-at-once',
  'client-at-once': 'limit-at-once',
  'tenant-at-once': 'limit-at-once',
  'route-at-once': 'limit-at-once',
});

/** Seconds after which somebody with too much under way should try again. */
const AT_ONCE_RETRY_S = 1;

export function refuse(x: Pick<Exchange, 'failed'>, refusal: Refusal): NonNullable<Step> {
  const { kind, name, tenant } = refusal.bucket.scope;
  if (events.hasSubscribers) events.publish({ limit: kind, tenant } satisfies LimitEvent);
  const reason = REASON[kind];
  x.failed(reason, name);
  return {
    kind: 'limited',
    reason,
    retryAfterSeconds: retryAfter(refusal),
    fields: rateLimitFields([refusal]),
  };
}

/** Takes one of each; the first that has none left ends the request. */
export async function countAll(x: Exchange, counting: readonly Counted[]): Promise<Step> {
  for (const counted of counting) {
    const refusal = await counted.bucket.take(counted.key);
    if (refusal !== undefined) return refuse(x, refusal);
    if (x.runtime.limits.tellsAlways) x.counted.push(counted);
  }
  return undefined;
}

/** Takes a place of each, until the request is over for its client. */
export async function occupyAll(x: Exchange, list: readonly AtOnce[]): Promise<Step> {
  const { seats } = x.runtime.limits;
  for (const { kind, tenant, limiter, key, most } of list) {
    const taken = seats.take(limiter, key, most);
    if (!(taken instanceof Promise ? await taken : taken)) {
      if (events.hasSubscribers) events.publish({ limit: kind, tenant } satisfies LimitEvent);
      x.failed('limit-at-once', kind);
      return { kind: 'limited', reason: 'limit-at-once', retryAfterSeconds: AT_ONCE_RETRY_S };
    }
    whenEnded(x.client, () => seats.leave(limiter, key, most));
  }
  return undefined;
}
