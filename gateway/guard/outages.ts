import type { Clock } from '../../contracts/clock.ts';
import type { DeskLine } from '../limits/index.ts';

/** Milliseconds for which it counts how somebody's last request fared. */
const WINDOW_MS = 60_000;
/** Milliseconds after which the same is said again to the other workers. */
const AGAIN_MS = 15_000;
/** Others who must fare badly; with fewer nobody can tell an outage from somebody's doing. */
const LEAST_OTHERS = 2;
/** Others who are remembered of one tenant; the oldest is forgotten for the next. */
const MOST_VOTES = 256;
const SWEEP_MS = 30_000;

/** How a request fared that reached for the back end; undefined: it did not get that far. */
export type Fared = 'well' | 'badly' | undefined;

/** The newest of somebody. */
interface Vote {
  readonly badly: boolean;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** When the other workers were told; 0: they told us. */
  readonly toldAt: number;
}

export interface OutagesOptions {
  readonly clock: Clock;
  /** Joins the workers of this gateway. */
  readonly desk: Pick<DeskLine, 'fared'> | undefined;
  /** Called once when misses of a tenant begin to be excused. */
  readonly begun: (tenant: string) => void;
}

/**
 * Whether a tenant's EMR fails for most people, so that its failures are nobody's doing. Everybody has one vote,
 * however much they ask, and it is whether their last request fared badly; somebody's own vote does not excuse them.
 * Nothing is kept of a tenant as long as nothing fails.
 */
export class Outages {
  readonly #options: OutagesOptions;
  readonly #tenants = new Map<string, Map<string, Vote>>();
  /** Tenants whose outage was said. */
  readonly #said = new Set<string>();
  readonly #sweeping: NodeJS.Timeout;

  constructor(options: OutagesOptions) {
    this.#options = options;
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  /** How somebody's request fared at the back end. */
  fared(tenant: string, key: string, badly: boolean): void {
    const votes = this.#tenants.get(tenant);
    if (votes === undefined && !badly) return;
    const former = votes?.get(key);
    const now = this.#options.clock.monotonic();
    const again = former === undefined || former.badly !== badly || now - former.toldAt >= AGAIN_MS;
    if (again) this.#options.desk?.fared(tenant, key, badly);
    this.#keep(tenant, key, { badly, at: now, toldAt: again ? now : former.toldAt });
  }

  /** Another worker's, or this one's own come back. */
  learn(tenant: string, key: string, badly: boolean): void {
    if (this.#tenants.get(tenant) === undefined && !badly) return;
    const former = this.#tenants.get(tenant)?.get(key);
    this.#keep(tenant, key, { badly, at: this.#options.clock.monotonic(), toldAt: former?.toldAt ?? 0 });
  }

  /** Whether at least two others, and at least half of all others, fared badly when they last asked. */
  excuses(tenant: string, key: string): boolean {
    const votes = this.#tenants.get(tenant);
    if (votes === undefined) return false;
    const since = this.#options.clock.monotonic() - WINDOW_MS;
    let well = 0;
    let badly = 0;
    for (const [who, vote] of votes) {
      if (who === key || vote.at < since) continue;
      if (vote.badly) badly += 1;
      else well += 1;
    }
    const outage = badly >= LEAST_OTHERS && badly >= well;
    if (outage && !this.#said.has(tenant)) {
      this.#said.add(tenant);
      this.#options.begun(tenant);
    }
    return outage;
  }

  close(): void {
    clearInterval(this.#sweeping);
  }

  #keep(tenant: string, key: string, vote: Vote): void {
    let votes = this.#tenants.get(tenant);
    if (votes === undefined) {
      votes = new Map();
      this.#tenants.set(tenant, votes);
    }
    // Anew at the end: the map's order is their age.
    votes.delete(key);
    votes.set(key, vote);
    if (votes.size <= MOST_VOTES) return;
    for (const oldest of votes.keys()) {
      votes.delete(oldest);
      return;
    }
  }

  #sweep(): void {
    const since = this.#options.clock.monotonic() - WINDOW_MS;
    for (const [tenant, votes] of this.#tenants) {
      let failing = false;
      for (const [key, vote] of votes) {
        if (vote.at < since) votes.delete(key);
        else if (vote.badly) failing = true;
      }
      if (failing) continue;
      this.#tenants.delete(tenant);
      this.#said.delete(tenant);
    }
  }
}
