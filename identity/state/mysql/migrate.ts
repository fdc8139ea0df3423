import { hash } from 'node:crypto';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { MysqlStateSettings } from '../../../contracts/state.ts';
import { NO_SUCH_TABLE, numberOf } from './errors.ts';
import { MysqlPool } from './pool.ts';
import { MIGRATIONS, type Migration, makeMeta } from './schema.ts';
import type { Session } from './session.ts';

/** How long one process waits for another that migrates, and how long one statement of a migration may take. */
const LONGEST_WAIT_S = 60;
const STATEMENT_MS = 3_600_000;

export interface MysqlMigration {
  /** Somebody said that a backup of this database was made. Not needed for one without any table of ours. */
  readonly backedUp?: boolean;
  readonly migrations?: readonly Migration[];
}

/**
 * How many steps the database has behind it, 0 for one without our tables.
 * @throws ChartgateError `state-unavailable` for a newer one
 */
export async function schemaVersion(session: Session, known: number = MIGRATIONS.length): Promise<number> {
  let version = 0;
  try {
    const [row] = await session.rows("SELECT value FROM chartgate_meta WHERE name = 'schema'");
    version = Number(row?.value ?? 0);
  } catch (error) {
    if (numberOf(error) !== NO_SUCH_TABLE) throw error;
  }
  if (version > known) {
    throw new ChartgateError(
      'state-unavailable',
      `The state store's database was written by a newer Chartgate (schema ${version}, this one knows ${known}); use that one, or go back to a backup from before.`,
    );
  }
  return version;
}

/**
 * Brings the database up to the newest schema, once, however many processes start together. Tables with documents
 * in them are changed only when somebody said that there is a backup: DDL cannot be undone.
 * @returns how many steps were made
 * @throws ChartgateError `state-unavailable`
 */
export async function migrate(
  pool: MysqlPool,
  database: string,
  options: MysqlMigration = {},
): Promise<number> {
  const { migrations = MIGRATIONS, backedUp = false } = options;
  const now = await pool.session((session) => schemaVersion(session, migrations.length));
  if (now === migrations.length) return 0;
  return pool.session(async (session) => {
    // Names of locks are the server's, not the database's.
    const lock = `chartgate-state-${hash('sha256', database, 'hex').slice(0, 32)}`;
    const [got] = await session.rows('SELECT GET_LOCK(?, ?) AS got', [lock, LONGEST_WAIT_S]);
    if (Number(got?.got) !== 1) {
      throw new ChartgateError('state-unavailable', 'The state store is being migrated by another process.');
    }
    try {
      const version = await schemaVersion(session, migrations.length);
      if (version > 0 && version < migrations.length && !backedUp) {
        throw new ChartgateError(
          'state-unavailable',
          `The state store's database has schema ${version}, this Chartgate needs ${migrations.length}. Make a backup of the database, then run: chartgate state migrate --backed-up`,
        );
      }
      await makeMeta(session);
      for (const [at, step] of migrations.entries()) {
        if (at < version) continue;
        for (const statement of step) await session.run(statement);
        await session.run(
          "INSERT INTO chartgate_meta (name, value) VALUES ('schema', ?) ON DUPLICATE KEY UPDATE value = VALUES(value)",
          [at + 1],
        );
      }
      return migrations.length - version;
    } finally {
      await session.rows('SELECT RELEASE_LOCK(?)', [lock]).catch(() => undefined);
    }
  }, STATEMENT_MS);
}

/** For an administrator's command, with an account that may define tables. @returns how many steps were made */
export async function migrateMysql(
  settings: MysqlStateSettings,
  options: MysqlMigration = {},
): Promise<number> {
  const pool = new MysqlPool(settings);
  try {
    return await migrate(pool, settings.database, options);
  } finally {
    await pool.close();
  }
}
