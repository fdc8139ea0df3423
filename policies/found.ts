import type { PolicySet, Route, RouteMatch } from '../contracts/policy.ts';
import { mayCarryBody } from './demands.ts';
import type { Asked } from './layer.ts';
import type { Capture, Rule } from './rule.ts';

/** A match that knows which policy found it, and by which rule: nothing has to be looked up when it decides. */
export class Found implements RouteMatch {
  readonly route: Route;
  readonly index: number;
  readonly captures: readonly string[];
  readonly #by: PolicySet;
  readonly #rule: Rule;

  constructor(by: PolicySet, rule: Rule, { method, path }: Asked) {
    this.route = mayCarryBody(method) ? rule.route : rule.bodyless;
    this.index = rule.index;
    this.captures = captured(rule, path.segments);
    this.#by = by;
    this.#rule = rule;
  }

  /** The rule of a match that this very policy found, and that is as it was. */
  static ruleOf(match: RouteMatch, by: PolicySet): Rule | undefined {
    if (!(match instanceof Found) || match.#by !== by) return undefined;
    const rule = match.#rule;
    const same = match.route === rule.route || match.route === rule.bodyless;
    return same && match.index === rule.index ? rule : undefined;
  }
}

const NOTHING: readonly string[] = Object.freeze([]);

function captured({ captures }: Rule, segments: readonly string[]): readonly string[] {
  const first = captures[0];
  if (first === undefined) return NOTHING;
  if (captures.length === 1) return [textOf(first, segments)];
  return captures.map((capture) => textOf(capture, segments));
}

function textOf({ position, rest }: Capture, segments: readonly string[]): string {
  return rest ? segments.slice(position).join('/') : (segments[position] ?? '');
}
