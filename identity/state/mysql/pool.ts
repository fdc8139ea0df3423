import { setTimeout as delay } from 'node:timers/promises';
import mysql, { type Pool, type PoolConnection } from 'mysql2/promise';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { MysqlStateSettings } from '../../../contracts/state.ts';
import { isBroken, isCollision, numberOf, translated } from './errors.ts';
import { optionsOf } from './options.ts';
import { bounded, drop, prepareSession, type Row, type Session, sessionOn, type Value } from './session.ts';

/** A transaction that others' locks undo is made again this often. */
const ATTEMPTS = 40;
const CONNECTIONS = 8;
/** Callers that wait for a connection, and how long (milliseconds); others are told that the store is not available. */
const WAITING = 2_000;
const WAITING_MS = 5_000;

/** Connections to the server, each prepared before its first use, and transactions on them. */
export class MysqlPool {
  readonly #pool: Pool;
  readonly #prepared = new WeakSet<object>();

  /** @throws ChartgateError `configuration-invalid` for a server beyond loopback without an authority */
  constructor(settings: MysqlStateSettings) {
    this.#pool = mysql.createPool({
      ...optionsOf(settings),
      connectionLimit: CONNECTIONS,
      maxIdle: CONNECTIONS,
      idleTimeout: 60_000,
      waitForConnections: true,
      queueLimit: WAITING,
    });
  }

  /** One statement that may be made again. @throws ChartgateError `state-unavailable` */
  async read(sql: string, values: readonly Value[]): Promise<readonly Row[]> {
    return this.session((session) => session.rows(sql, values));
  }

  /**
   * One connection for several statements, which may be made again from the first.
   * @param limitMs of each statement
   * @throws ChartgateError
   */
  async session<T>(work: (session: Session) => Promise<T>, limitMs?: number): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#acquire();
      try {
        const result = await work(sessionOn(connection, limitMs));
        connection.release();
        return result;
      } catch (error) {
        drop(connection);
        // A connection that died while nobody used it, as when the server was started anew.
        if (attempt > 1 || !isBroken(error)) throw translated(error);
      }
    }
  }

  /**
   * All or nothing: committed when this resolves with anything but false. When the connection breaks while the
   * server commits, nobody knows whether it did; that is `state-unavailable` and not tried again.
   * @throws ChartgateError
   */
  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await this.#acquire();
      const session = sessionOn(connection);
      let committing = false;
      try {
        await session.control('START TRANSACTION');
        const result = await work(session);
        committing = result !== false;
        await session.control(committing ? 'COMMIT' : 'ROLLBACK');
        connection.release();
        return result;
      } catch (error) {
        await undo(connection, session, error);
        const again = isCollision(error)
          ? attempt < ATTEMPTS
          : attempt === 1 && !committing && isBroken(error);
        if (!again) throw translated(error);
      }
      await delay(Math.random() * Math.min(4 * attempt, 50));
    }
  }

  async close(): Promise<void> {
    try {
      await bounded(this.#pool.end(), WAITING_MS);
    } catch {
      // Connections that are gone already, or a server that does not take leave.
    }
  }

  async #acquire(): Promise<PoolConnection> {
    let connection: PoolConnection | undefined;
    try {
      // Nobody waits behind a server that does not answer.
      connection = await bounded(this.#pool.getConnection(), WAITING_MS, (late) => late.release());
      if (this.#prepared.has(connection.connection)) return connection;
      await prepareSession(sessionOn(connection));
    } catch (error) {
      if (connection !== undefined) drop(connection);
      throw translated(error);
    }
    this.#prepared.add(connection.connection);
    return connection;
  }
}

/** Gives the connection back when the server answers on it; undoing is the server's where it does not. */
async function undo(connection: PoolConnection, session: Session, error: unknown): Promise<void> {
  try {
    if (numberOf(error) === undefined && !(error instanceof ChartgateError)) throw error;
    await session.control('ROLLBACK');
    connection.release();
  } catch {
    drop(connection);
  }
}
