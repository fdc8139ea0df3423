import type { Connection, RowDataPacket } from 'mysql2/promise';
import { byCodeUnit } from '../catalogue/schema.ts';
import type { Holding } from './types.ts';

interface ForceRow extends RowDataPacket {
  readonly grantee: string;
  readonly a: string;
  readonly b: string;
  readonly c: string;
  readonly privilege: string;
}

const QUERY = `
SELECT GRANTEE AS grantee, '' AS a, '' AS b, '' AS c, PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES
UNION ALL
SELECT GRANTEE, TABLE_SCHEMA, '', '', PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
UNION ALL
SELECT GRANTEE, TABLE_SCHEMA, TABLE_NAME, '', PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES
UNION ALL
SELECT GRANTEE, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, PRIVILEGE_TYPE FROM information_schema.COLUMN_PRIVILEGES`;

/** Names by which the two sources call the same thing. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['BINLOG MONITOR', 'REPLICATION CLIENT'],
  ['DELETE VERSIONING ROWS', 'DELETE HISTORY'],
]);

function key(grantee: string, [schema, table, column]: readonly string[], privilege: string): string {
  const name = privilege.toUpperCase();
  // The two spell a column as it was typed first and last.
  return JSON.stringify([grantee, schema, table, column?.toLowerCase(), ALIASES.get(name) ?? name]);
}

/**
 * Privileges that are in force although the tables do not say so, or the other way round: somebody wrote
 * to the tables of the schema `mysql` by hand. `information_schema` tells what is in force.
 * @returns what differs, for a person; empty when nothing does
 */
export async function readUnflushed(connection: Connection, holdings: readonly Holding[]): Promise<string[]> {
  const [rows] = await connection.query<ForceRow[]>(QUERY);
  const inForce = new Map<string, string>();
  for (const row of rows) {
    // MariaDB shows its roles here too, with what they have from other roles.
    if (row.privilege.toUpperCase() === 'USAGE' || row.grantee.endsWith("@''")) continue;
    const object = [row.a, row.b, row.c];
    const on = object.filter((part) => part !== '').join('.') || 'everything';
    inForce.set(key(row.grantee, object, row.privilege), `${row.grantee} ${row.privilege} on ${on}`);
  }
  const stored = new Map<string, string>();
  for (const { account, scope, object, privilege } of holdings) {
    // GRANT OPTION is a column of these views and not a row.
    if (privilege === 'GRANT OPTION' || account.host === '') continue;
    if (scope !== 'global' && scope !== 'schema' && scope !== 'table' && scope !== 'column') continue;
    const grantee = `'${account.user}'@'${account.host}'`;
    const parts = [object[0] ?? '', object[1] ?? '', object[2] ?? ''];
    const on = object.join('.') || 'everything';
    stored.set(key(grantee, parts, privilege), `${grantee} ${privilege} on ${on}`);
  }
  const differing = [
    ...[...inForce].filter(([k]) => !stored.has(k)).map(([, said]) => `${said} is in force but not stored`),
    ...[...stored].filter(([k]) => !inForce.has(k)).map(([, said]) => `${said} is stored but not in force`),
  ];
  return differing.sort(byCodeUnit);
}
