import { BEFORE_FIRST_ID, type SealedTable } from '../../audit-sql/fingerprint/index.ts';
import type { PendingIds } from './pending.ts';
import type { HashedRow, RowReader } from './rows.ts';
import type { Fresh, SealState } from './state.ts';
import { judgeRow, type Suspect } from './suspects.ts';

/** Rows of one table in one reading: about 10 ms of the server's and 5 ms of this process's time. */
const CHUNK = 1_000;

/** Nothing was read. */
export const NOTHING: Fresh = Object.freeze({ late: [], next: [], complete: false });

/** What one table has that is not sealed yet. */
export interface Look {
  readonly fresh: Fresh;
  /** Whether there is more than was read. */
  readonly more: boolean;
  /** The last sealed row, when it is not as it was. */
  readonly suspect: Suspect | undefined;
  /** Somebody has the table locked. */
  readonly skipped: boolean;
}

/** The server gave up waiting for a lock, or the statement took too long; the session goes on. */
const LOCKED: ReadonlySet<unknown> = new Set([
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
  'ER_QUERY_TIMEOUT',
]);

/** Rows whose ids were passed over and that are there now. */
async function lateRows(
  reader: RowReader,
  table: SealedTable,
  pending: PendingIds,
): Promise<Pick<Fresh, 'late' | 'complete'>> {
  const late: HashedRow[] = [];
  for (const [first, last] of pending.ranges()) {
    let from = first;
    while (from <= last) {
      if (late.length >= CHUNK) return { late, complete: false };
      const some = await reader.hashes(table, from, last, CHUNK);
      late.push(...some.filter(({ id }) => pending.isOpen(id)));
      const end = some.at(-1);
      if (some.length < CHUNK || end === undefined) break;
      from = end.id + 1;
    }
  }
  return { late, complete: true };
}

/** Reads what is new in a table, and with it, in the same query, the last row that was sealed. */
export async function look(reader: RowReader, table: SealedTable, state: SealState): Promise<Look> {
  try {
    const { late, complete } = await lateRows(reader, table, state.pending[table]);
    const head = state.head(table);
    const rows = await reader.hashes(table, head?.id ?? BEFORE_FIRST_ID[table] + 1, undefined, CHUNK);
    const code =
      head === undefined ? undefined : judgeRow(head.hash, rows[0]?.id === head.id ? rows[0] : undefined);
    return {
      fresh: { late, next: head === undefined ? rows : rows.slice(1), complete },
      more: rows.length === CHUNK || !complete,
      suspect: head === undefined || code === undefined ? undefined : { ...head, code },
      skipped: false,
    };
  } catch (error) {
    if (!LOCKED.has((error as { code?: unknown } | null)?.code)) throw error;
    return { fresh: NOTHING, more: false, suspect: undefined, skipped: true };
  }
}
