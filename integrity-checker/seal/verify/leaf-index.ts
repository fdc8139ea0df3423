import { SEALED_TABLES, type SealedTable } from '../../../audit-sql/fingerprint/index.ts';
import { perTable } from '../checkpoint.ts';
import { decodeLeaf, LEAF_BYTES } from '../leaf.ts';
import type { LeafFiles } from '../store-files.ts';

/** Leaves in one block. */
const BLOCK = 65_536;
/** Blocks held at a time: ids nearly ascend, so neighbours in id lie in few blocks. */
const HELD = 12;

/** A sealed row and its place in the log. */
export interface PlacedLeaf {
  readonly id: number;
  readonly hash: Buffer;
  /** From 0. */
  readonly index: number;
}

interface Span {
  first: number;
  last: number;
}

/**
 * Finds leaves by id without holding them all: of each block only the lowest and highest id of each table are
 * kept, 48 bytes for 65,536 rows.
 */
export class LeafIndex {
  readonly #files: LeafFiles | undefined;
  readonly #spans: Record<SealedTable, Span | undefined>[] = [];
  readonly #held = new Map<number, Record<SealedTable, readonly PlacedLeaf[]>>();
  #size = 0;

  constructor(files: LeafFiles | undefined) {
    this.#files = files;
  }

  /** Takes note of a leaf; all of them, in order. */
  add(bytes: Buffer, offset: number, index: number): void {
    const number = bytes.readUInt8(offset);
    const table = SEALED_TABLES[number - 1];
    this.#size = index + 1;
    const block = Math.floor(index / BLOCK);
    this.#spans[block] ??= perTable(() => undefined);
    const spans = this.#spans[block];
    // What is no leaf was found by its digest already.
    if (table === undefined || spans === undefined) return;
    const id = Number(bytes.readBigUInt64BE(offset + 1));
    const span = spans[table];
    if (span === undefined) spans[table] = { first: id, last: id };
    else {
      span.first = Math.min(span.first, id);
      span.last = Math.max(span.last, id);
    }
  }

  /** Leaves of a table from one id to another, both included, by id. */
  async within(table: SealedTable, first: number, last: number): Promise<readonly PlacedLeaf[]> {
    const found: PlacedLeaf[] = [];
    for (const [block, spans] of this.#spans.entries()) {
      const span = spans[table];
      if (span === undefined || span.last < first || span.first > last) continue;
      const leaves = (await this.#load(block))[table];
      for (let at = lowerBound(leaves, first); at < leaves.length; at++) {
        const leaf = leaves[at];
        if (leaf === undefined || leaf.id > last) break;
        found.push(leaf);
      }
    }
    return found.sort((a, b) => a.id - b.id);
  }

  async #load(block: number): Promise<Record<SealedTable, readonly PlacedLeaf[]>> {
    const held = this.#held.get(block);
    if (held !== undefined) {
      this.#held.delete(block);
      this.#held.set(block, held);
      return held;
    }
    const start = block * BLOCK;
    const count = Math.min(BLOCK, this.#size - start);
    const bytes = (await this.#files?.read(start, count)) ?? Buffer.alloc(0);
    const lists = perTable((): PlacedLeaf[] => []);
    for (let offset = 0; offset < bytes.length; offset += LEAF_BYTES) {
      if (SEALED_TABLES[bytes.readUInt8(offset) - 1] === undefined) continue;
      const { table, id, hash } = decodeLeaf(bytes, offset);
      lists[table].push({ id, hash, index: start + offset / LEAF_BYTES });
    }
    for (const table of SEALED_TABLES) lists[table].sort((a, b) => a.id - b.id);
    const oldest = this.#held.keys().next().value;
    if (this.#held.size >= HELD && oldest !== undefined) this.#held.delete(oldest);
    this.#held.set(block, lists);
    return lists;
  }
}

/** The first place whose id is not below `id`. */
function lowerBound(leaves: readonly PlacedLeaf[], id: number): number {
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((leaves[middle]?.id ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
