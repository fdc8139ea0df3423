import type { Method, RequestFacts } from '../contracts/facts.ts';
import type { Route, RouteMatch } from '../contracts/policy.ts';
import type { DenyRule } from './deny.ts';
import { type Matching, methodBit, type Rule } from './rule.ts';
import { Trie } from './trie.ts';

/** What matching looks at. */
export type Asked = Pick<RequestFacts, 'method' | 'path' | 'upgrade'>;

/**
 * Rules that were compiled together: those of a policy, or those of a pack, which every policy that extends it
 * shares.
 */
export class Layer {
  readonly #permits: Trie<Rule>;
  readonly #denials: Trie<DenyRule> | undefined;
  readonly rules: readonly Rule[];
  readonly denies: readonly DenyRule[];
  /** Rules that take another's place: they decide, and are found through that one. */
  readonly inPlace: readonly Rule[];
  #byId: ReadonlyMap<string, Rule | DenyRule> | undefined;
  #asking: readonly Matching[] | undefined;
  #byRoute: ReadonlyMap<Route, Rule> | undefined;

  constructor(rules: readonly Rule[], denies: readonly DenyRule[], inPlace: readonly Rule[] = []) {
    this.rules = rules;
    this.denies = denies;
    this.inPlace = inPlace;
    this.#permits = new Trie(rules.map(matching));
    this.#denials = denies.length === 0 ? undefined : new Trie(denies.map(matching));
  }

  /** Bits of the first segments that some rule or deny rule takes; see `firstBit`. */
  get first(): number {
    return this.#permits.first | (this.#denials?.first ?? 0);
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
  find(asked: Asked, removed?: ReadonlySet<Rule>): Rule | undefined {
    return this.#permits.find(asked.path.segments, permitting, asked, removed);
  }

  /** Every deny rule that answers to the request. */
  denying(asked: Asked): readonly DenyRule[] {
    if (this.#denials === undefined) return NO_DENIALS;
    const found: DenyRule[] = [];
    this.#denials.all(asked.path.segments, denyingTo, asked, found);
    return found;
  }

  /** The rule that a match is of; a match of another layer is of none. */
  ruleOf({ route, index }: RouteMatch): Rule | undefined {
    this.#byRoute ??= new Map(
      [...this.rules, ...this.inPlace].flatMap((rule) => [
        [rule.route, rule],
        [rule.bodyless, rule],
      ]),
    );
    const rule = this.#byRoute.get(route);
    return rule?.index === index ? rule : undefined;
  }
}

const NO_DENIALS: readonly DenyRule[] = Object.freeze([]);

function matching<T extends Matching>(target: T): { readonly pattern: T['pattern']; readonly target: T } {
  return { pattern: target.pattern, target };
}

function listens({ methodBits }: Matching, method: Method): boolean {
  return (methodBits & methodBit(method)) !== 0;
}

function permitting(
  rule: Rule,
  { method, upgrade }: Asked,
  removed: ReadonlySet<Rule> | undefined,
): Rule | undefined {
  return rule.upgrade === upgrade && listens(rule, method) && removed?.has(rule) !== true ? rule : undefined;
}

function denyingTo(rule: DenyRule, { method, upgrade }: Asked, found: DenyRule[]): void {
  if (listens(rule, method) && (rule.upgrade === undefined || rule.upgrade === upgrade)) found.push(rule);
}
