import { interactionPolicy, type ProviderContext } from 'oidc-provider';
import { ACR_ORDER, type Acr } from '../../contracts/issuer-link.ts';

/** How far `acr` is from nothing; 0 for one that is not of this issuer. */
export function strengthOf(acr: string | undefined): number {
  return ACR_ORDER.indexOf(acr as Acr) + 1;
}

/** The weakest of the requested classes: any of them will do (OpenID Connect Core §3.1.2.1). 0 when none is asked. */
export function demandedStrength(acrValues: string | undefined): number {
  const asked = (acrValues ?? '')
    .split(' ')
    .map(strengthOf)
    .filter((strength) => strength > 0);
  return asked.length === 0 ? 0 : Math.min(...asked);
}

/**
 * When a person must be asked something. On top of OpenID Connect's own rules: an account that is no longer active
 * signs in anew (and cannot), and a session that is weaker than what was asked for is stepped up.
 */
export function policyOf(leastStrength: (context: ProviderContext) => number) {
  const { base, Check } = interactionPolicy;
  const policy = base();
  const login = policy.get('login');
  login?.checks.add(
    new Check('account_gone', 'the account may not sign in', ({ oidc }) => {
      return oidc.session?.accountId !== undefined && oidc.account === undefined;
    }),
  );
  login?.checks.add(
    new Check('acr', 'the sign-in is weaker than what was asked for', (context) => {
      const { session, params } = context.oidc;
      if (session?.accountId === undefined) return false;
      const needed = Math.max(demandedStrength(params.acr_values), leastStrength(context));
      return strengthOf(session.acr) < needed;
    }),
  );
  return policy;
}
