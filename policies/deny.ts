import type { Decision, Route } from '../contracts/policy.ts';
import type { Reason } from '../contracts/reasons.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { isOpenToDenial } from './conditions/decide.ts';
import type { Asked } from './conditions/node.ts';
import type { FaultList } from './faults.ts';
import { type Pattern, subsumes } from './pattern.ts';
import { type Matching, matchingOf, type Origin, readPath } from './rule.ts';
import { compileStanding } from './standing-rule.ts';

/** A rule that takes away: it permits nothing to anybody. */
export interface DenyRule extends Matching {
  readonly id: string;
  readonly denied: Reason;
  readonly passed: Reason;
}

/** The only keys that say whom and what a rule denies. */
const KEYS: ReadonlySet<string> = new Set([
  'id',
  'effect',
  'methods',
  'path',
  'where',
  'upgrade',
  'roles',
  'when',
]);

export function compileDeny(
  document: RouteDocument,
  origin: Origin,
  faults: FaultList,
): DenyRule | undefined {
  const { at } = origin;
  for (const [key, value] of Object.entries(document)) {
    if (value !== undefined && !KEYS.has(key)) faults.add(`${at}/${key}`, 'has no effect on a deny rule');
  }
  const path = readPath(document, at, faults);
  const standing = compileStanding(document, undefined, at, faults);
  if (!path.sound) return undefined;
  const { id } = document;
  return {
    ...matchingOf(document, origin, path, standing),
    id,
    denied: Object.freeze({ code: 'denied-by-rule', held: false, detail: id }),
    passed: Object.freeze({ code: 'deny-rule-passed', held: true, detail: id }),
  };
}

/**
 * Takes a permit away where one of the rules applies; whatever else it is handed stays.
 * @param matching every deny rule that answers to the request: all of them count, not the most specific alone
 */
export function denyOver(
  decision: Decision,
  matching: readonly DenyRule[],
  permitted: { readonly route: Route; readonly pattern: Pattern },
  asked: Asked,
): Decision {
  if (!isOpenToDenial(decision) || matching.length === 0) return decision;
  const passed: Reason[] = [];
  for (const rule of matching) {
    const { condition } = rule.standing;
    if (condition !== undefined && !condition.holds(asked)) {
      passed.push(rule.passed);
      continue;
    }
    const about = condition?.reasons(asked) ?? [];
    // A rule for some of the paths of a route can name a record: whether there is such a rule must not show.
    const hidden = permitted.route.hide !== 'none' && !subsumes(rule.pattern, permitted.pattern);
    return Object.freeze({
      effect: 'deny',
      denial: hidden ? 'record-hidden' : 'forbidden',
      reasons: Object.freeze([...decision.reasons, ...passed, ...about, rule.denied]),
    });
  }
  if (decision.effect !== 'permit') return decision;
  return Object.freeze({ ...decision, reasons: Object.freeze([...decision.reasons, ...passed]) });
}
