import type { Connection } from 'mysql2/promise';
import { dialectOf, type ServerDescription } from '../dialect.ts';
import type { SchemaModel, TableModel } from '../model.ts';
import { type AuditNames, ident } from '../names.ts';
import { MAXIMUM_BINARY_BYTES } from '../writers/triggers.ts';
import { readLiveRows } from './content.ts';
import {
  type AuditEntry,
  type AuditOperation,
  type Encoded,
  type EncodedRow,
  keyAfter,
  rowText,
  sameEncoded,
} from './entry.ts';
import { formerTable } from './former.ts';
import { findTable, parseKey } from './key.ts';
import { recordLookup } from './lookup.ts';
import { parseMoment } from './moments.ts';
import { FIRST_DIRECT_ID, readTrail } from './read.ts';
import { restoreSql } from './restore.ts';
import { inSnapshot } from './rows.ts';

/** One column in one entry. `undefined` is "not said", as the old value of an insert; NULL is `null`. */
export interface HistoryCell {
  readonly column: string;
  readonly old: Encoded | undefined;
  readonly new: Encoded | undefined;
}

/** One change in a record's life. */
export interface HistoryEntry {
  readonly id: string;
  /** UTC, ISO 8601 with microseconds. */
  readonly at: string;
  readonly login: string;
  readonly osUser: string | undefined;
  readonly connection: string;
  readonly operation: AuditOperation;
  /** Before the change; undefined for a table without a key. */
  readonly key: EncodedRow | undefined;
  /** After it; the same object when the key did not change. */
  readonly keyAfter: EncodedRow | undefined;
  /** An insert's new values, a delete's old ones, of an update what changed. */
  readonly cells: readonly HistoryCell[];
  /** Of a cascade: the change of the parent that caused it. */
  readonly cause:
    | { readonly table: string; readonly operation: AuditOperation; readonly key: EncodedRow | undefined }
    | undefined;
}

/** A record's life as far as it was audited. */
export interface History {
  readonly table: TableModel;
  /** As it was asked for. */
  readonly key: EncodedRow;
  readonly entries: readonly HistoryEntry[];
  /** Whether a row of this key, or of these values, is in the table now. */
  readonly live: boolean;
  /** True when what comes first is not an insert: the record was there before auditing began, or came to be unaudited. */
  readonly beganBefore: boolean;
}

export interface HistoryOptions {
  readonly names: AuditNames;
  readonly server: ServerDescription;
  readonly model: SchemaModel;
  /** As typed. */
  readonly table: string;
  /** As typed: `5`, `id=5`, `a=1,b=x`, or JSON. */
  readonly key: string;
  /** As typed; the first moment to show. */
  readonly since?: string | undefined;
  /** As typed; the last moment to show. */
  readonly until?: string | undefined;
  /** As given to `generate`. */
  readonly maximumBinaryBytes?: number;
}

function difference(before: EncodedRow, after: EncodedRow): HistoryCell[] {
  const cells: HistoryCell[] = [];
  for (const column of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(column), after.get(column)];
    if (!sameEncoded(old, now)) cells.push({ column, old, new: now });
  }
  return cells;
}

function cellsOf(entry: AuditEntry): HistoryCell[] {
  const { changes, oldValues, newValues } = entry;
  if (changes !== undefined) return [...changes].map(([column, [old, now]]) => ({ column, old, new: now }));
  if (oldValues !== undefined && newValues !== undefined) return difference(oldValues, newValues);
  return [
    ...[...(oldValues ?? [])].map(([column, old]) => ({ column, old, new: undefined })),
    ...[...(newValues ?? [])].map(([column, now]) => ({ column, old: undefined, new: now })),
  ];
}

/** In order of number. The two trail tables count by themselves: between them the time decides. */
function inOrder(a: AuditEntry, b: AuditEntry): number {
  const same = a.id < FIRST_DIRECT_ID === b.id < FIRST_DIRECT_ID;
  if (same || a.at === b.at) return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  return a.at < b.at ? -1 : 1;
}

function matches(row: EncodedRow | undefined, wanted: EncodedRow): boolean {
  if (row === undefined) return false;
  for (const [column, value] of wanted) if (!sameEncoded(row.get(column), value)) return false;
  return true;
}

/**
 * A record's life: how it came to be, every change, what foreign keys did to it, its end, and what was
 * inserted under the same key later. A record whose key changed is followed under its other keys, before
 * and after. The table may be one that was dropped since. For a table without a key: every entry whose old or new row has the given values.
 *
 * @throws ChartgateError `usage` for a table, key or moment that cannot be understood, `privilege-missing`,
 *   `database-unavailable`, or `audit-trail-broken` at an audit row that no trigger wrote
 */
export async function history(connection: Connection, options: HistoryOptions): Promise<History> {
  const since = options.since === undefined ? undefined : parseMoment(options.since, 'first');
  const until = options.until === undefined ? undefined : parseMoment(options.until, 'last');
  return inSnapshot(connection, async () => {
    const there = options.model.tables.some((known) => known.name === options.table);
    const former = there ? undefined : await formerTable(connection, options.names, options.table);
    const table = former ?? findTable(options.model, options.table);
    const key = parseKey(table, options.key);
    const lookup = recordLookup(connection, options.names, table);
    const liveKeys = former === undefined ? await readLiveKeys(connection, options, table, key) : [];
    const found =
      table.key.length === 0
        ? await keyless(connection, options, table, key)
        : await keyed(lookup, key, liveKeys);
    found.sort(inOrder);
    const first = found[0];
    const entries: HistoryEntry[] = [];
    for (const entry of found) {
      if ((since !== undefined && entry.at < since) || (until !== undefined && entry.at > until)) continue;
      const cause = entry.operation.startsWith('cascade-') ? await lookup.parentOf(entry) : undefined;
      entries.push({
        id: String(entry.id),
        at: entry.at,
        login: entry.login,
        osUser: entry.osUser,
        connection: entry.connection,
        operation: entry.operation,
        key: entry.key,
        keyAfter: keyAfter(entry),
        cells: cellsOf(entry),
        cause:
          cause === undefined
            ? undefined
            : { table: cause.table, operation: cause.operation, key: cause.key },
      });
    }
    return {
      table,
      key,
      entries,
      live: liveKeys.length > 0,
      beganBefore: first !== undefined && first.operation !== 'insert',
    };
  });
}

/** Keys of the rows that the server takes for the one asked for: its collation may call `a` and `A` the same. */
async function readLiveKeys(
  connection: Connection,
  options: HistoryOptions,
  table: TableModel,
  key: EncodedRow,
): Promise<EncodedRow[]> {
  const where = [...key].map(([name, value]) => {
    const column = table.columns.find((c) => c.name === name);
    return `t.${ident(name)} <=> ${column === undefined ? 'NULL' : restoreSql(column, value)}`;
  });
  const limit = options.maximumBinaryBytes ?? MAXIMUM_BINARY_BYTES;
  const dialect = dialectOf(options.server);
  const sql = where.join(' AND ');
  const keys: EncodedRow[] = [];
  const rows = readLiveRows(connection, options.names.emrSchema, table, dialect, limit, sql);
  for await (const row of rows) {
    keys.push(row.key ?? key);
    if (keys.length === 10) break;
  }
  return keys;
}

async function keyless(
  connection: Connection,
  options: HistoryOptions,
  table: TableModel,
  wanted: EncodedRow,
): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for await (const entry of readTrail(connection, options.names, { tables: [table.name] })) {
    if (matches(entry.oldValues, wanted) || matches(entry.newValues, wanted)) found.push(entry);
  }
  return found;
}

type Lookup = ReturnType<typeof recordLookup>;

async function keyed(
  lookup: Lookup,
  key: EncodedRow,
  liveKeys: readonly EncodedRow[],
): Promise<AuditEntry[]> {
  const found = new Map<bigint, AuditEntry>();
  const roots = new Map([key, ...liveKeys].map((root) => [rowText(root), root] as const));
  for (const [text, root] of roots) {
    const live = liveKeys.some((other) => rowText(other) === text);
    await allLives(lookup, root, live, found);
  }
  return [...found.values()];
}

/** Whether an entry ends what is under its key: the record is gone, or is somewhere else. */
function leaves(entry: AuditEntry): boolean {
  if (entry.changes === undefined) return entry.newValues === undefined;
  return keyAfter(entry) !== entry.key;
}

function isInsert(entry: AuditEntry): boolean {
  return entry.changes === undefined && entry.newValues !== undefined;
}

/** Everything that was ever under this key, and where it came from and went to. */
async function allLives(
  lookup: Lookup,
  key: EncodedRow,
  live: boolean,
  found: Map<bigint, AuditEntry>,
): Promise<void> {
  let present = false;
  let previous = 0n;
  for (const entry of await lookup.rowsOf(key)) {
    found.set(entry.id, entry);
    if (!present && !isInsert(entry)) await cameFrom(lookup, key, previous, entry.id, found);
    present = !leaves(entry);
    previous = entry.id;
    if (!present) await wentTo(lookup, entry, found);
  }
  // Something is there now although the last that is known of it is its end: it was moved here.
  if (live && !present) await cameFrom(lookup, key, previous, undefined, found);
}

/** Follows a record whose key `entry` changed, until its end. */
async function wentTo(lookup: Lookup, entry: AuditEntry, found: Map<bigint, AuditEntry>): Promise<void> {
  const key = keyAfter(entry);
  if (key === undefined || key === entry.key || entry.changes === undefined) return;
  for (const next of await lookup.rowsOf(key)) {
    if (next.id <= entry.id) continue;
    if (isInsert(next)) return;
    found.set(next.id, next);
    if (!leaves(next)) continue;
    await wentTo(lookup, next, found);
    return;
  }
}

/** Finds the change of key by which a record came under `key` between two audit rows, and its life before. */
async function cameFrom(
  lookup: Lookup,
  key: EncodedRow,
  after: bigint,
  before: bigint | undefined,
  found: Map<bigint, AuditEntry>,
): Promise<void> {
  const move = await lookup.moveTo(key, after, before);
  if (move?.key === undefined) return;
  found.set(move.id, move);
  const earlier = (await lookup.rowsOf(move.key)).filter((entry) => entry.id < move.id).reverse();
  let oldest = move.id;
  for (const entry of earlier) {
    if (leaves(entry)) {
      await cameFrom(lookup, move.key, entry.id, oldest, found);
      return;
    }
    found.set(entry.id, entry);
    oldest = entry.id;
    if (isInsert(entry)) return;
  }
  await cameFrom(lookup, move.key, 0n, oldest, found);
}
