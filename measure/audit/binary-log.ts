import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type BinlogCoverage, binlogCoverage } from '../../audit-sql/coverage/binlog.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { mysqlProgram } from '../../examples/support/private-mysql.ts';
import type { Audited } from './start.ts';

async function logNames(connection: Connection): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>('SHOW BINARY LOGS');
  return rows.map((row) => String(row.Log_name));
}

/** Begins another log file. @returns its name; undefined where there is no binary log */
export async function nextLog(connection: Connection): Promise<string | undefined> {
  const [[on]] = await connection.query<RowDataPacket[]>('SELECT @@log_bin AS `on`');
  if (Number(on?.on) !== 1) return undefined;
  await connection.query('FLUSH BINARY LOGS');
  return (await logNames(connection)).at(-1);
}

/** Matches what the server's logs from `first` on have with the audit rows. */
export async function readLogs(
  connection: Connection,
  server: PrivateDatabase,
  audited: Audited,
  first: string,
): Promise<BinlogCoverage> {
  await connection.query('FLUSH BINARY LOGS');
  const names = (await logNames(connection)).filter((name) => name >= first);
  return binlogCoverage(connection, {
    names: audited.names,
    engine: server.engine,
    model: audited.model,
    source: {
      program: server.engine === 'mysql' ? mysqlProgram('usr/bin/mysqlbinlog') : ['mariadb-binlog'],
      logs: names.slice(0, -1).map((name) => join(server.directory, name)),
    },
    auditing: true,
  });
}
