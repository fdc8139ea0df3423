import { type AuditEntry, type Encoded, type EncodedRow, keyAfter, rowText, sameEncoded } from './entry.ts';

/** What is known of one record after the trail was read so far. */
export interface RecordState {
  readonly key: EncodedRow;
  /** False after a delete. */
  readonly present: boolean;
  /** True when every column is known: since an insert, or from a snapshot. */
  readonly complete: boolean;
  /** The last known values, by the place of their column in the table's `columns`; undefined where not known. */
  readonly cells: (Encoded | undefined)[];
  /** The connection whose cascade deleted it; undefined when it is there or was deleted otherwise. */
  readonly cascadedBy: string | undefined;
  /** When the last audit row was written; undefined when all is from a snapshot. */
  readonly at: string | undefined;
}

/** What is known of one table. */
export interface TableState {
  /** Each column's place in the cells of every record: a map a record would take six times the memory. */
  readonly columns: Map<string, number>;
  /** By the text of the key. */
  readonly records: Map<string, RecordState>;
  /** Of a table without a key: rows by their text, and how often each is there more often than at the beginning. */
  readonly bag: Map<string, { readonly row: EncodedRow; count: number }>;
  /** Rows without a key that cascades deleted: by connection and text, how many. */
  readonly cascaded: Map<string, number>;
}

/** Ways in which an audit row can contradict the ones before it. */
export const BREAK_KINDS = [
  'inserted-though-present',
  'changed-though-absent',
  'deleted-though-absent',
  'moved-onto-another',
  'old-value-differs',
] as const;
export type BreakKind = (typeof BREAK_KINDS)[number];

/** A place where the trail contradicts itself: something changed without an audit row, or a row was removed. */
export interface Break {
  readonly kind: BreakKind;
  /** The audit row that does not fit. */
  readonly id: bigint;
  readonly table: string;
  readonly key: EncodedRow | undefined;
  /** Of `old-value-differs`: which columns. */
  readonly columns: readonly string[];
  /** When the last audit row of that record was written, and this one. */
  readonly from: string | undefined;
  readonly to: string;
}

/** Everything that is known, and where the trail contradicts itself. */
export interface Fold {
  readonly tables: Map<string, TableState>;
  readonly breaks: Break[];
  /** Audit rows taken. */
  entries: number;
}

export function emptyTable(): TableState {
  return { columns: new Map(), records: new Map(), bag: new Map(), cascaded: new Map() };
}

export function emptyFold(): Fold {
  return { tables: new Map(), breaks: [], entries: 0 };
}

function place(state: TableState, column: string): number {
  let index = state.columns.get(column);
  if (index === undefined) {
    index = state.columns.size;
    state.columns.set(column, index);
  }
  return index;
}

/** A row as the cells of a record. */
export function cellsOf(state: TableState, row: EncodedRow): (Encoded | undefined)[] {
  const cells: (Encoded | undefined)[] = new Array(state.columns.size).fill(undefined);
  for (const [column, value] of row) cells[place(state, column)] = value;
  return cells;
}

/** What is known of a record, by column. */
export function valuesOf(state: TableState, record: RecordState): EncodedRow {
  const values = new Map<string, Encoded>();
  for (const [column, index] of state.columns) {
    const value = record.cells[index];
    if (value !== undefined) values.set(column, value);
  }
  return values;
}

export function tableState(fold: Fold, table: string): TableState {
  let state = fold.tables.get(table);
  if (state === undefined) {
    state = emptyTable();
    fold.tables.set(table, state);
  }
  return state;
}

/** Adds a row of a table without a key, or takes it away. */
export function count(state: TableState, row: EncodedRow, by: 1 | -1): number {
  const text = rowText(row);
  const known = state.bag.get(text);
  const now = (known?.count ?? 0) + by;
  if (now === 0) state.bag.delete(text);
  else if (known === undefined) state.bag.set(text, { row, count: now });
  else known.count = now;
  return now;
}

/** Columns whose value before the change is not the one that the rows before left behind. */
function contradicted(
  state: TableState,
  known: RecordState,
  before: Iterable<readonly [string, Encoded]>,
): string[] {
  const columns: string[] = [];
  for (const [column, value] of before) {
    const last = known.cells[place(state, column)];
    if (last !== undefined && !sameEncoded(last, value)) columns.push(column);
  }
  return columns;
}

/**
 * Takes the next audit row. Rows must come in order of number.
 *
 * With `known` (the fold began with a snapshot) a record that was not heard of is an absent one; without, it
 * may have been there before auditing began.
 */
export function take(fold: Fold, entry: AuditEntry, known: boolean): void {
  fold.entries += 1;
  const state = tableState(fold, entry.table);
  if (entry.key === undefined) takeKeyless(fold, state, entry, known);
  else takeKeyed(fold, state, entry, entry.key, known);
}

function takeKeyless(fold: Fold, state: TableState, entry: AuditEntry, known: boolean): void {
  if (entry.oldValues !== undefined && count(state, entry.oldValues, -1) < 0 && known) {
    if (repeats(state, entry, entry.oldValues)) {
      count(state, entry.oldValues, 1);
      return;
    }
    const kind = entry.newValues === undefined ? 'deleted-though-absent' : 'changed-though-absent';
    fold.breaks.push({
      kind,
      id: entry.id,
      table: entry.table,
      key: undefined,
      columns: [],
      from: undefined,
      to: entry.at,
    });
  }
  if (entry.newValues !== undefined) count(state, entry.newValues, 1);
  if (entry.operation === 'cascade-delete' && entry.oldValues !== undefined) {
    const id = JSON.stringify([entry.connection, rowText(entry.oldValues)]);
    state.cascaded.set(id, (state.cascaded.get(id) ?? 0) + 1);
  }
}

/**
 * MySQL: a multi-table DELETE that names a parent and its child fires the child's trigger also for a row
 * that the parent's cascade has deleted already.
 */
function repeats(state: TableState, entry: AuditEntry, row: EncodedRow): boolean {
  if (entry.operation !== 'delete') return false;
  const id = JSON.stringify([entry.connection, rowText(row)]);
  const times = state.cascaded.get(id) ?? 0;
  if (times > 0) state.cascaded.set(id, times - 1);
  return times > 0;
}

const BEGUN = { present: true, cascadedBy: undefined } as const;

/** A key under which there is nothing any more. */
export function gone(key: EncodedRow, entry: AuditEntry): RecordState {
  return { key, present: false, complete: true, cells: [], cascadedBy: undefined, at: entry.at };
}

function takeKeyed(fold: Fold, state: TableState, entry: AuditEntry, key: EncodedRow, known: boolean): void {
  const text = rowText(key);
  const record = state.records.get(text);
  const complain = (kind: BreakKind, columns: readonly string[] = []): void => {
    fold.breaks.push({
      kind,
      id: entry.id,
      table: entry.table,
      key,
      columns,
      from: record?.at,
      to: entry.at,
    });
  };
  const absent = record === undefined ? known : !record.present;
  const { oldValues, newValues, changes } = entry;
  if (changes === undefined && newValues !== undefined) {
    if (record?.present === true) complain('inserted-though-present');
    const cells = cellsOf(state, newValues);
    state.records.set(text, { ...BEGUN, key, complete: true, cells, at: entry.at });
    return;
  }
  if (changes === undefined) {
    // As in `repeats`.
    if (record?.present === false && record.cascadedBy === entry.connection) return;
    if (absent) complain('deleted-though-absent');
    else if (record !== undefined && oldValues !== undefined) {
      const columns = contradicted(state, record, oldValues);
      if (columns.length > 0) complain('old-value-differs', columns);
    }
    const cascadedBy = entry.operation === 'cascade-delete' ? entry.connection : undefined;
    state.records.set(text, { ...gone(key, entry), cascadedBy });
    return;
  }
  if (absent) complain('changed-though-absent');
  else if (record !== undefined) {
    const columns = contradicted(
      state,
      record,
      [...changes].map(([column, [old]]) => [column, old] as const),
    );
    if (columns.length > 0) complain('old-value-differs', columns);
  }
  const after = keyAfter(entry) ?? key;
  const cells = record?.present === true ? record.cells : [];
  for (const [column, [, now]] of changes) cells[place(state, column)] = now;
  const afterText = after === key ? text : rowText(after);
  if (afterText !== text) {
    state.records.set(text, gone(key, entry));
    if (state.records.get(afterText)?.present === true) complain('moved-onto-another');
  }
  const complete = record?.present === true && record.complete;
  state.records.set(afterText, { ...BEGUN, key: after, complete, cells, at: entry.at });
}
