import { type Clock, systemClock } from '../contracts/clock.ts';
import type { TenantId } from '../contracts/identifiers.ts';
import type { TenantSettings } from '../contracts/settings.ts';
import type { CircuitSettings } from './circuit.ts';
import { Drain } from './drain.ts';
import { HealthChecks } from './health.ts';
import { buildTable, NO_TENANTS, type Table } from './table.ts';
import type { Tenant } from './tenant.ts';
import type { PoolSettings } from './transport.ts';

export type TenantRoute =
  | { readonly ok: true; readonly tenant: Tenant }
  | { readonly ok: false; readonly reason: 'tenant-unknown' | 'tenant-mismatch' };

export interface BackendStats {
  readonly tenant: TenantId;
  readonly origin: string;
  /** Its place among the tenant's back ends, from 0. */
  readonly index: number;
  /** Open connections. */
  readonly connected: number;
  /** Open connections without a request. */
  readonly free: number;
  /** Requests that wait for a connection. */
  readonly pending: number;
  /** Requests that were sent and are not yet answered. */
  readonly running: number;
  /** Whether the breaker keeps requests away. */
  readonly ejected: boolean;
  /** Whether it passes its health checks, or has none. */
  readonly healthy: boolean;
  /** Requests of the tenant that were sent again since the start; 0 but at the first of its back ends. */
  readonly retries: number;
}

export interface TenantRouter {
  /**
   * The tenant of a request.
   * @param authority canonical: lower case, no trailing dot, no `:443`
   * @param serverName SNI of the connection, lower case; empty when there was none, which matches nothing
   */
  route(authority: string, serverName: string): TenantRoute;
  readonly tenants: readonly Tenant[];
  /** Of the back ends that were ever asked, or are left out, in the order of the settings. */
  stats(): readonly BackendStats[];
  /**
   * Takes other tenants from the next `route` on, whole or not at all. Back ends that did not change
   * keep their connections and their breaker; those that left serve what was already given to them
   * for `drainMs`, then close. Resolves when they are closed; never rejects.
   * @throws ChartgateError `configuration-invalid`, before anything changed
   */
  replace(tenants: readonly TenantSettings[], drainMs: number): Promise<void>;
  /** Takes no new requests, waits up to `graceMs` for the ones under way, then cuts them. Never rejects. */
  close(graceMs: number): Promise<void>;
}

export interface TenantRouterOptions {
  readonly clock?: Clock;
  /** Milliseconds to establish a connection, TLS included. Default 2000. */
  readonly connectTimeoutMs?: number;
  /** Default 4000: shorter than the 5 s after which common servers close an idle connection. */
  readonly keepAliveTimeoutMs?: number;
  readonly circuit?: Partial<Omit<CircuitSettings, 'clock'>>;
}

const CIRCUIT: Omit<CircuitSettings, 'clock'> = {
  connectFailures: 3,
  answerFailures: 5,
  firstEjectionMs: 250,
  // A back end that is up again is found within this time.
  longestEjectionMs: 4_000,
  trialMs: 2_000,
};

/** @throws ChartgateError `configuration-invalid` when two tenants share an id or a host, or one has nothing to serve */
export function createTenantRouter(
  tenants: readonly TenantSettings[],
  options: TenantRouterOptions = {},
): TenantRouter {
  return new Router(tenants, options);
}

const NOTHING = Object.freeze({ connected: 0, free: 0, pending: 0, running: 0 });
const UNKNOWN: TenantRoute = Object.freeze({ ok: false, reason: 'tenant-unknown' });
const MISMATCH: TenantRoute = Object.freeze({ ok: false, reason: 'tenant-mismatch' });

class Router implements TenantRouter {
  readonly #pools: PoolSettings;
  readonly #circuit: CircuitSettings;
  readonly #drain = new Drain();
  readonly #health: HealthChecks;
  #table: Table = NO_TENANTS;

  constructor(tenants: readonly TenantSettings[], options: TenantRouterOptions) {
    this.#pools = {
      connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
      keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 4_000,
    };
    this.#circuit = { ...CIRCUIT, ...options.circuit, clock: options.clock ?? systemClock };
    this.#health = new HealthChecks(this.#pools, this.#circuit.clock);
    this.#table = buildTable(tenants, NO_TENANTS, this.#pools, this.#circuit).table;
    this.#health.watch(this.#table.tenants);
  }

  get tenants(): readonly Tenant[] {
    return this.#table.tenants;
  }

  route(authority: string, serverName: string): TenantRoute {
    const entry = this.#table.byAuthority.get(authority);
    if (entry === undefined) return UNKNOWN;
    return entry.host === serverName ? entry.route : MISMATCH;
  }

  stats(): readonly BackendStats[] {
    const all: BackendStats[] = [];
    for (const tenant of this.#table.tenants) {
      for (let index = 0; index < tenant.backends.length; index += 1) {
        const backend = tenant.backends[index];
        if (
          backend === undefined ||
          (backend.opened === undefined && backend.healthy && !backend.circuit.ejected)
        )
          continue;
        // undici counts the requests in the pool's own queue as pending already.
        const { connected, free, pending, running } = backend.opened?.stats ?? NOTHING;
        all.push({
          tenant: tenant.id,
          origin: backend.origin,
          index,
          connected,
          free,
          pending,
          running,
          ejected: backend.circuit.ejected,
          healthy: backend.healthy,
          // A tenant's own, told with its first back end in use.
          retries: all.at(-1)?.tenant === tenant.id ? 0 : tenant.retries,
        });
      }
    }
    return all;
  }

  async replace(tenants: readonly TenantSettings[], drainMs: number): Promise<void> {
    const { table, removed } = buildTable(tenants, this.#table, this.#pools, this.#circuit);
    this.#table = table;
    this.#health.watch(table.tenants);
    await this.#drain.retire(removed, drainMs);
  }

  async close(graceMs: number): Promise<void> {
    this.#health.close();
    await this.#drain.closeAll(
      this.#table.tenants.flatMap((tenant) => tenant.backends),
      graceMs,
    );
  }
}
