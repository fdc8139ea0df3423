import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SchemaModel } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { contentOf, counting, lastTrailId, replayed, startAudit, trailRows } from './following.ts';
import { ENGINES, lenient, startServer } from './support.ts';

const TABLES = `
  CREATE TABLE p (id INT PRIMARY KEY, v INT);
  CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, p INT, v INT, KEY (p), FOREIGN KEY (p) REFERENCES p (id));
  CREATE TABLE stamped (id INT PRIMARY KEY, v INT, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6));
  CREATE TABLE unnamed (p INT, v INT, KEY (p), FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE);
  CREATE TABLE unnamed_pair (a INT, b INT, v INT, KEY (a), FOREIGN KEY (a) REFERENCES p (id), FOREIGN KEY (b) REFERENCES t (u))`;
const ROWS = `
  DELETE FROM unnamed; DELETE FROM unnamed_pair; DELETE FROM t; DELETE FROM p;
  INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO t VALUES (1, 1, 1, 1), (2, 2, 1, 2), (3, 3, NULL, 3);
  INSERT INTO unnamed VALUES (1, 1), (1, 1), (2, 1), (NULL, 1); INSERT INTO unnamed_pair VALUES (1, 3, 1), (1, 3, 1), (NULL, 3, 1)`;

/** What another session does after ours has read, and what ours then passes over or does. */
const LATE: readonly (readonly [string, string, string])[] = [
  ['UPDATE t SET u = 9 WHERE id = 1', 'UPDATE IGNORE t SET u = 2 WHERE id = 1', 'a unique key refuses'],
  [
    'INSERT INTO t VALUES (8, 8, 1, 8)',
    'UPDATE IGNORE t SET u = 2, v = 5 WHERE id = 8',
    'a row not seen yet',
  ],
  ['UPDATE t SET p = 2 WHERE id = 1', 'UPDATE IGNORE t SET p = 77 WHERE id = 1', 'a foreign key refuses'],
  ['INSERT INTO p VALUES (3, 3)', 'UPDATE IGNORE unnamed SET p = 3 WHERE p = 1', 'the new parent is there'],
  [
    'DELETE FROM unnamed WHERE p = 2; DELETE FROM p WHERE id = 2',
    'UPDATE IGNORE unnamed SET p = 2',
    'the new parent has gone',
  ],
];

/** In a table that nothing names a row of. */
const UNNAMED = [
  'UPDATE IGNORE unnamed SET p = 77',
  'UPDATE IGNORE unnamed SET p = p + 1, v = v + 1',
  'UPDATE IGNORE unnamed SET p = NULL',
  'UPDATE IGNORE unnamed SET v = 5',
  'UPDATE IGNORE unnamed_pair SET a = 2, b = 88',
  'UPDATE IGNORE unnamed_pair SET a = 99, b = 2',
  'UPDATE IGNORE unnamed_pair SET a = NULL, b = 3',
  'SET foreign_key_checks = 0; UPDATE IGNORE unnamed SET p = 77; SET foreign_key_checks = 1',
  'UPDATE IGNORE unnamed JOIN unnamed_pair USING (v) SET unnamed.p = 55, unnamed_pair.a = 2',
] as const;

describe.each(ENGINES)('an update that IGNORE lets pass, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let model: SchemaModel;

  beforeAll(async () => {
    server = await startServer('audit-sql-ignored-updates', engine);
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE emr; USE emr; ${TABLES}`);
    model = await startAudit(admin, 'emr');
  });
  beforeEach(() => admin.query(ROWS));

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  it.each(LATE)('%s by another session, then %s: %s', async (other, ours) => {
    const session = await server.connect({ database: 'emr', multipleStatements: true });
    const before = await contentOf(admin, model);
    const last = await lastTrailId(admin, 'emr');
    await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION');
    await session.query('SELECT COUNT(*) FROM t');
    await admin.query(other);
    await session.query(`${ours}; COMMIT`);
    await session.end();
    const rows = counting(await trailRows(admin, 'emr', last));
    expect(replayed(before, rows, model)).toEqual(await contentOf(admin, model));
  });

  it.each(UNNAMED)('%s is recorded as far as it took place', async (sql) => {
    const before = await contentOf(admin, model);
    const last = await lastTrailId(admin, 'emr');
    await admin.query(sql);
    const rows = counting(await trailRows(admin, 'emr', last));
    expect(replayed(before, rows, model)).toEqual(await contentOf(admin, model));
  });

  it('a time that an update would set by itself, and does not because nothing else changes, is not recorded', async () => {
    const session = await server.connect({ database: 'emr', multipleStatements: true });
    await admin.query('REPLACE INTO stamped (id, v) VALUES (1, 1)');
    await session.query('START TRANSACTION; SELECT COUNT(*) FROM stamped');
    await admin.query('UPDATE stamped SET v = 2');
    const last = await lastTrailId(admin, 'emr');
    await session.query('UPDATE stamped SET v = 2; COMMIT');
    await session.end();
    expect((await trailRows(admin, 'emr', last)).filter(({ changes }) => changes !== '{}')).toEqual([]);
  });

  it('waits for nobody in order to find out', async () => {
    const other = await server.connect({ database: 'emr', multipleStatements: true });
    await other.query(
      'START TRANSACTION; UPDATE t SET v = 9 WHERE id = 3; UPDATE unnamed SET v = 9 WHERE p = 2',
    );
    await admin.query('SET innodb_lock_wait_timeout = 1');
    await admin.query(
      'UPDATE IGNORE t SET u = 2, p = 2 WHERE id = 1; UPDATE t SET u = 40, p = 2 WHERE id = 1',
    );
    await other.query('ROLLBACK');
    await other.end();
    const [rows] = await admin.query<RowDataPacket[]>('SELECT u FROM t WHERE id = 1');
    expect(rows).toEqual([{ u: 40 }]);
  });
});
