import { createHash } from 'node:crypto';
import { BEFORE_FIRST_ID, SEALED_TABLES, type SealedTable } from '../../audit-sql/fingerprint/index.ts';
import { type Checkpoint, type IdRange, NO_TABLES, perTable, type TableState } from './checkpoint.ts';
import { decodeLeaf, encodeLeaves, LEAF_BYTES, type Leaf } from './leaf.ts';
import { PendingIds } from './pending.ts';
import type { HashedRow } from './rows.ts';
import type { SealStore } from './store.ts';
import { broken } from './store-files.ts';

/** What one reading of a table brought that is not sealed yet. */
export interface Fresh {
  /** Whether every open id was looked for. */
  readonly complete: boolean;
  /** At or below the head, of ids that were open; ascending. */
  readonly late: readonly HashedRow[];
  /** Above the head; ascending. */
  readonly next: readonly HashedRow[];
}

const LEAVES_AT_ONCE = 8_192;

/** Consecutive numbers as ranges. */
function rangesOf(ids: readonly number[]): readonly IdRange[] {
  const ranges: [number, number][] = [];
  for (const id of ids) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === id) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges;
}

/** What is sealed of each table and what may still come, taken up from a store. */
export class SealState {
  readonly pending: Readonly<Record<SealedTable, PendingIds>>;
  readonly #heads: Record<SealedTable, Leaf | undefined>;
  readonly #places: Record<SealedTable, number | undefined>;
  readonly #store: SealStore;

  private constructor(
    store: SealStore,
    pending: Record<SealedTable, PendingIds>,
    heads: Record<SealedTable, Leaf | undefined>,
  ) {
    this.#store = store;
    this.pending = pending;
    this.#heads = heads;
    this.#places = perTable((table) => store.last?.tables[table].at);
  }

  /**
   * @param now monotonic milliseconds
   * @throws ChartgateError `seal-broken` when checkpoint and leaves contradict each other
   */
  static async recover(store: SealStore, now: number): Promise<SealState> {
    const tables = store.last?.tables ?? NO_TABLES;
    const pending = perTable((table) => new PendingIds(tables[table].settled));
    const heads = perTable((): Leaf | undefined => undefined);
    for (const table of SEALED_TABLES) {
      const { head, at, open } = tables[table];
      if (open !== undefined) {
        pending[table].advance(await idsFrom(store, table, open, pending[table].head), now, open);
      }
      if (pending[table].head !== head) throw broken(`The store lacks leaves of ${table}.`);
      if (at === undefined) continue;
      const leaf = decodeLeaf(await store.leaves.read(at, 1), 0);
      if (leaf.table !== table || leaf.id !== head) throw broken(`The last leaf of ${table} is another.`);
      heads[table] = leaf;
    }
    return new SealState(store, pending, heads);
  }

  /** The sealed row with the highest id. */
  head(table: SealedTable): Leaf | undefined {
    return this.#heads[table];
  }

  /**
   * Seals what was read and signs a checkpoint; does nothing when nothing is new. After an error the store
   * must be opened and its state recovered anew.
   * @param fresh of each table
   * @param writing transactions that wrote, as listed before `fresh` was read; undefined when that is not known
   */
  async seal(
    fresh: Readonly<Record<SealedTable, Fresh>>,
    writing: ReadonlySet<string> | undefined,
    now: number,
  ): Promise<Checkpoint | undefined> {
    const before = this.#store.size;
    const leaves: Leaf[] = [];
    for (const table of SEALED_TABLES) {
      const { late, next, complete } = fresh[table];
      const pending = this.pending[table];
      for (const { id } of late) pending.fill(id);
      if (complete && writing !== undefined) pending.settle(writing, now);
      pending.advance(
        next.map(({ id }) => id),
        now,
        before,
      );
      // Late ones are below the head that there was, the others above it: together they ascend.
      for (const { id, hash } of [...late, ...next]) leaves.push({ table, id, hash });
      if (next.length > 0) {
        this.#heads[table] = leaves.at(-1);
        this.#places[table] = before + leaves.length - 1;
      }
    }
    const tables = perTable((table) => this.#stateOf(table, fresh[table].late));
    const last = this.#store.last?.tables ?? NO_TABLES;
    if (
      leaves.length === 0 &&
      SEALED_TABLES.every((table) => tables[table].settled === last[table].settled)
    ) {
      return undefined;
    }
    const digest = createHash('sha256').update(encodeLeaves(leaves)).digest();
    return this.#store.append(leaves, (size, root) => ({
      origin: this.#store.origin,
      size,
      root,
      time: new Date().toISOString(),
      batch: { count: leaves.length, digest },
      tables,
    }));
  }

  #stateOf(table: SealedTable, late: readonly HashedRow[]): TableState {
    const { head, settled, open } = this.pending[table];
    return {
      head,
      at: head === BEFORE_FIRST_ID[table] ? undefined : this.#places[table],
      settled,
      open: settled === head ? undefined : open,
      late: rangesOf(late.map(({ id }) => id)),
    };
  }
}

/** Ids of a table above `above` among the leaves from `start` on, ascending. */
async function idsFrom(
  store: SealStore,
  table: SealedTable,
  start: number,
  above: number,
): Promise<readonly number[]> {
  const ids: number[] = [];
  for (let at = start; at < store.size; at += LEAVES_AT_ONCE) {
    const bytes = await store.leaves.read(at, Math.min(LEAVES_AT_ONCE, store.size - at));
    for (let offset = 0; offset < bytes.length; offset += LEAF_BYTES) {
      const leaf = decodeLeaf(bytes, offset);
      if (leaf.table === table && leaf.id > above) ids.push(leaf.id);
    }
  }
  return ids.sort((a, b) => a - b);
}
