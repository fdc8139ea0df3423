import { type Pattern, valuesOf } from './pattern.ts';

/**
 * One node per distinct prefix of the patterns. A path visits each node at most once, and every step is a hash
 * look-up, so that matching does not grow with the number of routes. What a node does not have costs nothing: ten
 * thousand tenants have many of them.
 */
interface Node<T> {
  literals: Map<string, Node<T>> | undefined;
  /** Constrained captures: one child per distinct set of values, the smaller set first. */
  sets: { readonly values: ReadonlySet<string>; readonly node: Node<T> }[] | undefined;
  /** The same by value. */
  constrained: Map<string, readonly Node<T>[]> | undefined;
  any: Node<T> | undefined;
  rest: T | undefined;
  end: T | undefined;
}

function emptyNode<T>(): Node<T> {
  return {
    literals: undefined,
    sets: undefined,
    constrained: undefined,
    any: undefined,
    rest: undefined,
    end: undefined,
  };
}

/**
 * Segment trie: literal before constrained before free capture before rest, left to right, with
 * backtracking. For a set of patterns that `conflicts` accepts, the first hit is the one pattern that
 * is contained in every other pattern matching the path.
 */
export class Trie<T> {
  readonly #root: Node<T> = emptyNode();

  /** Puts what `change` makes of the pattern's target in its place. */
  update(pattern: Pattern, change: (former: T | undefined) => T): void {
    let node = this.#root;
    for (const segment of pattern) {
      if (segment.kind === 'rest') {
        node.rest = change(node.rest);
        return;
      }
      if (segment.kind === 'literal') node = literalChild(node, segment.text);
      else if (segment.kind === 'any') {
        node.any ??= emptyNode();
        node = node.any;
      } else {
        const values = valuesOf(segment) ?? new Set();
        const [only = ''] = values;
        // A capture with a single allowed value is as specific as a literal, and shares its node.
        node = values.size === 1 ? literalChild(node, only) : constrainedChild(node, values);
      }
    }
    node.end = change(node.end);
  }

  /** The first that `pick` makes something of, the most specific first. */
  find<R>(segments: readonly string[], pick: (target: T) => R | undefined): R | undefined {
    return search(this.#root, segments, 0, pick);
  }

  /** Every target whose pattern matches, most specific or not. */
  all(segments: readonly string[]): readonly T[] {
    const found: T[] = [];
    gather(this.#root, segments, 0, found);
    return found;
  }
}

function literalChild<T>(node: Node<T>, text: string): Node<T> {
  node.literals ??= new Map();
  let child = node.literals.get(text);
  if (child === undefined) {
    child = emptyNode();
    node.literals.set(text, child);
  }
  return child;
}

function constrainedChild<T>(node: Node<T>, values: ReadonlySet<string>): Node<T> {
  node.sets ??= [];
  node.constrained ??= new Map();
  const { sets, constrained } = node;
  for (const known of sets) {
    if (known.values.size === values.size && [...known.values].every((value) => values.has(value)))
      return known.node;
  }
  const child = emptyNode<T>();
  sets.push({ values, node: child });
  sets.sort((a, b) => a.values.size - b.values.size);
  for (const value of values) {
    constrained.set(
      value,
      sets.filter((set) => set.values.has(value)).map((set) => set.node),
    );
  }
  return child;
}

function search<T, R>(
  node: Node<T>,
  segments: readonly string[],
  depth: number,
  pick: (target: T) => R | undefined,
): R | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.end === undefined ? undefined : pick(node.end);
  const literal = node.literals?.get(segment);
  if (literal !== undefined) {
    const hit = search(literal, segments, depth + 1, pick);
    if (hit !== undefined) return hit;
  }
  const constrained = node.constrained?.get(segment);
  if (constrained !== undefined) {
    for (const child of constrained) {
      const hit = search(child, segments, depth + 1, pick);
      if (hit !== undefined) return hit;
    }
  }
  if (node.any !== undefined && segment !== '') {
    const hit = search(node.any, segments, depth + 1, pick);
    if (hit !== undefined) return hit;
  }
  return node.rest === undefined ? undefined : pick(node.rest);
}

function gather<T>(node: Node<T>, segments: readonly string[], depth: number, found: T[]): void {
  const segment = segments[depth];
  if (segment === undefined) {
    if (node.end !== undefined) found.push(node.end);
    return;
  }
  if (node.rest !== undefined) found.push(node.rest);
  const literal = node.literals?.get(segment);
  if (literal !== undefined) gather(literal, segments, depth + 1, found);
  for (const child of node.constrained?.get(segment) ?? []) gather(child, segments, depth + 1, found);
  if (node.any !== undefined && segment !== '') gather(node.any, segments, depth + 1, found);
}
