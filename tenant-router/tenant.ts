import { type BackendRole, type BalancingSettings, USUAL_BALANCING } from '../contracts/balancing.ts';
import type { Clock } from '../contracts/clock.ts';
import type { TenantId } from '../contracts/identifiers.ts';
import type { TenantSettings } from '../contracts/settings.ts';
import { type Backend, GRADES, type PooledBackend } from './backend.ts';
import { Group } from './group.ts';
import { RetryBudget } from './retry-budget.ts';

export interface Tenant {
  readonly id: TenantId;
  /** Frozen, as configured. */
  readonly settings: TenantSettings;
  readonly balancing: BalancingSettings;
  /** Whether some of its back ends are replicas. */
  readonly replicated: boolean;
  /** Whether it has a second back end to send anything to. */
  readonly several: boolean;
  /**
   * The back end that the next request goes to; undefined when none may be asked, which the gateway answers with 503.
   * @param role `replica`: the request only reads, and what replicas lag behind does not matter to it
   * @param key where the method is `sticky`: whoever is to meet the same back end again; empty: nobody
   * @param sure the request cannot be sent again
   * @param not a back end that was tried already
   */
  pick(role?: BackendRole, key?: string, sure?: boolean, not?: Backend): Backend | undefined;
  /** Whether `pick` would find one now; changes nothing. */
  reachable(role?: BackendRole): boolean;
  /** Of the last `pick` that gave nothing: whether only because too many requests wait already. */
  readonly busy: boolean;
  /** Whether another back end is sound that can do what this one does. */
  hasOther(than: Backend): boolean;
  /** A request is being sent for the first time: what may be sent again is a share of these. */
  earnRetry(): void;
  /**
   * Whether a request may be sent again now; it is counted when it may.
   * @param keep so many have to be left, for those that need it more
   */
  takeRetry(keep?: number): boolean;
}

export class PooledTenant implements Tenant {
  readonly id: TenantId;
  readonly settings: TenantSettings;
  readonly balancing: BalancingSettings;
  readonly backends: readonly PooledBackend[];
  readonly replicated: boolean;
  readonly several: boolean;
  /** Most tenants have one, and few steps to it: with thousands of tenants, each step is memory that is not at hand. */
  readonly #only: PooledBackend | undefined;
  readonly #queueLength: number;
  readonly #primaries: Group;
  readonly #replicas: Group | undefined;
  readonly #budget: RetryBudget;
  #retries = 0;

  constructor(settings: TenantSettings, backends: readonly PooledBackend[], clock: Clock) {
    this.id = settings.id;
    this.settings = settings;
    this.backends = backends;
    this.balancing = settings.balancing ?? USUAL_BALANCING;
    const { method, queue, slowStartMs, retryPercent } = this.balancing;
    const group = { replaceable: false, method, queueLength: queue.length, slowStartMs, clock };
    const replicas = backends.filter((backend) => backend.settings.role === 'replica');
    this.replicated = replicas.length > 0;
    this.several = backends.length > 1;
    this.#only = this.several ? undefined : backends[0];
    this.#queueLength = queue.length;
    this.#primaries = new Group(
      this.replicated ? backends.filter((backend) => backend.settings.role !== 'replica') : backends,
      group,
    );
    this.#replicas = this.replicated ? new Group(replicas, { ...group, replaceable: true }) : undefined;
    this.#budget = new RetryBudget(retryPercent, clock);
  }

  pick(role: BackendRole = 'primary', key = '', sure = false, not?: Backend): Backend | undefined {
    const only = this.#only;
    if (only !== undefined && not === undefined && only.idle(this.#queueLength)) return only;
    const tried = not as PooledBackend | undefined;
    const replicas = role === 'replica' ? this.#replicas : undefined;
    if (replicas === undefined) return this.#primaries.choose(key, sure, tried);
    return (
      replicas.choose(key, sure, tried, GRADES.good) ??
      this.#primaries.choose(key, sure, tried) ??
      replicas.choose(key, sure, tried)
    );
  }

  reachable(role: BackendRole = 'primary'): boolean {
    return this.#primaries.reachable || (role === 'replica' && this.#replicas?.reachable === true);
  }

  get busy(): boolean {
    return this.#primaries.full;
  }

  hasOther(than: Backend): boolean {
    const role = (than as PooledBackend).settings.role;
    return this.backends.some(
      (backend) =>
        backend !== than &&
        backend.healthy &&
        backend.circuit.available() &&
        (role === 'replica' || backend.settings.role !== 'replica'),
    );
  }

  /** Requests that were sent again since the start. */
  get retries(): number {
    return this.#retries;
  }

  earnRetry(): void {
    this.#budget.earn();
  }

  takeRetry(keep = 0): boolean {
    if (!this.#budget.take(keep)) return false;
    this.#retries += 1;
    return true;
  }
}
