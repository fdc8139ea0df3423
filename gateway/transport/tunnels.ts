import type { Clock } from '../../contracts/clock.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { Verdict } from '../../contracts/integrity.ts';
import type { Route } from '../../contracts/policy.ts';
import { isForeign } from '../../contracts/principal.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import type { Tenant } from '../../tenant-router/index.ts';
import type { Exchange, Runtime } from '../pipeline/exchange.ts';

/** Milliseconds between looks at what is still open. */
const LOOK_MS = 500;
/** Answers that end within this time are never looked at. */
const PATIENCE_MS = 1000;

interface Watched {
  readonly x: Exchange;
  readonly since: number;
  readonly endless: boolean;
  readonly cut: () => void;
}

/**
 * WebSockets, event streams and long downloads outlive the verdict and the configuration they were opened
 * under. Each is looked at twice a second: when the audit is no longer intact, the token has run out, or
 * the configuration that serves now would not permit it, it is cut.
 */
export interface Tunnels {
  /** @param endless never ends by itself, so that nobody should wait for its end */
  watch(x: Exchange, endless: boolean, cut: () => void): { done(): void };
  readonly open: number;
  /** Cuts what would never end, when draining begins. */
  closeEndless(): void;
  /** Cuts everything, when draining is over. */
  close(): void;
}

/** @param current the configuration that serves now */
export function createTunnels(clock: Clock, current: () => Runtime): Tunnels {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const now = clock.monotonic();
    const runtime = current();
    const attested: { readonly each: Watched; readonly database: DatabaseId }[] = [];
    for (const each of watched) {
      if (now - each.since < PATIENCE_MS) continue;
      const standing = (await stillSignedIn(each.x, runtime))
        ? permitted(each.x, runtime, clock.wall() / 1000)
        : undefined;
      if (standing === undefined) end(each);
      else if (standing.route.integrity.mode !== 'off') {
        attested.push({ each, database: standing.tenant.settings.database });
      }
    }
    // One verdict for all of a database, and all databases at once: a checker that hangs must not let the
    // last of a thousand go on for a thousand time limits.
    const verdicts = new Map<DatabaseId, Verdict | Promise<Verdict>>();
    for (const { database } of attested) {
      if (verdicts.has(database)) continue;
      verdicts.set(
        database,
        runtime.oracle.attest(database, { mode: 'bounded', maxAgeMs: 2 * LOOK_MS }, now),
      );
    }
    await Promise.all(
      attested.map(async ({ each, database }) => {
        const verdict = await verdicts.get(database);
        // What writes may not outlive the epoch it was opened in: the triggers may have been away in between.
        const moved = each.x.confirmAtEnd && verdict?.epoch !== each.x.verdict?.epoch;
        if (verdict?.state !== 'intact' || moved) end(each);
      }),
    );
  }

  function end(each: Watched): void {
    if (watched.delete(each)) each.cut();
  }

  function schedule(): void {
    if (timer !== undefined || watched.size === 0) return;
    timer = setTimeout(() => {
      look()
        // Nothing in it is known to fail; what cannot be looked at must not go on.
        .catch(() => closeAll())
        .finally(() => {
          timer = undefined;
          schedule();
        });
    }, LOOK_MS);
    timer.unref();
  }

  function closeAll(): void {
    for (const each of [...watched]) end(each);
  }

  return {
    watch(x, endless, cut) {
      const each: Watched = { x, since: clock.monotonic(), endless, cut };
      watched.add(each);
      schedule();
      return { done: () => void watched.delete(each) };
    },
    get open() {
      return watched.size;
    },
    closeEndless() {
      for (const each of [...watched]) if (each.endless) end(each);
    },
    close() {
      closeAll();
      if (timer !== undefined) clearTimeout(timer);
    },
  };
}

/** What a session opened ends with it: signed out, ended from elsewhere, or idle. */
async function stillSignedIn(x: Exchange, runtime: Runtime): Promise<boolean> {
  if (x.principal.kind !== 'session') return true;
  if (x.session === undefined || runtime.browsers === undefined) return false;
  return runtime.browsers.sessions.isLive(x.session);
}

/** The tenant and route under which it may go on; undefined when it may not. */
function permitted(
  x: Exchange,
  runtime: Runtime,
  seconds: number,
): { readonly tenant: Tenant; readonly route: Route } | undefined {
  const { principal, facts } = x;
  if (principal.kind !== 'anonymous' && principal.expiresAt <= seconds) return undefined;
  if (runtime.authenticator.isRevoked(principal)) return undefined;
  const leans = (code: ReasonCode): boolean =>
    x.reasons.some((reason) => reason.code === code && reason.held);
  // What it was permitted by besides may have ended since.
  if (leans('emergency-access')) {
    if (principal.kind === 'anonymous' || runtime.sharing?.inForce(principal, seconds) === undefined)
      return undefined;
  }
  if (runtime === x.runtime && !leans('consent-in-force')) return { tenant: x.tenant, route: x.route };
  // The configuration was replaced: what was decided then is decided again. The request is the same, and
  // its token was verified; whether its issuer and audience still count has to be asked.
  const routed = runtime.router.route(facts.authority, facts.tls.serverName);
  if (!routed.ok || routed.tenant.id !== x.tenant.id) return undefined;
  const { settings } = routed.tenant;
  if (principal.kind !== 'anonymous') {
    const issuer = runtime.settings.issuers.find((known) => known.issuer === principal.issuer);
    const vouches = isForeign(principal)
      ? runtime.sharing?.partnersOf(settings.id)?.get(issuer?.id ?? '') === principal.home
      : settings.issuers.includes(issuer?.id ?? '');
    if (issuer === undefined || !vouches) return undefined;
    const former = x.tenant.settings;
    if (settings.audience !== former.audience) return undefined;
    const { audience } = principal;
    if (audience !== undefined && settings.audiences?.get(audience) !== former.audiences?.get(audience))
      return undefined;
  }
  const policy = runtime.policies.get(settings.policy);
  const match = policy?.match(facts);
  if (policy === undefined || match === undefined) return undefined;
  const decision = policy.decide(facts, match, principal, Math.floor(seconds), runtime.decisionContext);
  return decision.effect === 'permit' ? { tenant: routed.tenant, route: match.route } : undefined;
}
