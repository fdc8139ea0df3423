import type { Dialect } from '../dialect.ts';
import type { ColumnModel } from '../model.ts';
import { ident } from '../names.ts';

/**
 * How a column's value is written in an audit row. Lossless, whatever the session's time zone or
 * character set, but for binary values beyond the limit:
 *
 * | columns | JSON |
 * |---|---|
 * | TINYINT … INT, without ZEROFILL | number |
 * | BIGINT, DECIMAL, YEAR, ZEROFILL | string of the digits (JavaScript would round a number) |
 * | FLOAT, DOUBLE | string, shortest form that gives the same double |
 * | BIT | string, unsigned decimal |
 * | CHAR, TEXT, ENUM, SET, JSON, UUID, INET | string, Unicode |
 * | DATE, TIME, DATETIME | string as stored, zero dates included |
 * | TIMESTAMP | string, seconds since the epoch with fraction; the zero date as `0` (MySQL) or as stored (MariaDB) |
 * | BINARY, BLOB, spatial, VECTOR | string `0x` and hexadecimal; longer than the limit: `sha256:<hex>:<bytes>` |
 *
 * NULL is `null`.
 */
export interface ValueWriter {
  /** An argument for JSON_OBJECT. */
  argument(row: 'OLD' | 'NEW'): string;
  /** JSON text of the value; SQL NULL when the value is NULL. */
  token(row: 'OLD' | 'NEW'): string;
  /** True when old and new value are the same, byte for byte. */
  readonly unchanged: string;
}

const SMALL_INTEGERS: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int']);
const DIGITS: ReadonlySet<string> = new Set(['bigint', 'decimal', 'year']);
const BINARY: ReadonlySet<string> = new Set([
  'binary',
  'varbinary',
  'tinyblob',
  'blob',
  'mediumblob',
  'longblob',
]);
const SPATIAL: ReadonlySet<string> = new Set([
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
  'geomcollection',
  'vector',
]);
const PLAIN_TIMES: ReadonlySet<string> = new Set(['date', 'time', 'datetime']);

type Write = (reference: string) => string;

function writer(text: Write, token: Write, compared: Write, column: string): ValueWriter {
  const reference = (row: 'OLD' | 'NEW'): string => `${row}.${column}`;
  return {
    argument: (row) => text(reference(row)),
    token: (row) => token(reference(row)),
    unchanged: `${compared(reference('OLD'))} <=> ${compared(reference('NEW'))}`,
  };
}

const same: Write = (reference) => reference;
const concat: Write = (reference) => `CONCAT(${reference})`;
/** For text that needs no escaping in JSON. */
const quoted =
  (text: Write): Write =>
  (reference) =>
    `CONCAT('"', ${text(reference)}, '"')`;

/** @param maximumBinaryBytes binary values longer than this are recorded as length and SHA-256 */
export function valueWriter(column: ColumnModel, dialect: Dialect, maximumBinaryBytes: number): ValueWriter {
  const name = ident(column.name);
  const type = column.dataType;
  if (SMALL_INTEGERS.has(type) && !/zerofill/i.test(column.columnType)) return writer(same, same, same, name);
  if (SMALL_INTEGERS.has(type) || DIGITS.has(type) || PLAIN_TIMES.has(type)) {
    return writer(concat, quoted(same), same, name);
  }
  if (type === 'float' || type === 'double') {
    // FLOAT alone prints six digits; multiplied it is a double, which prints all of them.
    const exact: Write = (reference) => `CONCAT(${reference} * 1e0)`;
    return writer(exact, quoted(exact), same, name);
  }
  if (type === 'bit') {
    const number: Write = (reference) => `CONCAT(CAST(${reference} AS UNSIGNED))`;
    return writer(number, quoted(number), same, name);
  }
  if (type === 'timestamp') {
    // Local time is ambiguous once a year and depends on the session; this is neither. MariaDB has no
    // number for the zero date.
    const instant: Write = (reference) =>
      `IFNULL(CONCAT(UNIX_TIMESTAMP(${reference})), CONCAT(${reference}))`;
    return writer(instant, quoted(instant), instant, name);
  }
  if (BINARY.has(type) || SPATIAL.has(type)) {
    const bytes: Write = (r) =>
      `IF(LENGTH(${r}) <= ${maximumBinaryBytes}, CONCAT('0x', HEX(${r})), CONCAT('sha256:', SHA2(${r}, 256), ':', LENGTH(${r})))`;
    return writer(bytes, quoted(bytes), SPATIAL.has(type) ? (r) => `HEX(${r})` : same, name);
  }
  const text: Write = (reference) => {
    // Not CONCAT, which gives NULL beyond `max_allowed_packet`.
    if (type === dialect.jsonColumnType) return `CAST(${reference} AS CHAR CHARACTER SET utf8mb4)`;
    if (column.characterSet === 'utf8mb4') return reference;
    if (column.characterSet !== undefined) return `CONVERT(${reference} USING utf8mb4)`;
    // A type this list does not know (UUID, INET6, and what comes later): its printed form.
    return `CONVERT(CONCAT(${reference}) USING utf8mb4)`;
  };
  // By bytes: a collation would call `a` and `A`, or `a` and `a `, the same.
  return writer(
    text,
    (reference) => `JSON_QUOTE(${text(reference)})`,
    (reference) => `CAST(${type === 'json' ? text(reference) : reference} AS BINARY)`,
    name,
  );
}
