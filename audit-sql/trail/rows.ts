import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import { SQL_MODE } from '../writers/script.ts';

const CONTRADICTED: ReadonlySet<string> = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
]);

/** The driver's error without its text, which quotes the statement and so a patient's data. */
export function readingFailed(error: unknown, what: string): ChartgateError {
  if (error instanceof ChartgateError) return error;
  const code = String((error as { code?: unknown }).code ?? 'unknown');
  if (CONTRADICTED.has(code)) {
    return new ChartgateError('privilege-missing', `This SQL user may not read ${what} (${code}).`, {
      cause: error,
    });
  }
  if (code === 'ER_BAD_FIELD_ERROR' || code === 'ER_NO_SUCH_TABLE' || code === 'ER_BAD_DB_ERROR') {
    return new ChartgateError(
      'database-unsupported',
      `${what} is missing or not as this version makes it (${code}); run "chartgate audit-sql start" again.`,
      { cause: error },
    );
  }
  return new ChartgateError('database-unavailable', `Reading ${what} failed (${code}).`, { cause: error });
}

type Underlying = EventEmitter & {
  query(options: { sql: string; rowsAsArray: true; typeCast: false }): {
    stream(options: { highWaterMark: number }): Readable;
  };
};

/**
 * The rows of a query as bytes, one by one: memory does not grow with their number. The connection serves
 * nothing else until the last row was taken or the loop was left.
 * @param what named in the message when it fails
 */
export async function* streamRows(
  connection: Connection,
  sql: string,
  what: string,
): AsyncGenerator<readonly (Buffer | null)[]> {
  // Only the driver's callback form can stream; the promise form holds it without declaring it.
  const underlying = (connection as unknown as { readonly connection: Underlying }).connection;
  const stream = underlying.query({ sql, rowsAsArray: true, typeCast: false }).stream({ highWaterMark: 64 });
  // An answer that the driver cannot take, or a server that goes away, must end the loop.
  const onEnd = (error?: Error): void => {
    stream.destroy(error ?? new Error('The connection ended.'));
  };
  underlying.on('error', onEnd).on('end', onEnd);
  try {
    for await (const row of stream) yield row as readonly (Buffer | null)[];
  } catch (error) {
    throw readingFailed(error, what);
  } finally {
    underlying.off('error', onEnd).off('end', onEnd);
  }
}

/** The same as text. */
export async function* streamText(
  connection: Connection,
  sql: string,
  what: string,
): AsyncGenerator<readonly (string | null)[]> {
  for await (const row of streamRows(connection, sql, what)) {
    yield row.map((cell) => (cell === null ? null : cell.toString('utf8')));
  }
}

/** All rows of a small answer, as text. */
export async function textRows(
  connection: Connection,
  sql: string,
  what: string,
): Promise<readonly (readonly (string | null)[])[]> {
  try {
    const [rows] = await connection.query({ sql, rowsAsArray: true, typeCast: false });
    return (rows as unknown as readonly (readonly (Buffer | null)[])[]).map((row) =>
      row.map((cell) => (cell === null ? null : cell.toString('utf8'))),
    );
  } catch (error) {
    throw readingFailed(error, what);
  }
}

/**
 * Runs `work` in one consistent snapshot of all transactional tables, read only. Sets the session's
 * character set, SQL mode and time zone, and leaves them so.
 */
export async function inSnapshot<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    await connection.query('SET NAMES utf8mb4 COLLATE utf8mb4_bin');
    await connection.query(`SET SESSION sql_mode = '${SQL_MODE}', SESSION time_zone = '+00:00'`);
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  } catch (error) {
    throw readingFailed(error, 'the database');
  }
  try {
    return await work();
  } finally {
    // A server that is gone has ended the transaction itself.
    await connection.query('ROLLBACK').catch(() => {});
  }
}
