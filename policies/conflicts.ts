import { satisfy } from './conditions/analyse.ts';
import { allOf, type Node } from './conditions/node.ts';
import type { DenyRule } from './deny.ts';
import type { FaultList } from './faults.ts';
import { covers, intersect, overlap, subsumes } from './pattern.ts';
import { type Roles, unknownRole } from './roles.ts';
import type { Matching, Rule } from './rule.ts';

/** Where the policy names each pack. */
export type Places = ReadonlyMap<string, string>;

/**
 * Reports every rule that competes with another. Among the rules that remain, the ones that match a
 * path always include one that is contained in all the others, and that one decides.
 * @param rules those that are new
 * @param settled those of packs, which were compared with each other before
 */
export function findConflicts(
  rules: readonly Rule[],
  settled: readonly (readonly Rule[])[],
  places: Places,
  faults: FaultList,
): void {
  const near = nearIn([rules, ...settled]);
  const fresh = new Set(rules);
  const touched = new Set<Rule>();
  const judged = new Set<Rule>();
  for (const later of rules) {
    const competitors = near(later);
    judged.add(later);
    for (const earlier of competitors) {
      if (!fresh.has(earlier)) touched.add(earlier);
      else if (!judged.has(earlier)) continue;
      const methods = sharedMethods(earlier, later);
      if (methods.length > 0) comparePair(earlier, later, methods, competitors, places, faults);
    }
    findUnreachable(later, competitors, places, faults);
  }
  for (const rule of touched) {
    findUnreachable(rule, near(rule), places, faults);
  }
}

/** Rules by their first segment, where that is fixed; under `undefined` the others. */
type Beginnings = ReadonlyMap<string | undefined, readonly Rule[]>;

/** Those of packs are the same for every policy. */
const beginnings = new WeakMap<readonly Rule[], Beginnings>();

function beginningsOf(rules: readonly Rule[]): Beginnings {
  let known = beginnings.get(rules);
  if (known === undefined) {
    known = Map.groupBy(rules, firstOf);
    beginnings.set(rules, known);
  }
  return known;
}

function firstOf({ pattern: [first] }: Rule): string | undefined {
  return first?.kind === 'literal' ? first.text : undefined;
}

/** Finds the rules of some lists that meet a rule. */
function nearIn(lists: readonly (readonly Rule[])[]): (rule: Rule) => readonly Rule[] {
  return (rule) => {
    const first = firstOf(rule);
    return lists
      .flatMap((list) => {
        if (first === undefined) return list;
        const by = beginningsOf(list);
        return [...(by.get(first) ?? []), ...(by.get(undefined) ?? [])];
      })
      .filter((other) => other !== rule && overlap(other.pattern, rule.pattern));
  };
}

/** A place in the document, and what is said in front where it is a pack's rule. */
function report(rule: Matching, key: string, message: string, places: Places, faults: FaultList): void {
  const place = rule.pack === undefined ? undefined : places.get(rule.pack);
  if (place === undefined) faults.add(`${rule.at}/${key}`, message);
  else faults.add(place, `route "${rule.document.id}" (${rule.path}) of the pack ${message}; see "remove"`);
}

/** Rules compete only for the same method, and an upgrade only with an upgrade. */
function sharedMethods(a: Rule, b: Rule): readonly string[] {
  if (a.route.upgrade !== b.route.upgrade) return [];
  return [...a.methods].filter((method) => b.methods.has(method));
}

function comparePair(
  earlier: Rule,
  later: Rule,
  methods: readonly string[],
  /** All that overlap the later one; whatever decides between the two is among them. */
  competitors: readonly Rule[],
  places: Places,
  faults: FaultList,
): void {
  const both = intersect(earlier.pattern, later.pattern);
  if (both === undefined) return;
  const laterInside = subsumes(earlier.pattern, later.pattern);
  const earlierInside = subsumes(later.pattern, earlier.pattern);
  const of = earlier.pack === undefined ? '' : ` of pack "${earlier.pack}"`;
  const name = `route "${earlier.route.id}" (${earlier.path})${of}`;
  // HEAD alone is shared when one lists GET and the other HEAD.
  const why = methods.length === 1 && methods[0] === 'HEAD' ? 'HEAD; GET implies HEAD' : methods.join(', ');
  if (laterInside && earlierInside) {
    const instead = earlier.pack === undefined ? '' : '; change that one under "override"';
    report(later, 'path', `matches exactly what ${name} matches already (${why})${instead}`, places, faults);
    return;
  }
  if (laterInside || earlierInside) return;
  const decided = methods.every((method) =>
    competitors.some(
      (third) =>
        third !== earlier &&
        third.route.upgrade === later.route.upgrade &&
        [...third.methods].some((known) => known === method) &&
        subsumes(third.pattern, both) &&
        subsumes(earlier.pattern, third.pattern) &&
        subsumes(later.pattern, third.pattern),
    ),
  );
  if (!decided) {
    report(
      later,
      'path',
      `is ambiguous with ${name}: some paths match both and neither is the more specific (${why}); limit one with "where", or add a route for exactly the paths they share`,
      places,
      faults,
    );
  }
}

/** A rule whose every path has a more specific rule never decides anything. */
function findUnreachable(rule: Rule, competitors: readonly Rule[], places: Places, faults: FaultList): void {
  for (const method of rule.listedMethods) {
    const inside = competitors.filter(
      (other) =>
        other.route.upgrade === rule.route.upgrade &&
        other.methods.has(method) &&
        subsumes(rule.pattern, other.pattern) &&
        !subsumes(other.pattern, rule.pattern),
    );
    if (
      covers(
        inside.map((other) => other.pattern),
        rule.pattern,
      )
    ) {
      const ids = inside.map((other) => `"${other.route.id}"`).join(', ');
      report(
        rule,
        'path',
        `can never match for ${method}: more specific routes (${ids}) take every path of it`,
        places,
        faults,
      );
    }
  }
}

/**
 * Reports deny rules that another one makes useless, and rules that can permit nothing for all that is denied.
 * @param fresh rules and deny rules that are new; the others were looked at with each other before
 */
export function findDenied(
  fresh: { readonly rules: readonly Rule[]; readonly denies: readonly DenyRule[] },
  all: { readonly rules: readonly Rule[]; readonly denies: readonly DenyRule[] },
  places: Places,
  faults: FaultList,
): void {
  const { denies } = all;
  if (denies.length === 0) return;
  const isFresh = new Set<Matching>([...fresh.rules, ...fresh.denies]);
  for (const rule of denies) {
    const by = denies.find(
      (other) =>
        other !== rule && (isFresh.has(rule) || isFresh.has(other)) && makesUseless(other, rule, denies),
    );
    if (by !== undefined)
      report(
        rule,
        'path',
        `denies nothing that "${by.id}" (${by.path}) does not deny already`,
        places,
        faults,
      );
  }
  // Rules that are not new were looked at with the deny rules that are not.
  for (const rule of fresh.denies.length === 0 ? fresh.rules : all.rules) {
    const meeting = denies.filter((deny) => overlap(deny.pattern, rule.pattern));
    if (!isFresh.has(rule) && !meeting.some((deny) => isFresh.has(deny))) continue;
    for (const method of rule.listedMethods) {
      const ids = denialOf(rule, method, meeting);
      if (ids !== undefined)
        report(rule, 'path', `can never permit ${method}: ${ids} denies all of it`, places, faults);
    }
  }
}

/** Of two that deny the same, the later one is one too many. */
function makesUseless(other: DenyRule, rule: DenyRule, denies: readonly DenyRule[]): boolean {
  if (!takes(other, rule, [...rule.methods]) || !outlasts(rule, [other])) return false;
  const mutual = takes(rule, other, [...other.methods]) && outlasts(other, [rule]);
  return !mutual || denies.indexOf(other) < denies.indexOf(rule);
}

/** The deny rules that together take every request of the method, as far as that can be proved. */
function denialOf(rule: Rule, method: string, meeting: readonly DenyRule[]): string | undefined {
  const above = meeting.filter((deny) => takes(deny, rule, [method]));
  const always = meeting.filter(
    (deny) => deny.standing.condition === undefined && answers(deny, rule, [method]),
  );
  const denied =
    (above.length > 0 && outlasts(rule, above)) ||
    (always.length > 0 &&
      covers(
        always.map((deny) => deny.pattern),
        rule.pattern,
      ));
  return denied ? [...new Set([...above, ...always])].map((deny) => `"${deny.id}"`).join(', ') : undefined;
}

/** Whether the deny rule answers to the methods, as an upgrade or not. */
function answers(deny: DenyRule, rule: Matching, methods: readonly string[]): boolean {
  const { upgrade } = deny.document;
  return (
    (upgrade === undefined || upgrade === rule.document.upgrade) &&
    methods.every((method) => [...deny.methods].some((known) => known === method))
  );
}

/** Whether the deny rule matches whatever the other one matches. */
function takes(deny: DenyRule, rule: Matching, methods: readonly string[]): boolean {
  return answers(deny, rule, methods) && subsumes(deny.pattern, rule.pattern);
}

/** Whether one of the denials holds whenever the rule's own conditions do. */
function outlasts(rule: Matching, denies: readonly DenyRule[]): boolean {
  const not = denies.map((deny): Node => ({ op: 'not', node: deny.standing.whole() }));
  return satisfy(allOf([rule.standing.whole(), ...not]), []) === undefined;
}

/** Reports roles that the policy does not know, and rules that only a holder of two separate roles could use. */
export function findRoleFaults(
  rules: readonly Matching[],
  declared: Roles | undefined,
  places: Places,
  faults: FaultList,
): void {
  const names = declared?.names ?? new Set<string>();
  const separate = declared?.separate ?? [];
  for (const rule of rules) {
    const { roles, whole } = rule.standing;
    if (roles.length === 0) continue;
    let known = true;
    for (const { name, below } of roles) {
      if (names.has(name)) continue;
      known = false;
      if (rule.pack === undefined) faults.add(`${rule.at}${below}`, unknownRole(names));
      else
        report(
          rule,
          'roles',
          `names the role "${name}", which is not declared under "roles"`,
          places,
          faults,
        );
    }
    if (known && separate.length > 0 && satisfy(whole(), separate) === undefined) {
      const key = rule.document.when === undefined ? 'roles' : 'when';
      report(
        rule,
        key,
        'asks for two roles together that "separate" keeps apart, so that it can never hold',
        places,
        faults,
      );
    }
  }
}
