import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PrivateMariadb, startPrivateMariadb } from '../../examples/support/private-mariadb.ts';
import {
  counterReader,
  PROBE_LENGTH,
  probeStatement,
  WATCHED_STATEMENTS,
} from '../../integrity-checker/database/counters.ts';
import type { Counters } from '../../integrity-checker/watch/types.ts';

let server: PrivateMariadb;
let administrator: Connection;
/** Without a single privilege: the probe needs none. */
let nobody: Connection;

beforeAll(async () => {
  server = await startPrivateMariadb({
    directory: join(import.meta.dirname, '..', '..', '.work', 'integrity-counters'),
  });
  administrator = await server.connect();
  await administrator.query('CREATE DATABASE emr');
  await administrator.query('USE emr');
  await administrator.query('CREATE TABLE t (i INT PRIMARY KEY, v INT)');
  await administrator.query("CREATE USER nobody@'%' IDENTIFIED BY 'x'");
  nobody = await server.connect({ user: 'nobody', password: 'x' });
  await nobody.query(`SET SESSION group_concat_max_len=${PROBE_LENGTH}`);
});
afterAll(async () => {
  await nobody?.end();
  await administrator?.end();
  await server?.stop();
});

const read = counterReader();
async function probe(): Promise<Counters> {
  const [rows] = await nobody.query({ sql: probeStatement('mariadb'), rowsAsArray: true });
  return read(rows);
}

/** Runs statements one after the other; a failing one counts like any other. */
async function moves(...statements: readonly string[]): Promise<{ hard: boolean; tables: boolean }> {
  const before = await probe();
  for (const sql of statements) await administrator.query(sql).catch(() => {});
  const after = await probe();
  return {
    hard: before.hard.some((value, index) => value !== after.hard[index]),
    tables: before.tables !== after.tables,
  };
}

const TRIGGER = 'TRIGGER tr AFTER INSERT ON t FOR EACH ROW SET @a = 1';

describe('on a real server the probe moves for', () => {
  it.each([
    ['a trigger made', [`CREATE ${TRIGGER}`]],
    ['a trigger replaced', [`CREATE OR REPLACE ${TRIGGER}`]],
    ['a trigger dropped', ['DROP TRIGGER tr']],
    ['a drop that fails', ['DROP TRIGGER no_such_trigger']],
    ['a drop "if exists" of nothing', ['DROP TRIGGER IF EXISTS no_such_trigger']],
    [
      'a trigger made by a prepared statement',
      [`PREPARE s FROM 'CREATE ${TRIGGER}'`, 'EXECUTE s', 'DEALLOCATE PREPARE s'],
    ],
    ['a trigger dropped by EXECUTE IMMEDIATE', ["EXECUTE IMMEDIATE 'DROP TRIGGER tr'"]],
    [
      'a trigger dropped under SET STATEMENT',
      ['SET STATEMENT max_statement_time=5 FOR DROP TRIGGER IF EXISTS tr'],
    ],
    ['a procedure', ["CREATE PROCEDURE p() BEGIN EXECUTE IMMEDIATE 'DROP TRIGGER IF EXISTS tr'; END"]],
    ['a trigger dropped inside a procedure', ['CALL p()']],
    [
      'a trigger dropped in a compound statement',
      ["BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'DROP TRIGGER IF EXISTS tr'; END"],
    ],
    ['a procedure altered', ['ALTER PROCEDURE p SQL SECURITY INVOKER']],
    ['a procedure dropped', ['DROP PROCEDURE p']],
    ['a function', ['CREATE FUNCTION f() RETURNS INT RETURN 1', 'DROP FUNCTION f']],
    ['a table altered', ['ALTER TABLE t ADD c INT']],
    ['a table altered at once', ['ALTER TABLE t DROP c, ALGORITHM=INSTANT']],
    ['a table renamed', ['RENAME TABLE t TO u, u TO t']],
    ['a table renamed by ALTER', ['ALTER TABLE t RENAME TO u', 'ALTER TABLE u RENAME TO t']],
    ['a table emptied', ['TRUNCATE t']],
    ['another engine', ['ALTER TABLE t ENGINE=Aria', 'ALTER TABLE t ENGINE=InnoDB']],
    ['an index', ['CREATE INDEX x ON t (v)', 'DROP INDEX x ON t']],
    ['a view', ['CREATE VIEW w AS SELECT 1', 'DROP VIEW w']],
    ['an event', ['CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1', 'DROP EVENT e']],
    ['a schema', ['CREATE DATABASE other', 'DROP DATABASE other']],
    ['an account', ['CREATE USER u1']],
    ['an account locked', ['ALTER USER u1 ACCOUNT LOCK']],
    ['a grant', ['GRANT TRIGGER ON emr.* TO u1']],
    ['a revocation', ['REVOKE TRIGGER ON emr.* FROM u1']],
    ['everything revoked', ['REVOKE ALL, GRANT OPTION FROM u1']],
    ['a role made', ['CREATE ROLE r1']],
    ['a role granted', ['GRANT r1 TO u1']],
    ['a role revoked', ['REVOKE r1 FROM u1', 'DROP ROLE r1', 'DROP USER u1']],
    ['grant tables reloaded after a direct change', ['FLUSH PRIVILEGES']],
    ['counters flushed', ['FLUSH STATUS']],
    ['a plugin', ["INSTALL SONAME 'no_such_plugin'"]],
    ['another source of replication', ["CHANGE MASTER TO MASTER_HOST='nowhere.example'", 'RESET SLAVE ALL']],
    ['row events applied past the triggers', ["BINLOG ''"]],
    ['the server made read-only', ['SET GLOBAL read_only=1']],
    ['the server made writable', ['SET GLOBAL read_only=0']],
    ['the event scheduler', ['SET GLOBAL event_scheduler=ON']],
    ['the event scheduler off', ['SET GLOBAL event_scheduler=OFF']],
    ['a statement for every new connection', ["SET GLOBAL init_connect='SET @a=1'"]],
    ['none for every new connection', ["SET GLOBAL init_connect=''"]],
    ['triggers skipped by replication', ["SET GLOBAL slave_run_triggers_for_rbr='YES'", 'SELECT 1']],
  ])('%s', async (_, statements) => {
    expect((await moves(...statements)).hard).toBe(true);
  });

  it.each([
    ['a table made', ['CREATE TABLE x (i INT)']],
    ['a table dropped', ['DROP TABLE x']],
    ['a temporary table dropped without that word', ['CREATE TEMPORARY TABLE tt (i INT)', 'DROP TABLE tt']],
  ])('%s, though only as a table', async (_, statements) => {
    expect(await moves(...statements)).toEqual({ hard: false, tables: true });
  });

  it.each([
    [
      'rows written and read',
      ['INSERT INTO t VALUES (1, 1)', 'UPDATE t SET v = 2', 'SELECT * FROM t', 'DELETE FROM t'],
    ],
    ['settings of one session', ["SET SESSION sql_mode=''", 'SET @a = 1', 'SET NAMES utf8mb4']],
    ['a temporary table', ['CREATE TEMPORARY TABLE tt (i INT)', 'DROP TEMPORARY TABLE tt']],
    ['transactions', ['BEGIN', 'INSERT INTO t VALUES (2, 2)', 'ROLLBACK']],
    ['looking around', ['SHOW TABLES', 'SHOW CREATE TABLE t', 'SELECT * FROM information_schema.TRIGGERS']],
    ['nothing', []],
  ])('not for %s', async (_, statements) => {
    expect(await moves(...statements)).toEqual({ hard: false, tables: false });
  });

  it('a restart, even if it took less than a second', async () => {
    const before = await probe();
    await server.kill();
    await server.restart();
    nobody = await server.connect({ user: 'nobody', password: 'x' });
    await nobody.query(`SET SESSION group_concat_max_len=${PROBE_LENGTH}`);
    administrator = await server.connect({ database: 'emr' });
    const after = await probe();
    expect(after.hard).not.toEqual(before.hard);
  });

  it('the same every time, as long as nothing happens, across a change of second', async () => {
    const first = await probe();
    const end = performance.now() + 1_200;
    while (performance.now() < end) expect((await probe()).hard).toEqual(first.hard);
  });
});

describe('an answer is refused', () => {
  const good = `${['alter_table', 'create_procedure', 'create_trigger', 'drop_trigger', 'flush', 'grant', 'rename_table', 'revoke', 'create_table', 'drop_table'].map((name) => `COM_${name.toUpperCase()}=1`).join(',')},UPTIME=5,UPTIME_SINCE_FLUSH_STATUS=5,OPENED_TABLE_DEFINITIONS=9`;

  it('unless it is complete', () => {
    expect(counterReader()([[good, 100, 'host']])).toMatchObject({ tables: 2, definitions: 9 });
  });

  it.each([
    ['no row: the status is hidden', []],
    [
      'two rows',
      [
        [good, 1],
        [good, 1],
      ],
    ],
    ['no counters at all, as from an empty status table', [[null, 100, 'host']]],
    ['an empty list', [['', 100, 'host']]],
    ['a list without the triggers', [[good.replace('COM_DROP_TRIGGER=1,', ''), 100]]],
    ['a list without the age', [[good.replace('UPTIME=5,', ''), 100]]],
    ['a list cut off by a length limit', [[good.slice(0, -4), 100]]],
    ['something else than numbers', [[good.replace('=9', '=nine'), 100]]],
    ['no clock', [[good, undefined]]],
    ['nothing', undefined],
  ])('%s', (_, rows) => {
    expect(() => counterReader()(rows)).toThrow(/statement counters/);
  });
});

it('statements are listed once', () => {
  expect(new Set(WATCHED_STATEMENTS).size).toBe(WATCHED_STATEMENTS.length);
});
