import type { Clock } from '../../contracts/clock.ts';
import type { LimitEvent } from '../../contracts/events.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { LimitSettings, TenantLimitSettings } from '../../contracts/limits.ts';
import type { LimitDemand, Route } from '../../contracts/policy.ts';
import type { Principal } from '../../contracts/principal.ts';
import { type TenantLookup, tenantLookup } from '../../contracts/tenants.ts';
import { Bucket, type Counted, type Refusal } from './bucket.ts';
import type { DeskLine } from './desk-line.ts';
import { peerKey } from './peer-key.ts';
import { RedisStore } from './redis.ts';
import { Seats } from './seats.ts';
import { leaseSource } from './source.ts';

const SWEEP_MS = 5000;

interface LimitedTenant {
  readonly id: TenantId;
  readonly limits?: TenantLimitSettings | undefined;
}

export interface LimitOptions {
  readonly limits: LimitSettings;
  readonly tenants: readonly LimitedTenant[] | TenantLookup<LimitedTenant>;
  /** Workers of this gateway. */
  readonly workers: number;
  /** Where they count together; without it each has its part. */
  readonly desk: DeskLine | undefined;
  readonly clock: Clock;
}

/** Who asks for what, once it is known. */
export interface Asking {
  readonly tenant: TenantId;
  /** Undefined: no route matched. */
  readonly route: Route | undefined;
  readonly principal: Principal;
  readonly peer: string;
}

/** A limit on requests at once that holds for a request. */
export interface AtOnce {
  readonly kind: LimitEvent['limit'];
  readonly tenant: string;
  readonly limiter: string;
  readonly key: string;
  readonly most: number;
}

/** The limits of one configuration, over all workers together (docs/limits.md). */
export interface Limits {
  /** Counts a request of a peer. Undefined: it is within the limit. */
  peer(address: string): Refusal | undefined | Promise<Refusal | undefined>;
  /** What counts a request besides its peer; the narrowest first, so that a flood of one does not use up what all share. */
  counting(asking: Asking): readonly Counted[];
  /** What limits a peer's requests at once. */
  peerAtOnce(address: string): AtOnce | undefined;
  atOnce(asking: Asking): readonly AtOnce[];
  readonly seats: Pick<Seats, 'take' | 'leave'>;
  /** Whether answers that are no refusal tell their client how it stands. */
  readonly tellsAlways: boolean;
  /** The store that several gateways share; undefined where there is none. */
  readonly redis: RedisStore | undefined;
  close(): Promise<void>;
}

interface TenantBuckets {
  /** What they were made from. */
  readonly own: TenantLimitSettings | undefined;
  readonly principal: Bucket;
  readonly client: Bucket;
  readonly tenant: Bucket;
  /** Weak: the routes of a policy that was replaced are forgotten with it. */
  readonly routes: WeakMap<Route, RouteBuckets>;
}

interface RouteBuckets {
  readonly principal: Bucket;
  readonly client: Bucket;
  readonly route: Bucket;
}

export function createLimits(options: LimitOptions): Limits {
  const { limits, workers, desk, clock } = options;
  const gateways = limits.redis?.gateways ?? 1;
  const redis = limits.redis === undefined ? undefined : new RedisStore(limits.redis);
  const source = leaseSource({ redis, desk, workers, gateways });
  const seats = new Seats(desk, workers);
  const known = tenantLookup(options.tenants);
  /** Every bucket by its name: one that is asked for again after a reload is the same. */
  const buckets = new Map<string, Bucket>();
  const tenants = new Map<TenantId, TenantBuckets>();

  function bucket(
    kind: LimitEvent['limit'],
    name: string,
    tenant: string,
    id: readonly string[],
    demands: readonly LimitDemand[],
  ): Bucket {
    const place = JSON.stringify([name, ...id, demands]);
    let found = buckets.get(place);
    if (found === undefined) {
      found = new Bucket(
        { kind, name, tenant, id: [name, ...id] },
        demands,
        source,
        workers * gateways,
        clock,
      );
      buckets.set(place, found);
    }
    return found;
  }

  const peers = bucket('peer', 'peer', '', [], limits.perPeer);

  function ofTenant(id: TenantId): TenantBuckets {
    let found = tenants.get(id);
    const own = known.get(id)?.limits;
    if (found === undefined || found.own !== own) {
      found = {
        own,
        principal: bucket('principal', 'principal', id, [id], own?.perPrincipal ?? limits.perPrincipal),
        client: bucket('client', 'client', id, [id], own?.perClient ?? limits.perClient),
        tenant: bucket('tenant', 'tenant', id, [id], own?.perTenant ?? limits.perTenant),
        routes: new WeakMap(),
      };
      tenants.set(id, found);
    }
    return found;
  }

  function ofRoute(tenant: TenantId, route: Route): RouteBuckets | undefined {
    if (route.limits === undefined) return undefined;
    const { routes } = ofTenant(tenant);
    let found = routes.get(route);
    if (found === undefined) {
      const id = [tenant, route.id];
      found = {
        principal: bucket('route', 'route-principal', tenant, id, route.limits.perPrincipal),
        client: bucket('route', 'route-client', tenant, id, route.limits.perClient),
        route: bucket('route', 'route', tenant, id, route.limits.perRoute),
      };
      routes.set(route, found);
    }
    return found;
  }

  const sweeping = setInterval(() => {
    for (const each of buckets.values()) each.sweep();
    seats.sweep();
  }, SWEEP_MS);
  sweeping.unref();

  const allAtOnce = Object.values(limits.concurrency).some((most) => most !== undefined);
  /** Of several gateways each has its part of what may be under way. */
  const part = (most: number) => Math.max(1, Math.floor(most / gateways));

  return {
    seats,
    redis,
    tellsAlways: limits.headers === 'always',
    peer: (address) => peers.take(peerKey(address)),
    counting(asking) {
      const { principal } = asking;
      const { principal: ofPrincipals, client: ofClients, tenant } = ofTenant(asking.tenant);
      const route = asking.route === undefined ? undefined : ofRoute(asking.tenant, asking.route);
      const who = whoOf(asking);
      // Made of two names, and most have no such limit.
      const client = ofClients.windows.length > 0 || route !== undefined ? clientOf(principal) : undefined;
      const counted: Counted[] = [];
      if (principal.kind !== 'anonymous') add(counted, ofPrincipals, who);
      if (route !== undefined) add(counted, route.principal, who);
      add(counted, ofClients, client);
      if (route !== undefined) {
        add(counted, route.client, client);
        add(counted, route.route, '');
      }
      add(counted, tenant, '');
      return counted;
    },
    peerAtOnce(address) {
      const most = limits.concurrency.perPeer;
      if (most === undefined) return undefined;
      return {
        kind: 'peer-at-once',
        tenant: '',
        limiter: '["peer"]',
        key: peerKey(address),
        most: part(most),
      };
    },
    atOnce(asking) {
      const { principal, tenant, route } = asking;
      const own = known.get(tenant)?.limits?.concurrency;
      const all = limits.concurrency;
      if (!allAtOnce && own === undefined && route?.limits === undefined) return NOTHING;
      const list: AtOnce[] = [];
      const add = (
        kind: LimitEvent['limit'],
        id: readonly string[],
        most: number | undefined,
        key: string | undefined,
      ) => {
        if (most === undefined || key === undefined) return;
        list.push({ kind, tenant, limiter: JSON.stringify([kind, tenant, ...id]), key, most: part(most) });
      };
      const who = whoOf(asking);
      const client = clientOf(principal);
      add(
        'principal-at-once',
        [],
        own?.perPrincipal ?? all.perPrincipal,
        principal.kind === 'anonymous' ? undefined : who,
      );
      add('client-at-once', [], own?.perClient ?? all.perClient, client);
      const ofThis = route?.limits?.concurrency;
      if (route !== undefined && ofThis !== undefined) {
        add('route-at-once', [route.id, 'principal'], ofThis.perPrincipal, who);
        add('route-at-once', [route.id, 'client'], ofThis.perClient, client);
        add('route-at-once', [route.id, 'route'], ofThis.perRoute, '');
      }
      add('tenant-at-once', [], own?.perTenant ?? all.perTenant, '');
      return list;
    },
    async close() {
      clearInterval(sweeping);
      seats.close();
      await redis?.close();
    },
  };
}

const NOTHING: readonly AtOnce[] = Object.freeze([]);

function add(counted: Counted[], bucket: Bucket, key: string | undefined): void {
  if (key !== undefined && bucket.windows.length > 0) counted.push({ bucket, key });
}

function whoOf({ principal, peer }: Asking): string {
  return principal.kind === 'anonymous' ? peerKey(peer) : principal.limitKey;
}

/** The client of an issuer. Everybody at a browser comes by the gateway's own, which says nothing about them. */
function clientOf(principal: Principal): string | undefined {
  if (principal.kind !== 'bearer' || principal.clientId === undefined) return undefined;
  return JSON.stringify([principal.issuer, principal.clientId]);
}
