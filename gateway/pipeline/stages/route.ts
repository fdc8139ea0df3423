import type { ReasonCode } from '../../../contracts/reasons.ts';
import { isAmbiguousQuery } from '../../canonical/query-rules.ts';
import { meddles } from '../../transport/outgoing-target.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 2: the tenant by exact authority, with which the handshake's server name must agree; then the
 * route of its policy. No route is not yet an answer: who asks is settled first, so that an unknown route
 * and a missing token look alike from outside.
 */
export function routeToTenant(x: Exchange): Step {
  const { facts } = x;
  // A reload may have come between arrival and here, and the router has the new tenants already: tenant,
  // policy and everything after are of the same configuration.
  x.runtime = x.services.current();
  const routed = x.runtime.router.route(facts.authority, facts.tls.serverName);
  if (!routed.ok) {
    x.embedded = x.runtime.embedded?.at(facts.authority, facts.tls.serverName);
    if (x.embedded !== undefined)
      return facts.path.odd === undefined ? undefined : ambiguous(x, 'path-ambiguous');
    x.failed(routed.reason);
    return { kind: 'misdirected', reason: routed.reason };
  }
  x.tenant = routed.tenant;
  const policy = x.runtime.policies.get(routed.tenant.settings.policy);
  if (policy === undefined) {
    x.failed('route-unknown');
    return { kind: 'unavailable', reason: 'route-unknown' };
  }
  x.policy = policy;
  x.match = policy.match(facts);
  // What only a route could allow, and none does, is as ambiguous as what `canonicalise` refuses.
  if (facts.path.odd !== undefined && x.match === undefined) return ambiguous(x, 'path-ambiguous');
  if (x.match !== undefined && isAmbiguousQuery(facts.parameters, x.match.route)) {
    return ambiguous(x, 'query-ambiguous');
  }
  const told = routed.tenant.settings.tellBackend;
  if (told !== undefined && meddles(facts.parameters.keys(), told)) {
    x.failed('tenant-signs-disagree', 'query');
    return { kind: 'bad-request', reason: 'tenant-signs-disagree', closeConnection: true };
  }
  return undefined;
}

function ambiguous(x: Exchange, reason: ReasonCode): Step {
  x.failed(reason);
  return { kind: 'bad-request', reason, closeConnection: true };
}
