import type { ColumnModel } from '../model.ts';
import { cut, displayValue, pad, visible, width } from './display.ts';
import type { Encoded, EncodedRow } from './entry.ts';
import type { History, HistoryCell, HistoryEntry } from './history.ts';
import { printKey } from './key.ts';

/** Characters after which a value is cut, in this table only; JSON has all of it. */
const WIDEST_VALUE = 64;
const WIDEST_NAME = 40;

const HEADINGS = [
  'when (UTC)',
  'who',
  'OS user',
  'connection',
  'operation',
  'key',
  'column',
  'old → new',
] as const;

type Line = readonly string[];

function described(row: EncodedRow | undefined): string {
  return row === undefined ? '' : cut(printKey(row), WIDEST_NAME);
}

function operation(entry: HistoryEntry): string {
  const { cause } = entry;
  if (cause === undefined) return entry.operation;
  return `${entry.operation} (${cause.operation} of ${cut(visible(cause.table), WIDEST_NAME)} ${described(cause.key)})`;
}

function change(cell: HistoryCell, column: ColumnModel | undefined): string {
  const show = (value: Encoded): string => cut(displayValue(column, value), WIDEST_VALUE);
  if (cell.old === undefined) return cell.new === undefined ? '' : show(cell.new);
  return cell.new === undefined ? show(cell.old) : `${show(cell.old)} → ${show(cell.new)}`;
}

function linesOf(entry: HistoryEntry, columns: ReadonlyMap<string, ColumnModel>): Line[] {
  const moved = entry.keyAfter !== entry.key;
  const start = [
    entry.at.replace('T', ' ').replace('Z', ''),
    cut(visible(entry.login), WIDEST_NAME),
    entry.osUser === undefined ? '' : cut(visible(entry.osUser), WIDEST_NAME),
    visible(entry.connection),
    operation(entry),
    moved ? `${described(entry.key)} → ${described(entry.keyAfter)}` : described(entry.key),
  ];
  const update = entry.operation === 'update' || entry.operation === 'cascade-update';
  // Of an insert or a delete the columns that hold nothing are counted, not listed.
  const shown = update ? entry.cells : entry.cells.filter((cell) => (cell.old ?? cell.new ?? null) !== null);
  const empty = entry.cells.length - shown.length;
  const rows = shown.map((cell) => [
    cut(visible(cell.column), WIDEST_NAME),
    change(cell, columns.get(cell.column)),
  ]);
  if (empty > 0) rows.push([`${empty} more`, 'NULL']);
  if (rows.length === 0) rows.push(['', update ? '(no value changed)' : '']);
  const blank = start.map(() => '');
  return rows.map((row, index) => [...(index === 0 ? start : blank), ...row]);
}

/**
 * A record's life as a table for a terminal, ending with a line that says what it is and what is there now.
 * Nothing in the data reaches the terminal as a control character; long values are cut and say so.
 */
export function historyTable(history: History): string {
  const columns = new Map(history.table.columns.map((column) => [column.name, column] as const));
  const lines: Line[] = [HEADINGS, ...history.entries.flatMap((entry) => linesOf(entry, columns))];
  const used = HEADINGS.map((_, i) => i).filter((i) => lines.some((line, n) => n > 0 && line[i] !== ''));
  const widths = used.map((i) => Math.max(...lines.map((line) => width(line[i] ?? ''))));
  const text = lines.map((line) =>
    used
      .map((i, n) => pad(line[i] ?? '', widths[n] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((cells) => '-'.repeat(cells)).join('  ');
  const body = history.entries.length === 0 ? [] : [text[0] ?? '', rule, ...text.slice(1), ''];
  return `${[...body, summary(history)].join('\n')}\n`;
}

function summary(history: History): string {
  const name = `${visible(history.table.name)} ${described(history.key)}`;
  const count = history.entries.length;
  const parts = [
    count === 0 ? `${name}: no audit row` : `${name}: ${count} audit row${count === 1 ? '' : 's'}`,
    history.live ? 'in the table now' : 'not in the table now',
  ];
  if (history.beganBefore) parts.push('the record was there before its first audit row');
  return `${parts.join('; ')}.`;
}

function plain(row: EncodedRow | undefined): Readonly<Record<string, Encoded>> | null {
  return row === undefined ? null : Object.fromEntries(row);
}

/** The same for scripts: values whole and in the encoding of the audit rows. */
export function historyJson(history: History): object {
  return {
    table: history.table.name,
    key: plain(history.key),
    live: history.live,
    beganBefore: history.beganBefore,
    entries: history.entries.map((entry) => ({
      id: entry.id,
      at: entry.at,
      login: entry.login,
      osUser: entry.osUser ?? null,
      connection: entry.connection,
      operation: entry.operation,
      key: plain(entry.key),
      keyAfter: plain(entry.keyAfter),
      cause:
        entry.cause === undefined
          ? null
          : { table: entry.cause.table, operation: entry.cause.operation, key: plain(entry.cause.key) },
      // An array: a column may be called `__proto__`, and its place says nothing.
      values: entry.cells.map(({ column, old, new: now }) => ({
        column,
        ...(old === undefined ? {} : { old }),
        ...(now === undefined ? {} : { new: now }),
      })),
    })),
  };
}
