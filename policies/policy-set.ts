import type { AnswerRules } from '../contracts/answer-rules.ts';
import type { RequestFacts } from '../contracts/facts.ts';
import type { FhirOffer, PolicySet, Route, RouteMatch } from '../contracts/policy.ts';
import { ROUTE_UNKNOWN } from './decide.ts';
import { type DenyRule, denyOver } from './deny.ts';
import { offersOf } from './fhir/index.ts';
import { type Entry, type Layer, matchOf } from './layer.ts';
import { subsumes } from './pattern.ts';
import type { Roles } from './roles.ts';
import type { Rule } from './rule.ts';

/** A pack as one policy uses it. */
export interface UsedPack {
  readonly layer: Layer;
  /** Rules that are not part of the policy. */
  readonly removed: ReadonlySet<Rule>;
  /** Deny rules that are not part of it either. */
  readonly undenied: ReadonlySet<DenyRule>;
  /** Rules with others in their place that match the same. */
  readonly replaced: ReadonlyMap<Rule, Rule>;
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
      layer.rules.filter((rule) => !removed.has(rule)).map((rule) => replaced.get(rule) ?? rule),
    ),
    ...own.rules,
  ];
}

/** The deny rules in force. */
export function deniesOf({ own, packs }: Pick<Parts, 'own' | 'packs'>): readonly DenyRule[] {
  return [
    ...packs.flatMap(({ layer, undenied }) => layer.denies.filter((rule) => !undenied.has(rule))),
    ...own.denies,
  ];
}

/** Whether the route allows every spelling in the path that servers could read in different ways. */
function allowsSpelling({ allow }: Route, { odd }: RequestFacts['path']): boolean {
  if (odd === undefined) return true;
  for (const each of odd) if (allow?.has(each) !== true) return false;
  return true;
}

export function buildPolicySet(name: string, parts: Parts): PolicySet {
  const { digest, own, packs, roles } = parts;
  const entryOf = (match: RouteMatch): Entry | undefined => {
    const mine = own.entryOf(match);
    if (mine !== undefined) return mine;
    for (const { layer, removed, replaced } of packs) {
      const entry = layer.entryOf(match);
      if (entry !== undefined && !removed.has(entry.rule) && !replaced.has(entry.rule)) return entry;
    }
    return undefined;
  };
  const denies = own.denies.length > 0 || packs.some(({ layer }) => layer.denies.length > 0);
  const denying = (facts: RequestFacts): readonly DenyRule[] => {
    let rules = own.denying(facts);
    for (const { layer, undenied } of packs) {
      const theirs = layer.denying(facts);
      if (theirs.length > 0) rules = [...rules, ...theirs.filter((rule) => !undenied.has(rule))];
    }
    return rules;
  };
  let routes: readonly Route[] | undefined;
  let fhir: readonly FhirOffer[] | undefined;

  const set: PolicySet = Object.freeze({
    name,
    digest,
    answers: parts.answers,
    get routes(): readonly Route[] {
      routes ??= Object.freeze(rulesOf(parts).map((rule) => rule.route));
      return routes;
    },
    get fhir(): readonly FhirOffer[] {
      fhir ??= offersOf(rulesOf(parts));
      return fhir;
    },
    match(facts: Parameters<PolicySet['match']>[0]): RouteMatch | undefined {
      let hit = own.find(facts);
      for (const { layer, removed, replaced } of packs) {
        const theirs = layer.find(facts, removed.size === 0 ? undefined : removed);
        // Of two that match, one contains the other; the compiler saw to that.
        if (theirs !== undefined && (hit === undefined || subsumes(hit.pattern, theirs.pattern)))
          hit = replaced.get(theirs) ?? theirs;
      }
      if (hit === undefined || !allowsSpelling(hit.route, facts.path)) return undefined;
      return matchOf(hit, facts);
    },
    decide(facts, match, principal, now, context) {
      // A match of another set (before a reload) means nothing here.
      const entry = match && entryOf(match);
      if (match === undefined || entry === undefined) return ROUTE_UNKNOWN;
      const { rule } = entry;
      // On a route for everybody it does not matter who somebody is.
      if (rule.access.credential !== 'anonymous') {
        const conflict = roles?.conflict(principal, rule.route.id);
        if (conflict !== undefined) return conflict;
      }
      const somebody = roles === undefined ? principal : roles.withScopes(principal);
      const decision = entry.decide(facts, match, somebody, now, context, set);
      if (!denies) return decision;
      return denyOver(decision, denying(facts), rule, { facts, principal: somebody, now });
    },
  } satisfies PolicySet);
  return set;
}
