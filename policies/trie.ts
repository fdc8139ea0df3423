import { type Pattern, valuesOf } from './pattern.ts';

/**
 * One node per distinct prefix of the patterns of one method. A path visits each node at most once,
 * and every step is a hash look-up, so that matching does not grow with the number of routes.
 */
interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  /** Constrained captures while building: one child per distinct set of values. */
  readonly sets: { readonly values: ReadonlySet<string>; readonly node: Node<T> }[];
  /** The same by value, the smaller set first. */
  readonly constrained: Map<string, Node<T>[]>;
  any: Node<T> | undefined;
  rest: T | undefined;
  end: T | undefined;
}

function emptyNode<T>(): Node<T> {
  return {
    literals: new Map(),
    sets: [],
    constrained: new Map(),
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

  add(pattern: Pattern, target: T): void {
    let node = this.#root;
    for (const segment of pattern) {
      if (segment.kind === 'rest') {
        node.rest = target;
        return;
      }
      const values = valuesOf(segment);
      if (values === undefined) {
        node.any ??= emptyNode();
        node = node.any;
      } else node = values.size === 1 ? literalChild(node, values) : constrainedChild(node, values);
    }
    node.end = target;
  }

  find(segments: readonly string[]): T | undefined {
    return search(this.#root, segments, 0);
  }
}

/** A capture with a single allowed value is as specific as a literal, and shares its node. */
function literalChild<T>(node: Node<T>, values: ReadonlySet<string>): Node<T> {
  const [text = ''] = values;
  let child = node.literals.get(text);
  if (child === undefined) {
    child = emptyNode();
    node.literals.set(text, child);
  }
  return child;
}

function constrainedChild<T>(node: Node<T>, values: ReadonlySet<string>): Node<T> {
  for (const known of node.sets) {
    if (known.values.size === values.size && [...known.values].every((value) => values.has(value)))
      return known.node;
  }
  const child = emptyNode<T>();
  node.sets.push({ values, node: child });
  node.sets.sort((a, b) => a.values.size - b.values.size);
  for (const value of values) {
    node.constrained.set(
      value,
      node.sets.filter((set) => set.values.has(value)).map((set) => set.node),
    );
  }
  return child;
}

function search<T>(node: Node<T>, segments: readonly string[], depth: number): T | undefined {
  const segment = segments[depth];
  if (segment === undefined) return node.end;
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const hit = search(literal, segments, depth + 1);
    if (hit !== undefined) return hit;
  }
  const constrained = node.constrained.get(segment);
  if (constrained !== undefined) {
    for (const child of constrained) {
      const hit = search(child, segments, depth + 1);
      if (hit !== undefined) return hit;
    }
  }
  if (node.any !== undefined && segment !== '') {
    const hit = search(node.any, segments, depth + 1);
    if (hit !== undefined) return hit;
  }
  return node.rest;
}
