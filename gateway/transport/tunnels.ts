import type { Clock } from '../../contracts/clock.ts';
import type { Exchange } from '../pipeline/exchange.ts';

/** Milliseconds between looks at what is still open. */
const LOOK_MS = 500;
/** Answers that end within this time are never looked at. */
const PATIENCE_MS = 1000;

interface Watched {
  readonly x: Exchange;
  readonly since: number;
  readonly cut: () => void;
}

/**
 * WebSockets, event streams and long downloads outlive the verdict they were opened under. Each is looked
 * at twice a second: when the audit is no longer intact, or the token has run out, it is cut.
 */
export interface Tunnels {
  watch(x: Exchange, cut: () => void): { done(): void };
  readonly open: number;
  /** Cuts everything, when draining is over. */
  close(): void;
}

export function createTunnels(clock: Clock): Tunnels {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const now = clock.monotonic();
    const seconds = clock.wall() / 1000;
    for (const each of watched) {
      if (now - each.since < PATIENCE_MS) continue;
      const { principal, route, tenant, runtime } = each.x;
      if (principal.kind === 'bearer' && principal.expiresAt <= seconds) {
        end(each);
        continue;
      }
      if (route.integrity.mode === 'off') continue;
      const verdict = await runtime.oracle.attest(
        tenant.settings.database,
        { mode: 'bounded', maxAgeMs: 2 * LOOK_MS },
        now,
      );
      if (verdict.state !== 'intact') end(each);
    }
  }

  function end(each: Watched): void {
    if (watched.delete(each)) each.cut();
  }

  function schedule(): void {
    if (timer !== undefined || watched.size === 0) return;
    timer = setTimeout(() => {
      look().finally(() => {
        timer = undefined;
        schedule();
      });
    }, LOOK_MS);
    timer.unref();
  }

  return {
    watch(x, cut) {
      const each: Watched = { x, since: clock.monotonic(), cut };
      watched.add(each);
      schedule();
      return { done: () => void watched.delete(each) };
    },
    get open() {
      return watched.size;
    },
    close() {
      for (const each of [...watched]) end(each);
      if (timer !== undefined) clearTimeout(timer);
    },
  };
}
