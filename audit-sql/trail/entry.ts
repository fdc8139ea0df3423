import { ChartgateError } from '../../contracts/errors.ts';
import { byCodeUnit } from '../catalogue/schema.ts';

/** What an audit row says happened. `cascade-*`: the server did it to a child because of its parent. */
export const AUDIT_OPERATIONS = ['insert', 'update', 'delete', 'cascade-update', 'cascade-delete'] as const;
export type AuditOperation = (typeof AUDIT_OPERATIONS)[number];

/** Text whose bytes are not defined in its character set: the bytes. */
export interface EncodedBytes {
  readonly hex: string;
}
/** A value as `writers/values.ts` encodes it. */
export type Encoded = string | number | boolean | null | EncodedBytes;

/** Whether two encoded values are the same. */
export function sameEncoded(a: Encoded | undefined, b: Encoded | undefined): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && a?.hex === b?.hex;
}

/** Columns of a row and their encoded values. A map: a column may be called `__proto__`. */
export type EncodedRow = ReadonlyMap<string, Encoded>;

/** One row of the audit trail. */
export interface AuditEntry {
  readonly id: bigint;
  /** UTC, ISO 8601 with microseconds: `2026-11-22T01:02:03.123456Z`. */
  readonly at: string;
  /** `session_user()`. */
  readonly login: string;
  readonly ranAs: string;
  readonly connection: string;
  /** What the client said the person is; undefined when it said nothing. */
  readonly osUser: string | undefined;
  readonly table: string;
  readonly operation: AuditOperation;
  readonly cascadeId: string | undefined;
  /** The key before the change; undefined for a table without one. */
  readonly key: EncodedRow | undefined;
  readonly oldValues: EncodedRow | undefined;
  readonly newValues: EncodedRow | undefined;
  /** Of an update of a table with a key: what changed, as [old, new]. */
  readonly changes: ReadonlyMap<string, readonly [Encoded, Encoded]> | undefined;
}

/** The columns that `decodeEntry` takes, in its order. */
export const ENTRY_COLUMNS = [
  'id',
  'at',
  'login',
  'ran_as',
  'connection',
  'os_user',
  'emr_table',
  'operation',
  'cascade_id',
  'row_key',
  'old_values',
  'new_values',
  'changes',
] as const;

function broken(id: string, what: string): ChartgateError {
  return new ChartgateError(
    'audit-trail-broken',
    `The audit row ${id} cannot be read: ${what}. It was not written by a trigger of this generator, or it was altered.`,
  );
}

function members(
  id: string,
  column: string,
  text: string | null | undefined,
): [string, unknown][] | undefined {
  if (text === null || text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw broken(id, `its ${column} is not JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw broken(id, `its ${column} is not a JSON object`);
  }
  return Object.entries(parsed);
}

export function isEncoded(value: unknown): value is Encoded {
  if (typeof value !== 'object' || value === null) return value !== undefined;
  const { hex } = value as { hex?: unknown };
  return typeof hex === 'string' && /^(?:[0-9A-F]{2})*$/i.test(hex);
}

function row(id: string, column: string, text: string | null | undefined): EncodedRow | undefined {
  const entries = members(id, column, text);
  if (entries === undefined) return undefined;
  const values = new Map<string, Encoded>();
  for (const [name, value] of entries) {
    if (!isEncoded(value)) throw broken(id, `its ${column} holds a nested value`);
    values.set(name, value);
  }
  return values;
}

function pairs(id: string, text: string | null | undefined): AuditEntry['changes'] {
  const entries = members(id, 'changes', text);
  if (entries === undefined) return undefined;
  const values = new Map<string, readonly [Encoded, Encoded]>();
  for (const [name, value] of entries) {
    if (!Array.isArray(value) || value.length !== 2 || !value.every(isEncoded)) {
      throw broken(id, 'its changes are not pairs of old and new');
    }
    values.set(name, [value[0] ?? null, value[1] ?? null]);
  }
  return values;
}

/**
 * Reads one audit row from the text of `ENTRY_COLUMNS`.
 * @throws ChartgateError `audit-trail-broken` naming the row's number, when it has not the form of a trigger's
 */
export function decodeEntry(cells: readonly (string | null)[]): AuditEntry {
  const [id, at, login, ranAs, connection, osUser, table, operation, cascadeId, key, old, now, changes] =
    cells;
  if (typeof id !== 'string' || !/^\d{1,20}$/.test(id)) throw broken(String(id), 'it has no number');
  const known = AUDIT_OPERATIONS.find((name) => name === operation);
  if (known === undefined) throw broken(id, 'its operation is unknown');
  return {
    id: BigInt(id),
    at: `${(at ?? '').replace(' ', 'T')}Z`,
    login: login ?? '',
    ranAs: ranAs ?? '',
    connection: connection ?? '',
    osUser: osUser ?? undefined,
    table: table ?? '',
    operation: known,
    cascadeId: cascadeId ?? undefined,
    key: row(id, 'row_key', key),
    oldValues: row(id, 'old_values', old),
    newValues: row(id, 'new_values', now),
    changes: pairs(id, changes),
  };
}

/** Text that two rows share only when they have the same columns and values, whatever the order. */
export function rowText(row: EncodedRow): string {
  return JSON.stringify([...row].sort(([a], [b]) => byCodeUnit(a, b)));
}

/** The key after a change: what `changes` says of its columns, the old value otherwise. */
export function keyAfter(entry: AuditEntry): EncodedRow | undefined {
  const { key, changes } = entry;
  if (key === undefined || changes === undefined) return key;
  let moved = false;
  const after = new Map<string, Encoded>();
  for (const [name, value] of key) {
    const change = changes.get(name);
    if (change !== undefined) moved = true;
    after.set(name, change === undefined ? value : change[1]);
  }
  return moved ? after : key;
}
