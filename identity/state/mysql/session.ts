import mysql, { type PoolConnection, type RowDataPacket } from 'mysql2/promise';

/** How long the server waits for a row that somebody else has locked, milliseconds. */
const LOCK_MS = 3_000;
/** How long a statement may take in which nothing but rows by their keys is touched. */
export const STATEMENT_MS = LOCK_MS + 1_000;

export type Row = Record<string, unknown>;
export type Value = string | number | Buffer;

/** Statements on one connection. One that takes too long fails with the code `ETIMEDOUT`; drop the connection then. */
export interface Session {
  rows(sql: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** @returns how many rows it touched */
  run(sql: string, values?: readonly Value[]): Promise<number>;
  /** A statement that servers do not prepare. */
  control(sql: string): Promise<void>;
}

/** @param limitMs of each statement; the driver's own limits do not cover the preparing of one */
export function sessionOn(connection: PoolConnection, limitMs: number = STATEMENT_MS): Session {
  const execute = async (sql: string, values: readonly Value[]): Promise<unknown> => {
    // 64-bit integers as such: a DOUBLE would keep the server from using the index.
    const typed = values.map((value) =>
      typeof value === 'number' ? mysql.TypedParameter.BIGINT(value) : value,
    );
    const [result] = await bounded(connection.execute({ sql, values: typed }), limitMs);
    return result;
  };
  return {
    async control(sql) {
      await bounded(connection.query({ sql }), limitMs);
    },
    rows: async (sql, values = []) => (await execute(sql, values)) as RowDataPacket[],
    run: async (sql, values = []) =>
      ((await execute(sql, values)) as { affectedRows?: number }).affectedRows ?? 0,
  };
}

/** Before a connection's first use: rows are locked one by one, nothing is cut off or bent silently. */
export async function prepareSession(session: Session): Promise<void> {
  await session.control('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await session.control(
    `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, innodb_lock_wait_timeout = ${LOCK_MS / 1_000}, wait_timeout = 3600`,
  );
}

/** Closes the socket without waiting for the server, for which the driver's own `destroy` waits. */
export function drop(connection: PoolConnection): void {
  connection.destroy();
  (connection.connection as unknown as { stream?: { destroy?: () => void } }).stream?.destroy?.();
}

/** @throws an error with the code `ETIMEDOUT`, after `milliseconds`; `late` is told what came all the same */
export async function bounded<T>(
  work: Promise<T>,
  milliseconds: number,
  late: (result: T) => void = () => undefined,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      work.then(late, () => undefined);
      reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    }, milliseconds);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
