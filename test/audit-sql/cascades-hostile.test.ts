import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SchemaModel } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { contentOf, counting, lastTrailId, replayed, startAudit, trailRows } from './following.ts';
import { ENGINES, lenient, startServer } from './support.ts';

const LEVELS = ['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const;

/** What a session may set, or do, to keep a cascade out of the trail; each with what it aims at. */
const SESSIONS: readonly (readonly [string, string])[] = [
  ['SET sql_select_limit = 0', 'the rows that the trigger finds'],
  ['SET max_sort_length = 8', 'the keys that it groups'],
  ['SET @token = 0, @chartgate_cascade = 7', 'variables called like those of the trigger'],
  ['SET timestamp = 1000000000', 'the time in the token: the same for every statement'],
  ["SET time_zone = '+13:00', sql_mode = 'ANSI,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'", 'how its text reads'],
  ["SET optimizer_switch = 'derived_merge=off,materialization=off,semijoin=off'", 'its plan'],
  ['SET unique_checks = 0, sql_safe_updates = 1', 'its checks'],
  ['SET SESSION group_concat_max_len = 4, max_error_count = 0', 'limits of its functions'],
];

describe.each(ENGINES)('cascades against a session that resists, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let model: SchemaModel;

  beforeAll(async () => {
    server = await startServer('audit-sql-cascades-hostile', engine);
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE emr; USE emr; CREATE TABLE p (id INT PRIMARY KEY, v INT);
      CREATE TABLE c (id INT PRIMARY KEY, p INT, q INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE,
        FOREIGN KEY (q) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE);
      CREATE TABLE elsewhere (id INT PRIMARY KEY, v INT); INSERT INTO elsewhere VALUES (1, 1)`);
    if (engine === 'mariadb') {
      await admin.query(`CREATE TABLE vp (id INT PRIMARY KEY);
        CREATE TABLE vc (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES vp (id) ON DELETE CASCADE) WITH SYSTEM VERSIONING`);
    }
    model = await startAudit(admin, 'emr');
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function rows(): Promise<number> {
    await admin.query(`DELETE FROM c; DELETE FROM p; INSERT INTO p (id) VALUES (1), (2), (3), (4);
      INSERT INTO c VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 3, 3), (5, 4, 4), (6, 4, 1)`);
    return lastTrailId(admin, 'emr');
  }

  it.each(SESSIONS)('%s (aims at %s) takes nothing away', async (setting) => {
    const last = await rows();
    const before = await contentOf(admin, model);
    const session = await server.connect({ database: 'emr', multipleStatements: true });
    await session.query(setting);
    await session.query(
      'UPDATE p SET id = 10 WHERE id = 1; DELETE FROM p WHERE id = 10; DELETE FROM p WHERE id = 4',
    );
    await session.end();
    const found = counting(await trailRows(admin, 'emr', last));
    expect(replayed(before, found, model)).toEqual(await contentOf(admin, model));
    expect(found.filter((row) => row.operation.startsWith('cascade-'))).not.toEqual([]);
  });

  it.runIf(engine === 'mariadb')('DELETE … RETURNING with assignments between the two triggers', async () => {
    const last = await rows();
    const before = await contentOf(admin, model);
    await admin.query('DELETE FROM p WHERE id = 1 RETURNING (@token := 0), (@chartgate_cascade := 0)');
    expect(replayed(before, counting(await trailRows(admin, 'emr', last)), model)).toEqual(
      await contentOf(admin, model),
    );
  });

  it.each(LEVELS)(
    'at %s the record holds what others committed after the transaction began',
    async (level) => {
      await rows();
      const [mine, other] = await Promise.all([
        server.connect({ database: 'emr', multipleStatements: true }),
        server.connect({ database: 'emr' }),
      ]);
      await mine.query(
        `SET SESSION TRANSACTION ISOLATION LEVEL ${level}; BEGIN; SELECT COUNT(*) FROM p WHERE id = 99`,
      );
      if (level !== 'SERIALIZABLE') await mine.query('SELECT COUNT(*) FROM c');
      await other.query('INSERT INTO c VALUES (70, 3, NULL)');
      await other.query('UPDATE c SET q = 2 WHERE id = 4');
      const before = await contentOf(admin, model);
      const last = await lastTrailId(admin, 'emr');
      await mine.query('DELETE FROM p WHERE id = 3; COMMIT');
      const found = counting(await trailRows(admin, 'emr', last));
      expect(replayed(before, found, model)).toEqual(await contentOf(admin, model));
      expect(found.filter((row) => row.operation === 'cascade-delete')).toHaveLength(2);
      await Promise.all([mine.end(), other.end()]);
    },
  );

  it('a cascade that waits for another session holds up nobody who writes elsewhere', async () => {
    await rows();
    const [holder, waiting, third] = await Promise.all(
      [0, 1, 2].map(() => server.connect({ database: 'emr', multipleStatements: true })),
    );
    if (holder === undefined || waiting === undefined || third === undefined) throw new Error('no sessions');
    await holder.query('BEGIN; SELECT * FROM p WHERE id = 2 FOR UPDATE');
    // Records the children of row 1, then waits for row 2 with its statement half done.
    const deleting = waiting.query('DELETE FROM p WHERE id IN (1, 2)');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await third.query('SET innodb_lock_wait_timeout = 2; UPDATE elsewhere SET v = v + 1');
    await holder.query('COMMIT');
    await deleting;
    await Promise.all([holder.end(), waiting.end(), third.end()]);
  });

  it.runIf(engine === 'mariadb')(
    'versioned children are recorded in any time zone of the session',
    async () => {
      const session = await server.connect({ database: 'emr', multipleStatements: true });
      await session.query(`INSERT INTO vp VALUES (1), (2), (3); INSERT INTO vc (id, p) VALUES (1, 1), (2, 2), (3, 3);
      UPDATE vc SET id = id + 10`);
      const last = await lastTrailId(admin, 'emr');
      await session.query('DELETE FROM vp WHERE id = 1');
      await session.query("SET time_zone = '+11:00'; DELETE FROM vp WHERE id = 2");
      await session.query("SET time_zone = '-09:00'; DELETE FROM vp WHERE id = 3");
      await session.end();
      const found = counting(await trailRows(admin, 'emr', last));
      expect(found.filter((row) => row.operation === 'cascade-delete')).toHaveLength(3);
    },
  );

  it('records follow the order of changes also when the cascade waits for another session', async () => {
    await rows();
    const [mine, other] = await Promise.all([
      server.connect({ database: 'emr', multipleStatements: true }),
      server.connect({ database: 'emr', multipleStatements: true }),
    ]);
    await admin.query(
      `INSERT INTO c VALUES ${Array.from({ length: 40 }, (_, i) => `(${100 + i}, 3, NULL)`).join(', ')}`,
    );
    const before = await contentOf(admin, model);
    const last = await lastTrailId(admin, 'emr');
    await other.query('BEGIN; UPDATE c SET q = 2 WHERE id = 130');
    const deletion = mine.query('DELETE FROM p WHERE id = 3');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await other.query('UPDATE c SET q = 4 WHERE id = 130; COMMIT');
    await deletion;
    expect(replayed(before, counting(await trailRows(admin, 'emr', last)), model)).toEqual(
      await contentOf(admin, model),
    );
    await Promise.all([mine.end(), other.end()]);
  });
});
