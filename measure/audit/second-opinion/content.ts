import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ident } from '../workload/session.ts';
import type { ColumnShape, Shape, TableShape } from '../workload/shape.ts';

/**
 * What a table holds, in a form made here and nowhere else, so that a mistake in the audit's own way of
 * writing values cannot hide itself: text as the hexadecimal of its UTF-8, numbers as JavaScript's, times
 * in UTC. Values in this form are compared as strings; NULL is null.
 */
export type Canonical = string | null;
export type CanonicalRow = ReadonlyMap<string, Canonical>;

/** Binary values longer than this are known to the audit by length and SHA-256 alone. */
export const WHOLE_BYTES = 65_536;

const INTEGER = /^(tinyint|smallint|mediumint|int|bigint|year)$/;
const REAL = /^(float|double)$/;
const TIMES = /^(date|time|datetime)$/;
const BINARY =
  /binary$|blob$|^(geometry|point|linestring|polygon|multi\w+|geometrycollection|geomcollection|vector)$/;

/** SQL for the canonical value; of reals the bare column, whose eight bytes the binary protocol brings as they are. */
function select(column: ColumnShape, engine: 'mariadb' | 'mysql'): string {
  const c = ident(column.name);
  const { type } = column;
  if (REAL.test(type)) return c;
  if (INTEGER.test(type) || type === 'decimal' || TIMES.test(type) || type === 'timestamp')
    return `CAST(${c} AS CHAR)`;
  if (type === 'bit') return `CAST(${c} + 0 AS CHAR)`;
  if (BINARY.test(type)) {
    return `IF(LENGTH(${c}) > ${WHOLE_BYTES}, CONCAT('sha256:', SHA2(${c}, 256), ':', LENGTH(${c})), HEX(${c}))`;
  }
  // The character set `binary` of a CHAR or TEXT.
  if (type === 'json' && engine === 'mysql') return `HEX(CAST(${c} AS CHAR CHARACTER SET utf8mb4))`;
  // By number: the error value and an empty member look alike.
  if (type === 'enum') return `CAST(${c} + 0 AS CHAR)`;
  if (column.characterSet !== undefined) {
    // Bytes that the character set does not define do not come back from a conversion.
    const there = `CONVERT(${c} USING utf8mb4)`;
    return `IF(HEX(CONVERT(${there} USING ${column.characterSet})) <=> HEX(${c}), HEX(${there}), CONCAT('bytes:', HEX(${c})))`;
  }
  return `HEX(CONVERT(CAST(${c} AS CHAR) USING utf8mb4))`;
}

/** The columns that a statement can set: the others follow from them. */
export function storedColumns(table: TableShape): readonly ColumnShape[] {
  return table.columns.filter((c) => !c.generated);
}

function seen(column: ColumnShape, value: unknown): Canonical {
  if (value === null || value === undefined) return null;
  const { type } = column;
  if (REAL.test(type)) return real(column, Number(value));
  const text = String(value);
  if (INTEGER.test(type)) return BigInt(text).toString();
  return text;
}

/** Of a FLOAT the text need name the same float, not the same double. */
function real(column: ColumnShape, given: number): string {
  const value = column.type === 'float' ? Math.fround(given) : given;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The same form from what the audit wrote. The table of encodings is in the product's `writers/values.ts`. */
export function fromAudit(column: ColumnShape, value: unknown): Canonical {
  if (value === null) return null;
  const { type } = column;
  const text = String(value);
  if (REAL.test(type)) return real(column, Number(text));
  if (INTEGER.test(type)) return BigInt(text).toString();
  if (type === 'decimal' || type === 'bit' || TIMES.test(type)) return text;
  if (type === 'timestamp') return utc(text, column.fraction);
  if (BINARY.test(type)) return text.startsWith('0x') ? text.slice(2) : text;
  if (type === 'enum') {
    if (typeof value === 'number') return String(value);
    return String(column.members.indexOf(text) + 1);
  }
  const undefinedBytes = typeof value === 'object' ? (value as { hex?: unknown }).hex : undefined;
  if (undefinedBytes !== undefined) return `bytes:${String(undefinedBytes)}`;
  return Buffer.from(text, 'utf8').toString('hex').toUpperCase();
}

/** Seconds since the epoch as the local time of UTC; the zero date as it is. */
function utc(text: string, fraction: number): string {
  const zero = `0000-00-00 00:00:00${fraction > 0 ? `.${'0'.repeat(fraction)}` : ''}`;
  if (text.startsWith('0000') || /^0(\.0*)?$/.test(text)) return zero;
  const [seconds = '0', part] = text.split('.');
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return part === undefined ? whole : `${whole}.${part}`;
}

/** Every row of one table. The session's settings are changed so that reading changes nothing. */
export async function readTable(
  connection: Connection,
  engine: 'mariadb' | 'mysql',
  schema: string,
  table: TableShape,
): Promise<CanonicalRow[]> {
  // A key may be made of generated columns, so all are read.
  const columns = table.columns.filter((c) => !/^row_(start|end)$/i.test(c.name) || !c.generated);
  const list = columns.map((c, i) => `${select(c, engine)} AS c${i}`);
  const [rows] = await connection.execute<RowDataPacket[]>(
    `SELECT ${list.join(', ')} FROM ${ident(schema)}.${ident(table.name)}`,
  );
  return rows.map((row) => new Map(columns.map((c, i) => [c.name, seen(c, row[`c${i}`])])));
}

export type Content = ReadonlyMap<string, readonly CanonicalRow[]>;

/** Every row of every table, in one transaction. Nobody may be writing. */
export async function readContent(
  connection: Connection,
  engine: 'mariadb' | 'mysql',
  shape: Shape,
): Promise<Content> {
  await connection.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
  await connection.query('SET NAMES utf8mb4');
  const content = new Map<string, CanonicalRow[]>();
  for (const table of shape.tables) {
    content.set(table.name, await readTable(connection, engine, shape.schema, table));
  }
  return content;
}
