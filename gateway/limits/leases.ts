import type { Clock } from '../../contracts/clock.ts';
import type { LimitDemand } from '../../contracts/policy.ts';
import type { Ask, Grant } from './counters.ts';

/** Where leases come from: never rejects. `account`: whose count it is; what moves to another one is counted there. */
export interface LeaseSource {
  lease(ask: Ask, account: string): Promise<Grant & { readonly account: string }>;
}

interface Lease {
  left: number;
  /** What others still had when it was asked last. */
  rest: number;
  /** Monotonic milliseconds at which the window ends. */
  until: number;
  /** What passed here in this window. */
  used: number;
  /** Nothing more is to be had in this window. */
  exhausted: boolean;
  account: string;
  asking: Promise<void> | undefined;
}

/** What is known here of a key's window. */
export interface Standing {
  readonly left: number;
  readonly resetMs: number;
}

/**
 * One limit with one window, as this worker holds it: requests of each key that were granted to it and not used yet.
 * They end with the window they were granted in, so that the sum over all workers is never more than the limit; and
 * whoever is over it costs nothing but a look here.
 */
export class Leases {
  readonly limiter: string;
  readonly demand: LimitDemand;
  readonly #source: LeaseSource;
  readonly #chunk: number;
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();

  /** @param chunk requests that are asked for at a time */
  constructor(limiter: string, demand: LimitDemand, source: LeaseSource, chunk: number, clock: Clock) {
    this.limiter = limiter;
    this.demand = demand;
    this.#source = source;
    this.#chunk = chunk;
    this.#clock = clock;
  }

  /** Takes one request. @returns 0, or the milliseconds until there may be one */
  take(key: string): number | Promise<number> {
    const lease = this.#leases.get(key);
    if (lease !== undefined) {
      const taken = this.#from(lease);
      if (taken !== undefined) return taken;
    }
    return this.#fetch(key);
  }

  /** One that was taken and not used after all. */
  giveBack(key: string): void {
    const lease = this.#leases.get(key);
    if (lease === undefined || lease.used === 0) return;
    lease.left += 1;
    lease.used -= 1;
  }

  standing(key: string): Standing {
    const lease = this.#leases.get(key);
    const now = this.#clock.monotonic();
    if (lease === undefined || now >= lease.until)
      return { left: this.demand.requests, resetMs: this.demand.windowSeconds * 1000 };
    return { left: lease.left + lease.rest, resetMs: lease.until - now };
  }

  /** Forgets windows that are over. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, lease] of this.#leases) {
      if (now >= lease.until && lease.asking === undefined) this.#leases.delete(key);
    }
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Undefined: it has to be asked for. */
  #from(lease: Lease): number | undefined {
    const now = this.#clock.monotonic();
    if (now >= lease.until) return undefined;
    if (lease.left > 0) {
      lease.left -= 1;
      lease.used += 1;
      return 0;
    }
    return lease.exhausted ? Math.max(1, lease.until - now) : undefined;
  }

  async #fetch(key: string): Promise<number> {
    for (;;) {
      let lease = this.#leases.get(key);
      if (lease === undefined) {
        lease = {
          left: 0,
          rest: 0,
          until: 0,
          used: 0,
          exhausted: false,
          account: '',
          asking: undefined,
        };
        this.#leases.set(key, lease);
      }
      const taken = this.#from(lease);
      if (taken !== undefined) return taken;
      // Everybody who waits for the same key waits for one answer, and asks again where that was not enough.
      lease.asking ??= this.#ask(key, lease);
      await lease.asking;
    }
  }

  async #ask(key: string, lease: Lease): Promise<void> {
    const askedAt = this.#clock.monotonic();
    const running = askedAt < lease.until;
    try {
      const grant = await this.#source.lease(
        {
          limiter: this.limiter,
          demand: this.demand,
          key,
          want: this.#chunk,
          used: running ? lease.used : 0,
        },
        running ? lease.account : '',
      );
      if (!running) {
        lease.left = 0;
        lease.used = 0;
      }
      lease.left += grant.granted;
      lease.rest = grant.rest;
      // From when it was asked: whatever the way took, the window does not end later here than where it is counted.
      // At least as long as it takes to use what was granted to those that wait for it.
      lease.until = Math.max(askedAt + grant.resetMs, this.#clock.monotonic() + 1);
      lease.exhausted = grant.granted < this.#chunk;
      lease.account = grant.account;
    } finally {
      lease.asking = undefined;
    }
  }
}
