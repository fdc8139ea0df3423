import type { Connection } from 'mysql2/promise';
import type { Dialect } from '../dialect.ts';
import type { TableModel } from '../model.ts';
import { printable, qualified } from '../names.ts';
import { rowOf, rowWritings, type Writing } from '../writers/row-json.ts';
import type { Encoded, EncodedBytes, EncodedRow } from './entry.ts';
import { streamText } from './rows.ts';

/** A row as it is in the EMR's table now, encoded as its triggers would. */
export interface LiveRow {
  /** Undefined for a table without a key. */
  readonly key: EncodedRow | undefined;
  readonly values: EncodedRow;
}

/** The value of a JSON token that `valueWriter` makes; the common ones without a parser. */
function value(token: string | null): Encoded {
  if (token === null || token === 'null') return null;
  if (token.startsWith('{')) return JSON.parse(token) as EncodedBytes;
  if (!token.startsWith('"')) return Number(token);
  if (token.includes('\\')) return JSON.parse(token) as string;
  return token.slice(1, -1);
}

function row(writings: readonly Writing[], cells: readonly (string | null)[], from: number): EncodedRow {
  const values = new Map<string, Encoded>();
  writings.forEach(({ column }, index) => {
    values.set(column.name, value(cells[from + index] ?? null));
  });
  return values;
}

/**
 * The rows of a table, encoded as its triggers encode them, one by one. The session's time zone and
 * character set do not matter.
 * @param where condition over the alias `t`; all rows when left out
 */
export async function* readLiveRows(
  connection: Connection,
  schema: string,
  table: TableModel,
  dialect: Dialect,
  maximumBinaryBytes: number,
  where?: string,
): AsyncGenerator<LiveRow> {
  const { key, stored } = rowWritings(table, dialect, maximumBinaryBytes);
  const read = rowOf('t');
  // Names of our own: the driver refuses an answer with a column called `__proto__`.
  const columns = [...key, ...stored].map(({ column, value }, i) => `${value.token(read(column))} AS c${i}`);
  const sql = `SELECT ${columns.join(',\n  ')}\nFROM ${qualified(schema, table.name)} AS t${where === undefined ? '' : `\nWHERE ${where}`}`;
  for await (const cells of streamText(connection, sql, `the table ${printable(table.name)}`)) {
    yield {
      key: key.length === 0 ? undefined : row(key, cells, 0),
      values: row(stored, cells, key.length),
    };
  }
}
