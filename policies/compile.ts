import { createHash } from 'node:crypto';
import type { PointedFault } from '../contracts/errors.ts';
import type { Method } from '../contracts/facts.ts';
import type { PolicySet, RouteMatch } from '../contracts/policy.ts';
import type { PolicyDocument } from '../contracts/settings.ts';
import { withBinding } from './binding.ts';
import { findConflicts } from './conflicts.ts';
import { buildDecider, ROUTE_UNKNOWN } from './decide.ts';
import { mayCarryBody } from './demands.ts';
import { FaultList, wholeNumber } from './faults.ts';
import { compileRule, type Rule } from './rule.ts';
import { Trie } from './trie.ts';

export type CompiledPolicy =
  | { readonly ok: true; readonly policy: PolicySet }
  | { readonly ok: false; readonly faults: readonly PointedFault[] };

export interface PolicyDefaults {
  /** Milliseconds from arrival at which a hidden answer is released when the route does not say. */
  readonly hideDeadlineMs: number;
}

/**
 * Compiles a route table completely or not at all.
 *
 * - The most specific route wins, segment by segment from the left: a literal, a capture limited by
 *   `where`, a free capture, the rest. The order in the file means nothing; two routes of which
 *   neither is the more specific are a fault.
 * - GET implies HEAD. A route with `upgrade` matches only upgrades, one without only requests without.
 *
 * @param name the policy's name in the settings
 * @returns every fault found, with pointers into the document, or the policy
 */
export function compilePolicy(
  name: string,
  document: PolicyDocument,
  defaults: PolicyDefaults,
): CompiledPolicy {
  const faults = new FaultList();
  if (document.routes.length === 0) {
    faults.add('/routes', 'must list at least one route; without any, every request is refused');
  }
  wholeNumber(defaults.hideDeadlineMs, 1, 60_000, '', faults);
  const rules: Rule[] = [];
  const ids = new Map<string, number>();
  document.routes.forEach((route, index) => {
    const first = ids.get(route.id);
    if (first === undefined) ids.set(route.id, index);
    else faults.add(`/routes/${index}/id`, `is the id of /routes/${first} too; every route needs its own`);
    const rule = compileRule(route, index, defaults.hideDeadlineMs, faults);
    if (rule !== undefined) rules.push(rule);
  });
  findConflicts(rules, faults);
  if (faults.size > 0) return { ok: false, faults: faults.list() };
  return { ok: true, policy: buildPolicy(name, digestOf(document), rules) };
}

/** What a path leads to: the rule, as the request's method sees it. */
interface Target {
  readonly rule: Rule;
  /** The whole answer, where the pattern captures nothing. */
  readonly fixed: RouteMatch | undefined;
  readonly bodyless: boolean;
}

function buildPolicy(name: string, digest: string, rules: readonly Rule[]): PolicySet {
  const plain = new Map<Method, Trie<Target>>();
  const upgrades = new Map<Method, Trie<Target>>();
  for (const rule of rules) {
    const tries = rule.route.upgrade === undefined ? plain : upgrades;
    for (const method of rule.methods) {
      const trie = tries.get(method) ?? new Trie<Target>();
      tries.set(method, trie);
      trie.add(rule.pattern, makeTarget(rule, !mayCarryBody(method)));
    }
  }
  const deciders = rules.map((rule) => ({ rule, decide: withBinding(rule.route, buildDecider(rule)) }));

  return Object.freeze({
    name,
    digest,
    routes: Object.freeze(rules.map((rule) => rule.route)),
    match(facts: Parameters<PolicySet['match']>[0]): RouteMatch | undefined {
      const tries = facts.upgrade === undefined ? plain : upgrades;
      const { segments } = facts.path;
      const target = tries.get(facts.method)?.find(segments);
      if (target === undefined) return undefined;
      return target.fixed ?? capture(target, segments);
    },
    decide(facts, match, principal, nowSeconds) {
      if (match === undefined) return ROUTE_UNKNOWN;
      const entry = deciders[match.index];
      // A match of another set (before a reload) means nothing here.
      if (entry === undefined || (entry.rule.route !== match.route && entry.rule.bodyless !== match.route)) {
        return ROUTE_UNKNOWN;
      }
      return entry.decide(facts, match, principal, nowSeconds);
    },
  } satisfies PolicySet);
}

const NOTHING: readonly string[] = Object.freeze([]);

function makeTarget(rule: Rule, bodyless: boolean): Target {
  const route = bodyless ? rule.bodyless : rule.route;
  const fixed =
    rule.captures.length === 0 ? Object.freeze({ route, index: rule.index, captures: NOTHING }) : undefined;
  return { rule, fixed, bodyless };
}

function capture({ rule, bodyless }: Target, segments: readonly string[]): RouteMatch {
  const captures = rule.captures.map(({ position, rest }) =>
    rest ? segments.slice(position).join('/') : (segments[position] ?? ''),
  );
  return { route: bodyless ? rule.bodyless : rule.route, index: rule.index, captures };
}

/** SHA-256 over the routes with their keys in order: the same rules have the same digest, however they were written. */
function digestOf(document: PolicyDocument): string {
  return createHash('sha256').update(canonicalJson(document.routes)).digest('hex');
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
