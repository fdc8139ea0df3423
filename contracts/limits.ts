import type { LimitDemand } from './policy.ts';
import type { Secret } from './secret.ts';

/** What limits count by, besides a route's own. */
export const LIMIT_KINDS = ['perPeer', 'perPrincipal', 'perClient', 'perTenant'] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** Requests in a window; all of a list hold together, such as a burst and a sustained one. Empty: no limit. */
export type LimitLists = { readonly [Kind in LimitKind]: readonly LimitDemand[] };

/** Requests under way at once; undefined: any number. */
export type ConcurrencyLimits = { readonly [Kind in LimitKind]: number | undefined };

export interface LimitSettings extends LimitLists {
  readonly concurrency: ConcurrencyLimits;
  /** Which answers carry `RateLimit` and `RateLimit-Policy`: refusals for a limit, or every one of a request that was counted. */
  readonly headers: 'refused' | 'always';
  /** Undefined: limits hold over the workers of this gateway. */
  readonly redis: RedisSettings | undefined;
}

/** A tenant's own; what is undefined here is as the gateway's settings say. */
export interface TenantLimitSettings {
  readonly perPrincipal: readonly LimitDemand[] | undefined;
  readonly perClient: readonly LimitDemand[] | undefined;
  readonly perTenant: readonly LimitDemand[] | undefined;
  readonly concurrency: {
    readonly perPrincipal: number | undefined;
    readonly perClient: number | undefined;
    readonly perTenant: number | undefined;
  };
}

/** Where a Redis, or one that knows of others, listens. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Redis Sentinel: several processes that agree on which Redis is the primary. */
export interface RedisSentinelSettings {
  /** What the sentinels call the primary (`sentinel monitor NAME …`). */
  readonly name: string;
  readonly nodes: readonly RedisNode[];
  readonly user: string | undefined;
  readonly password: Secret | undefined;
}

/** Redis (from 6.2) or Valkey, with which limits hold over several gateways. */
export interface RedisSettings {
  /** Either `host` and `port`, or `socketPath`, or `sentinel`, or `cluster`. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly socketPath: string | undefined;
  readonly sentinel?: RedisSentinelSettings | undefined;
  /** Some nodes of a Redis Cluster, of which the others are learned. */
  readonly cluster?: readonly RedisNode[] | undefined;
  /** PEM of the authority of the servers' certificates. With it TLS is used; beyond loopback it must be given. */
  readonly authority: Buffer | undefined;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  readonly database: number;
  /** How many gateways share it: what one may let pass by itself while Redis is away is this part of each limit. */
  readonly gateways: number;
  /** An answer that takes longer counts as none. */
  readonly timeoutMs: number;
}

/** From how many in a window on a principal is slowed, asked for a fresh second factor, locked. */
export interface GuardSteps {
  readonly slow: number;
  readonly stepUp: number;
  readonly lock: number;
}

/** What is unusual. */
export interface GuardThresholds {
  /** Requests that ended hidden, forbidden or absent, whatever the cause. */
  readonly misses: GuardSteps;
  /** Different patients that requests named, whether or not they are there. */
  readonly patients: GuardSteps;
}

/** The enumeration guard (docs/limits.md). */
export interface GuardSettings {
  /** `report`: counts and says so, and refuses nobody. */
  readonly mode: 'enforce' | 'report' | 'off';
  readonly windowMs: number;
  /** How long each request of a slowed principal waits. */
  readonly slowMs: number;
  readonly lockMs: number;
  /** By what a principal is, where none of its roles is listed: one patient's token, an app without a person, anybody else. */
  readonly patient: GuardThresholds;
  readonly system: GuardThresholds;
  readonly person: GuardThresholds;
  /** By role; of several roles the most generous counts. */
  readonly roles: ReadonlyMap<string, GuardThresholds>;
}
