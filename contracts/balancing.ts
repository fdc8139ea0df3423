/** How a tenant's requests are spread over its back ends. Frozen; durations in ms. */
export interface BalancingSettings {
  readonly method: BalancingMethod;
  /** After a write, its author's reads go to the primary for so long: what replicas may lag behind. */
  readonly replicationDelayMs: number;
  /** Requests that may wait for a connection of one back end, in one worker, and how long. */
  readonly queue: { readonly length: number; readonly waitMs: number };
  /** Further attempts, in percent of the requests of ten seconds; 0: none. */
  readonly retryPercent: number;
  /** A back end that was out gets its full part only after this; 0: at once. */
  readonly slowStartMs: number;
  /** Undefined: only what requests show is known of a back end. */
  readonly healthCheck?: HealthCheckSettings | undefined;
}

export interface HealthCheckSettings {
  /** Asked for with GET, `Host` being the tenant's first host; any status from 200 to 399 is good. */
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Good answers in a row that bring a back end back. */
  readonly healthyAfter: number;
  /** Bad ones in a row that leave it out. */
  readonly unhealthyAfter: number;
}

export const BALANCING_METHODS = ['round-robin', 'least-requests', 'sticky'] as const;
export type BalancingMethod = (typeof BALANCING_METHODS)[number];

export const BACKEND_ROLES = ['primary', 'replica'] as const;
export type BackendRole = (typeof BACKEND_ROLES)[number];

/** Where a tenant's settings say nothing. */
export const USUAL_BALANCING: BalancingSettings = Object.freeze({
  method: 'round-robin',
  replicationDelayMs: 1_000,
  queue: Object.freeze({ length: 1_000, waitMs: 5_000 }),
  retryPercent: 10,
  slowStartMs: 10_000,
});
