import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../contracts/clock.ts';
import { type SqliteStateSettings, STATE_KINDS } from '../../../contracts/state.ts';
import { findingsOf, type MigrationReport, type StateReport } from '../report.ts';
import { SqliteConnection } from './connection.ts';
import { translated } from './errors.ts';
import { backup, schemaVersion } from './migrate.ts';
import { judgeFile, judgeFolder } from './place.ts';
import { MIGRATIONS } from './schema.ts';

/** @throws ChartgateError `state-unavailable` */
export function inspectSqlite({ file }: SqliteStateSettings, clock: Clock): StateReport {
  return reading(file, (database) => {
    const schema = schemaVersion(database, file);
    const newest = MIGRATIONS.length;
    const damage = database.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    const damaged =
      damage === 'ok'
        ? []
        : [{ code: 'damaged' as const, sentence: 'SQLite finds damage in the file; restore a backup.' }];
    if (schema === 0) {
      return {
        engine: 'sqlite',
        schema,
        newest,
        documents: {},
        expired: 0,
        findings: [...findingsOf({ schema, newest, orphans: 0, unknown: [] }), ...damaged],
      };
    }
    const now = Math.floor(clock.wall());
    const count = (sql: string, ...values: readonly number[]): number =>
      Number(Object.values(database.prepare(sql).get(...values) ?? {})[0]);
    const kinds = database
      .prepare(
        'SELECT kind, COUNT(*) AS count FROM document WHERE expires_at > ? GROUP BY kind ORDER BY kind',
      )
      .all(now);
    const documents = Object.fromEntries(kinds.map(({ kind, count: held }) => [String(kind), Number(held)]));
    const orphans = ['entry', 'claim'].map((table) =>
      count(
        `SELECT COUNT(*) FROM ${table} v WHERE NOT EXISTS (SELECT 1 FROM document d WHERE d.kind = v.kind AND d.id = v.id)`,
      ),
    );
    return {
      engine: 'sqlite',
      schema,
      newest,
      documents,
      expired: count('SELECT COUNT(*) FROM document WHERE expires_at <= ?', now),
      findings: [
        ...findingsOf({
          schema,
          newest,
          orphans: orphans.reduce((sum, one) => sum + one, 0),
          unknown: Object.keys(documents).filter((kind) => !Object.hasOwn(STATE_KINDS, kind)),
        }),
        ...damaged,
      ],
    };
  });
}

/** @throws ChartgateError `state-unavailable` */
export async function migrateSqlite({ file }: SqliteStateSettings, clock: Clock): Promise<MigrationReport> {
  let before = 0;
  try {
    before = reading(file, (database) => schemaVersion(database, file));
  } catch {
    // Not there yet; whatever else it is, opening says.
  }
  let copy: string | undefined;
  const connection = await SqliteConnection.open({ file, copied: (path) => (copy = path) }, clock);
  connection.close();
  return { steps: MIGRATIONS.length - before, copy };
}

/** @throws ChartgateError `state-unavailable` */
export function backupSqlite({ file }: SqliteStateSettings, clock: Clock): string {
  return reading(file, (database) => backup(file, clock.wall(), `v${schemaVersion(database, file)}`));
}

function reading<T>(file: string, work: (database: DatabaseSync) => T): T {
  judgeFolder(file);
  judgeFile(file);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: 5_000, allowExtension: false });
    return work(database);
  } catch (error) {
    throw translated(error, file);
  } finally {
    database?.close();
  }
}
