import type { Connection } from 'mysql2/promise';
import { dialectOf } from '../dialect.ts';
import type { TableModel } from '../model.ts';
import { AUDIT_ROW_TABLE, DIRECT_ROW_TABLE, ident, printable, qualified } from '../names.ts';
import { rowTableOf } from '../writers/store.ts';
import { readLiveRows } from './content.ts';
import { type EncodedRow, rowText } from './entry.ts';
import { type Report, type StoppedPeriod, type VerifyContext, wasStopped } from './findings.ts';
import {
  type Break,
  type BreakKind,
  emptyFold,
  type Fold,
  type RecordState,
  type TableState,
  valuesOf,
} from './fold.ts';
import { type Partition, takePart } from './partition.ts';
import { readTrail } from './read.ts';
import { restoreSql } from './restore.ts';
import { textRows } from './rows.ts';
import { sameValue } from './same-value.ts';

/** What was compared. */
export interface ContentFigures {
  /** Audit rows that were followed. */
  readonly entries: number;
  /** Records whose last known state was compared with the table. */
  records: number;
  /** Of them: equal in every column that the trail knows. */
  equal: number;
  /** Rows of tables without a key that must be there. */
  keylessRows: number;
  /** Passes over the trail. */
  readonly passes: number;
}

/** Records held in memory at a time; at about a kilobyte each. */
const RECORDS_PER_PASS = 200_000;
const KEYS_PER_QUERY = 300;
/** Findings of one table and kind that are listed; all are counted. */
const LISTED = 20;

const BREAK_WORDS: Readonly<Record<BreakKind, string>> = {
  'inserted-though-present': 'inserts a record that was there already',
  'changed-though-absent': 'changes a record that was not there',
  'deleted-though-absent': 'deletes a record that was not there',
  'moved-onto-another': 'gives a record the key of another that was there',
  'old-value-differs': 'has old values that are not those which the rows before left',
};

/** Types for which `=` finds exactly the value that the trail has. */
const INEXACT: ReadonlySet<string> = new Set(['float', 'double', 'json']);

interface Comparing {
  readonly connection: Connection;
  readonly context: VerifyContext & { readonly maximumBinaryBytes: number };
  readonly periods: readonly StoppedPeriod[];
  readonly figures: ContentFigures;
  readonly report: Report;
  /** How many findings of a table and code there were. */
  readonly counts: Map<string, number>;
}

type RecordCode =
  | 'table-gone'
  | 'record-changed'
  | 'record-missing'
  | 'record-unexpected'
  | 'rows-missing'
  | 'trail-contradicts';

function finding(
  comparing: Comparing,
  code: RecordCode,
  table: string,
  sentence: string,
  key: EncodedRow | undefined,
  from: string | undefined,
  to: string | undefined,
): void {
  const id = JSON.stringify([table, code]);
  const times = (comparing.counts.get(id) ?? 0) + 1;
  comparing.counts.set(id, times);
  if (times > LISTED) return;
  const stopped = wasStopped(comparing.periods, from, to);
  comparing.report({
    code,
    severity: stopped ? 'note' : 'finding',
    object: table,
    sentence: stopped ? `${sentence} Auditing was stopped in between.` : sentence,
    key,
  });
}

function condition(table: TableModel, key: EncodedRow): string {
  const parts = table.key.map((name) => {
    const column = table.columns.find((c) => c.name === name);
    const value = key.get(name) ?? null;
    return column === undefined ? 'FALSE' : `t.${ident(name)} = ${restoreSql(column, value)}`;
  });
  return `(${parts.join(' AND ')})`;
}

function compareRecord(
  comparing: Comparing,
  table: TableModel,
  state: TableState,
  record: RecordState,
  live: EncodedRow | undefined,
): void {
  const { figures } = comparing;
  const name = printable(table.name);
  figures.records += 1;
  if (!record.present) {
    if (live === undefined) figures.equal += 1;
    else {
      const sentence = `A record of ${name} is there although its last audit row says that it is gone.`;
      finding(comparing, 'record-unexpected', table.name, sentence, record.key, record.at, undefined);
    }
    return;
  }
  if (live === undefined) {
    const sentence = `A record of ${name} is gone, and no audit row says so.`;
    finding(comparing, 'record-missing', table.name, sentence, record.key, record.at, undefined);
    return;
  }
  const columns: string[] = [];
  for (const [column, value] of valuesOf(state, record)) {
    const now = live.get(column);
    // A column that a migration dropped.
    if (
      now !== undefined &&
      !sameValue(
        value,
        now,
        table.columns.find((c) => c.name === column),
      )
    )
      columns.push(column);
  }
  if (columns.length === 0) figures.equal += 1;
  else {
    const sentence = `A record of ${name} has other values in ${columns.map(printable).join(', ')} than its last audit row left.`;
    finding(comparing, 'record-changed', table.name, sentence, record.key, record.at, undefined);
  }
}

async function compareKeyed(comparing: Comparing, table: TableModel, state: TableState): Promise<void> {
  const { connection, context } = comparing;
  const dialect = dialectOf(context.server);
  const shape = JSON.stringify([...table.key].sort());
  const records = [...state.records].filter(
    // Another key named its rows then; they cannot be looked up by the present one.
    ([, record]) => JSON.stringify([...record.key.keys()].sort()) === shape,
  );
  const others = state.records.size - records.length;
  if (others > 0) {
    comparing.report({
      code: 'not-compared',
      severity: 'note',
      object: table.name,
      sentence: `${others} records of ${printable(table.name)} were not compared: they were recorded when the table had another key.`,
    });
  }
  const exact = !table.columns.some((c) => table.key.includes(c.name) && INEXACT.has(c.dataType));
  const size = exact ? KEYS_PER_QUERY : records.length;
  for (let from = 0; from < records.length; from += size) {
    const part = new Map(records.slice(from, from + size));
    const where = exact
      ? [...part.values()].map(({ key }) => condition(table, key)).join('\n OR ')
      : undefined;
    const rows = readLiveRows(
      connection,
      context.names.emrSchema,
      table,
      dialect,
      context.maximumBinaryBytes,
      where,
    );
    for await (const { key, values } of rows) {
      const text = key === undefined ? '' : rowText(key);
      const record = part.get(text);
      if (record === undefined) continue;
      compareRecord(comparing, table, state, record, values);
      part.delete(text);
    }
    for (const record of part.values()) compareRecord(comparing, table, state, record, undefined);
  }
}

async function compareKeyless(comparing: Comparing, table: TableModel, state: TableState): Promise<void> {
  const wanted = new Map([...state.bag].filter(([, { count }]) => count > 0));
  if (wanted.size === 0) return;
  const { connection, context, figures } = comparing;
  const dialect = dialectOf(context.server);
  const found = new Map<string, number>();
  const rows = readLiveRows(connection, context.names.emrSchema, table, dialect, context.maximumBinaryBytes);
  for await (const { values } of rows) {
    const text = rowText(values);
    if (wanted.has(text)) found.set(text, (found.get(text) ?? 0) + 1);
  }
  for (const [text, { count }] of wanted) {
    figures.keylessRows += count;
    const missing = count - (found.get(text) ?? 0);
    if (missing <= 0) continue;
    const sentence = `${missing} of ${count} equal rows of ${printable(table.name)} are gone or changed, and no audit row says so.`;
    finding(comparing, 'rows-missing', table.name, sentence, undefined, undefined, undefined);
  }
}

function reportBreaks(comparing: Comparing, breaks: readonly Break[]): void {
  for (const { kind, id, table, key, columns, from, to } of breaks) {
    const where = columns.length === 0 ? '' : ` (${columns.map(printable).join(', ')})`;
    const sentence = `The audit row ${id} of ${printable(table)} ${BREAK_WORDS[kind]}${where}: a change before it has no audit row.`;
    finding(comparing, 'trail-contradicts', table, sentence, key, from, to);
  }
}

/** A table that is not there any more although the trail left records in it. */
function reportGone(comparing: Comparing, fold: Fold): void {
  const known = new Set(comparing.context.model.tables.map((table) => table.name));
  for (const [name, state] of fold.tables) {
    if (known.has(name)) continue;
    const left = [...state.records.values()].filter((record) => record.present);
    const rows = [...state.bag.values()].filter((row) => row.count > 0).length;
    if (left.length + rows === 0) continue;
    const last = left.reduce<string | undefined>(
      (at, r) => (at === undefined || (r.at ?? '') > at ? r.at : at),
      undefined,
    );
    const sentence = `The table ${printable(name)} is gone, and ${left.length + rows} records that its audit rows left in it.`;
    finding(comparing, 'table-gone', name, sentence, undefined, last, undefined);
  }
}

async function countEntries(connection: Connection, { names }: VerifyContext): Promise<number> {
  let rows = 0;
  for (const table of [AUDIT_ROW_TABLE, DIRECT_ROW_TABLE]) {
    const from = qualified(names.auditSchema, table);
    const [row] = await textRows(connection, `SELECT COUNT(*) FROM ${from}`, 'the audit trail');
    rows += Number(row?.[0] ?? 0);
  }
  return rows;
}

/**
 * Follows every record through the trail and compares what its last audit row left with what is in the
 * table: finds what was changed around the audit. Reports also where the trail contradicts itself. Call it
 * within `inSnapshot`. Memory is bounded; a longer trail is read in several passes.
 *
 * @param tables all when undefined
 */
export async function verifyContent(
  connection: Connection,
  context: VerifyContext & { readonly maximumBinaryBytes: number; readonly recordsPerPass?: number },
  tables: readonly TableModel[] | undefined,
  periods: readonly StoppedPeriod[],
  report: Report,
  onProgress: (done: number, total: number) => void,
): Promise<ContentFigures> {
  const compared = tables ?? context.model.tables;
  const names = tables === undefined ? undefined : tables.map((table) => table.name);
  const total = await countEntries(connection, context);
  const passes = Math.max(1, Math.ceil(total / (context.recordsPerPass ?? RECORDS_PER_PASS)));
  const figures = { entries: 0, records: 0, equal: 0, keylessRows: 0, passes };
  const comparing: Comparing = { connection, context, periods, figures, report, counts: new Map() };
  let done = 0;
  for (let pass = 0; pass < passes; pass += 1) {
    const partition: Partition = { fold: emptyFold(), pass, passes, guests: new Map() };
    const onUnreadable = (error: Error): void => {
      if (pass > 0) return;
      report({ code: 'trail-unreadable', severity: 'finding', object: 'audit_row', sentence: error.message });
    };
    for await (const entry of readTrail(connection, context.names, { tables: names, onUnreadable })) {
      done += 1;
      if (done % 5_000 === 0) onProgress(done, total * passes);
      if (pass === 0) figures.entries += 1;
      takePart(partition, entry);
    }
    reportBreaks(comparing, partition.fold.breaks);
    if (tables === undefined) reportGone(comparing, partition.fold);
    for (const table of compared) {
      const state = partition.fold.tables.get(table.name);
      if (state === undefined) continue;
      if (table.key.length > 0) await compareKeyed(comparing, table, state);
      else await compareKeyless(comparing, table, state);
    }
  }
  reportCounts(comparing, compared);
  return figures;
}

function reportCounts(comparing: Comparing, tables: readonly TableModel[]): void {
  for (const [id, times] of comparing.counts) {
    if (times <= LISTED) continue;
    const [table, code] = JSON.parse(id) as [string, RecordCode];
    comparing.report({
      code,
      severity: 'finding',
      object: table,
      sentence: `${times - LISTED} more of the kind "${code}" in ${printable(table)} are not listed.`,
    });
  }
  for (const table of tables) {
    if (rowTableOf(table) !== DIRECT_ROW_TABLE) continue;
    comparing.report({
      code: 'not-compared',
      severity: 'note',
      object: table.name,
      sentence: `${printable(table.name)} (${table.engine}) has no transactions: what was written to it while this ran can show up as a difference.`,
    });
  }
}
