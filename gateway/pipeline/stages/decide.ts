import type { Denial } from '../../../contracts/policy.ts';
import type { EndingKind } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

const KIND: Readonly<Record<Denial, EndingKind>> = Object.freeze({
  unauthenticated: 'unauthenticated',
  'insufficient-scope': 'insufficient-scope',
  'factor-stale': 'factor-stale',
  'certificate-required': 'certificate-required',
  'sender-unconstrained': 'unauthenticated',
  'route-unknown': 'route-unknown',
  'record-hidden': 'hidden',
});

/** Stage 5: the policy decides. Pure; what is not an explicit permit ends here. */
export function decide(x: Exchange): Step {
  const decision = x.policy.decide(x.facts, x.match, x.principal, Math.floor(x.facts.receivedAt / 1000));
  for (const reason of decision.reasons) x.reasons.push(reason);
  if (decision.effect === 'permit' && x.match !== undefined) return undefined;
  if (decision.effect === 'permit') return { kind: 'unavailable', reason: 'internal' };
  const decisive = decision.reasons.findLast((reason) => !reason.held);
  if (decision.denial === 'route-unknown' && x.principal.kind === 'anonymous') {
    // To whoever has no token every route looks alike, those that are not there included.
    return { kind: 'unauthenticated', reason: 'route-unknown', credentialPresented: false };
  }
  return {
    kind: KIND[decision.denial],
    reason: decisive?.code ?? 'internal',
    scopeNeeded: decision.scopeNeeded,
    // A token that is good in itself, and not for this route.
    credentialPresented: decision.denial === 'sender-unconstrained',
  };
}
