import type { Decision, Route } from '../contracts/policy.ts';
import type { Principal } from '../contracts/principal.ts';
import type { Reason } from '../contracts/reasons.ts';
import type { Decider } from './decide.ts';

type Deny = Extract<Decision, { effect: 'deny' }>;

function deny(route: Route, denial: Deny['denial'], failed: Reason): Deny {
  const matched = Object.freeze({ code: 'route-matched', held: true, detail: route.id } as const);
  return Object.freeze({ effect: 'deny', denial, reasons: Object.freeze([matched, Object.freeze(failed)]) });
}

/** A token that nothing binds to its sender is good for whoever has it. Sessions are no tokens: their cookie never leaves its host. */
function isBound(wanted: Route['senderConstrained'], principal: Principal): boolean {
  if (wanted === 'none' || principal.kind !== 'bearer') return true;
  const { constraint } = principal;
  return wanted === 'any' ? constraint === 'dpop' || constraint === 'certificate' : constraint === wanted;
}

/**
 * Puts what a route wants of the connection and of the binding of tokens (RFC 9449, RFC 8705) before everything
 * else that it decides. Both depend on the connection, the token and the route alone, so that they may be said.
 */
export function withBinding(route: Route, decide: Decider): Decider {
  const { clientCertificate, senderConstrained } = route;
  if (clientCertificate === 'none' && senderConstrained === 'none') return decide;
  const missing = deny(route, 'certificate-required', { code: 'certificate-missing', held: false });
  const refused = (detail: string): Deny =>
    deny(route, 'certificate-required', { code: 'certificate-missing', held: false, detail });
  const unbound = deny(route, 'sender-unconstrained', {
    code: 'sender-constrained',
    held: false,
    detail: senderConstrained,
  });
  const held: readonly Reason[] = Object.freeze([
    ...(clientCertificate === 'none' ? [] : [{ code: 'certificate-present', held: true } as const]),
    ...(senderConstrained === 'none'
      ? []
      : [{ code: 'sender-constrained', held: true, detail: senderConstrained } as const]),
  ]);
  return (facts, match, principal, nowSeconds, context, self) => {
    const { certificate } = facts.tls;
    // A connection can outlast the certificate that it was opened with.
    if (
      clientCertificate !== 'none' &&
      (certificate === undefined || certificate.notAfter <= nowSeconds * 1000)
    )
      return facts.tls.certificateFault === undefined ? missing : refused(facts.tls.certificateFault);
    if (!isBound(senderConstrained, principal)) return unbound;
    const decision = decide(facts, match, principal, nowSeconds, context, self);
    return Object.freeze({ ...decision, reasons: Object.freeze([...held, ...decision.reasons]) });
  };
}
