import { countAll, occupyAll, refuse } from '../../limits/enter.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Stage 3a: per peer address, before anything that costs. */
export function limitPeer(x: Exchange): Step | Promise<Step> {
  const { limits } = x.runtime;
  const refusal = limits.peer(x.facts.peer);
  if (refusal instanceof Promise) {
    return refusal.then((settled) => (settled === undefined ? peerAtOnce(x) : refuse(x, settled)));
  }
  return refusal === undefined ? peerAtOnce(x) : refuse(x, refusal);
}

function peerAtOnce(x: Exchange): Step | Promise<Step> {
  const atOnce = x.runtime.limits.peerAtOnce(x.facts.peer);
  return atOnce === undefined ? undefined : occupyAll(x, [atOnce]);
}

/** Stage 3b: per principal, client, tenant and route, once it is known who asks. */
export function limitPrincipal(x: Exchange): Step | Promise<Step> {
  const { principal, tenant, match } = x;
  const { limits } = x.runtime;
  const asking = { tenant: tenant.id, route: match?.route, principal, peer: x.facts.peer };
  const counting = limits.counting(asking);
  const atOnce = limits.atOnce(asking);
  // The common request meets one limit, of which this worker holds enough: nothing is waited for.
  for (let at = 0; at < counting.length; at += 1) {
    const counted = counting[at];
    if (counted === undefined) continue;
    const refusal = counted.bucket.take(counted.key);
    if (refusal instanceof Promise) {
      return refusal.then(async (settled): Promise<Step> => {
        if (settled !== undefined) return refuse(x, settled);
        if (limits.tellsAlways) x.counted.push(counted);
        return (await countAll(x, counting.slice(at + 1))) ?? occupyAll(x, atOnce);
      });
    }
    if (refusal !== undefined) return refuse(x, refusal);
    if (limits.tellsAlways) x.counted.push(counted);
  }
  return atOnce.length === 0 ? undefined : occupyAll(x, atOnce);
}
