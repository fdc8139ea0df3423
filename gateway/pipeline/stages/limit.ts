import type { ReasonCode } from '../../../contracts/reasons.ts';
import type { Exchange, Step } from '../exchange.ts';

function limited(x: Exchange, reason: ReasonCode, waitMs: number): Step {
  if (waitMs === 0) return undefined;
  x.failed(reason);
  return { kind: 'limited', reason, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}

/** Stage 3a: per peer address, before anything that costs. */
export async function limitPeer(x: Exchange): Promise<Step> {
  return limited(x, 'limit-peer', await x.runtime.limits.peer(x.facts.peer));
}

/** Stage 3b: per principal, and per principal on this route, once it is known who asks. */
export async function limitPrincipal(x: Exchange): Promise<Step> {
  const { principal, tenant, match } = x;
  const limits = x.runtime.limits;
  const who = principal.kind !== 'anonymous' ? principal.limitKey : x.facts.peer;
  if (principal.kind !== 'anonymous') {
    const ending = limited(x, 'limit-principal', await limits.principal(tenant.id, who));
    if (ending !== undefined) return ending;
  }
  if (match?.route.limit === undefined) return undefined;
  return limited(x, 'limit-route', await limits.route(tenant.id, match.route, who));
}
