import type { RequestFacts } from '../../contracts/facts.ts';
import type { Decision } from '../../contracts/policy.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { Reason } from '../../contracts/reasons.ts';
import type { Context } from '../scopes.ts';
import { alone } from './asked.ts';
import type { Interaction } from './interactions.ts';
import { reachesBeyond } from './parameters.ts';
import { isPartner } from './reach.ts';
import type { FhirRule } from './rule.ts';
import { scopesOf } from './scopes.ts';

/** What a scope for all of a type permits as it is, by whichever means: nothing else comes of it. */
const PLAIN: ReadonlySet<Interaction> = new Set([
  'read',
  'vread',
  'history-instance',
  'history-type',
  'history-system',
  'search-system',
  'graphql',
]);
/** The same, as long as nothing else comes with them. */
const CHANGES: ReadonlySet<Interaction> = new Set(['update', 'patch', 'delete']);
/** The same, as long as no parameter reaches beyond the type. */
const SEARCHES: ReadonlySet<Interaction> = new Set(['search-type', 'compartment-search']);

/** The context whose unrestricted scope reaches all of the type, if there is one. */
function openContext(rule: FhirRule, principal: AuthenticatedPrincipal, type: string): Context | undefined {
  for (const { context, type: granted, mask, restriction } of scopesOf(principal, rule.version).grants) {
    if (context === 'patient' || restriction !== undefined || (mask & rule.mask) !== rule.mask) continue;
    if ((granted === type || granted === '*') && rule.contexts.includes(context)) return context;
  }
  return undefined;
}

/**
 * The way of the many requests of whoever reaches all of a type: a permit that was made before, without obligations.
 * Undefined: for everybody else, and wherever there is more to be said.
 */
export function openPermits(
  rule: FhirRule,
  held: readonly Reason[],
): (facts: RequestFacts, principal: AuthenticatedPrincipal, type: string) => Decision | undefined {
  const searches = SEARCHES.has(rule.interaction);
  const changes = CHANGES.has(rule.interaction);
  if (!searches && !changes && !PLAIN.has(rule.interaction)) return () => undefined;
  // As many as there are types and contexts, at most.
  const permits: Readonly<Record<Context, Map<string, Decision>>> = {
    patient: new Map(),
    user: new Map(),
    system: new Map(),
  };
  return (facts, principal, type) => {
    if (rule.mask === 0 || isPartner(principal)) return undefined;
    const context = openContext(rule, principal, type);
    if (context === undefined) return undefined;
    if (changes && (facts.parameters.size > 0 || Object.keys(alone(facts)).length > 0)) return undefined;
    if (searches) for (const name of facts.parameters.keys()) if (reachesBeyond(name)) return undefined;
    let permit = permits[context].get(type);
    if (permit === undefined) {
      const present = {
        code: 'scope-present',
        held: true,
        detail: `${context}/${type}.${rule.permission}`,
      } as const;
      permit = Object.freeze({ effect: 'permit', reasons: Object.freeze([...held, Object.freeze(present)]) });
      permits[context].set(type, permit);
    }
    return permit;
  };
}
