import type { Clock } from '../../contracts/clock.ts';
import type { LimitEvent } from '../../contracts/events.ts';
import type { LimitDemand } from '../../contracts/policy.ts';
import { type LeaseSource, Leases } from './leases.ts';
import { chunk } from './share.ts';

/** What is counted together: one kind of limit, of one tenant or route where it is of one. */
export interface Scope {
  readonly kind: LimitEvent['limit'];
  /** How clients see it in `RateLimit-Policy`. */
  readonly name: string;
  readonly tenant: string;
  /** Unlike any other's: a list of names, never joined. */
  readonly id: readonly string[];
}

/** A request that was counted, for telling its client how it stands. */
export interface Counted {
  readonly bucket: Bucket;
  readonly key: string;
}

/** A request that a limit refuses. */
export interface Refusal extends Counted {
  readonly waitMs: number;
}

/** All windows of one limit. A request passes when it fits into each of them. */
export class Bucket {
  readonly scope: Scope;
  readonly windows: readonly Leases[];

  constructor(
    scope: Scope,
    demands: readonly LimitDemand[],
    source: LeaseSource,
    holders: number,
    clock: Clock,
  ) {
    this.scope = scope;
    this.windows = demands.map((demand) => {
      const limiter = JSON.stringify([...scope.id, demand.requests, demand.windowSeconds]);
      return new Leases(limiter, demand, source, chunk(demand, holders), clock);
    });
  }

  /** Undefined: it passes. Synchronous where nobody has to be asked. */
  take(key: string): Refusal | undefined | Promise<Refusal | undefined> {
    const { windows } = this;
    for (let at = 0; at < windows.length; at += 1) {
      const taken = windows[at]?.take(key);
      if (taken === 0) continue;
      if (taken instanceof Promise) return this.#later(key, at, taken);
      return this.#refuse(key, at, taken ?? 1000);
    }
    return undefined;
  }

  sweep(): void {
    for (const window of this.windows) window.sweep();
  }

  async #later(key: string, from: number, first: Promise<number>): Promise<Refusal | undefined> {
    let taken: number | Promise<number> | undefined = first;
    for (let at = from; at < this.windows.length; at += 1) {
      if (at > from) taken = this.windows[at]?.take(key);
      const waitMs = taken instanceof Promise ? await taken : taken;
      if (waitMs !== 0) return this.#refuse(key, at, waitMs ?? 1000);
    }
    return undefined;
  }

  /** What the windows before gave is not used. */
  #refuse(key: string, at: number, waitMs: number): Refusal {
    for (const window of this.windows.slice(0, at)) window.giveBack(key);
    return { bucket: this, key, waitMs };
  }
}
