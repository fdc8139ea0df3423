import { isIPv4 } from 'node:net';
import mysql, { type ConnectionOptions, type Connection as CoreConnection } from 'mysql2';
import { INSTATEMENT_TABLE, qualified } from '../../audit-sql/names.ts';
import { identifiedStream } from '../../audit-sql/tls-stream.ts';
import type { CheckedDatabase } from '../../contracts/settings.ts';
import { Trouble } from '../watch/trouble.ts';
import { type Engine, PROBE_LENGTH, type Probe, planProbe } from './counters.ts';

const CHARSET = 'utf8mb4';

export interface Link {
  readonly connection: CoreConnection;
  readonly engine: Engine;
  readonly probe: Probe;
  /**
   * MariaDB keeps a routine that was called once for the rest of the session, whatever is written to its table
   * of routines meanwhile: it would go on running a text that nobody sees any more. To be called before the
   * routines are.
   */
  forgetRoutines(): Promise<void>;
  /** Closes the socket without waiting for anybody, which the driver's own `destroy` does not. */
  destroy(): void;
}

function loopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function credentials(database: CheckedDatabase): { readonly user: string; readonly password: string } {
  return { user: database.user, password: database.password.reveal().toString('utf8') };
}

function options(database: CheckedDatabase): ConnectionOptions {
  const local = database.socketPath !== undefined || loopback(database.host ?? '127.0.0.1');
  if (database.authority === undefined && !local) {
    throw new Trouble('database-without-tls', 'A database beyond loopback needs an authority for TLS.');
  }
  return {
    ...(database.socketPath !== undefined
      ? { socketPath: database.socketPath }
      : { host: database.host ?? '127.0.0.1', port: database.port ?? 3306 }),
    ...(database.authority !== undefined
      ? {
          ...(database.socketPath === undefined
            ? identifiedStream(database.host ?? '127.0.0.1', database.port ?? 3306)
            : {}),
          ssl: {
            ca: database.authority,
            rejectUnauthorized: true,
            verifyIdentity: true,
            minVersion: 'TLSv1.2',
          },
        }
      : {}),
    charset: CHARSET,
    connectTimeout: database.timeoutMs,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
    // What is sent with several statements is put together from constants; on MySQL a probe has two.
    multipleStatements: true,
    // A server that was taken over could ask its clients for their files.
    flags: ['-LOCAL_FILES'],
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
  };
}

/**
 * One connection with the checker's own user, ready for its limits to count.
 * @param lost called once when the connection ends or fails after it was made
 * @param statementMs how long the server works at one statement at most
 */
export async function connect(
  database: CheckedDatabase,
  lost: (error: Error) => void,
  statementMs: number = database.timeoutMs,
): Promise<Link> {
  const chosen = options(database);
  const { user, password } = credentials(database);
  const connection = mysql.createConnection({ ...chosen, user, password });
  const destroy = (): void => {
    connection.destroy();
    (connection as unknown as { stream?: { destroy?: () => void } }).stream?.destroy?.();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      connection.on('error', (error: Error) => {
        reject(error);
        lost(error);
      });
      connection.once('connect', () => resolve());
      (connection as unknown as NodeJS.EventEmitter).once('end', () => {
        const gone = new Trouble('database-unavailable', 'The database closed the connection.');
        reject(gone);
        lost(gone);
      });
    });
    const driver = connection.promise();
    const [rows] = await driver.query({ sql: 'SELECT @@version', rowsAsArray: true });
    const version = String((rows as unknown as readonly (readonly unknown[])[])[0]?.[0] ?? '');
    const engine: Engine = /mariadb/i.test(version) ? 'mariadb' : 'mysql';
    const seconds = Math.max(1, Math.ceil(database.timeoutMs / 1000));
    // The server gives up by itself too, so that a comparison nobody waits for does not go on there.
    const limit =
      engine === 'mariadb'
        ? `max_statement_time=${statementMs / 1000}`
        : `max_execution_time=${Math.ceil(statementMs)}`;
    const settings = `SET SESSION group_concat_max_len=${PROBE_LENGTH}, lock_wait_timeout=${seconds}, wait_timeout=3600, sql_mode='', ${limit}`;
    await driver.query(settings);
    const forgetRoutines = async (): Promise<void> => {
      if (engine !== 'mariadb') return;
      await driver.changeUser({ user, password, charset: CHARSET });
      await driver.query(settings);
    };
    const probe = await planProbe(
      engine,
      async (sql) => (await driver.query({ sql, rowsAsArray: true }))[0],
      qualified(database.auditSchema, INSTATEMENT_TABLE),
    );
    return { connection, engine, probe, forgetRoutines, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}
