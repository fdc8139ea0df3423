import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ServerDescription } from '../dialect.ts';
import type { Account } from '../names.ts';
import type { EngineAccounts, Holding, LiveAccount } from './types.ts';
import { privilegesOfRow } from './vocabulary.ts';

type Row = RowDataPacket & Readonly<Record<string, unknown>>;

const text = (value: unknown): string => String(value ?? '');

/** What stands in `User_attributes` under `Restrictions`. */
function restrictions(attributes: unknown): LiveAccount['restrictions'] {
  let value = attributes;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch {
      return [];
    }
  }
  const list = (value as { Restrictions?: unknown } | null)?.Restrictions;
  if (!Array.isArray(list)) return [];
  return list.map((one) => {
    const { Database: schema, Privileges: privileges } = one as { Database?: unknown; Privileges?: unknown };
    return { schema: text(schema), privileges: Array.isArray(privileges) ? privileges.map(text) : [] };
  });
}

/** `a`, `a`@`h`, 'a'@'h', separated by commas; the host is % when there is none. */
export function parseRoleList(list: string): Account[] {
  const part =
    /\s*(?:`((?:[^`]|``)*)`|'((?:[^']|'')*)'|([^\s,@'`]+))(?:@(?:`((?:[^`]|``)*)`|'((?:[^']|'')*)'|([^\s,'`]+)))?\s*(?:,|$)/gy;
  const roles: Account[] = [];
  for (const match of list.matchAll(part)) {
    const [, back, quoted, plain, hostBack, hostQuoted, hostPlain] = match;
    const user = back?.replaceAll('``', '`') ?? quoted?.replaceAll("''", "'") ?? plain;
    const host = hostBack?.replaceAll('``', '`') ?? hostQuoted?.replaceAll("''", "'") ?? hostPlain ?? '%';
    if (user !== undefined) roles.push({ user, host });
  }
  return roles;
}

/** `mysql.user`, and from 8.0 on `global_grants`, `role_edges` and `default_roles`. */
export async function readMysqlAccounts(
  connection: Connection,
  server: ServerDescription,
): Promise<EngineAccounts> {
  const rows = async (sql: string): Promise<Row[]> => (await connection.query<Row[]>(sql))[0];
  const accounts: LiveAccount[] = [];
  const holdings: Holding[] = [];
  const add = (
    account: Account,
    scope: Holding['scope'],
    object: readonly string[],
    privilege: string,
    passable = false,
  ): void => {
    holdings.push({ account, scope, object, privilege, passable });
  };
  for (const row of await rows('SELECT * FROM mysql.user')) {
    const account = { user: text(row.User), host: text(row.Host) };
    accounts.push({
      account,
      isRole: false,
      locked: row.account_locked === 'Y',
      restrictions: restrictions(row.User_attributes),
    });
    for (const privilege of privilegesOfRow(row)) add(account, 'global', [], privilege);
  }
  if (server.major < 8) return { accounts, holdings, mandatoryRoles: [] };
  for (const row of await rows('SELECT USER, HOST, PRIV, WITH_GRANT_OPTION FROM mysql.global_grants')) {
    const account = { user: text(row.USER), host: text(row.HOST) };
    add(account, 'global', [], text(row.PRIV).toUpperCase(), row.WITH_GRANT_OPTION === 'Y');
  }
  for (const row of await rows(
    'SELECT FROM_USER, FROM_HOST, TO_USER, TO_HOST, WITH_ADMIN_OPTION FROM mysql.role_edges',
  )) {
    const role = [text(row.FROM_USER), text(row.FROM_HOST)];
    const account = { user: text(row.TO_USER), host: text(row.TO_HOST) };
    add(account, 'role', role, 'MEMBER', row.WITH_ADMIN_OPTION === 'Y');
  }
  for (const row of await rows(
    'SELECT USER, HOST, DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST FROM mysql.default_roles',
  )) {
    const account = { user: text(row.USER), host: text(row.HOST) };
    add(account, 'role', [text(row.DEFAULT_ROLE_USER), text(row.DEFAULT_ROLE_HOST)], 'DEFAULT');
  }
  const [[settings]] = await connection.query<Row[]>('SELECT @@mandatory_roles AS roles');
  return { accounts, holdings, mandatoryRoles: parseRoleList(text(settings?.roles)) };
}
