import type { Engine } from '../dialect.ts';
import type { ColumnModel, TableModel } from '../model.ts';

/** Text of a value as both the log and the audit can be brought to; undefined when they cannot. */
type Common = string | undefined;

const INTEGERS: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint']);
const DIGITS_ALONE: ReadonlySet<string> = new Set(['date', 'datetime', 'time']);
/** Encodings by the servers' names for them. Their `latin1` is the one with the euro sign. */
const DECODERS: Readonly<Record<string, string>> = {
  utf8mb4: 'utf-8',
  utf8mb3: 'utf-8',
  utf8: 'utf-8',
  ascii: 'utf-8',
  latin1: 'windows-1252',
  cp1251: 'windows-1251',
  cp1250: 'windows-1250',
  latin2: 'iso-8859-2',
  latin5: 'windows-1254',
};

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  '0': '\0',
  Z: '\u001a',
  f: '\f',
  v: '\v',
  a: '\u0007',
};

/**
 * The bytes between the quotes, as Latin-1. MySQL's program escapes as SQL does. MariaDB's writes what is
 * below a space as `\\x0a` and nothing else, so a backslash there may be one or may not: it is left as it is,
 * and `printed` makes the audit's side the same.
 */
export function unquote(text: string, engine: Engine): string {
  const inner = text.startsWith("'") ? text.slice(1, -1) : text;
  if (engine === 'mariadb') return inner;
  return inner.replace(/\\(x[0-9a-f]{2}|.)/gs, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
  );
}

/** The audit's value as MariaDB's program would print it. */
function printed(text: string, engine: Engine): string {
  if (engine === 'mysql') return text;
  return text.replace(/[\0-\x1f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** JSON text of an audit row. JSON has no raw control character, so MariaDB's program escaped nothing in it. */
export function auditText(text: string | undefined, engine: Engine): string | undefined {
  if (text === undefined || text === 'NULL') return undefined;
  const bytes = unquote(text, engine);
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The log separates a date's parts with colons. */
function digits(text: string): string {
  return (text.startsWith('-') ? '-' : '') + text.replace(/\D/g, '');
}

function fromLog(column: ColumnModel, text: string | undefined, engine: Engine): Common {
  if (text === undefined || text === 'NULL') return undefined;
  const type = column.dataType;
  if (INTEGERS.has(type)) {
    const both = /^(-?\d+)(?: \((\d+)\))?$/.exec(text);
    const number = /unsigned/i.test(column.columnType) ? (both?.[2] ?? both?.[1]) : both?.[1];
    return number === undefined ? undefined : BigInt(number).toString();
  }
  if (type === 'decimal' || type === 'year') return text;
  if (DIGITS_ALONE.has(type)) return digits(text);
  if (type === 'timestamp') return /^0(\.0*)?$/.test(text) ? '0' : text;
  if (type === 'varbinary') return Buffer.from(unquote(text, engine), 'latin1').toString('hex').toUpperCase();
  const encoding = DECODERS[column.characterSet ?? ''];
  if ((type === 'char' || type === 'varchar') && encoding !== undefined) {
    return new TextDecoder(encoding).decode(Buffer.from(unquote(text, engine), 'latin1'));
  }
  return undefined;
}

function fromAudit(column: ColumnModel, value: unknown, engine: Engine): Common {
  if (value === null || value === undefined) return undefined;
  const type = column.dataType;
  const text = String(value);
  if (INTEGERS.has(type)) return /^-?\d+$/.test(text) ? BigInt(text).toString() : undefined;
  if (DIGITS_ALONE.has(type)) return digits(text);
  if (type === 'timestamp') return /^0(\.0*)?$|^0000/.test(text) ? '0' : text;
  if (type === 'varbinary') {
    if (!text.startsWith('0x')) return undefined;
    const bytes = printed(Buffer.from(text.slice(2), 'hex').toString('latin1'), engine);
    return Buffer.from(bytes, 'latin1').toString('hex').toUpperCase();
  }
  return printed(text, engine);
}

/** A table whose rows can be told apart in the log, and how. */
export interface KeyReader {
  /** Positions of the key's columns, from 1. */
  readonly columns: ReadonlySet<number>;
  fromLog(values: ReadonlyMap<number, string>): string | undefined;
  fromAudit(rowKey: string): string | undefined;
}

/** The end of a versioned row that still holds: the last moment a TIMESTAMP has, or the last transaction. */
const STILL_HOLDS = /^(2147483647|4294967295)(\.9+)?$|^-1 \(18446744073709551615\)$|^18446744073709551615$/;

/** Position of the column that says until when a versioned row held; the server's own comes after all others. */
export function rowEnd(table: TableModel): number | undefined {
  if (!table.systemVersioned) return undefined;
  const own = table.columns.findIndex((c) => c.generation === 'row-end');
  return own < 0 ? table.columns.length + 2 : own + 1;
}

/** True for a row that only the server's own history holds: it was written beside the change, not by it. */
export function isHistory(end: string | undefined): boolean {
  return end !== undefined && !STILL_HOLDS.test(end);
}

/** Types whose printed form in the log says exactly what the audit says. */
function comparable(column: ColumnModel): boolean {
  const type = column.dataType;
  if (INTEGERS.has(type) || DIGITS_ALONE.has(type)) return true;
  if (['decimal', 'year', 'timestamp', 'varbinary'].includes(type)) return true;
  return (type === 'char' || type === 'varchar') && DECODERS[column.characterSet ?? ''] !== undefined;
}

/** Undefined for a table whose rows can only be counted: no key, or one of a type that the log prints otherwise. */
export function keyReader(table: TableModel, engine: Engine): KeyReader | undefined {
  const parts = table.key.map((name) => table.columns.findIndex((c) => c.name === name));
  const key = parts.map((index) => table.columns[index]).filter((c) => c !== undefined);
  if (key.length === 0 || key.length !== parts.length || !key.every(comparable)) return undefined;
  const join = (values: readonly Common[]): string | undefined =>
    values.every((v) => v !== undefined) ? JSON.stringify(values) : undefined;
  return {
    columns: new Set(parts.map((index) => index + 1)),
    fromLog: (values) => join(key.map((c, i) => fromLog(c, values.get((parts[i] ?? -1) + 1), engine))),
    fromAudit: (rowKey) => {
      const object = JSON.parse(rowKey) as Readonly<Record<string, unknown>>;
      return join(key.map((c) => fromAudit(c, object[c.name], engine)));
    },
  };
}
