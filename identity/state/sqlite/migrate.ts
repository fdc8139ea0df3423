import { DatabaseSync } from 'node:sqlite';
import { ChartgateError } from '../../../contracts/errors.ts';
import { makeFile } from './place.ts';
import { APPLICATION_ID, MIGRATIONS, type Migration } from './schema.ts';

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** @throws ChartgateError `state-unavailable` for a file of another program, or of a newer Chartgate */
export function schemaVersion(
  database: DatabaseSync,
  file: string,
  known: number = MIGRATIONS.length,
): number {
  const version = Number(pragma(database, 'user_version'));
  const owner = Number(pragma(database, 'application_id'));
  const empty =
    version === 0 && owner === 0 && database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
  if (!empty && owner !== APPLICATION_ID) {
    throw new ChartgateError('state-unavailable', `${file}: is the SQLite file of another program.`);
  }
  if (version > known) {
    throw new ChartgateError(
      'state-unavailable',
      `${file}: the state store was written by a newer Chartgate (schema ${version}, this one knows ${known}); use that one, or go back to a copy from before.`,
    );
  }
  return version;
}

/**
 * Brings the file up to the newest schema: all steps or none, once, however many processes start together. A
 * copy of a store that holds anything is made first, under the same lock, so that it is what was migrated.
 * @throws ChartgateError `state-unavailable`; what SQLite throws, `SQLITE_BUSY` among it
 * @returns the copy's path, when one was made
 */
export function migrate(
  database: DatabaseSync,
  file: string,
  now: number,
  migrations: readonly Migration[] = MIGRATIONS,
): string | undefined {
  if (schemaVersion(database, file, migrations.length) === migrations.length) return undefined;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Again, now that nobody else can write: another process may have been first.
    const version = schemaVersion(database, file, migrations.length);
    const copy = version === 0 ? undefined : backup(file, now, `v${version}`);
    for (const step of migrations.slice(version)) step(database);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
    return copy;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Writes a copy of the store beside it, mode 0600, as it is at one moment; others go on reading and writing.
 * @param label goes into the name, `<file>.<label>-<time>.backup`
 * @returns the copy's path
 */
export function backup(file: string, now: number, label: string): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]/g, '').replace('.', '');
  const copy = `${file}.${label}-${stamp}.backup`;
  // SQLite writes into an empty file that is there, and would make one with wider modes.
  if (!makeFile(copy))
    throw new ChartgateError('state-unavailable', `${copy}: there is a file of that name already.`);
  // By a connection of its own: the caller's may be in a transaction, and holds back writers if so.
  const reader = new DatabaseSync(file, { timeout: 5_000 });
  try {
    reader.prepare('VACUUM INTO ?').run(copy);
  } finally {
    reader.close();
  }
  return copy;
}
