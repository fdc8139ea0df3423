import type { RequestFacts } from '../contracts/facts.ts';
import type { Decision, PolicySet, Route, RouteMatch } from '../contracts/policy.ts';
import { withBinding } from './binding.ts';
import { under } from './conditions/decide.ts';
import { buildDecider, type Decider } from './decide.ts';
import { mayCarryBody } from './demands.ts';
import type { DenyRule } from './deny.ts';
import type { Matching, Rule } from './rule.ts';
import { withSharing } from './sharing.ts';
import { Trie } from './trie.ts';

type Asked = Pick<RequestFacts, 'method' | 'path' | 'upgrade'>;

/**
 * Rules that were compiled together: those of a policy, or those of a pack, which every policy that extends it
 * shares.
 */
export class Layer {
  readonly rules: readonly Rule[];
  readonly denies: readonly DenyRule[];
  /** Rules that take another's place: they decide, and are found through that one. */
  readonly inPlace: readonly Rule[];
  /** Several rules of one pattern differ in their methods. */
  readonly #permits = new Trie<readonly Rule[]>();
  readonly #denials: Trie<readonly DenyRule[]> | undefined;
  #byId: ReadonlyMap<string, Rule | DenyRule> | undefined;
  #asking: readonly Matching[] | undefined;
  #entries: ReadonlyMap<Route, Entry> | undefined;

  constructor(rules: readonly Rule[], denies: readonly DenyRule[], inPlace: readonly Rule[] = []) {
    this.rules = rules;
    this.denies = denies;
    this.inPlace = inPlace;
    for (const rule of rules) this.#permits.update(rule.pattern, (former) => joined(former, rule));
    this.#denials = denies.length === 0 ? undefined : new Trie();
    for (const rule of denies) this.#denials?.update(rule.pattern, (former) => joined(former, rule));
  }

  /** Rules that ask for roles, which the policy must then declare. */
  get asking(): readonly Matching[] {
    this.#asking ??= [...this.rules, ...this.denies].filter((rule) => rule.standing.roles.length > 0);
    return this.#asking;
  }

  byId(id: string): Rule | DenyRule | undefined {
    this.#byId ??= new Map([...this.rules, ...this.denies].map((rule) => [rule.document.id, rule]));
    return this.#byId.get(id);
  }

  /** The most specific rule of those that are not removed. */
  find({ method, path, upgrade }: Asked, removed?: ReadonlySet<Rule>): Rule | undefined {
    return this.#permits.find(path.segments, (rules) => {
      for (const rule of rules) {
        if (rule.route.upgrade === upgrade && rule.methods.has(method) && removed?.has(rule) !== true)
          return rule;
      }
      return undefined;
    });
  }

  /** Every deny rule that answers to the request. */
  denying({ method, path, upgrade }: Asked): readonly DenyRule[] {
    if (this.#denials === undefined) return NO_DENIALS;
    return this.#denials
      .all(path.segments)
      .flat()
      .filter((rule) => {
        const only = rule.document.upgrade;
        return rule.methods.has(method) && (only === undefined || only === upgrade);
      });
  }

  /** The rule that a match is of, and how it decides; a match of another layer is of none. */
  entryOf({ route, index }: RouteMatch): Entry | undefined {
    this.#entries ??= new Map(
      [...this.rules, ...this.inPlace].flatMap((rule) => {
        const entry = new Entry(rule);
        return [
          [rule.route, entry],
          [rule.bodyless, entry],
        ];
      }),
    );
    const entry = this.#entries.get(route);
    return entry?.rule.index === index ? entry : undefined;
  }
}

/** A rule and its decider, which is built when it decides for the first time: most rules of most tenants never do. */
export class Entry {
  readonly rule: Rule;
  #decide: Decider | undefined;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  get decide(): Decider {
    const { rule } = this;
    this.#decide ??= withBinding(rule.route, withStanding(rule, withSharing(rule, buildDecider(rule))));
    return this.#decide;
  }
}

const NO_DENIALS: readonly DenyRule[] = Object.freeze([]);

function joined<T>(former: readonly T[] | undefined, one: T): readonly T[] {
  return former === undefined ? [one] : [...former, one];
}

/** From the inside out: scopes and patient, consent, roles and conditions, the connection. */
function withStanding(rule: Rule, decide: Decider): Decider {
  const { condition } = rule.standing;
  if (condition === undefined) return decide;
  return (facts, match, principal, now, context, self?: PolicySet): Decision =>
    under(condition, decide(facts, match, principal, now, context, self), { facts, principal, now });
}

const NOTHING: readonly string[] = Object.freeze([]);

/** A rule as the request sees it, with what its pattern captured. */
export function matchOf(rule: Rule, { method, path: { segments } }: Asked): RouteMatch {
  const captures =
    rule.captures.length === 0
      ? NOTHING
      : rule.captures.map(({ position, rest }) =>
          rest ? segments.slice(position).join('/') : (segments[position] ?? ''),
        );
  return { route: mayCarryBody(method) ? rule.route : rule.bodyless, index: rule.index, captures };
}
