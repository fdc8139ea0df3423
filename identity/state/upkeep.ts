import { type Clock, systemClock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { StateSettings } from '../../contracts/state.ts';
import type { MigrationReport, StateReport } from './report.ts';

/** What administrators do with a store, by command. */

export { type MigrationReport, STATE_FINDINGS, type StateFinding, type StateReport } from './report.ts';

/** Looks and changes nothing. @throws ChartgateError `state-unavailable` */
export async function inspectState(
  settings: StateSettings,
  clock: Clock = systemClock,
): Promise<StateReport> {
  if (settings.kind === 'sqlite') return (await import('./sqlite/inspect.ts')).inspectSqlite(settings, clock);
  return (await import('./mysql/inspect.ts')).inspectMysql(settings, clock);
}

/**
 * Makes the tables, or brings them up to date.
 * @param backedUp somebody said that a backup of the database was made; a SQLite file is copied by itself
 * @throws ChartgateError `state-unavailable`
 */
export async function migrateState(
  settings: StateSettings,
  backedUp: boolean,
  clock: Clock = systemClock,
): Promise<MigrationReport> {
  if (settings.kind === 'sqlite') return (await import('./sqlite/inspect.ts')).migrateSqlite(settings, clock);
  const { migrateMysql } = await import('./mysql/migrate.ts');
  return { steps: await migrateMysql(settings, { backedUp }), copy: undefined };
}

/**
 * Copies a SQLite store beside it while others go on using it. @returns the copy's path
 * @throws ChartgateError `state-unavailable`; `usage` for a server, which has tools of its own
 */
export async function backupState(settings: StateSettings, clock: Clock = systemClock): Promise<string> {
  if (settings.kind === 'sqlite') return (await import('./sqlite/inspect.ts')).backupSqlite(settings, clock);
  throw new ChartgateError(
    'usage',
    'The state is on a database server; back it up with the tools of that server, such as mariadb-dump --single-transaction.',
  );
}
