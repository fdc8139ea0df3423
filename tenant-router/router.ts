import { type Clock, systemClock } from '../contracts/clock.ts';
import { ChartgateError } from '../contracts/errors.ts';
import type { TenantId } from '../contracts/identifiers.ts';
import type { BackendSettings, TenantSettings } from '../contracts/settings.ts';
import { type Backend, PooledBackend, type PoolSettings } from './backend.ts';
import type { CircuitSettings } from './circuit.ts';
import { Drain } from './drain.ts';

export interface Tenant {
  readonly id: TenantId;
  /** Frozen, as configured. */
  readonly settings: TenantSettings;
  /** The next back end in turn that may be asked; undefined when none may, which the gateway answers with 503. */
  pick(): Backend | undefined;
}

export type TenantRoute =
  | { readonly ok: true; readonly tenant: Tenant }
  | { readonly ok: false; readonly reason: 'tenant-unknown' | 'tenant-mismatch' };

export interface BackendStats {
  readonly tenant: TenantId;
  readonly origin: string;
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
}

export interface TenantRouter {
  /**
   * The tenant of a request.
   * @param authority canonical: lower case, no trailing dot, no `:443`
   * @param serverName SNI of the connection, lower case; empty when there was none, which matches nothing
   */
  route(authority: string, serverName: string): TenantRoute;
  readonly tenants: readonly Tenant[];
  /** Of the back ends in use, in the order of the settings. */
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

class PooledTenant implements Tenant {
  readonly id: TenantId;
  readonly settings: TenantSettings;
  readonly backends: readonly PooledBackend[];
  #next = 0;

  constructor(settings: TenantSettings, backends: readonly PooledBackend[]) {
    this.id = settings.id;
    this.settings = settings;
    this.backends = backends;
  }

  pick(): Backend | undefined {
    const { backends } = this;
    for (let tries = 0; tries < backends.length; tries++) {
      const backend = backends[this.#next];
      this.#next = (this.#next + 1) % backends.length;
      if (backend === undefined || !backend.circuit.available()) continue;
      // Slow or broken answers eject only while another can take over: a page that is always slow
      // must not be a way to shut a tenant's only back end off.
      if (backend.circuit.wantsEjection && this.#hasOther(backend)) {
        backend.circuit.eject();
        continue;
      }
      backend.circuit.take();
      return backend;
    }
    return undefined;
  }

  #hasOther(than: PooledBackend): boolean {
    return this.backends.some((backend) => backend !== than && !backend.circuit.ejected);
  }
}

interface Table {
  readonly tenants: readonly PooledTenant[];
  readonly byAuthority: ReadonlyMap<string, { readonly host: string; readonly route: TenantRoute }>;
}

const UNKNOWN: TenantRoute = Object.freeze({ ok: false, reason: 'tenant-unknown' });
const MISMATCH: TenantRoute = Object.freeze({ ok: false, reason: 'tenant-mismatch' });

class Router implements TenantRouter {
  readonly #pools: PoolSettings;
  readonly #circuit: CircuitSettings;
  readonly #drain = new Drain();
  #table: Table;

  constructor(tenants: readonly TenantSettings[], options: TenantRouterOptions) {
    this.#pools = {
      connectTimeoutMs: options.connectTimeoutMs ?? 2_000,
      keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? 4_000,
    };
    this.#circuit = { ...CIRCUIT, ...options.circuit, clock: options.clock ?? systemClock };
    this.#table = this.#build(tenants, []);
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
    return this.#table.tenants.flatMap((tenant) =>
      tenant.backends.map(({ origin, dispatcher, circuit }) => {
        // undici counts the requests in the pool's own queue as pending already.
        const { connected, free, pending, running } = dispatcher.stats;
        return {
          tenant: tenant.id,
          origin,
          connected,
          free,
          pending,
          running,
          ejected: circuit.ejected,
        };
      }),
    );
  }

  async replace(tenants: readonly TenantSettings[], drainMs: number): Promise<void> {
    const before = this.#table.tenants;
    this.#table = this.#build(tenants, before);
    const kept = new Set(this.#table.tenants.flatMap((tenant) => tenant.backends));
    const removed = before.flatMap((tenant) => tenant.backends).filter((backend) => !kept.has(backend));
    await this.#drain.retire(
      removed.map((backend) => backend.dispatcher),
      drainMs,
    );
  }

  async close(graceMs: number): Promise<void> {
    const pools = this.#table.tenants.flatMap((tenant) =>
      tenant.backends.map((backend) => backend.dispatcher),
    );
    await this.#drain.closeAll(pools, graceMs);
  }

  /** Checks first and creates pools last, so that a refusal leaves nothing behind. */
  #build(settings: readonly TenantSettings[], before: readonly PooledTenant[]): Table {
    check(settings);
    const known = new Map(before.map((tenant) => [tenant.id, [...tenant.backends]]));
    const tenants = settings.map((tenant) => {
      const reusable = known.get(tenant.id) ?? [];
      const backends = tenant.backends.map((backend) => {
        const at = reusable.findIndex((candidate) => same(candidate.settings, backend));
        const [kept] = at < 0 ? [] : reusable.splice(at, 1);
        return kept ?? new PooledBackend(backend, this.#pools, this.#circuit);
      });
      return new PooledTenant(tenant, Object.freeze(backends));
    });
    const byAuthority = new Map(
      tenants.flatMap((tenant) =>
        tenant.settings.hosts.map((authority) => [
          authority,
          { host: hostOf(authority), route: Object.freeze({ ok: true, tenant } as const) },
        ]),
      ),
    );
    return { tenants: Object.freeze(tenants), byAuthority };
  }
}

function same(a: BackendSettings, b: BackendSettings): boolean {
  if (a.origin !== b.origin || a.connections !== b.connections) return false;
  if (a.authority === undefined || b.authority === undefined) return a.authority === b.authority;
  return a.authority.equals(b.authority);
}

function hostOf(authority: string): string {
  return authority.replace(/:[0-9]+$/, '');
}

/** The configuration was checked for this already; two tenants on one host are refused here all the same. */
function check(settings: readonly TenantSettings[]): void {
  const ids = new Set<string>();
  const hosts = new Map<string, string>();
  for (const { id, hosts: authorities, backends } of settings) {
    if (ids.has(id)) throw new ChartgateError('configuration-invalid', `tenant "${id}" is configured twice`);
    ids.add(id);
    if (authorities.length === 0 || backends.length === 0) {
      throw new ChartgateError('configuration-invalid', `tenant "${id}" needs a host and a back end`);
    }
    for (const authority of authorities) {
      const other = hosts.get(authority);
      if (other !== undefined) {
        throw new ChartgateError(
          'configuration-invalid',
          `tenants "${other}" and "${id}" both have the host "${authority}"`,
        );
      }
      hosts.set(authority, id);
    }
  }
}
