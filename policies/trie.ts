import { type Pattern, type Segment, valuesOf } from './pattern.ts';
import { interned } from './shared.ts';

/**
 * Nodes, one after the other in a single list: of ten thousand tenants each request meets another one, whose rules no
 * cache of the processor holds, so that it counts how many places in memory are looked at. A node is
 *
 * - the number of its slots less one, or -1 without literals;
 * - where the node of a free capture begins, or 0;
 * - what ends here; what takes the rest of the path; nodes by the values of constrained captures, the smaller set first;
 * - its slots, a hash table with open addressing: hash, text, and where that node begins, 0 for an empty one.
 */
type Cell<T> = number | string | T | readonly T[] | undefined | ReadonlyMap<string, readonly number[]>;

const MASK = 0;
const ANY = 1;
const END = 2;
const REST = 3;
const SETS = 4;
const SLOTS = 5;
const SLOT = 3;

interface Item<T> {
  readonly pattern: Pattern;
  readonly target: T;
}

/** What makes something of a target, or goes on; a function of the module, so that asking makes no closure. */
export type Pick<T, A, B, R> = (target: T, asked: A, besides: B) => R | undefined;

/**
 * Segment trie: literal before constrained before free capture before rest, left to right, with
 * backtracking. For a set of patterns that `conflicts` accepts, the first hit is the one pattern that
 * is contained in every other pattern matching the path. A path visits each node at most once, and every step is a
 * hash look-up, so that matching does not grow with the number of routes.
 */
export class Trie<T extends object> {
  readonly #cells: readonly Cell<T>[];
  /** A bit for each first segment that some pattern takes: of most requests it says that there is nothing here. */
  readonly first: number;

  /** Several targets of one pattern are asked in their order. */
  constructor(items: readonly Item<T>[]) {
    const cells: Cell<T>[] = [];
    build(cells, items, 0);
    this.#cells = cells.slice();
    this.first = items.reduce((bits, { pattern }) => bits | firstBits(pattern[0]), 0);
  }

  /** The first that `pick` makes something of, the most specific first. */
  find<A, B, R>(segments: readonly string[], pick: Pick<T, A, B, R>, asked: A, besides: B): R | undefined {
    return search(this.#cells, 0, segments, 0, pick, asked, besides);
  }

  /** Hands over every target whose pattern matches, most specific or not. */
  all<A, B>(
    segments: readonly string[],
    take: (target: T, asked: A, besides: B) => void,
    asked: A,
    besides: B,
  ): void {
    gather(this.#cells, 0, segments, 0, take, asked, besides);
  }
}

/** The bit of a path's first segment, to be compared with `first`; a path without any has one too. */
export function firstBit(segments: readonly string[]): number {
  const [segment] = segments;
  return segment === undefined ? 1 : 1 << (hashOf(segment) & 31);
}

function firstBits(segment: Segment | undefined): number {
  if (segment === undefined) return 1;
  const values = segment.kind === 'rest' ? undefined : valuesOf(segment);
  // Captures take any first segment.
  if (values === undefined) return -1;
  let bits = 0;
  for (const value of values) bits |= 1 << (hashOf(value) & 31);
  return bits;
}

/** Of a segment, at least 0 (FNV-1a). What has the same hash is compared; a path is at most 2 KiB long. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

/** Appends the node of what the items have in common up to `depth`, and those below it; says where it begins. */
function build<T extends object>(cells: Cell<T>[], items: readonly Item<T>[], depth: number): number {
  const literals = new Map<string, Item<T>[]>();
  const any: Item<T>[] = [];
  const sets: { readonly values: ReadonlySet<string>; readonly items: Item<T>[] }[] = [];
  let end: T | readonly T[] | undefined;
  let rest: T | readonly T[] | undefined;
  for (const item of items) {
    const segment = item.pattern[depth];
    if (segment === undefined) end = joined(end, item.target);
    else if (segment.kind === 'rest') rest = joined(rest, item.target);
    else if (segment.kind === 'any') any.push(item);
    else {
      const values = valuesOf(segment) ?? new Set<string>();
      const [only = ''] = values;
      // A capture with a single allowed value is as specific as a literal, and shares its node.
      if (values.size === 1) listOf(literals, only).push(item);
      else setOf(sets, values).push(item);
    }
  }
  const at = cells.length;
  const slots = literals.size === 0 ? 0 : 2 ** Math.ceil(Math.log2(literals.size * 2));
  cells.push(slots - 1, 0, end, rest, undefined);
  for (let i = 0; i < slots; i += 1) cells.push(0, '', 0);
  for (const [text, below] of literals) {
    const hash = hashOf(text);
    let slot = hash & (slots - 1);
    while (cells[at + SLOTS + slot * SLOT + 2] !== 0) slot = (slot + 1) & (slots - 1);
    const cell = at + SLOTS + slot * SLOT;
    cells[cell] = hash;
    cells[cell + 1] = interned(text);
    cells[cell + 2] = build(cells, below, depth + 1);
  }
  if (any.length > 0) cells[at + ANY] = build(cells, any, depth + 1);
  if (sets.length > 0) cells[at + SETS] = bySet(cells, sets, depth);
  return at;
}

/** One node per distinct set of values; by value, those that allow it, the smaller set first. */
function bySet<T extends object>(
  cells: Cell<T>[],
  sets: readonly { readonly values: ReadonlySet<string>; readonly items: readonly Item<T>[] }[],
  depth: number,
): ReadonlyMap<string, readonly number[]> {
  const by = new Map<string, number[]>();
  for (const { values, items } of sets.toSorted((a, b) => a.values.size - b.values.size)) {
    const at = build(cells, items, depth + 1);
    for (const value of values) listOf(by, interned(value)).push(at);
  }
  return by;
}

function listOf<K, V>(map: Map<K, V[]>, key: K): V[] {
  let list = map.get(key);
  if (list === undefined) {
    list = [];
    map.set(key, list);
  }
  return list;
}

function setOf<T>(
  sets: { readonly values: ReadonlySet<string>; readonly items: T[] }[],
  values: ReadonlySet<string>,
): T[] {
  for (const known of sets)
    if (known.values.size === values.size && [...known.values].every((value) => values.has(value)))
      return known.items;
  const items: T[] = [];
  sets.push({ values, items });
  return items;
}

function joined<T>(former: T | readonly T[] | undefined, one: T): T | readonly T[] {
  if (former === undefined) return one;
  return isList(former) ? [...former, one] : [former, one];
}

function isList<T>(one: T | readonly T[]): one is readonly T[] {
  return Array.isArray(one);
}

/** Where the node of a literal begins; 0 when there is none. */
function literalIn<T>(cells: readonly Cell<T>[], node: number, segment: string): number {
  const mask = cells[node + MASK] as number;
  if (mask < 0) return 0;
  const hash = hashOf(segment);
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const cell = node + SLOTS + slot * SLOT;
    const child = cells[cell + 2] as number;
    // A table is half empty at least, so that this ends.
    if (child === 0 || (cells[cell] === hash && cells[cell + 1] === segment)) return child;
  }
}

function search<T extends object, A, B, R>(
  cells: readonly Cell<T>[],
  node: number,
  segments: readonly string[],
  depth: number,
  pick: Pick<T, A, B, R>,
  asked: A,
  besides: B,
): R | undefined {
  const segment = segments[depth];
  if (segment === undefined) return pickFrom(cells[node + END] as T | undefined, pick, asked, besides);
  const literal = literalIn(cells, node, segment);
  if (literal !== 0) {
    const hit = search(cells, literal, segments, depth + 1, pick, asked, besides);
    if (hit !== undefined) return hit;
  }
  const sets = cells[node + SETS] as ReadonlyMap<string, readonly number[]> | undefined;
  if (sets !== undefined) {
    for (const child of sets.get(segment) ?? NONE) {
      const hit = search(cells, child, segments, depth + 1, pick, asked, besides);
      if (hit !== undefined) return hit;
    }
  }
  const any = cells[node + ANY] as number;
  if (any !== 0 && segment !== '') {
    const hit = search(cells, any, segments, depth + 1, pick, asked, besides);
    if (hit !== undefined) return hit;
  }
  return pickFrom(cells[node + REST] as T | undefined, pick, asked, besides);
}

const NONE: readonly number[] = Object.freeze([]);

function pickFrom<T extends object, A, B, R>(
  targets: T | readonly T[] | undefined,
  pick: Pick<T, A, B, R>,
  asked: A,
  besides: B,
): R | undefined {
  if (targets === undefined) return undefined;
  if (!isList(targets)) return pick(targets, asked, besides);
  for (const target of targets) {
    const picked = pick(target, asked, besides);
    if (picked !== undefined) return picked;
  }
  return undefined;
}

function gather<T extends object, A, B>(
  cells: readonly Cell<T>[],
  node: number,
  segments: readonly string[],
  depth: number,
  take: (target: T, asked: A, besides: B) => void,
  asked: A,
  besides: B,
): void {
  const segment = segments[depth];
  if (segment === undefined) {
    takeAll(cells[node + END] as T | undefined, take, asked, besides);
    return;
  }
  takeAll(cells[node + REST] as T | undefined, take, asked, besides);
  const literal = literalIn(cells, node, segment);
  if (literal !== 0) gather(cells, literal, segments, depth + 1, take, asked, besides);
  const sets = cells[node + SETS] as ReadonlyMap<string, readonly number[]> | undefined;
  if (sets !== undefined) {
    for (const child of sets.get(segment) ?? NONE)
      gather(cells, child, segments, depth + 1, take, asked, besides);
  }
  const any = cells[node + ANY] as number;
  if (any !== 0 && segment !== '') gather(cells, any, segments, depth + 1, take, asked, besides);
}

function takeAll<T extends object, A, B>(
  targets: T | readonly T[] | undefined,
  take: (target: T, asked: A, besides: B) => void,
  asked: A,
  besides: B,
): void {
  if (targets === undefined) return;
  if (!isList(targets)) take(targets, asked, besides);
  else for (const target of targets) take(target, asked, besides);
}
