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
    Object.freeze(this);
  }

  /** The rule of a match that this very policy found; nobody else can make one. */
  static ruleOf(match: RouteMatch, by: PolicySet): Rule | undefined {
    return match instanceof Found && match.#by === by ? match.#rule : undefined;
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
