import type { AnswerPattern, AnswerRules } from '../../contracts/answer-rules.ts';
import type { PolicySet, Route } from '../../contracts/policy.ts';

/** Rules of a route together with those of its policy: of both there are few. */
const joined = new WeakMap<AnswerRules, WeakMap<AnswerRules, AnswerRules>>();

/** What answers of this route mean under this policy; undefined: nothing but what every answer means. */
export function answerRulesOf(route: Route, policy: PolicySet): AnswerRules | undefined {
  const { answers: own } = route;
  const { answers: common } = policy;
  if (own === undefined || common === undefined) return own ?? common;
  let known = joined.get(own);
  if (known === undefined) {
    known = new WeakMap();
    joined.set(own, known);
  }
  let both = known.get(common);
  if (both === undefined) {
    both = Object.freeze({
      hidden: Object.freeze([...own.hidden, ...common.hidden]),
      failed: Object.freeze([...own.failed, ...common.failed]),
      except: new Set([...own.except, ...common.except]),
      maxBytes: own.maxBytes ?? common.maxBytes,
    });
    known.set(common, both);
  }
  return both;
}

/**
 * Bytes up to which an answer has to be held so that its meaning is known before any of it is released; undefined: as
 * much as of any other.
 * @param judged bytes up to which answers are judged
 */
export function heldBytesOf(route: Route, policy: PolicySet, judged: number): number | undefined {
  const rules = answerRulesOf(route, policy);
  if (rules === undefined) return undefined;
  return rules.maxBytes ?? (looksAtBodies(rules) ? judged : undefined);
}

/** Whether a pattern looks at bodies. */
export function looksAtBodies(rules: AnswerRules | undefined): boolean {
  return rules !== undefined && (rules.hidden.some(hasBody) || rules.failed.some(hasBody));
}

const hasBody = ({ body }: AnswerPattern): boolean => body !== undefined;
