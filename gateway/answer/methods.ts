import { METHODS } from '../../contracts/facts.ts';
import type { Ending } from '../pipeline/ending.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { OWN_ANSWER_HEADERS } from './security-headers.ts';

/**
 * The answer to OPTIONS on a route that hides: what the route table lets be done there (RFC 9110 §9.3.7). The EMR is
 * not asked, because what it allows may depend on whether the record is there. Undefined where nothing is hidden.
 */
export function tellMethods(x: Exchange): Ending | undefined {
  const { match, policy, facts } = x;
  if (match === undefined || match.route.hide === 'none' || facts.upgrade !== undefined) return undefined;
  const { path } = facts;
  const allowed = METHODS.filter(
    (method) => policy.match({ method, path, upgrade: undefined }) !== undefined,
  );
  // Deciding takes another time for one record than for another.
  x.late = true;
  return {
    kind: 'own-page',
    reason: 'methods-told',
    own: {
      status: 204,
      headers: [...OWN_ANSWER_HEADERS, 'allow', allowed.join(', ')],
      body: undefined,
      outcome: 'permitted',
      reason: 'methods-told',
    },
  };
}
