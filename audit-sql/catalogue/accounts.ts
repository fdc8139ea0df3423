import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ServerDescription } from '../dialect.ts';
import { type Account, accountSql, ident, literal, printable, SNAPSHOT_PROCEDURE } from '../names.ts';
import type { EmrAccount, KeptPrivilege, PublicGrant } from '../writers/protect.ts';
import { byCodeUnit } from './schema.ts';

interface KeptRow extends RowDataPacket {
  readonly execute: string;
  readonly temporary: string;
  readonly lockTables: string;
}

const KEPT_COLUMNS =
  'Execute_priv AS `execute`, Create_tmp_table_priv AS temporary, Lock_tables_priv AS lockTables';

/**
 * What an EMR's account has now of the privileges that it may keep, and which roles it holds.
 * @throws ChartgateError `usage` when there is no such account
 */
export async function readEmrAccount(
  connection: Connection,
  server: ServerDescription,
  account: Account,
  emrSchema: string,
): Promise<EmrAccount> {
  const who = [account.user, account.host];
  const [[global]] = await connection.query<KeptRow[]>(
    `SELECT ${KEPT_COLUMNS} FROM mysql.user WHERE User = ? AND Host = ?`,
    who,
  );
  if (global === undefined) {
    throw new ChartgateError(
      'usage',
      `There is no account ${printable(`${account.user}@${account.host}`)} on this server.`,
    );
  }
  const [schema] = await connection.query<KeptRow[]>(
    `SELECT ${KEPT_COLUMNS} FROM mysql.db WHERE User = ? AND Host = ? AND (? LIKE Db OR ? = Db)`,
    [...who, emrSchema, emrSchema],
  );
  const has = (column: 'execute' | 'temporary' | 'lockTables'): boolean =>
    [global, ...schema].some((row) => row[column] === 'Y');
  const keep: KeptPrivilege[] = [];
  if (has('execute')) keep.push('EXECUTE');
  if (has('temporary')) keep.push('CREATE TEMPORARY TABLES');
  if (has('lockTables')) keep.push('LOCK TABLES');
  return { account, keep, roles: await readRoles(connection, server, account) };
}

async function readRoles(
  connection: Connection,
  server: ServerDescription,
  account: Account,
): Promise<string[]> {
  if (server.engine === 'mysql' && server.major < 8) return [];
  const [rows] = await connection.query<(RowDataPacket & { role: string; host: string })[]>(
    server.engine === 'mariadb'
      ? "SELECT Role AS role, '' AS host FROM mysql.roles_mapping WHERE User = ? AND Host = ?"
      : 'SELECT FROM_USER AS role, FROM_HOST AS host FROM mysql.role_edges WHERE TO_USER = ? AND TO_HOST = ?',
    [account.user, account.host],
  );
  return rows
    .map((row) =>
      server.engine === 'mariadb' ? ident(row.role) : accountSql({ user: row.role, host: row.host }),
    )
    .sort(byCodeUnit);
}

/** What everybody may do in schemas called `test`: installers of MariaDB and old MySQL leave it behind. */
export async function readPublicGrants(connection: Connection): Promise<PublicGrant[]> {
  const [rows] = await connection.query<(RowDataPacket & { user: string; host: string; pattern: string })[]>(
    `SELECT User AS user, Host AS host, Db AS pattern FROM mysql.db
      WHERE User IN ('', 'PUBLIC') AND (Db = 'test' OR Db LIKE 'test!_%' ESCAPE '!' OR Db LIKE 'test!\\\\!_%' ESCAPE '!')`,
  );
  return rows
    .map((row) => ({
      grantee: row.user === 'PUBLIC' ? 'PUBLIC' : `''@${literal(row.host)}`,
      schemaPattern: row.pattern,
    }))
    .sort((a, b) => byCodeUnit(a.grantee, b.grantee) || byCodeUnit(a.schemaPattern, b.schemaPattern));
}

/** Audit schemas, other than this one, whose guard procedures the account may call. */
export async function readGuardsElsewhere(
  connection: Connection,
  account: Account,
  auditSchema: string,
): Promise<string[]> {
  const [rows] = await connection.query<(RowDataPacket & { schemaName: string })[]>(
    `SELECT Db AS schemaName FROM mysql.procs_priv
      WHERE User = ? AND Host = ? AND Db <> ? AND Routine_type = 'PROCEDURE' AND Routine_name = ?
        AND FIND_IN_SET('Execute', Proc_priv) > 0`,
    [account.user, account.host, auditSchema, SNAPSHOT_PROCEDURE],
  );
  return rows.map((row) => row.schemaName).sort(byCodeUnit);
}
