import { ChartgateError } from '../../contracts/errors.ts';
import type { ColumnModel, SchemaModel, TableModel } from '../model.ts';
import { printable } from '../names.ts';
import { type Encoded, type EncodedBytes, type EncodedRow, isEncoded } from './entry.ts';
import { nearest } from './nearest.ts';

function usage(message: string): ChartgateError {
  return new ChartgateError('usage', message);
}

/**
 * The table that was meant. Case counts only where two tables differ by nothing else.
 * @throws ChartgateError `usage`, with the nearest name
 */
export function findTable(model: SchemaModel, typed: string): TableModel {
  const exact = model.tables.find((table) => table.name === typed);
  if (exact !== undefined) return exact;
  const folded = model.tables.filter((table) => table.name.toLowerCase() === typed.toLowerCase());
  if (folded.length === 1 && folded[0] !== undefined) return folded[0];
  const meant = nearest(
    typed,
    model.tables.map((table) => table.name),
  );
  throw usage(
    `The schema ${printable(model.schema)} has no table ${printable(typed)}.${
      meant === undefined ? '' : ` Did you mean ${printable(meant)}?`
    }`,
  );
}

const INTEGERS: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'year']);
const SMALL: ReadonlySet<string> = new Set(['tinyint', 'smallint', 'mediumint', 'int']);
const BINARY: ReadonlySet<string> = new Set([
  'binary',
  'varbinary',
  'tinyblob',
  'blob',
  'mediumblob',
  'longblob',
]);
const NUMERIC: ReadonlySet<string> = new Set([...INTEGERS, 'decimal', 'float', 'double', 'bit']);

function declared(column: ColumnModel): number | undefined {
  const width = /\((\d+)/.exec(column.columnType)?.[1];
  return width === undefined ? undefined : Number(width);
}

function integer(column: ColumnModel, text: string): Encoded {
  if (!/^[+-]?\d{1,20}$/.test(text)) throw wrongValue(column, text, 'a whole number');
  const value = BigInt(text.replace(/^\+/, ''));
  if (/zerofill/i.test(column.columnType)) return String(value).padStart(declared(column) ?? 0, '0');
  if (column.dataType === 'year') return String(value).padStart(4, '0');
  return SMALL.has(column.dataType) ? Number(value) : String(value);
}

function decimal(column: ColumnModel, text: string): Encoded {
  const parts = /^([+-]?)0*(\d*)(?:\.(\d*))?$/.exec(text);
  if (parts === null || !/\d/.test(text)) throw wrongValue(column, text, 'a decimal number');
  const scale = Number(/,(\d+)\)/.exec(column.columnType)?.[1] ?? 0);
  const fraction = parts[3] ?? '';
  if (fraction.length > scale && /[1-9]/.test(fraction.slice(scale))) {
    throw wrongValue(column, text, `a number with at most ${scale} decimals`);
  }
  const whole = `${parts[2] === '' ? '0' : parts[2]}`;
  const digits = scale === 0 ? whole : `${whole}.${fraction.slice(0, scale).padEnd(scale, '0')}`;
  const total = declared(column) ?? 0;
  const padded = /zerofill/i.test(column.columnType)
    ? digits.padStart(total + (scale > 0 ? 1 : 0), '0')
    : digits;
  return parts[1] === '-' && /[1-9]/.test(digits) ? `-${padded}` : padded;
}

function instant(column: ColumnModel, text: string): Encoded {
  const date = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?Z?$/.exec(text);
  if (date === null || date[1] === '0000-00-00') return text;
  const seconds = Date.parse(`${date[1]}T${date[2]}Z`) / 1000;
  const places = declared(column) ?? 0;
  if (!Number.isInteger(seconds)) throw wrongValue(column, text, 'a time in UTC, or seconds since 1970');
  return places === 0 ? String(seconds) : `${seconds}.${(date[3] ?? '.').slice(1).padEnd(places, '0')}`;
}

function bytes(column: ColumnModel, text: string): Encoded {
  if (/^sha256:[0-9a-f]{64}:\d+$/.test(text)) return text;
  const hex = /^0x((?:[0-9a-f]{2})*)$/i.exec(text)?.[1] ?? Buffer.from(text, 'utf8').toString('hex');
  const fixed = column.dataType === 'binary' ? (declared(column) ?? 1) * 2 : 0;
  return `0x${hex.toUpperCase().padEnd(fixed, '0')}`;
}

function wrongValue(column: ColumnModel, text: string, wanted: string): ChartgateError {
  return usage(
    `The column ${printable(column.name)} (${column.columnType}) takes ${wanted}, not ${printable(text)}.`,
  );
}

/** A value as a person types it, in the form in which the audit has it. What is encoded already stays as it is. */
function encode(column: ColumnModel, text: string): Encoded {
  const type = column.dataType;
  if (INTEGERS.has(type)) return integer(column, text.trim());
  if (type === 'decimal') return decimal(column, text.trim());
  if (type === 'timestamp') return instant(column, text);
  if (BINARY.has(type)) return bytes(column, text);
  if (type === 'bit' || type === 'float' || type === 'double') {
    const digits = text.trim();
    if (digits === '' || !Number.isFinite(Number(digits))) throw wrongValue(column, text, 'a number');
    // The audit has the nearest FLOAT with all its digits. Where an exponent is written, engines differ.
    const plain = type === 'float' && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(digits);
    return plain ? String(Math.fround(Number(digits))) : digits;
  }
  return text;
}

function findColumn(table: TableModel, typed: string): ColumnModel | undefined {
  return (
    table.columns.find((column) => column.name === typed) ??
    table.columns.find((column) => column.name.toLowerCase() === typed.toLowerCase())
  );
}

/** `a=1,b=x` as pairs; a comma or `=` that begins no column's name belongs to the value. */
function pairs(table: TableModel, text: string): [string, string][] | undefined {
  const found: [string, string][] = [];
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    const name = at < 0 ? '' : part.slice(0, at).trim();
    const last = found.at(-1);
    if (at >= 0 && findColumn(table, name) !== undefined) found.push([name, part.slice(at + 1)]);
    else if (last === undefined) return undefined;
    else last[1] += `,${part}`;
  }
  return found;
}

function fromJson(text: string): [string, string | null | EncodedBytes][] | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, (_, value, context?: { source?: string }) =>
      // A number as it was written: JavaScript would round a long one.
      typeof value === 'number' ? (context?.source ?? String(value)) : value,
    );
  } catch {
    return undefined;
  }
  return Object.entries(parsed as object).map(([name, value]) => {
    if (isBytes(value)) return [name, value];
    if (value !== null && typeof value !== 'string') {
      throw usage(`The value of ${printable(name)} must be a text, a number or null.`);
    }
    return [name, value];
  });
}

function isBytes(value: unknown): value is EncodedBytes {
  return typeof value === 'object' && value !== null && 'hex' in value && isEncoded(value);
}

function named(
  table: TableModel,
  typed: string,
): readonly (readonly [string, string | null | EncodedBytes])[] {
  const given = fromJson(typed) ?? pairs(table, typed);
  if (given !== undefined) return given;
  const [only] = table.key;
  const looksNamed = /^\s*([\p{L}_][\p{L}\p{N}_$]*)=/u.exec(typed)?.[1];
  const column = only === undefined ? undefined : findColumn(table, only);
  if (table.key.length === 1 && only !== undefined && column !== undefined) {
    if (looksNamed === undefined || !NUMERIC.has(column.dataType)) return [[only, typed]];
  }
  if (looksNamed !== undefined) throw unknownColumn(table, looksNamed);
  throw usage(
    table.key.length === 0
      ? `The table ${printable(table.name)} has no key; name values of its columns, as in ${example(table)}.`
      : `A row of ${printable(table.name)} is named by ${table.key.map(printable).join(' and ')}; write ${example(table)}.`,
  );
}

function example(table: TableModel): string {
  const columns = table.key.length > 0 ? table.key : table.columns.slice(0, 2).map((column) => column.name);
  return columns.map((name) => `${printable(name).slice(1, -1)}=…`).join(',');
}

function unknownColumn(table: TableModel, typed: string): ChartgateError {
  const meant = nearest(
    typed,
    table.columns.map((column) => column.name),
  );
  return usage(
    `The table ${printable(table.name)} has no column ${printable(typed)}.${
      meant === undefined ? '' : ` Did you mean ${printable(meant)}?`
    }`,
  );
}

/**
 * Reads a row's key as a person types it: `5`, `id=5`, `a=1,b=x`, or JSON `{"a": 1, "b": "x"}`. For a table
 * without a key: values of any of its columns, which every row that has them matches.
 * @throws ChartgateError `usage`: what is wrong, and how the key is written
 */
export function parseKey(table: TableModel, typed: string): EncodedRow {
  const values = new Map<string, Encoded>();
  for (const [name, text] of named(table, typed)) {
    const column = findColumn(table, name);
    if (column === undefined) throw unknownColumn(table, name);
    if (table.key.length > 0 && !table.key.includes(column.name)) {
      throw usage(
        `The column ${printable(column.name)} is not in the key of ${printable(table.name)}; write ${example(table)}.`,
      );
    }
    if (values.has(column.name)) throw usage(`The column ${printable(column.name)} is given twice.`);
    values.set(column.name, typeof text === 'string' ? encode(column, text) : text);
  }
  const missing = table.key.filter((name) => !values.has(name));
  if (missing.length > 0) {
    throw usage(
      `The key of ${printable(table.name)} lacks ${missing.map(printable).join(' and ')}; write ${example(table)}.`,
    );
  }
  if (values.size === 0) throw usage(`Name at least one column, as in ${example(table)}.`);
  // In the order of the key, which is the order in which the audit wrote it.
  if (table.key.length === 0) return values;
  return new Map(table.key.map((name) => [name, values.get(name) ?? null]));
}

/** What `parseKey` reads as the same key. Plain where that is clear, JSON otherwise; no control characters. */
export function printKey(key: EncodedRow): string {
  const plain = [...key].every(
    ([name, value]) =>
      (typeof value === 'string' || typeof value === 'number') &&
      /^[\p{L}\p{N}_]+$/u.test(name) &&
      /^[\p{L}\p{N}_.:+-]+$/u.test(String(value)),
  );
  if (plain) return [...key].map(([name, value]) => `${name}=${String(value)}`).join(',');
  return printableJson(Object.fromEntries(key));
}

/** JSON whose text is safe to print: everything that is not plain ASCII or a letter is escaped. */
function printableJson(value: object): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e\p{L}\p{N}]/gu, (c) =>
    [...c]
      .flatMap((point) =>
        point.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
      )
      .join(''),
  );
}
