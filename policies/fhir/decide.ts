import type { RequestFacts } from '../../contracts/facts.ts';
import type { Decision, DecisionContext, PolicySet, RouteMatch } from '../../contracts/policy.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { Reason, ReasonCode } from '../../contracts/reasons.ts';
import { headers } from './asked.ts';
import { batchContent } from './bundle.ts';
import { CONSENT } from './content.ts';
import { definitionsOf } from './definitions/index.ts';
import { openPermits } from './open.ts';
import { isPage } from './parameters.ts';
import { planOf } from './plan.ts';
import { grantsFor, isOpen, isPartner, LETTER, type Reach, reachOf } from './reach.ts';
import { ID } from './references.ts';
import type { FhirRule } from './rule.ts';
import { scopesOf } from './scopes.ts';

export interface FhirQuestion {
  readonly facts: RequestFacts;
  readonly match: RouteMatch;
  readonly principal: AuthenticatedPrincipal;
  readonly now: number;
  readonly context: DecisionContext | undefined;
  readonly self: PolicySet | undefined;
}

type Deny = Extract<Decision, { effect: 'deny' }>;

const reason = (code: ReasonCode, held: boolean, detail?: string): Reason =>
  detail === undefined ? { code, held } : { code, held, detail };

function deny(denial: Deny['denial'], reasons: readonly Reason[], scopeNeeded?: string): Deny {
  return scopeNeeded === undefined
    ? { effect: 'deny', denial, reasons }
    : { effect: 'deny', denial, reasons, scopeNeeded };
}

/**
 * Decides a route with `fhir`, whose credential, factor and plain scopes held already. Whoever reaches all of a type
 * gets a plain permit; everybody else one with obligations, or a denial.
 *
 * @param held what held already, for the reasons
 */
export function buildFhirDecider(
  rule: FhirRule,
  held: readonly Reason[],
): (question: FhirQuestion) => Decision {
  if (rule.interaction === 'capabilities') {
    const permit: Decision = Object.freeze({ effect: 'permit', reasons: held });
    return () => permit;
  }
  if (rule.interaction === 'batch') return (question) => decideBatch(rule, question, held);
  const types = definitionsOf(rule.version);
  const open = openPermits(rule, held);
  return (question) => {
    const { facts, match, principal } = question;
    const type =
      rule.type === undefined ? '*' : typeof rule.type === 'string' ? rule.type : match.captures[rule.type];
    if (type === undefined || (type !== '*' && !types.has(type))) {
      return deny('insufficient-scope', [...held, reason('scope-missing', false)]);
    }
    const identified = isIdOrNone(match.captures, rule.id) && isIdOrNone(match.captures, rule.vid);
    const permit = identified ? open(facts, principal, type) : undefined;
    return permit ?? decideLimited(rule, question, held, type, identified);
  };
}

/** The base of the FHIR interface as the request has it, such as `/fhir`. */
function baseOf({ path }: RequestFacts, rule: FhirRule): string {
  return path.text
    .split('/')
    .slice(0, rule.baseLength + 1)
    .join('/');
}

function decideBatch(rule: FhirRule, question: FhirQuestion, held: readonly Reason[]): Decision {
  const { facts, principal, now, context, self } = question;
  if (self === undefined) return deny('forbidden', [...held, reason('bundle-unsupported', false)]);
  return {
    effect: 'permit',
    // Of a partner's entries each one needs consent by itself.
    reasons: isPartner(principal) ? [...held, CONSENT] : held,
    obligations: {
      // Whether a bundle brings a condition, each of its entries says for itself.
      headers: { ...headers({ rule, facts }), 'if-none-exist': undefined },
      content: batchContent({ facts, principal, now, context, self }, baseOf(facts, rule)),
    },
  };
}

function decideLimited(
  rule: FhirRule,
  { facts, match, principal, now, context }: FhirQuestion,
  held: readonly Reason[],
  type: string,
  identified: boolean,
): Decision {
  const shared = match.route.sharing === 'consent';
  const references = { authority: facts.authority, base: baseOf(facts, rule) };
  const reach = reachOf(principal, { ...rule, shared }, references, context, now);
  let grants = grantsFor(reach, type, rule.mask);
  // A page may be of a search of one type.
  if (grants.length === 0 && rule.interaction === 'search-system' && isPage(facts.parameters)) {
    grants = reach.grants.filter(({ mask }) => (mask & LETTER.r) !== 0);
  }
  if (grants.length === 0) return withoutGrants(rule, reach, type, held);
  // `$lookup` and `_search` are no ids: whoever may read a type may not call its operations by it.
  if (!identified) return deny('record-hidden', [...held, reason('resource-mismatch', false, 'id')]);
  const plan = planOf({
    rule,
    facts,
    match,
    reach,
    type,
    grants,
    open: isOpen(grantsFor(reach, type, rule.mask), reach),
  });
  const granted = [...held, ...grantReasons(rule, reach, type)];
  if (!plan.ok) {
    const needed = plan.byScope ? `${othersContext(rule)}/${type}.${rule.permission}` : undefined;
    return deny(plan.denial, [...granted, plan.reason], needed);
  }
  const reasons = [...granted, ...plan.reasons, ...(plan.consent ? [CONSENT] : [])];
  return Object.keys(plan.obligations).length === 0
    ? { effect: 'permit', reasons }
    : { effect: 'permit', reasons, obligations: plan.obligations };
}

/** A context whose scopes are not about one patient, for challenges. */
function othersContext(rule: FhirRule): string {
  return rule.contexts.find((context) => context !== 'patient') ?? 'user';
}

/** The scopes that count, by context; what their restrictions say is nobody's business but the judges'. */
function grantReasons(rule: FhirRule, reach: Reach, type: string): readonly Reason[] {
  const contexts = new Set(grantsFor(reach, type, rule.mask).map(({ context }) => context));
  return [...contexts].map((context) =>
    reason('scope-present', true, `${context}/${type}.${rule.permission}`),
  );
}

function withoutGrants(rule: FhirRule, reach: Reach, type: string, held: readonly Reason[]): Deny {
  const reasons = [...held];
  for (const context of rule.contexts) {
    reasons.push(reason('scope-missing', false, `${context}/${type}.${rule.permission}`));
  }
  for (const { scope, why } of scopesOf(reach.principal, rule.version).invalid) {
    reasons.push(reason('scope-invalid', false, `${scope}: ${why}`));
  }
  const [first] = rule.contexts;
  return deny(
    'insufficient-scope',
    reasons,
    first === undefined ? undefined : `${first}/${type}.${rule.permission}`,
  );
}

function isIdOrNone(captures: readonly string[], index: number | undefined): boolean {
  return index === undefined || ID.test(captures[index] ?? '');
}
