import type { FaultList } from './faults.ts';
import { covers, intersect, overlap, subsumes } from './pattern.ts';
import type { Rule } from './rule.ts';

/**
 * Reports every rule that competes with another. Among the rules that remain, the ones that match a
 * path always include one that is contained in all the others, and that one decides.
 */
export function findConflicts(rules: readonly Rule[], faults: FaultList): void {
  for (const later of rules) {
    const competitors = rules.filter((other) => other !== later && overlap(other.pattern, later.pattern));
    for (const earlier of competitors) {
      if (earlier.index > later.index) break;
      const methods = sharedMethods(earlier, later);
      if (methods.length > 0) comparePair(earlier, later, methods, competitors, faults);
    }
    findUnreachable(later, competitors, faults);
  }
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
  faults: FaultList,
): void {
  const both = intersect(earlier.pattern, later.pattern);
  if (both === undefined) return;
  const laterInside = subsumes(earlier.pattern, later.pattern);
  const earlierInside = subsumes(later.pattern, earlier.pattern);
  const name = `route "${earlier.route.id}" (${earlier.path})`;
  // HEAD alone is shared when one lists GET and the other HEAD.
  const why = methods.length === 1 && methods[0] === 'HEAD' ? 'HEAD; GET implies HEAD' : methods.join(', ');
  if (laterInside && earlierInside) {
    faults.add(`/routes/${later.index}/path`, `matches exactly what ${name} matches already (${why})`);
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
    faults.add(
      `/routes/${later.index}/path`,
      `is ambiguous with ${name}: some paths match both and neither is the more specific (${why}); limit one with "where", or add a route for exactly the paths they share`,
    );
  }
}

/** A rule whose every path has a more specific rule never decides anything. */
function findUnreachable(rule: Rule, competitors: readonly Rule[], faults: FaultList): void {
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
      faults.add(
        `/routes/${rule.index}/path`,
        `can never match for ${method}: more specific routes (${ids}) take every path of it`,
      );
    }
  }
}
