import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { AUDIT_ROW_TABLE, type AuditNames, DIRECT_ROW_TABLE, literal, qualified } from '../names.ts';
import { type AuditEntry, decodeEntry, ENTRY_COLUMNS } from './entry.ts';
import { streamText, textRows } from './rows.ts';

const WHAT = 'the audit trail';

/** Which part of the trail to read; all of it when nothing is said. */
export interface TrailRange {
  /** Takes a row that cannot be decoded, instead of an end with its error. */
  readonly onUnreadable?: ((error: ChartgateError) => void) | undefined;
  /** Only rows with a greater number. */
  readonly after?: bigint | undefined;
  /** Only rows with this number or a smaller one. */
  readonly upTo?: bigint | undefined;
  /** Only rows of these EMR tables. */
  readonly tables?: readonly string[] | undefined;
}

/**
 * Where audit rows are: those of transactional tables, then those of the others (MyISAM and the like, whose
 * changes no rollback takes back). An EMR table writes into one of the two; their numbers do not overlap.
 */
export const TRAIL_TABLES = [AUDIT_ROW_TABLE, DIRECT_ROW_TABLE] as const;

/** Where the numbers of the second begin; `writers/store.ts` sets it. */
export const FIRST_DIRECT_ID = 2n ** 52n;

function conditions(range: TrailRange): string {
  const parts = [
    ...(range.after === undefined ? [] : [`id > ${range.after}`]),
    ...(range.upTo === undefined ? [] : [`id <= ${range.upTo}`]),
    ...(range.tables === undefined
      ? []
      : [`emr_table IN (${['NULL', ...range.tables.map(literal)].join(', ')})`]),
  ];
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/** SQL that selects what `decodeEntry` takes. On MySQL a JSON column would come in the server's binary charset. */
export function selectEntries(names: AuditNames, table: (typeof TRAIL_TABLES)[number], rest: string): string {
  return `SELECT ${ENTRY_COLUMNS.map((c) => (c === 'at' ? 'CAST(at AS CHAR)' : c)).join(', ')} FROM ${qualified(names.auditSchema, table)}${rest}`;
}

/** A statement of one connection that a cascade belongs to; both parts are plain digits. */
function tokenOf(connection: string | null | undefined, cascadeId: string | null | undefined): string {
  return `${connection} ${cascadeId}`;
}

/**
 * Cascades that did not happen: their parent's trigger announced them, then another constraint refused the
 * parent's change, and IGNORE let the statement go on. Found in one pass by the server; there are few.
 */
async function readVoid(connection: Connection, names: AuditNames, range: TrailRange): Promise<Set<string>> {
  // A parent comes after its cascades, so `upTo` would cut it off; and it may be another table's row.
  const from = range.after === undefined ? '' : ` AND id > ${range.after}`;
  const rows = await textRows(
    connection,
    `SELECT connection, cascade_id FROM ${qualified(names.auditSchema, AUDIT_ROW_TABLE)}
      WHERE cascade_id IS NOT NULL${from}
      GROUP BY connection, cascade_id
     HAVING MAX(IF(operation IN ('update', 'delete'), id, 0)) < MAX(IF(operation IN ('cascade-update', 'cascade-delete'), id, 0))`,
    WHAT,
  );
  return new Set(rows.map(([session, token]) => tokenOf(session, token)));
}

function decode(cells: readonly (string | null)[], range: TrailRange): AuditEntry | undefined {
  try {
    return decodeEntry(cells);
  } catch (error) {
    if (range.onUnreadable === undefined || !(error instanceof ChartgateError)) throw error;
    range.onUnreadable(error);
    return undefined;
  }
}

/**
 * The audit trail in order of number, without the cascades that did not happen. Memory does not grow with
 * its length. The order is, for every single row of the EMR, the order in which it was changed.
 *
 * Call it within `inSnapshot`: it asks more than once. The connection serves nothing else meanwhile.
 * @throws ChartgateError `privilege-missing`, `database-unavailable`, `database-unsupported`, or
 *   `audit-trail-broken` at a row that no trigger wrote
 */
export async function* readTrail(
  connection: Connection,
  names: AuditNames,
  range: TrailRange = {},
): AsyncGenerator<AuditEntry> {
  const ignored = await readVoid(connection, names, range);
  for (const table of TRAIL_TABLES) {
    const sql = selectEntries(names, table, `${conditions(range)} ORDER BY id`);
    for await (const cells of streamText(connection, sql, WHAT)) {
      const entry = decode(cells, range);
      if (entry === undefined) continue;
      if (
        ignored.size > 0 &&
        entry.operation.startsWith('cascade-') &&
        ignored.has(tokenOf(entry.connection, entry.cascadeId))
      ) {
        continue;
      }
      yield entry;
    }
  }
}

/**
 * The row of the parent whose change made a cascade happen; undefined when the parent was not changed after
 * all, and the cascade therefore did not happen.
 */
export async function readParent(
  connection: Connection,
  names: AuditNames,
  cascade: AuditEntry,
): Promise<AuditEntry | undefined> {
  if (cascade.cascadeId === undefined || !/^\d+$/.test(cascade.cascadeId + cascade.connection))
    return undefined;
  // In order of the primary key the server stops at the first; it is a few rows further on.
  const [cells] = await textRows(
    connection,
    selectEntries(
      names,
      AUDIT_ROW_TABLE,
      ` WHERE id > ${cascade.id} AND cascade_id = ${cascade.cascadeId} AND connection = ${cascade.connection}
          AND operation IN ('update', 'delete') ORDER BY id LIMIT 1`,
    ),
    WHAT,
  );
  return cells === undefined ? undefined : decodeEntry(cells);
}
