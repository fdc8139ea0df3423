import type { Connection } from 'mysql2/promise';
import { ident, literal, qualified } from '../../audit-sql/names.ts';

/** What one statement of the table can be about. */
export interface Places {
  readonly emr: string;
  readonly audit: string;
  /** A table of the EMR, from the baseline. */
  readonly table: string;
  /** A trigger of ours on a table of the EMR, from the baseline. */
  readonly trigger: string;
  /** A locked account of ours, as SQL. */
  readonly locked: string;
}

export interface SqlAttempt {
  /** What holding the right would let somebody do; completes "the account can …". */
  readonly what: string;
  readonly sql: (places: Places) => string;
  /** Counts rows: seeing none is the refusal, because these servers hide instead of refusing. */
  readonly counts?: true;
}

/** A name that nothing has. Whatever is tried with it could only fail, had the account every right. */
const NONE = 'chartgate_doctor_none';

/**
 * Each statement would end in an error other than "denied", or do nothing, if the account had every right on the
 * server: a name that is not there, a clause that contradicts itself, a condition that no row meets. So the kind
 * of error tells whether the right is there, and nothing has to be put back. Both engines check the right first.
 */
export const SQL_ATTEMPTS: readonly SqlAttempt[] = [
  {
    what: "see the audit's triggers, and so drop them",
    sql: (p) => `SHOW CREATE TRIGGER ${qualified(p.emr, p.trigger)}`,
  },
  {
    what: 'list triggers',
    counts: true,
    sql: (p) =>
      `SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN (${literal(p.emr)}, ${literal(p.audit)})`,
  },
  {
    what: 'make a trigger',
    sql: (p) =>
      `CREATE TRIGGER ${qualified(p.emr, NONE)} BEFORE INSERT ON ${qualified(p.emr, p.table)} FOR EACH ROW FOLLOWS ${ident(`${NONE}_2`)} SET @chartgate_doctor = 1`,
  },
  { what: 'make a table of the EMR', sql: (p) => `CREATE TABLE ${qualified(p.emr, NONE)} (a INT, a INT)` },
  {
    what: 'make a table of the audit',
    sql: (p) => `CREATE TABLE ${qualified(p.audit, NONE)} (a INT, a INT)`,
  },
  {
    what: 'make a temporary table',
    sql: (p) => `CREATE TEMPORARY TABLE ${qualified(p.emr, NONE)} (a INT, a INT)`,
  },
  {
    what: 'alter a table of the EMR',
    sql: (p) => `ALTER TABLE ${qualified(p.emr, p.table)} DROP COLUMN ${NONE}`,
  },
  {
    what: 'alter the audit rows',
    sql: (p) => `ALTER TABLE ${qualified(p.audit, 'audit_row')} DROP COLUMN ${NONE}`,
  },
  { what: 'drop a table of the EMR', sql: (p) => `DROP TABLE ${qualified(p.emr, NONE)}` },
  { what: 'drop a table of the audit', sql: (p) => `DROP TABLE ${qualified(p.audit, NONE)}` },
  { what: 'empty a table of the audit', sql: (p) => `TRUNCATE TABLE ${qualified(p.audit, NONE)}` },
  {
    what: 'rename a table of the EMR',
    sql: (p) => `RENAME TABLE ${qualified(p.emr, p.table)} TO ${qualified(p.emr, p.table)}`,
  },
  { what: 'make an index', sql: (p) => `CREATE INDEX ${NONE} ON ${qualified(p.emr, p.table)} (${NONE})` },
  {
    what: 'make a view',
    sql: (p) => `CREATE VIEW ${qualified(p.emr, NONE)} AS SELECT * FROM ${qualified(p.emr, `${NONE}_2`)}`,
  },
  { what: 'make, change or drop an event', sql: (p) => `DROP EVENT ${qualified(p.emr, NONE)}` },
  {
    what: 'alter a procedure of the audit',
    sql: (p) => `ALTER PROCEDURE ${qualified(p.audit, NONE)} SQL SECURITY INVOKER`,
  },
  { what: 'drop a procedure of the audit', sql: (p) => `DROP PROCEDURE ${qualified(p.audit, NONE)}` },
  { what: 'read the EMR', sql: (p) => `SELECT 1 FROM ${qualified(p.emr, p.table)} LIMIT 0` },
  { what: 'write to the EMR', sql: (p) => `DELETE FROM ${qualified(p.emr, p.table)} WHERE FALSE` },
  { what: 'read the audit rows', sql: (p) => `SELECT 1 FROM ${qualified(p.audit, 'audit_row')} LIMIT 0` },
  { what: 'delete audit rows', sql: (p) => `DELETE FROM ${qualified(p.audit, 'audit_row')} WHERE FALSE` },
  {
    what: 'change audit rows',
    sql: (p) => `UPDATE ${qualified(p.audit, 'audit_row')} SET id = id WHERE FALSE`,
  },
  {
    what: 'invent audit rows',
    sql: (p) =>
      `INSERT INTO ${qualified(p.audit, 'audit_row')} SELECT * FROM ${qualified(p.audit, 'audit_row')} WHERE FALSE`,
  },
  {
    what: 'write that auditing started or stopped',
    sql: (p) => `DELETE FROM ${qualified(p.audit, 'audit_instatement_log')} WHERE FALSE`,
  },
  { what: 'give rights away', sql: (p) => `GRANT SELECT ON ${qualified(p.emr, NONE)} TO ${p.locked}` },
  {
    what: 'make an account',
    sql: () => `CREATE USER ${NONE}@localhost IDENTIFIED WITH chartgate_no_such_plugin`,
  },
  { what: 'drop an account', sql: () => `DROP USER ${NONE}@localhost` },
  { what: 'unlock an account', sql: () => `ALTER USER ${NONE}@localhost ACCOUNT UNLOCK` },
  { what: 'read password hashes', sql: () => 'SELECT 1 FROM mysql.user LIMIT 0' },
  { what: 'drop a schema', sql: () => `DROP DATABASE ${NONE}` },
  { what: 'change a setting of the server', sql: () => "SET GLOBAL max_connections = 'chartgate'" },
  { what: 'leave the binary log', sql: () => 'SET SESSION sql_log_bin = @@SESSION.sql_log_bin' },
  { what: 'cut the binary log', sql: () => `PURGE BINARY LOGS TO '${NONE}'` },
  { what: 'write files on the server', sql: () => "SELECT 1 INTO OUTFILE '/'" },
  { what: 'load a plugin', sql: () => `INSTALL PLUGIN ${NONE} SONAME '${NONE}.so'` },
  {
    what: 'see what others are doing',
    counts: true,
    sql: () =>
      "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER NOT IN (SUBSTRING_INDEX(USER(), '@', 1), 'event_scheduler')",
  },
  {
    what: 'make a table in the schema `test`, which installers give to everybody',
    sql: () => `CREATE TABLE test.${NONE} (a INT, a INT)`,
  },
];

/**
 * Errors by which MariaDB and MySQL refuse for want of a right: ER_DBACCESS_DENIED, ER_ACCESS_DENIED,
 * ER_TABLEACCESS_DENIED, ER_COLUMNACCESS_DENIED, ER_SPECIFIC_ACCESS_DENIED, ER_PROCACCESS_DENIED,
 * ER_CANT_CREATE_USER_WITH_GRANT, ER_KILL_DENIED.
 */
const DENIED: ReadonlySet<number> = new Set([1044, 1045, 1142, 1143, 1227, 1370, 1410, 1095]);

export interface SqlAttempted {
  readonly what: string;
  readonly denied: boolean;
  /** The server's error number; 0 when there was none. */
  readonly error: number;
}

/** Makes every attempt, one after the other. @throws when the connection is lost */
export async function attemptSql(connection: Connection, places: Places): Promise<readonly SqlAttempted[]> {
  const done: SqlAttempted[] = [];
  for (const { what, sql, counts } of SQL_ATTEMPTS) {
    try {
      const [rows] = await connection.query({ sql: sql(places), rowsAsArray: true });
      // Statements without a result give no rows, but a summary.
      const first: unknown = Array.isArray(rows) ? rows[0] : undefined;
      const none = counts === true && Array.isArray(first) && Number(first[0]) === 0;
      done.push({ what, denied: none, error: 0 });
    } catch (error) {
      const { errno, fatal } = error as { errno?: number; fatal?: boolean };
      if (fatal === true || errno === undefined) throw error;
      done.push({ what, denied: DENIED.has(errno), error: errno });
    }
  }
  return done;
}
