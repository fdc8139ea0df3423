import type { Dialect } from '../dialect.ts';
import type { ColumnModel } from '../model.ts';
import { literal } from '../names.ts';

/**
 * How a column's value is written in an audit row. Lossless, whatever the session's time zone or character
 * set, but for binary values beyond the limit. `restoreSql` in `trail/restore.ts` is the inverse: change both.
 *
 * | columns | JSON |
 * |---|---|
 * | TINYINT … INT, without ZEROFILL | number |
 * | BIGINT, DECIMAL, YEAR, ZEROFILL | string of the digits (JavaScript would round a number) |
 * | FLOAT, DOUBLE | string, shortest form that gives the same double |
 * | BIT | string, unsigned decimal |
 * | CHAR, TEXT, ENUM, SET, JSON, UUID, INET | string, Unicode |
 * | the same, holding bytes that their character set does not define | object `{"hex":"…"}` of the bytes |
 * | ENUM's error value, where an empty member could be meant | number 0 |
 * | DATE, TIME, DATETIME | string as stored, zero dates included |
 * | TIMESTAMP | string, seconds since the epoch with fraction; the zero date as stored |
 * | BINARY, BLOB, spatial, VECTOR | string `0x` and hexadecimal; longer than the limit: `sha256:<hex>:<bytes>` |
 *
 * NULL is `null`.
 */
export interface ValueWriter {
  /** The JSON text of `reference`, `null` when that is NULL, as parts to be joined. */
  pieces(reference: string): readonly Piece[];
  /** The same as one SQL value. */
  token(reference: string): string;
  /** SQL that is true when both are the same, byte for byte. */
  unchanged(before: string, after: string): string;
  /** The most bytes that the JSON text can have; undefined where that is not worth knowing. */
  readonly mostBytes: number | undefined;
}

/** A part of JSON text: as it stands here, or an SQL value. */
export type Piece = { readonly text: string } | { readonly sql: string };

type Write = (reference: string) => string;

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
/** Their bytes are recorded; `<=>` does not compare them on every engine, hexadecimal does. */
const OPAQUE: ReadonlySet<string> = new Set([
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
const BRIEF = [SMALL_INTEGERS, DIGITS, PLAIN_TIMES];
/** Of those: ZEROFILL pads to 255 digits, and the longest DECIMAL has 65; beside it quotes, sign and point. */
const BRIEF_BYTES = 260;
/** MariaDB's types of fixed size that compare by their bytes. */
const FIXED: ReadonlySet<string> = new Set(['uuid', 'inet4', 'inet6']);
/** Character sets of which every stored string has exactly one Unicode form. */
const COMPLETE: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'latin1']);

interface Parts {
  /** Of a value that is not NULL. */
  readonly pieces: (reference: string) => readonly Piece[];
  /**
   * SQL of the JSON text that is NULL exactly when the value is. Where it could be NULL for another reason,
   * as beyond `max_allowed_packet`, it is left out: that must not pass for no value.
   */
  readonly orNull?: Write;
  /** Both sides of the comparison; the value itself when left out. */
  readonly compared?: readonly [before: Write, after: Write];
}

const same: Write = (reference) => reference;
const both = (write: Write): readonly [Write, Write] => [write, write];

/** Printed as it is. */
function bare(write: Write): Parts {
  return { pieces: (r) => [{ sql: write(r) }], orNull: write };
}

/** In quotes; for what needs no escaping in JSON and never exceeds a limit. */
function quoted(write: Write): Parts {
  return {
    pieces: (r) => [{ text: '"' }, { sql: write(r) }, { text: '"' }],
    orNull: (r) => `CONCAT('"', ${write(r)}, '"')`,
  };
}

/**
 * By bytes: a collation would call `a` and `A`, or `a` and `a `, the same. One side is enough, for what is
 * compared with bytes is bytes. MariaDB has a collation that does the same without a copy, which CAST
 * cannot make beyond `max_allowed_packet`.
 */
function byBytes(set: string, dialect: Dialect): readonly [Write, Write] {
  return dialect.engine === 'mariadb'
    ? [same, (reference) => `${reference} COLLATE ${set === 'utf8' ? 'utf8mb3' : set}_nopad_bin`]
    : [same, (reference) => `CAST(${reference} AS BINARY)`];
}

function floating(type: 'float' | 'double', dialect: Dialect): Parts {
  // FLOAT alone prints six digits; multiplied it is a double, which prints all of them. On MySQL what is
  // computed loses the last digits of a long one, and a column does not. Compared as text, because 0 and -0
  // are equal.
  const exact: Write = type === 'double' && dialect.engine === 'mysql' ? same : (r) => `${r} * 1e0`;
  return { ...quoted(exact), compared: both((r) => `CONCAT(${exact(r)})`) };
}

function timestamp(dialect: Dialect): Parts {
  // Local time is ambiguous once a year and depends on the session; this is neither. For the zero date
  // MariaDB has no number, or 0, depending on where it stands.
  const instant: Write = (r) => `IFNULL(NULLIF(UNIX_TIMESTAMP(${r}), 0), ${r})`;
  // MySQL would compare the local times.
  const compared = dialect.engine === 'mysql' ? both((r) => `UNIX_TIMESTAMP(${r})`) : both(same);
  return { ...quoted(instant), compared };
}

function bytes(type: string, maximumBinaryBytes: number): Parts {
  const written: Write = (r) =>
    `IF(LENGTH(${r}) <= ${maximumBinaryBytes}, CONCAT('0x', HEX(${r})), CONCAT('sha256:', SHA2(${r}, 256), ':', LENGTH(${r})))`;
  return {
    pieces: quoted(written).pieces,
    ...(OPAQUE.has(type) ? { compared: both((r) => `HEX(${r})`) } : {}),
  };
}

function enumeration(column: ColumnModel, members: Parts): Parts {
  // The numbers of its members: two members may be the same to the collation.
  const compared = both((r) => `${r} + 0`);
  // What was no member is stored as an empty string with the number 0.
  if (!column.columnType.includes("''")) return { ...members, compared };
  return {
    pieces: (r) => [{ sql: `IF(${r} + 0 = 0, '0', ${joined(members.pieces(r))})` }],
    compared,
  };
}

/** JSON of text in a character set in which not all bytes are characters. */
function partlyUnicode(set: string, dialect: Dialect): Write {
  const bytes: Write = (r) => `CONCAT('{"hex":"', HEX(${r}), '"}')`;
  if (dialect.engine === 'mysql') {
    const text: Write = (r) => `CONVERT(${r} USING utf8mb4)`;
    return (r) =>
      `IF(CAST(CONVERT(${text(r)} USING ${set}) AS BINARY) <=> ${r}, JSON_QUOTE(${text(r)}), ${bytes(r)})`;
  }
  // On MariaDB CONVERT of such bytes is an error in strict mode, and JSON_QUOTE of them is NULL. It lets
  // half a surrogate pair through, which is no Unicode.
  const quote: Write = (r) => `IFNULL(JSON_QUOTE(${r}), ${bytes(r)})`;
  return set === 'ucs2' ? (r) => `IF(HEX(${r}) RLIKE '^(.{4})*D[89A-F]', ${bytes(r)}, ${quote(r)})` : quote;
}

function characters(column: ColumnModel, dialect: Dialect): Parts {
  const type = column.dataType;
  const set = column.characterSet;
  if (type === 'json') {
    // MySQL's own: compared as JSON, 1 and 1.0 would be the same.
    const text: Write = (r) => `CAST(${r} AS CHAR CHARACTER SET utf8mb4)`;
    return {
      pieces: bare((r) => `JSON_QUOTE(${text(r)})`).pieces,
      compared: [text, (r) => `CAST(${text(r)} AS BINARY)`],
    };
  }
  if (set === undefined) {
    // A type this list does not know (UUID, INET6, and what comes later): its printed form.
    const text: Write = (r) => `CONVERT(CONCAT(${r}) USING utf8mb4)`;
    return {
      pieces: bare((r) => `JSON_QUOTE(${text(r)})`).pieces,
      compared: FIXED.has(type) ? both(same) : [text, (r) => `CAST(${text(r)} AS BINARY)`],
    };
  }
  const compared = byBytes(set, dialect);
  if (!COMPLETE.has(set)) return { pieces: bare(partlyUnicode(set, dialect)).pieces, compared };
  // MariaDB's function takes any character set.
  const quote: Write =
    set === 'utf8mb4' || dialect.engine === 'mariadb'
      ? (r) => `JSON_QUOTE(${r})`
      : (r) => `JSON_QUOTE(CONVERT(${r} USING utf8mb4))`;
  return { ...bare(quote), compared };
}

function parts(column: ColumnModel, dialect: Dialect, maximumBinaryBytes: number): Parts {
  const type = column.dataType;
  if (SMALL_INTEGERS.has(type) && !/zerofill/i.test(column.columnType)) return bare(same);
  if (SMALL_INTEGERS.has(type) || DIGITS.has(type)) return quoted(same);
  if (PLAIN_TIMES.has(type)) {
    // Takes anything that is not a number there, in fewer parts than CONCAT.
    return dialect.engine === 'mariadb'
      ? { ...quoted(same), orNull: (r) => `JSON_QUOTE(${r})` }
      : quoted(same);
  }
  if (type === 'float' || type === 'double') return floating(type, dialect);
  if (type === 'bit') return quoted((r) => `CAST(${r} AS UNSIGNED)`);
  if (type === 'timestamp') return timestamp(dialect);
  if (BINARY.has(type) || OPAQUE.has(type)) return bytes(type, maximumBinaryBytes);
  if (type === 'enum') return enumeration(column, characters(column, dialect));
  return characters(column, dialect);
}

/** @param maximumBinaryBytes binary values longer than this are recorded as length and SHA-256 */
export function valueWriter(column: ColumnModel, dialect: Dialect, maximumBinaryBytes: number): ValueWriter {
  const { pieces, orNull, compared = both(same) } = parts(column, dialect, maximumBinaryBytes);
  const [before, after] = compared;
  const nullable = (r: string): string =>
    orNull === undefined ? `IF(${r} IS NULL, 'null', ${joined(pieces(r))})` : `IFNULL(${orNull(r)}, 'null')`;
  const written = column.nullable ? (r: string): readonly Piece[] => [{ sql: nullable(r) }] : pieces;
  return {
    pieces: written,
    token: (reference) => joined(written(reference)),
    unchanged: (old, now) => `${before(old)} <=> ${after(now)}`,
    mostBytes: BRIEF.some((types) => types.has(column.dataType)) ? BRIEF_BYTES : undefined,
  };
}

/** The parts as arguments of CONCAT, neighbouring texts as one. */
export function concatenated(pieces: readonly Piece[]): readonly string[] {
  const args: string[] = [];
  let text = '';
  for (const piece of pieces) {
    if ('text' in piece) {
      text += piece.text;
      continue;
    }
    if (text !== '') args.push(literal(text));
    text = '';
    args.push(piece.sql);
  }
  if (text !== '') args.push(literal(text));
  return args;
}

/** The parts as one SQL value. */
function joined(pieces: readonly Piece[]): string {
  return `CONCAT(${concatenated(pieces).join(', ')})`;
}
