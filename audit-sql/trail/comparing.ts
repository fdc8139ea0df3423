import type { Connection } from 'mysql2/promise';
import type { TableModel } from '../model.ts';
import { DIRECT_ROW_TABLE, printable, qualified } from '../names.ts';
import { rowTableOf } from '../writers/store.ts';
import type { EncodedRow } from './entry.ts';
import { type Report, type StoppedPeriod, type VerifyContext, wasStopped } from './findings.ts';
import type { Break, BreakKind, Fold } from './fold.ts';
import { textRows } from './rows.ts';

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

/** Findings of one table and kind that are listed; all are counted. */
const LISTED = 20;

const BREAK_WORDS: Readonly<Record<BreakKind, string>> = {
  'inserted-though-present': 'inserts a record that was there already',
  'changed-though-absent': 'changes a record that was not there',
  'deleted-though-absent': 'deletes a record that was not there',
  'moved-onto-another': 'gives a record the key of another that was there',
  'old-value-differs': 'has old values that are not those which the rows before left',
};

/** A comparison under way. */
export interface Comparing {
  readonly connection: Connection;
  readonly context: VerifyContext & { readonly maximumBinaryBytes: number };
  readonly periods: readonly StoppedPeriod[];
  readonly figures: ContentFigures;
  readonly report: Report;
  /** How many findings of a table and code there were. */
  readonly counts: Map<string, number>;
  /** By table, how many of its rows the trail knows; a table that cannot be counted so is not in it. */
  readonly known: Map<string, number>;
}

export type RecordCode =
  | 'table-gone'
  | 'record-changed'
  | 'record-missing'
  | 'record-unexpected'
  | 'rows-missing'
  | 'trail-contradicts';

/** Reports a finding, or a note where auditing was stopped between the two moments. */
export function finding(
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

/** Where the trail contradicts itself. */
export function reportBreaks(comparing: Comparing, breaks: readonly Break[]): void {
  for (const { kind, id, table, key, columns, from, to } of breaks) {
    const where = columns.length === 0 ? '' : ` (${columns.map(printable).join(', ')})`;
    const sentence = `The audit row ${id} of ${printable(table)} ${BREAK_WORDS[kind]}${where}: a change before it has no audit row.`;
    finding(comparing, 'trail-contradicts', table, sentence, key, from, to);
  }
}

/** A table that is not there any more although the trail left records in it. */
export function reportGone(comparing: Comparing, fold: Fold): void {
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

/**
 * Rows that no audit row speaks of. They were there before auditing began, or came later without one: which
 * of the two, the trail cannot tell, but from one night to the next they can only become fewer.
 */
export async function reportUnknown(comparing: Comparing, tables: readonly TableModel[]): Promise<void> {
  const { connection, context, known } = comparing;
  const unknown: string[] = [];
  let sum = 0;
  for (const { name } of tables) {
    const told = known.get(name);
    if (told === undefined) continue;
    const [row] = await textRows(
      connection,
      `SELECT COUNT(*) FROM ${qualified(context.names.emrSchema, name)}`,
      `the table ${printable(name)}`,
    );
    const rows = Number(row?.[0]) - told;
    if (rows <= 0) continue;
    sum += rows;
    unknown.push(`${printable(name)} (${rows})`);
  }
  if (unknown.length === 0) return;
  comparing.report({
    code: 'rows-unknown',
    severity: 'note',
    object: context.names.emrSchema,
    sentence:
      `${sum} rows have no audit row: they were there before auditing began, or came while it was stopped, or around it. ` +
      `By themselves they become fewer, never more. ${unknown.join(', ')}.`,
  });
}

/** What was left out of the list, and what could not be compared as it should. */
export function reportCounts(comparing: Comparing, tables: readonly TableModel[]): void {
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
