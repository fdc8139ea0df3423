import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ServerDescription } from '../dialect.ts';

/**
 * Which engine and version answers.
 * @throws ChartgateError `database-unsupported` for anything but MariaDB 10.6+ and MySQL 5.7+
 */
export async function describeServer(connection: Connection): Promise<ServerDescription> {
  const [[row]] = await connection.query<(RowDataPacket & { version: string; comment: string })[]>(
    'SELECT VERSION() AS version, @@version_comment AS comment',
  );
  const version = String(row?.version ?? '');
  const numbers = /^(\d+)\.(\d+)\./.exec(version);
  const major = Number(numbers?.[1] ?? 0);
  const minor = Number(numbers?.[2] ?? 0);
  const said = `${version} ${String(row?.comment ?? '')}`;
  const mariadb = /mariadb/i.test(said);
  const other = /tidb|oceanbase|singlestore|memsql|vitess|doris|starrocks/i.test(said);
  const supported = mariadb
    ? major > 10 || (major === 10 && minor >= 6)
    : major >= 8 || (major === 5 && minor >= 7);
  if (numbers === null || other || !supported) {
    throw new ChartgateError(
      'database-unsupported',
      `The server says it is "${said.trim()}"; MariaDB 10.6 or later and MySQL 5.7 or later are supported.`,
    );
  }
  let partialRevokes = false;
  if (!mariadb && major >= 8) {
    const [[flag]] = await connection.query<(RowDataPacket & { on: number })[]>(
      'SELECT @@partial_revokes AS `on`',
    );
    partialRevokes = Number(flag?.on) === 1;
  }
  return Object.freeze({ engine: mariadb ? 'mariadb' : 'mysql', version, major, minor, partialRevokes });
}
