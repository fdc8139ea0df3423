import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { type AuditNames, printable } from '../names.ts';

/** The server's name for "somebody applies a script to this schema"; at most 64 characters everywhere. */
function lockName(names: AuditNames): string {
  return `chartgate:${createHash('sha256').update(names.emrSchema).digest('hex').slice(0, 40)}`;
}

/**
 * Takes the schema's lock for this session; the server gives it back by itself should the session end.
 * @returns what gives it back
 * @throws ChartgateError `database-busy` when another session has it
 */
export async function takeApplyLock(connection: Connection, names: AuditNames): Promise<() => Promise<void>> {
  const name = lockName(names);
  const [[row]] = await connection.query<(RowDataPacket & { taken: number | null; holder: number | null })[]>(
    'SELECT GET_LOCK(?, 0) AS taken, IS_USED_LOCK(?) AS holder',
    [name, name],
  );
  if (Number(row?.taken) !== 1) {
    const holder = row?.holder == null ? '' : ` by the server's connection ${String(row.holder)}`;
    throw new ChartgateError(
      'database-busy',
      `Another script is being applied to the schema ${printable(names.emrSchema)}${holder}; nothing was done. ` +
        'Wait until it is through, then run this again.',
    );
  }
  return async () => {
    await connection.query('DO RELEASE_LOCK(?)', [name]).catch(() => {});
  };
}

interface HolderRow extends RowDataPacket {
  readonly id: number;
  readonly user: string;
  readonly host: string;
  readonly command: string;
  readonly seconds: number;
}

/** Never what the connection runs: a statement may hold a patient's data. */
function describe(row: HolderRow): string {
  return `connection ${row.id} (${printable(`${row.user}@${row.host}`)}, ${row.command}, for ${row.seconds} s)`;
}

const PROCESS = 'p.ID AS id, p.USER AS `user`, p.HOST AS host, p.COMMAND AS command, p.TIME AS seconds';
/** Who holds a metadata lock, by engine; each works only where the server keeps that list. */
const HOLDERS = [
  `SELECT DISTINCT ${PROCESS} FROM performance_schema.metadata_locks m
     JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID
     JOIN information_schema.PROCESSLIST p ON p.ID = t.PROCESSLIST_ID
    WHERE m.OBJECT_TYPE = 'TABLE' AND m.LOCK_STATUS = 'GRANTED' AND m.OBJECT_SCHEMA = ? AND m.OBJECT_NAME = ?
      AND p.ID <> CONNECTION_ID() ORDER BY p.ID LIMIT 5`,
  `SELECT DISTINCT ${PROCESS} FROM information_schema.METADATA_LOCK_INFO m
     JOIN information_schema.PROCESSLIST p ON p.ID = m.THREAD_ID
    WHERE m.TABLE_SCHEMA = ? AND m.TABLE_NAME = ? AND p.ID <> CONNECTION_ID() ORDER BY p.ID LIMIT 5`,
];
/** Without such a list: who has a transaction open, or is at work. One of these it must be. */
const CANDIDATES = `SELECT DISTINCT ${PROCESS} FROM information_schema.PROCESSLIST p
    LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = p.ID
   WHERE p.ID <> CONNECTION_ID() AND p.USER NOT IN ('system user', 'event_scheduler')
     AND p.COMMAND NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
     AND (x.trx_id IS NOT NULL OR p.COMMAND <> 'Sleep' OR p.DB = ?)
   ORDER BY x.trx_id IS NULL, p.TIME DESC, p.ID LIMIT 5`;

/** One sentence about who keeps a table; it never fails, for it is part of a failure's message. */
export async function describeBlockers(
  connection: Connection,
  schema: string,
  table: string,
): Promise<string> {
  for (const sql of HOLDERS) {
    try {
      const [rows] = await connection.query<HolderRow[]>(sql, [schema, table]);
      if (rows.length > 0) return `It is held by ${rows.map(describe).join(' and ')}.`;
    } catch {
      // This engine or this server has no such list.
    }
  }
  try {
    const [rows] = await connection.query<HolderRow[]>(CANDIDATES, [schema]);
    if (rows.length > 0) return `It may be held by ${rows.map(describe).join(' or ')}.`;
  } catch {
    // Said below.
  }
  return 'Who holds it is not visible to this SQL user; look at SHOW PROCESSLIST as one with PROCESS.';
}
