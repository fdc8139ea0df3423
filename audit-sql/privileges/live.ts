import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { byCodeUnit } from '../catalogue/schema.ts';
import type { ServerDescription } from '../dialect.ts';
import { readUnflushed } from './in-force.ts';
import { readMariadbAccounts } from './live-mariadb.ts';
import { readMysqlAccounts } from './live-mysql.ts';
import { accountKey, type Holding, type LivePrivileges, SCOPES } from './types.ts';
import { privilegesOfRow, privilegesOfSet } from './vocabulary.ts';

type Row = RowDataPacket & Readonly<Record<string, unknown>>;

const text = (value: unknown): string => String(value ?? '');

/** In the order in which they are reported: nothing here depends on how a server happens to store its rows. */
export function sortHoldings<H extends Holding>(holdings: readonly H[]): H[] {
  const order = (h: Holding): string =>
    [accountKey(h.account), String(SCOPES.indexOf(h.scope)), ...h.object, h.privilege].join('\0');
  return holdings
    .map((holding) => [order(holding), holding] as const)
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([, holding]) => holding);
}

/** Schema, table, column, routine and proxy privileges: both engines keep them in the same tables. */
async function readCommon(connection: Connection): Promise<Holding[]> {
  const rows = async (sql: string): Promise<Row[]> => (await connection.query<Row[]>(sql))[0];
  const holdings: Holding[] = [];
  const add = (
    row: Row,
    scope: Holding['scope'],
    object: readonly string[],
    privileges: readonly string[],
    passable = false,
  ): void => {
    const account = { user: text(row.User), host: text(row.Host) };
    for (const privilege of privileges) holdings.push({ account, scope, object, privilege, passable });
  };
  for (const row of await rows('SELECT * FROM mysql.db')) {
    add(row, 'schema', [text(row.Db)], privilegesOfRow(row));
  }
  for (const row of await rows('SELECT User, Host, Db, Table_name, Table_priv FROM mysql.tables_priv')) {
    add(row, 'table', [text(row.Db), text(row.Table_name)], privilegesOfSet(text(row.Table_priv)));
  }
  for (const row of await rows(
    'SELECT User, Host, Db, Table_name, Column_name, Column_priv FROM mysql.columns_priv',
  )) {
    const object = [text(row.Db), text(row.Table_name), text(row.Column_name)];
    add(row, 'column', object, privilegesOfSet(text(row.Column_priv)));
  }
  for (const row of await rows(
    'SELECT User, Host, Db, Routine_name, Routine_type, Proc_priv FROM mysql.procs_priv',
  )) {
    const object = [text(row.Db), text(row.Routine_type), text(row.Routine_name)];
    add(row, 'routine', object, privilegesOfSet(text(row.Proc_priv)));
  }
  for (const row of await rows(
    'SELECT User, Host, Proxied_user, Proxied_host, With_grant FROM mysql.proxies_priv',
  )) {
    const object = [text(row.Proxied_user), text(row.Proxied_host)];
    add(row, 'proxy', object, ['PROXY'], Number(row.With_grant) === 1);
  }
  return holdings;
}

/**
 * Every account and every privilege of the server. Reads the tables in which the server keeps them, since
 * `SHOW GRANTS` leaves out what an account has through PUBLIC, mandatory roles and proxies.
 * @throws ChartgateError `privilege-missing` when the administrator may not read those tables,
 *   `database-unsupported` when the server knows a privilege that has no known name
 */
export async function readPrivileges(
  connection: Connection,
  server: ServerDescription,
): Promise<LivePrivileges> {
  try {
    const [[who]] = await connection.query<Row[]>('SELECT CURRENT_USER() AS account');
    const current = text(who?.account);
    const at = current.lastIndexOf('@');
    const own =
      server.engine === 'mariadb'
        ? await readMariadbAccounts(connection)
        : await readMysqlAccounts(connection, server);
    const holdings = sortHoldings([...own.holdings, ...(await readCommon(connection))]);
    return {
      accounts: own.accounts.toSorted((a, b) => byCodeUnit(accountKey(a.account), accountKey(b.account))),
      holdings,
      mandatoryRoles: own.mandatoryRoles,
      current: { user: current.slice(0, at), host: current.slice(at + 1) },
      unflushed: await readUnflushed(connection, holdings),
    };
  } catch (error) {
    if (error instanceof ChartgateError) throw error;
    const code = String((error as { code?: unknown }).code ?? 'unknown');
    if (!/ACCESS_DENIED|TABLEACCESS/.test(code)) throw error;
    throw new ChartgateError(
      'privilege-missing',
      `The privileges of this server cannot be read: the administrator needs SELECT on the schema mysql (${code}).`,
      { cause: error },
    );
  }
}
