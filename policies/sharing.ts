import type { ConsentAnswer } from '../contracts/consent.ts';
import type { RequestFacts } from '../contracts/facts.ts';
import { SAFE_METHODS } from '../contracts/facts.ts';
import type { Decision, DecisionContext, RouteMatch } from '../contracts/policy.ts';
import { type AuthenticatedPrincipal, isForeign } from '../contracts/principal.ts';
import type { Reason } from '../contracts/reasons.ts';
import type { SmartRule } from './access.ts';
import type { Decider } from './decide.ts';
import { patientNamed } from './patient.ts';
import { isResourceType } from './scopes.ts';
import type { Terms } from './terms.ts';

type Deny = Extract<Decision, { effect: 'deny' }>;

const REFUSED: Readonly<Record<Exclude<ConsentAnswer, 'in-force'>, Reason>> = Object.freeze({
  none: Object.freeze({ code: 'consent-missing', held: false } as const),
  unavailable: Object.freeze({ code: 'consent-unavailable', held: false } as const),
});
const HELD: Reason = Object.freeze({ code: 'consent-in-force', held: true });

/**
 * Puts consent around what a route decides:
 *
 * - People of partners get nothing without it, whatever their scopes: of a route that is not shared, by an honest
 *   denial (it depends on the token and the route alone); of one that is, only what a permit names a consent for.
 * - Whoever holds `patient/` scopes of another patient of the same tenant gets at a shared route where consent is in
 *   force (a parent, somebody who cares for them).
 *
 * A route with `fhir` asks the view itself, resource by resource; here it is only made sure that it did.
 */
export function withSharing(
  { access, demands, fhir }: Pick<Terms, 'access' | 'demands' | 'fhir'>,
  decide: Decider,
): Decider {
  if (access.credential === 'anonymous') return decide;
  const shared = demands.sharing === 'consent';
  const unshared: Deny = Object.freeze({
    effect: 'deny',
    denial: 'forbidden',
    reasons: Object.freeze([Object.freeze({ code: 'sharing-none', held: false } as const)]),
  });
  const { smart } = access;
  const byItself = fhir !== undefined;
  return (facts, match, principal, now, context, self) => {
    const foreign = isForeign(principal);
    if (foreign && !shared) return unshared;
    const decision = decide(facts, match, principal, now, context, self);
    if (!shared || principal.kind === 'anonymous') return decision;
    if (byItself) {
      const named = decision.reasons.some(({ code, held }) => code === 'consent-in-force' && held);
      return foreign && decision.effect === 'permit' && !named ? hidden(decision, REFUSED.none) : decision;
    }
    if (smart === undefined) return foreign ? hidden(decision, REFUSED.none) : decision;
    const question = { smart, facts, match, principal, now, context };
    if (foreign) {
      if (decision.effect !== 'permit') return decision;
      const answer = ask(question);
      return answer === 'in-force' ? permitted(decision) : hidden(decision, REFUSED[answer]);
    }
    // Everything else held: of another patient, for whom consent may be in force.
    if (decision.effect !== 'deny' || decision.denial !== 'record-hidden') return decision;
    if (!isOnlyAnotherPatient(decision)) return decision;
    const answer = ask(question);
    if (answer !== 'in-force') return hidden(decision, REFUSED[answer]);
    const reasons = decision.reasons.filter((reason) => reason.held);
    return Object.freeze({ effect: 'permit', reasons: Object.freeze([...reasons, HELD]) });
  };
}

/** Nothing is wanting but that the record is another patient's; scopes of other contexts may be, which are alternatives. */
function isOnlyAnotherPatient(decision: Deny): boolean {
  const failed = decision.reasons.filter(({ held }) => !held).map(({ code }) => code);
  return (
    failed.includes('patient-mismatch') &&
    failed.every((code) => code === 'patient-mismatch' || code === 'scope-missing')
  );
}

function permitted(decision: Extract<Decision, { effect: 'permit' }>): Decision {
  return Object.freeze({ ...decision, reasons: Object.freeze([...decision.reasons, HELD]) });
}

/** Whose record it is, and whether there is one, must not show. */
function hidden(decision: Decision, why: Reason): Deny {
  return Object.freeze({
    effect: 'deny',
    denial: 'record-hidden',
    reasons: Object.freeze([...decision.reasons, why]),
  });
}

interface Asked {
  readonly smart: SmartRule;
  readonly facts: RequestFacts;
  readonly match: RouteMatch;
  readonly principal: AuthenticatedPrincipal;
  readonly now: number;
  readonly context: DecisionContext | undefined;
}

/** Of a route whose answers nobody judges, so that a consent for some categories alone is none. */
function ask({ smart, facts, match, principal, now, context }: Asked): ConsentAnswer {
  const patient = patientNamed(smart.patient, facts, match);
  const { resource } = smart;
  const type = resource.from === 'literal' ? resource.type : match.captures[resource.index];
  if (patient === undefined || type === undefined || !isResourceType(type)) return 'none';
  if (context?.consents === undefined) return 'unavailable';
  return context.consents.check({
    tenant: principal.tenant,
    patient,
    principal,
    resourceType: type,
    action: SAFE_METHODS.has(facts.method) && !match.route.writes ? 'read' : 'write',
    at: now,
  });
}
