/** Columns of the table: byte values that no needle has in it share one. A power of two, so that a row is a shift. */
const COLUMNS_SHIFT = 6;
const COLUMNS = 1 << COLUMNS_SHIFT;

interface Node {
  readonly next: Map<number, Node>;
  readonly ends: number[];
  link: Node | undefined;
  id: number;
}

const node = (): Node => ({ next: new Map(), ends: [], link: undefined, id: 0 });

/** A-Z as a-z; every other byte is itself. */
function folded(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/**
 * Finds many texts at once in one pass over bytes (Aho and Corasick, 1975), without regard to the case of ASCII
 * letters. As a complete automaton in one table: each byte costs two look-ups, whatever the needles and whatever the
 * bytes are, and a text that is cut into parts is read on from the state that the part before ended in.
 */
export class Automaton {
  readonly #columns = new Uint8Array(256);
  readonly #next: Uint16Array;
  /** The first state in which something ends; the numbers are given out so that all of these come last. */
  readonly #first: number;
  readonly #ends: readonly (readonly number[])[];

  /** @param needles each a string of bytes (latin1), at least one byte long; together at most 65,000 bytes */
  constructor(needles: readonly string[]) {
    const columns = this.#columns;
    let used = 0;
    for (const needle of needles) {
      for (const byte of Buffer.from(needle, 'latin1')) {
        if (columns[folded(byte)] !== 0) continue;
        used += 1;
        // Rare bytes share the last column: a text of theirs is then found too often, and told apart by its proof.
        columns[folded(byte)] = Math.min(used, COLUMNS - 1);
      }
    }
    for (let letter = 0x41; letter <= 0x5a; letter += 1) columns[letter] = columns[letter | 0x20] as number;
    const ordered = linked(trieOf(needles, columns));
    const quiet = ordered.filter(({ ends }) => ends.length === 0);
    const loud = ordered.filter(({ ends }) => ends.length > 0);
    [...quiet, ...loud].forEach((each, id) => {
      each.id = id;
    });
    this.#first = quiet.length;
    this.#ends = loud.map(({ ends }) => ends);
    this.#next = new Uint16Array(ordered.length << COLUMNS_SHIFT);
    // Shorter ones first: what a state does not know, the longest shorter one has been told already.
    for (const each of ordered) {
      const row = each.id << COLUMNS_SHIFT;
      if (each.link !== undefined) {
        const from = each.link.id << COLUMNS_SHIFT;
        this.#next.copyWithin(row, from, from + COLUMNS);
      }
      for (const [column, child] of each.next) this.#next[row + column] = child.id;
    }
  }

  /**
   * Reads on.
   * @param state 0, or what the part before returned
   * @param hit called with a needle and where in these bytes it has ended; true ends the reading
   * @returns the state; -1 when `hit` ended it
   */
  read(bytes: Uint8Array, state: number, hit: (needle: number, end: number) => boolean): number {
    const columns = this.#columns;
    const next = this.#next;
    const first = this.#first;
    const { length } = bytes;
    let at = state;
    for (let i = 0; i < length; i += 1) {
      at = next[(at << COLUMNS_SHIFT) | (columns[bytes[i] as number] as number)] as number;
      if (at < first) continue;
      for (const needle of this.#ends[at - first] ?? []) if (hit(needle, i + 1)) return -1;
    }
    return at;
  }
}

function trieOf(needles: readonly string[], columns: Uint8Array): Node {
  const root = node();
  needles.forEach((needle, index) => {
    let at = root;
    for (const byte of Buffer.from(needle, 'latin1')) {
      const column = columns[folded(byte)] as number;
      let child = at.next.get(column);
      if (child === undefined) {
        child = node();
        at.next.set(column, child);
      }
      at = child;
    }
    at.ends.push(index);
  });
  return root;
}

/** Every node, shorter ones first, each with the longest other one that ends as it does. */
function linked(root: Node): readonly Node[] {
  const ordered = [root];
  for (const at of ordered) {
    for (const [column, child] of at.next) {
      let link = at.link;
      while (link !== undefined && !link.next.has(column)) link = link.link;
      child.link = link?.next.get(column) ?? root;
      child.ends.push(...child.link.ends);
      ordered.push(child);
    }
  }
  return ordered;
}
