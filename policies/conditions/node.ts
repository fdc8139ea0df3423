import type { RequestFacts } from '../../contracts/facts.ts';
import type { Principal } from '../../contracts/principal.ts';

/** What conditions look at. */
export interface Asked {
  readonly facts: RequestFacts;
  readonly principal: Principal;
  /** Wall clock, seconds since the epoch. */
  readonly now: number;
}

/** Kinds of atom; what would help somebody for whom one does not hold depends on it. */
export type AtomKind =
  | 'roles'
  | 'scopes'
  | 'clients'
  | 'home'
  | 'credentials'
  | 'hours'
  | 'addresses'
  | 'sender'
  | 'factor'
  | 'certificate'
  | 'headers';

/**
 * One thing that holds or does not. It is a function of one value of the request, its dimension's; that is what
 * lets the compiler prove that a condition can hold, and that it can fail.
 */
export interface Atom {
  readonly kind: AtomKind;
  /** Atoms of one dimension read the same value. */
  readonly dimension: string;
  /** For reasons and explanations: words of the policy, never of a request. */
  readonly detail: string;
  read(asked: Asked): unknown;
  holds(value: unknown): boolean;
  /** Names that the value is made of, or values at which the answer changes. */
  readonly samples: readonly unknown[];
}

export type Node =
  | { readonly op: 'all' | 'any'; readonly nodes: readonly Node[] }
  | { readonly op: 'not'; readonly node: Node }
  | { readonly op: 'atom'; readonly atom: Atom };

/** What holds always. */
export const ALWAYS: Node = Object.freeze({ op: 'all', nodes: Object.freeze([]) });

export function evaluate(node: Node, truth: (atom: Atom) => boolean): boolean {
  switch (node.op) {
    case 'atom':
      return truth(node.atom);
    case 'not':
      return !evaluate(node.node, truth);
    case 'all':
      for (const each of node.nodes) if (!evaluate(each, truth)) return false;
      return true;
    case 'any':
      for (const each of node.nodes) if (evaluate(each, truth)) return true;
      return false;
  }
}

export function holdsFor(node: Node, asked: Asked): boolean {
  switch (node.op) {
    case 'atom':
      return node.atom.holds(node.atom.read(asked));
    case 'not':
      return !holdsFor(node.node, asked);
    case 'all':
      for (const each of node.nodes) if (!holdsFor(each, asked)) return false;
      return true;
    case 'any':
      for (const each of node.nodes) if (holdsFor(each, asked)) return true;
      return false;
  }
}

/** Every atom, with whether it is wanted not to hold. */
export function atomsOf(
  node: Node,
  negated = false,
): readonly { readonly atom: Atom; readonly negated: boolean }[] {
  if (node.op === 'atom') return [{ atom: node.atom, negated }];
  if (node.op === 'not') return atomsOf(node.node, !negated);
  return node.nodes.flatMap((each) => atomsOf(each, negated));
}

export function allOf(nodes: readonly Node[]): Node {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { op: 'all', nodes };
}
