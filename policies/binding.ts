import type { RequestFacts } from '../contracts/facts.ts';
import type { Decision, Route } from '../contracts/policy.ts';
import type { Principal } from '../contracts/principal.ts';
import type { Reason } from '../contracts/reasons.ts';

type Deny = Extract<Decision, { effect: 'deny' }>;

function deny(denial: Deny['denial'], failed: Reason): Deny {
  return Object.freeze({ effect: 'deny', denial, reasons: Object.freeze([Object.freeze(failed)]) });
}

/** A token that nothing binds to its sender is good for whoever has it. Sessions are no tokens: their cookie never leaves its host. */
function isBound(wanted: Route['senderConstrained'], principal: Principal): boolean {
  if (wanted === 'none' || principal.kind !== 'bearer') return true;
  const { constraint } = principal;
  return wanted === 'any' ? constraint === 'dpop' || constraint === 'certificate' : constraint === wanted;
}

/** What a route wants of the connection and of the binding of tokens. */
export interface Binding {
  /** The reasons of whoever has it, before all others. */
  readonly held: readonly Reason[];
  /** Undefined: they have it. */
  refuse(facts: RequestFacts, principal: Principal, nowSeconds: number): Deny | undefined;
}

/**
 * What a route wants of the connection and of the binding of tokens (RFC 9449, RFC 8705); undefined when nothing. It
 * is asked before everything else: it depends on the connection, the token and the route alone, so that it may be said.
 */
export function bindingOf({
  clientCertificate,
  senderConstrained,
}: Pick<Route, 'clientCertificate' | 'senderConstrained'>): Binding | undefined {
  if (clientCertificate === 'none' && senderConstrained === 'none') return undefined;
  const missing = deny('certificate-required', { code: 'certificate-missing', held: false });
  const unbound = deny('sender-unconstrained', {
    code: 'sender-constrained',
    held: false,
    detail: senderConstrained,
  });
  return {
    held: Object.freeze([
      ...(clientCertificate === 'none' ? [] : [{ code: 'certificate-present', held: true } as const]),
      ...(senderConstrained === 'none'
        ? []
        : [{ code: 'sender-constrained', held: true, detail: senderConstrained } as const]),
    ]),
    refuse(facts, principal, nowSeconds) {
      const { certificate, certificateFault: detail } = facts.tls;
      // A connection can outlast the certificate that it was opened with.
      if (
        clientCertificate !== 'none' &&
        (certificate === undefined || certificate.notAfter <= nowSeconds * 1000)
      )
        return detail === undefined
          ? missing
          : deny('certificate-required', { code: 'certificate-missing', held: false, detail });
      return isBound(senderConstrained, principal) ? undefined : unbound;
    },
  };
}
