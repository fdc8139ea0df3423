import { type Ask, type Counters, type Grant, MemoryCounters } from './counters.ts';
import type { LeaseSource } from './leases.ts';
import { share } from './share.ts';

export interface Sources {
  /** Shared by several gateways. */
  readonly redis?: (Counters & { readonly available: boolean }) | undefined;
  /** Shared by the workers of this gateway. */
  readonly desk?: Counters | undefined;
  readonly workers: number;
  readonly gateways: number;
}

/**
 * Where a worker's leases come from: Redis where several gateways share it; else, or while it is away, whoever counts
 * for the workers of this gateway, which then has the gateway's part of each limit; else this worker's own part.
 * Each step down is stricter. A step is a new account: what passed on the former one in the same window counts.
 */
export function leaseSource({ redis, desk, workers, gateways }: Sources): LeaseSource {
  const own = new MemoryCounters();
  /** Alone, this worker's memory is all there is to count in; then nothing is lost with it. */
  const alone = workers <= 1;

  async function fromDesk(ask: Ask): Promise<Grant | undefined> {
    try {
      return alone ? await own.lease(ask) : await desk?.lease(ask);
    } catch {
      return undefined;
    }
  }

  function moved(ask: Ask, from: string, to: string): Ask {
    // `used` is only of interest to whoever did not grant it.
    return from === to || from === '' ? { ...ask, used: 0 } : ask;
  }

  return {
    async lease(ask, account) {
      if (redis?.available === true) {
        try {
          return { ...(await redis.lease(moved(ask, account, 'redis'))), account: 'redis' };
        } catch {
          // It says itself that it is away.
        }
      }
      const ofGateway = { ...ask, demand: share(ask.demand, gateways) };
      const granted = await fromDesk(moved(ofGateway, account, 'gateway'));
      if (granted !== undefined) return { ...granted, account: 'gateway' };
      const ofWorker = { ...ask, demand: share(ask.demand, gateways * workers) };
      try {
        return { ...(await own.lease(moved(ofWorker, account, 'worker'))), account: 'worker' };
      } catch {
        // An error of the limiter itself is a refusal: failing open would lift every limit.
        return { granted: 0, rest: 0, resetMs: 1000, account };
      }
    },
  };
}
