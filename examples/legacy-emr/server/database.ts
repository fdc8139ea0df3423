import { createPool, type Pool, type PoolConnection } from 'mysql2';
import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { EmrSettings } from './settings.ts';

export type Row = RowDataPacket;

export interface Database {
  /** As the server names itself, such as `10.11.6-MariaDB`. */
  readonly version: string;
  rows(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** For INSERT, UPDATE and DELETE. */
  change(sql: string, values?: readonly unknown[]): Promise<ResultSetHeader>;
  close(): Promise<void>;
}

/** What mysql2 adds to an error. */
export interface SqlError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly sql?: string;
  readonly sqlMessage: string;
}

export function isSqlError(error: unknown): error is SqlError {
  return error instanceof Error && 'sqlMessage' in error;
}

/** A pool with the EMR's one, over-privileged user. @throws when the database cannot be reached. */
export async function openDatabase(settings: EmrSettings['database']): Promise<Database> {
  const pool: Pool = createPool({
    host: settings.host,
    port: settings.port,
    database: settings.name,
    user: settings.user,
    password: settings.password,
    connectionLimit: 10,
    // Zero dates have no Date object.
    dateStrings: true,
    timezone: 'Z',
  });
  pool.on('connection', (connection: PoolConnection) => {
    // The system was written for MySQL 4: zero dates, silent truncation. Queued before any other query.
    connection.query("SET SESSION sql_mode = '', time_zone = '+00:00'", () => {});
  });
  const promised = pool.promise();
  const rows = async (sql: string, values: readonly unknown[] = []): Promise<Row[]> => {
    const [found] = await promised.query<Row[]>(sql, values as unknown[]);
    return found;
  };
  const [server] = await rows('SELECT VERSION() version');
  return {
    version: String(server?.version),
    rows,
    change: async (sql, values = []) => {
      const [result] = await promised.query<ResultSetHeader>(sql, values as unknown[]);
      return result;
    },
    close: () => promised.end(),
  };
}
