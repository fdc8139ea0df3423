import type { ColumnModel } from '../model.ts';
import { literal } from '../names.ts';
import type { Encoded } from './entry.ts';

/** What a session must have set so that `restoreSql` means what it says. */
export const RESTORE_SESSION = [
  'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
  // Zero dates, dates such as 2024-02-31, the number 0 in AUTO_INCREMENT, the empty ENUM: all as they were.
  "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', SESSION time_zone = '+00:00'",
] as const;

const BYTES: ReadonlySet<string> = new Set([
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

/** True for a value of which the trail has only length and hash. */
export function isHashOnly(column: ColumnModel, value: Encoded): boolean {
  return (
    typeof value === 'string' &&
    value.startsWith('sha256:') &&
    (BYTES.has(column.dataType) || SPATIAL.has(column.dataType))
  );
}

/** Whether a column holds bytes, which beyond the limit are recorded as a hash. */
export function holdsBytes(column: ColumnModel): boolean {
  return BYTES.has(column.dataType) || SPATIAL.has(column.dataType);
}

/** Seconds since the epoch as the UTC time that a session in that zone writes. */
function instant(text: string): string {
  const parts = /^(\d+)(\.\d+)?$/.exec(text);
  if (parts === null) return text;
  if (Number(parts[1]) === 0 && !/[1-9]/.test(parts[2] ?? '')) return '0000-00-00 00:00:00';
  const date = new Date(Number(parts[1]) * 1000).toISOString();
  return `${date.slice(0, 10)} ${date.slice(11, 19)}${parts[2] ?? ''}`;
}

/**
 * The inverse of `valueWriter`: SQL that puts exactly this value into the column, in a session that ran
 * `RESTORE_SESSION`. Of a value beyond the limit the hash's own text takes its place, where the column can
 * hold that.
 */
export function restoreSql(column: ColumnModel, value: Encoded): string {
  if (value === null) return 'NULL';
  const type = column.dataType;
  if (isHashOnly(column, value)) return SPATIAL.has(type) ? 'NULL' : `_binary${literal(String(value))}`;
  // Bytes that the character set does not define go in as bytes, without a conversion.
  if (typeof value === 'object') return `x'${value.hex}'`;
  if (typeof value !== 'string') return String(Number(value));
  if (BYTES.has(type) || SPATIAL.has(type)) return value === '0x' ? "''" : `x'${value.replace(/^0x/, '')}'`;
  if (type === 'bit') return /^\d+$/.test(value) ? value : literal(value);
  if (type === 'timestamp') return literal(instant(value));
  return `_utf8mb4${literal(value)}`;
}
