import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ServerDescription } from '../dialect.ts';
import { type Account, type AuditNames, printable, SNAPSHOT_PROCEDURE } from '../names.ts';
import { byCodeUnit } from './schema.ts';

/** What a server says of itself, before anything is believed. */
interface Said {
  readonly version: string;
  readonly comment: string;
}

/** Servers that speak the protocol of MySQL and are something else: their triggers and catalogues differ. */
const OTHERS =
  /tidb|oceanbase|singlestore|memsql|vitess|planetscale|doris|starrocks|clickhouse|dolt|aurora dsql/i;

const SUPPORTED = 'MariaDB 10.6 or later, MySQL 5.7, and MySQL 8.0.20 or later are supported.';

/**
 * Which engine and version that is. Pure.
 * @throws ChartgateError `database-unsupported`, with what is supported and why this is not
 */
export function parseVersion({ version, comment }: Said): Omit<ServerDescription, 'partialRevokes'> {
  const said = `${version} ${comment}`.trim();
  const refuse = (why: string): ChartgateError =>
    new ChartgateError(
      'database-unsupported',
      `The server says it is ${printable(said.slice(0, 200))}: ${why} ${SUPPORTED}`,
    );
  // Some answer with `5.5.5-` in front, for clients that knew no MariaDB 10.
  const numbers = /^(?:5\.5\.5-)?(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(version);
  if (numbers === null) throw refuse('that is no version.');
  const other = OTHERS.exec(said)?.[0];
  if (other !== undefined) throw refuse(`${other} is another product.`);
  const [major, minor, patch] = numbers.slice(1).map(Number) as [number, number, number];
  const mariadb = /mariadb/i.test(said);
  const atLeast = (...wanted: readonly [number, number, number]): boolean =>
    major !== wanted[0] ? major > wanted[0] : minor !== wanted[1] ? minor > wanted[1] : patch >= wanted[2];
  if (mariadb && !atLeast(10, 6, 0)) throw refuse('too old.');
  if (!mariadb) {
    // 5.7.8 brought JSON, on which every audit row is built.
    if (!atLeast(5, 7, 8)) throw refuse('too old.');
    if (major === 6 || major === 7) throw refuse('no such MySQL was released.');
    // Before SHOW_ROUTINE only an account that may read every row could see what routines do.
    if (major >= 8 && !atLeast(8, 0, 20)) throw refuse('too old for its series.');
  }
  return { engine: mariadb ? 'mariadb' : 'mysql', version, major, minor };
}

/**
 * Which engine and version answers.
 * @throws ChartgateError `database-unsupported` for anything but what `parseVersion` takes
 */
export async function describeServer(connection: Connection): Promise<ServerDescription> {
  const [[row]] = await connection.query<(RowDataPacket & Said)[]>(
    'SELECT VERSION() AS version, @@version_comment AS comment',
  );
  const description = parseVersion({
    version: String(row?.version ?? ''),
    comment: String(row?.comment ?? ''),
  });
  let partialRevokes = false;
  if (description.engine === 'mysql' && description.major >= 8) {
    const [[flag]] = await connection.query<(RowDataPacket & { on: number })[]>(
      'SELECT @@partial_revokes AS `on`',
    );
    partialRevokes = Number(flag?.on) === 1;
  }
  return Object.freeze({ ...description, partialRevokes });
}

/** The accounts that may call the guard procedure now, in order; empty before there is one. */
export async function readGuardCallers(connection: Connection, names: AuditNames): Promise<Account[]> {
  const [rows] = await connection.query<(RowDataPacket & { user: string; host: string })[]>(
    `SELECT User AS user, Host AS host FROM mysql.procs_priv
      WHERE Db = ? AND Routine_type = 'PROCEDURE' AND Routine_name = ? AND FIND_IN_SET('Execute', Proc_priv) > 0`,
    [names.auditSchema, SNAPSHOT_PROCEDURE],
  );
  return rows
    .map(({ user, host }) => ({ user, host }))
    .sort((a, b) => byCodeUnit(a.user, b.user) || byCodeUnit(a.host, b.host));
}
