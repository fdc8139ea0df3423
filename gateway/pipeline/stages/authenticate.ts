import type { AuthenticationResult } from '../../../contracts/principal.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 4: a bearer token becomes a principal of this tenant; no credential is nobody, which the policy
 * judges. A credential that is presented and bad is refused even where none is needed.
 */
export function authenticate(x: Exchange): Step | Promise<Step> {
  const { facts, tenant } = x;
  const authorization = facts.headers.get('authorization');
  const result = x.runtime.authenticator.authenticate({
    tenant: tenant.id,
    audience: tenant.settings.audience,
    issuers: tenant.settings.issuers,
    authorization,
    // Without a route there is nothing to forward: local verification is enough to answer.
    introspection: x.match?.route.introspection ?? 'never',
  });
  return result instanceof Promise
    ? result.then((settled) => accept(x, settled, authorization !== undefined))
    : accept(x, result, authorization !== undefined);
}

function accept(x: Exchange, result: AuthenticationResult, presented: boolean): Step {
  if (result.ok) {
    x.principal = result.principal;
    return undefined;
  }
  x.failed(result.reason, result.detail);
  if (result.reason === 'issuer-unavailable') return { kind: 'unavailable', reason: result.reason };
  return { kind: 'unauthenticated', reason: result.reason, credentialPresented: presented };
}
