import type { RequestFacts } from '../contracts/facts.ts';
import type { Decision, DecisionContext, PolicySet, Route, RouteMatch } from '../contracts/policy.ts';
import type { Principal } from '../contracts/principal.ts';
import type { Reason } from '../contracts/reasons.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { type Binding, bindingOf } from './binding.ts';
import { under } from './conditions/decide.ts';
import { buildDecider, type Decider } from './decide.ts';
import { Shared } from './shared.ts';
import { withSharing } from './sharing.ts';
import type { Terms } from './terms.ts';

/** Decides on some terms. Everything that every rule of these terms has alike is made once, when one decides first. */
export class Deciding {
  readonly terms: Terms;
  readonly #binding: Binding | undefined;
  #decide: Decider | undefined;

  constructor(terms: Terms) {
    this.terms = terms;
    this.#binding = bindingOf(terms.demands);
  }

  /** Whoever somebody is, it makes no difference. */
  get forEverybody(): boolean {
    return this.terms.access.credential === 'anonymous';
  }

  /** From the outside in: the connection, roles and conditions, consent, scopes and patient. */
  decide(
    matched: Reason,
    facts: RequestFacts,
    match: RouteMatch,
    principal: Principal,
    now: number,
    context: DecisionContext | undefined,
    self: PolicySet,
  ): Decision {
    const refused = this.#binding?.refuse(facts, principal, now);
    if (refused !== undefined) return told(NOTHING, matched, refused);
    this.#decide ??= withSharing(this.terms, buildDecider(this.terms));
    const decision = this.#decide(facts, match, principal, now, context, self);
    const { condition } = this.terms;
    return told(
      this.#binding?.held ?? NOTHING,
      matched,
      condition === undefined ? decision : under(condition, decision, { facts, principal, now }),
    );
  }
}

const NOTHING: readonly Reason[] = Object.freeze([]);

/** What the terms say, as a decision of the rule that matched. */
function told(before: readonly Reason[], matched: Reason, decision: Decision): Decision {
  const reasons = Object.freeze(after(before, matched, decision.reasons));
  if (decision.effect === 'permit') {
    const { obligations } = decision;
    return Object.freeze(
      obligations === undefined ? { effect: 'permit', reasons } : { effect: 'permit', reasons, obligations },
    );
  }
  const { denial, scopeNeeded } = decision;
  return Object.freeze(
    scopeNeeded === undefined
      ? { effect: 'deny', denial, reasons }
      : { effect: 'deny', denial, reasons, scopeNeeded },
  );
}

/** Lists of the length that they need, where they are short, as most are: every request makes one. */
function after(before: readonly Reason[], matched: Reason, rest: readonly Reason[]): readonly Reason[] {
  // Read one by one: taking an array apart makes an iterator.
  const first = rest[0];
  const second = rest[1];
  const third = rest[2];
  if (before.length > 0 || first === undefined || rest.length > 3) return [...before, matched, ...rest];
  if (second === undefined) return [matched, first];
  return third === undefined ? [matched, first, second] : [matched, first, second, third];
}

const known = new Shared<Deciding>();

/**
 * The same for the same terms. Of what they are told apart by, everything has to be what JSON can say: two sets would be
 * the same text, and one rule would decide by the terms of another.
 * @param route what was compiled of the document, whose `roles` and `when` the condition was made of
 */
export function decidingOf(
  { access, fhir, condition }: Pick<Terms, 'access' | 'fhir' | 'condition'>,
  route: Route,
  { roles, when }: Pick<RouteDocument, 'roles' | 'when'>,
): Deciding {
  const { audience, factorMaxAge, clientCertificate, senderConstrained, sharing } = route;
  const key = JSON.stringify([
    access,
    fhir,
    audience,
    factorMaxAge,
    clientCertificate,
    senderConstrained,
    sharing,
    // All that the condition is made of.
    roles,
    when,
  ]);
  const same = known.get(key);
  if (same !== undefined) return same;
  const demands = { audience, factorMaxAge, clientCertificate, senderConstrained, sharing };
  return known.keep(key, new Deciding({ access, fhir, condition, demands }));
}
