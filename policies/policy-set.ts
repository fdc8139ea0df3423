import type { AnswerRules } from '../contracts/answer-rules.ts';
import type { RequestFacts } from '../contracts/facts.ts';
import type {
  Decision,
  DecisionContext,
  FhirOffer,
  PolicySet,
  Route,
  RouteMatch,
} from '../contracts/policy.ts';
import type { Principal } from '../contracts/principal.ts';
import { isOpenToDenial } from './conditions/decide.ts';
import { ROUTE_UNKNOWN } from './decide.ts';
import { type DenyRule, denyOver } from './deny.ts';
import { offersOf } from './fhir/index.ts';
import { Found } from './found.ts';
import type { Asked, Layer } from './layer.ts';
import { subsumes } from './pattern.ts';
import type { Roles } from './roles.ts';
import type { Rule } from './rule.ts';
import { firstBit } from './trie.ts';

/** A pack as one policy uses it. */
export interface UsedPack {
  readonly layer: Layer;
  /** Rules that are not part of the policy; undefined: all are. */
  readonly removed: ReadonlySet<Rule> | undefined;
  /** Deny rules that are not part of it either. */
  readonly undenied: ReadonlySet<DenyRule> | undefined;
  /** Rules with others in their place that match the same. */
  readonly replaced: ReadonlyMap<Rule, Rule> | undefined;
}

/** Everything that a policy decides by. */
export interface Parts {
  readonly digest: string;
  readonly own: Layer;
  readonly packs: readonly UsedPack[];
  readonly roles: Roles | undefined;
  /** What answers mean on its routes that do not say it themselves. */
  readonly answers: AnswerRules | undefined;
}

/** The rules in force, those of packs first and each in its order. */
export function rulesOf({ own, packs }: Pick<Parts, 'own' | 'packs'>): readonly Rule[] {
  if (packs.length === 0) return own.rules;
  return [
    ...packs.flatMap(({ layer, removed, replaced }) =>
      layer.rules.filter((rule) => removed?.has(rule) !== true).map((rule) => replaced?.get(rule) ?? rule),
    ),
    ...own.rules,
  ];
}

/** The deny rules in force. */
export function deniesOf({ own, packs }: Pick<Parts, 'own' | 'packs'>): readonly DenyRule[] {
  return [
    ...packs.flatMap(({ layer, undenied }) => layer.denies.filter((rule) => undenied?.has(rule) !== true)),
    ...own.denies,
  ];
}

/** Whether the route allows every spelling in the path that servers could read in different ways. */
function allowsSpelling(route: Route, { odd }: RequestFacts['path']): boolean {
  if (odd === undefined) return true;
  const { allow } = route;
  for (const each of odd) if (allow?.has(each) !== true) return false;
  return true;
}

export function buildPolicySet(name: string, parts: Parts): PolicySet {
  return new CompiledPolicySet(name, parts);
}

/**
 * Small, and complete in itself: of ten thousand tenants each request meets another one, and what it has to look at
 * has to be fetched from memory.
 */
class CompiledPolicySet implements PolicySet {
  readonly #own: Layer;
  readonly #packs: readonly UsedPack[];
  readonly #roles: Roles | undefined;
  /** First segments that the policy's own rules take, permits and denials. */
  readonly #first: number;
  readonly #denies: boolean;
  readonly name: string;
  readonly digest: string;
  readonly answers: AnswerRules | undefined;
  readonly #parts: Parts;
  #routes: readonly Route[] | undefined;
  #fhir: readonly FhirOffer[] | undefined;

  constructor(name: string, parts: Parts) {
    const { own, packs } = parts;
    this.#own = own;
    this.#packs = packs;
    this.#roles = parts.roles;
    this.#first = own.first;
    this.#denies = own.denies.length > 0 || packs.some(({ layer }) => layer.denies.length > 0);
    this.name = name;
    this.digest = parts.digest;
    this.answers = parts.answers;
    this.#parts = parts;
    this.#routes = undefined;
    this.#fhir = undefined;
    Object.freeze(this);
  }

  get routes(): readonly Route[] {
    this.#routes ??= Object.freeze(rulesOf(this.#parts).map((rule) => rule.route));
    return this.#routes;
  }

  get fhir(): readonly FhirOffer[] {
    this.#fhir ??= offersOf(rulesOf(this.#parts));
    return this.#fhir;
  }

  match(facts: Asked): RouteMatch | undefined {
    let hit = this.#isOwn(facts) ? this.#own.find(facts) : undefined;
    const packs = this.#packs;
    // Counted, here and below: iterators would be one more thing that each request leaves behind.
    for (let i = 0; i < packs.length; i += 1) {
      const { layer, removed, replaced } = packs[i] as UsedPack;
      const theirs = layer.find(facts, removed);
      // Of two that match, one contains the other; the compiler saw to that.
      if (theirs !== undefined && (hit === undefined || subsumes(hit.pattern, theirs.pattern)))
        hit = replaced?.get(theirs) ?? theirs;
    }
    if (hit === undefined || !allowsSpelling(hit.route, facts.path)) return undefined;
    return new Found(this, hit, facts);
  }

  decide(
    facts: RequestFacts,
    match: RouteMatch | undefined,
    principal: Principal,
    now: number,
    context?: DecisionContext,
  ): Decision {
    // A match of another set (before a reload) means nothing here.
    const rule = match && (Found.ruleOf(match, this) ?? this.#ruleOf(match));
    if (match === undefined || rule === undefined) return ROUTE_UNKNOWN;
    const roles = this.#roles;
    const { deciding } = rule;
    // On a route for everybody it does not matter who somebody is.
    if (roles !== undefined && !deciding.forEverybody) {
      const conflict = roles.conflict(principal, rule.route);
      if (conflict !== undefined) return conflict;
    }
    const somebody = roles === undefined ? principal : roles.withScopes(principal);
    const decision = deciding.decide(rule.matched, facts, match, somebody, now, context, this);
    if (!this.#denies || !isOpenToDenial(decision)) return decision;
    return denyOver(decision, this.#denying(facts), rule, { facts, principal: somebody, now });
  }

  /** Whether the policy's own rules may have something to say; false: they have not. */
  #isOwn({ path }: Asked): boolean {
    return (this.#first & firstBit(path.segments)) !== 0;
  }

  /** Of a match that came from somewhere else. */
  #ruleOf(match: RouteMatch): Rule | undefined {
    const mine = this.#own.ruleOf(match);
    if (mine !== undefined) return mine;
    for (const { layer, removed, replaced } of this.#packs) {
      const rule = layer.ruleOf(match);
      if (rule !== undefined && removed?.has(rule) !== true && replaced?.has(rule) !== true) return rule;
    }
    return undefined;
  }

  #denying(facts: RequestFacts): readonly DenyRule[] {
    let rules = this.#isOwn(facts) ? this.#own.denying(facts) : NO_DENIALS;
    const packs = this.#packs;
    for (let i = 0; i < packs.length; i += 1) {
      const { layer, undenied } = packs[i] as UsedPack;
      const theirs = layer.denying(facts);
      if (theirs.length === 0) continue;
      const inForce = undenied === undefined ? theirs : theirs.filter((rule) => !undenied.has(rule));
      rules = rules.length === 0 ? inForce : [...rules, ...inForce];
    }
    return rules;
  }
}

const NO_DENIALS: readonly DenyRule[] = Object.freeze([]);
