import { SAFE_METHODS } from '../../../contracts/facts.ts';
import { takeConditions } from '../../answer/conditions.ts';
import type { Ending } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 7b: what the policy hides ends here, after everything that depends on the request alone: a malformed body, a
 * media type that is not taken, an audit that is not intact are answered alike for what is hidden and for what is
 * absent, of which only the EMR knows.
 */
export function withhold(x: Exchange): Step {
  const { match } = x;
  if (match === undefined || match.route.hide === 'none') return x.withheld;
  if (x.facts.body.kind !== 'none') follow(x);
  if (x.withheld !== undefined) return reachable(x) ? x.withheld : notServed(x);
  if (match.route.hide === 'record') takeConditions(x);
  return undefined;
}

/** Whether the request would find a back end now, if it were sent on. */
function reachable({ tenant, facts }: Exchange): boolean {
  return tenant.reachable(SAFE_METHODS.has(facts.method) ? 'replica' : 'primary');
}

/** While nobody gets anything, what is hidden is answered as what is absent would be (see `forward`). */
function notServed(x: Exchange): Ending {
  const reason = x.tenant.busy ? 'backend-busy' : 'backend-unavailable';
  x.failed(reason);
  return { kind: 'unavailable', reason, ...(x.tenant.busy ? { retryAfterSeconds: 1 } : {}) };
}

/** A client that waits is told to go on (RFC 9110 §10.1.1) at the same time, whatever becomes of the request. */
function follow(x: Exchange): void {
  const { clock } = x.services;
  x.client.body(x).arrived.then(
    () => {
      x.completeAt = clock.monotonic();
    },
    () => {
      // It never came whole, and nobody is left to be answered.
    },
  );
}
