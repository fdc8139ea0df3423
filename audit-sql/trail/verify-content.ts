import type { Connection } from 'mysql2/promise';
import { dialectOf } from '../dialect.ts';
import type { TableModel } from '../model.ts';
import { AUDIT_ROW_TABLE, DIRECT_ROW_TABLE, ident, printable, qualified } from '../names.ts';
import {
  type Comparing,
  type ContentFigures,
  finding,
  reportBreaks,
  reportCounts,
  reportGone,
  reportUnknown,
} from './comparing.ts';
import { readLiveRows } from './content.ts';
import { type EncodedRow, rowText } from './entry.ts';
import type { Report, StoppedPeriod, VerifyContext } from './findings.ts';
import { emptyFold, type RecordState, type TableState, valuesOf } from './fold.ts';
import { type Partition, takePart } from './partition.ts';
import { readTrail } from './read.ts';
import { restoreSql } from './restore.ts';
import { textRows } from './rows.ts';
import { sameValue } from './same-value.ts';

/** Records held in memory at a time; at about a kilobyte each. */
const RECORDS_PER_PASS = 200_000;
const KEYS_PER_QUERY = 300;
/** Types for which `=` finds exactly the value that the trail has. */
const INEXACT: ReadonlySet<string> = new Set(['float', 'double', 'json']);

function condition(table: TableModel, key: EncodedRow): string {
  const parts = table.key.map((name) => {
    const column = table.columns.find((c) => c.name === name);
    const value = key.get(name) ?? null;
    return column === undefined ? 'FALSE' : `t.${ident(name)} = ${restoreSql(column, value)}`;
  });
  return `(${parts.join(' AND ')})`;
}

/** Counts rows of the table that the trail knows. */
function tell({ known }: Comparing, { name }: TableModel, rows: number): void {
  const before = known.get(name);
  if (before !== undefined) known.set(name, before + rows);
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
    comparing.known.delete(table.name);
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
      tell(comparing, table, 1);
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
    tell(comparing, table, count - Math.max(0, missing));
    if (missing <= 0) continue;
    const sentence = `${missing} of ${count} equal rows of ${printable(table.name)} are gone or changed, and no audit row says so.`;
    finding(comparing, 'rows-missing', table.name, sentence, undefined, undefined, undefined);
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
  const known = new Map(compared.map(({ name }) => [name, 0]));
  const comparing: Comparing = { connection, context, periods, figures, report, counts: new Map(), known };
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
  await reportUnknown(comparing, compared);
  reportCounts(comparing, compared);
  return figures;
}
