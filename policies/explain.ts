import type { RequestFacts } from '../contracts/facts.ts';
import type { Decision, DecisionContext, PolicySet } from '../contracts/policy.ts';
import type { Principal } from '../contracts/principal.ts';
import type { Asked, Node } from './conditions/node.ts';
import { holdsFor } from './conditions/node.ts';
import { matches } from './pattern.ts';
import { deniesOf, type Parts, rulesOf } from './policy-set.ts';
import type { Matching } from './rule.ts';

/** A line of a condition, indented by how deep it lies. */
export interface ConditionLine {
  readonly depth: number;
  readonly text: string;
  readonly held: boolean;
}

/** A rule whose path is the request's, and what came of it. */
export interface Candidate {
  readonly id: string;
  readonly effect: 'permit' | 'deny';
  readonly methods: readonly string[];
  readonly path: string;
  readonly pack: string | undefined;
  readonly outcome:
    | 'chosen'
    | 'less-specific'
    | 'other-method'
    | 'other-upgrade'
    | 'spelling'
    | 'applies'
    | 'does-not-apply';
  /** Of those that answer to the request. */
  readonly conditions: readonly ConditionLine[];
}

/** The way to a decision. */
export interface Explanation {
  readonly decision: Decision;
  readonly route: string | undefined;
  readonly candidates: readonly Candidate[];
  /** Scopes that come from the principal's roles. */
  readonly scopesOfRoles: readonly string[];
}

/**
 * Decides as the gateway would, and tells how it came to that. For people: it looks at every rule, one by one.
 * @param now wall clock, seconds since the epoch
 */
export function explain(
  policy: PolicySet,
  parts: Parts,
  facts: RequestFacts,
  principal: Principal,
  now: number,
  context?: DecisionContext,
): Explanation {
  const match = policy.match(facts);
  const decision = policy.decide(facts, match, principal, now, context);
  const widened = parts.roles?.withScopes(principal) ?? principal;
  const asked: Asked = { facts, principal: widened, now };
  const onPath = (rule: Matching) => matches(rule.pattern, facts.path.segments);
  const permits = rulesOf(parts)
    .filter(onPath)
    .map((rule): Candidate => {
      const chosen = match !== undefined && (match.route === rule.route || match.route === rule.bodyless);
      const outcome = chosen ? 'chosen' : (unanswered(rule, facts) ?? (match ? 'less-specific' : 'spelling'));
      return candidate(rule, 'permit', outcome, chosen ? asked : undefined);
    });
  const denies = deniesOf(parts)
    .filter(onPath)
    .map((rule): Candidate => {
      const unfit = unanswered(rule, facts);
      const applies = rule.standing.condition?.holds(asked) ?? true;
      const outcome = unfit ?? (applies ? 'applies' : 'does-not-apply');
      return candidate(rule, 'deny', outcome, unfit === undefined ? asked : undefined);
    });
  return {
    decision,
    route: match?.route.id,
    candidates: [...permits, ...denies],
    scopesOfRoles:
      widened === principal ? [] : [...widened.scopes].filter((scope) => !principal.scopes.has(scope)),
  };
}

function unanswered(rule: Matching, facts: RequestFacts): 'other-method' | 'other-upgrade' | undefined {
  if (!rule.methods.has(facts.method)) return 'other-method';
  const { upgrade, effect } = rule.document;
  if (effect === 'deny' && upgrade === undefined) return undefined;
  return upgrade === facts.upgrade ? undefined : 'other-upgrade';
}

function candidate(
  rule: Matching,
  effect: Candidate['effect'],
  outcome: Candidate['outcome'],
  asked: Asked | undefined,
): Candidate {
  const { condition } = rule.standing;
  return {
    id: rule.document.id,
    effect,
    methods: [...rule.methods],
    path: rule.path,
    pack: rule.pack,
    outcome,
    conditions: condition === undefined || asked === undefined ? [] : lines(condition.node, asked, 0),
  };
}

function lines(node: Node, asked: Asked, depth: number): readonly ConditionLine[] {
  const held = holdsFor(node, asked);
  switch (node.op) {
    case 'atom':
      return [{ depth, text: node.atom.detail, held }];
    case 'not':
      return [{ depth, text: 'not', held }, ...lines(node.node, asked, depth + 1)];
    default:
      return [{ depth, text: node.op, held }, ...node.nodes.flatMap((each) => lines(each, asked, depth + 1))];
  }
}
