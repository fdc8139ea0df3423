import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  counterReader,
  type Engine,
  PROBE_LENGTH,
  type Probe,
  planProbe,
  WATCHED_STATEMENTS,
} from '../../integrity-checker/database/counters.ts';
import type { Counters } from '../../integrity-checker/watch/types.ts';
import { ENGINES, startServer } from '../audit-sql/support.ts';

const TRIGGER = 'TRIGGER tr AFTER INSERT ON t FOR EACH ROW SET @a = 1';

/** What runs, and on which engine; both unless told. A failing statement counts like any other. */
type Move = readonly [what: string, statements: readonly string[], on?: Engine];

const HARD: readonly Move[] = [
  ['a trigger made', [`CREATE ${TRIGGER}`]],
  ['a trigger replaced', [`CREATE OR REPLACE ${TRIGGER}`], 'mariadb'],
  ['a trigger dropped', ['DROP TRIGGER tr']],
  ['a drop that fails', ['DROP TRIGGER no_such_trigger']],
  ['a drop "if exists" of nothing', ['DROP TRIGGER IF EXISTS no_such_trigger']],
  [
    'a trigger made by a prepared statement',
    [`PREPARE s FROM 'CREATE ${TRIGGER}'`, 'EXECUTE s', 'DEALLOCATE PREPARE s'],
    'mariadb',
  ],
  ['a trigger dropped by EXECUTE IMMEDIATE', ["EXECUTE IMMEDIATE 'DROP TRIGGER tr'"], 'mariadb'],
  [
    'a trigger dropped under SET STATEMENT',
    ['SET STATEMENT max_statement_time=5 FOR DROP TRIGGER IF EXISTS tr'],
    'mariadb',
  ],
  ['a procedure', ['CREATE PROCEDURE p() DROP TRIGGER IF EXISTS tr']],
  ['a trigger dropped inside a procedure', ['CALL p()']],
  [
    'a trigger dropped in a compound statement',
    ["BEGIN NOT ATOMIC EXECUTE IMMEDIATE 'DROP TRIGGER IF EXISTS tr'; END"],
    'mariadb',
  ],
  ['a procedure altered', ['ALTER PROCEDURE p SQL SECURITY INVOKER']],
  ['a procedure dropped', ['DROP PROCEDURE p']],
  ['a function', ['CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1', 'DROP FUNCTION f']],
  ['a table altered', ['ALTER TABLE t ADD c INT']],
  ['a table altered at once', ['ALTER TABLE t DROP c, ALGORITHM=INSTANT']],
  ['a table renamed', ['RENAME TABLE t TO u, u TO t']],
  ['a table renamed by ALTER', ['ALTER TABLE t RENAME TO u', 'ALTER TABLE u RENAME TO t']],
  ['a table emptied', ['TRUNCATE t']],
  ['another engine', ['ALTER TABLE t ENGINE=MyISAM', 'ALTER TABLE t ENGINE=InnoDB']],
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
  ['a plugin', ["INSTALL PLUGIN no_such_plugin SONAME 'no_such_plugin.so'"]],
  ['a loaded function', ["CREATE FUNCTION no_such RETURNS STRING SONAME 'no_such.so'"]],
  ['a component', ["INSTALL COMPONENT 'file://no_such_component'"], 'mysql'],
  [
    'another source of replication',
    ["CHANGE MASTER TO MASTER_HOST='nowhere.example'", 'RESET SLAVE ALL'],
    'mariadb',
  ],
  [
    'another source of replication',
    ["CHANGE REPLICATION SOURCE TO SOURCE_HOST='nowhere.example'", 'RESET REPLICA ALL'],
    'mysql',
  ],
  ['row events applied past the triggers', ["BINLOG ''"]],
  ['the server made read-only', ['SET GLOBAL read_only=1']],
  ['the server made writable', ['SET GLOBAL read_only=0']],
  ['the event scheduler on', ['SET GLOBAL event_scheduler=ON'], 'mariadb'],
  ['the event scheduler off', ['SET GLOBAL event_scheduler=OFF'], 'mysql'],
  ['a statement for every new connection', ["SET GLOBAL init_connect='SET @a=1'"]],
  ['none for every new connection', ["SET GLOBAL init_connect=''"]],
  ['triggers skipped by replication', ["SET GLOBAL slave_run_triggers_for_rbr='YES'"], 'mariadb'],
  ['a role that everybody has', ["SET GLOBAL mandatory_roles='x'"], 'mysql'],
  ['grants without wildcards', ['SET GLOBAL partial_revokes=ON'], 'mysql'],
  ['cascades that fire triggers', ['SET GLOBAL enable_cascade_triggers=ON'], 'mysql'],
];

const TABLES: readonly Move[] = [
  ['a table made', ['CREATE TABLE x (i INT)']],
  ['a table dropped', ['DROP TABLE x']],
  ['a temporary table dropped without that word', ['CREATE TEMPORARY TABLE tt (i INT)', 'DROP TABLE tt']],
];

const NOTHING: readonly Move[] = [
  [
    'rows written and read',
    ['INSERT INTO t VALUES (1, 1)', 'UPDATE t SET v = 2', 'SELECT * FROM t', 'DELETE FROM t'],
  ],
  ['settings of one session', ["SET SESSION sql_mode=''", 'SET @a = 1', 'SET NAMES utf8mb4']],
  // MySQL counts it like any other table.
  ['a temporary table', ['CREATE TEMPORARY TABLE tt (i INT)', 'DROP TEMPORARY TABLE tt'], 'mariadb'],
  ['transactions', ['BEGIN', 'INSERT INTO t VALUES (2, 2)', 'ROLLBACK']],
  ['looking around', ['SHOW TABLES', 'SHOW CREATE TABLE t', 'SELECT * FROM information_schema.TRIGGERS']],
  ['nothing', []],
];

describe.each(ENGINES)('on a real %s server', (engine) => {
  let server: PrivateDatabase;
  let administrator: Connection;
  /** Without a single privilege: the probe needs none. */
  let nobody: Connection;
  let plan: Probe;
  let read: (answer: unknown, asked: { before: number; after: number }) => Counters;

  beforeAll(async () => {
    server = await startServer('integrity-counters', engine, ['--log-bin=binlog']);
    administrator = await server.connect();
    await administrator.query('CREATE DATABASE emr');
    await administrator.query('USE emr');
    await administrator.query('CREATE TABLE t (i INT PRIMARY KEY, v INT)');
    await administrator.query("CREATE USER nobody@'%' IDENTIFIED BY 'x'");
    await connect();
  });
  afterAll(async () => {
    await nobody?.end();
    await administrator?.end();
    await server?.stop();
  });

  async function connect(): Promise<void> {
    nobody = await server.connect({ user: 'nobody', password: 'x', multipleStatements: true });
    await nobody.query(`SET SESSION group_concat_max_len=${PROBE_LENGTH}`);
    plan = await planProbe(engine, async (sql) => (await nobody.query({ sql, rowsAsArray: true }))[0]);
    read = plan.reader(5_000);
  }

  async function probe(reader = read): Promise<Counters> {
    const before = Date.now();
    const [rows] = await nobody.query({ sql: plan.sql, rowsAsArray: true });
    return reader(rows, { before, after: Date.now() });
  }

  async function moves(...statements: readonly string[]): Promise<{ hard: boolean; tables: boolean }> {
    const before = await probe();
    for (const sql of statements) await administrator.query(sql).catch(() => {});
    const after = await probe();
    return {
      hard: before.hard.some((value, index) => value !== after.hard[index]),
      tables: before.tables !== after.tables,
    };
  }

  const here = (rows: readonly Move[]): [string, readonly string[]][] =>
    rows.flatMap(([what, statements, on]) => ((on ?? engine) === engine ? [[what, statements]] : []));

  it.each(here(HARD))('the probe moves for %s', async (_, statements) => {
    expect((await moves(...statements)).hard).toBe(true);
  });

  it.each(here(TABLES))('the probe moves for %s, though only as a table', async (_, statements) => {
    expect(await moves(...statements)).toEqual({ hard: false, tables: true });
  });

  it.each(here(NOTHING))('the probe does not move for %s', async (_, statements) => {
    expect(await moves(...statements)).toEqual({ hard: false, tables: false });
  });

  it('the probe is one packet, of one statement on MariaDB and two on MySQL', () => {
    expect(plan.queries).toBe(engine === 'mariadb' ? 1 : 2);
  });

  it("the probe moves when the server's clock is further away than the bound", async () => {
    const near = await probe(plan.reader(5_000));
    const [rows] = await nobody.query({ sql: plan.sql, rowsAsArray: true });
    for (const away of [-10_000, 10_000]) {
      const now = Date.now() + away;
      const far = plan.reader(5_000)(rows, { before: now, after: now });
      expect(far.hard.filter((value, index) => value !== near.hard[index])).toEqual([true]);
    }
    const slightly = plan.reader(5_000)(rows, { before: Date.now() - 3_000, after: Date.now() - 3_000 });
    expect(slightly.hard.filter((value) => value === true)).toEqual([]);
  });

  it('the probe moves for a restart, even if it took less than a second', async () => {
    const before = await probe();
    await server.kill();
    await server.restart();
    await connect();
    administrator = await server.connect({ database: 'emr' });
    const after = await probe();
    expect(after.hard).not.toEqual(before.hard);
  });

  it('the probe says the same every time, as long as nothing happens, across a change of second', async () => {
    const first = await probe();
    const end = performance.now() + 2_200;
    while (performance.now() < end) expect((await probe()).hard).toEqual(first.hard);
  });
});

const NAMES = [
  'alter_table',
  'create_procedure',
  'create_trigger',
  'drop_trigger',
  'flush',
  'grant',
  'rename_table',
  'revoke',
  'create_table',
  'drop_table',
];
const NOW = { before: 100_000, after: 100_100 };

describe('an answer of MariaDB is refused', () => {
  const good = `${NAMES.map((name) => `COM_${name.toUpperCase()}=1`).join(',')},UPTIME=5,UPTIME_SINCE_FLUSH_STATUS=5,OPENED_TABLE_DEFINITIONS=9`;

  it('unless it is complete', () => {
    expect(counterReader('mariadb', 5_000)([[good, 100, 'host']], NOW)).toMatchObject({
      tables: 2,
      definitions: 9,
    });
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
    expect(() => counterReader('mariadb', 5_000)(rows, NOW)).toThrow(/statement counters/);
  });
});

describe('an answer of MySQL is refused', () => {
  const rows = [
    ...NAMES.map((name) => [`Com_${name}`, '1']),
    ['Uptime', '5'],
    ['Uptime_since_flush_status', '5'],
    ['Opened_table_definitions', '9'],
  ];

  it('unless it is complete', () => {
    expect(counterReader('mysql', 5_000)([rows, [[100, 'host']]], NOW)).toMatchObject({
      tables: 2,
      definitions: 9,
    });
  });

  it.each([
    ['one answer of the two', [rows]],
    ['no rows of the status', [[], [[100, 'host']]]],
    ['a status without the triggers', [rows.filter(([name]) => name !== 'Com_drop_trigger'), [[100]]]],
    ['rows that are no rows', [['Com_drop_trigger'], [[100]]]],
    ['no clock', [rows, [[]]]],
    ['no settings', [rows, []]],
    ['nothing', undefined],
  ])('%s', (_, answer) => {
    expect(() => counterReader('mysql', 5_000)(answer, NOW)).toThrow(/statement counters/);
  });
});

it.each([
  ['no counters at all', [], ['hostname', 'port', 'version', 'read_only']],
  ['counters of rows only', [['Com_insert']], ['hostname', 'port', 'version', 'read_only']],
  ['no settings', undefined, []],
  ['a name that would end a literal', [["x'"]], ['hostname', 'port', 'version', 'read_only']],
])('no probe is made where the server shows %s', async (_, counters, settings) => {
  const all = [
    ...NAMES.map((name) => [`Com_${name}`]),
    ...['Uptime', 'Uptime_since_flush_status', 'Opened_table_definitions'].map((name) => [name]),
  ];
  const answers: unknown[] = [counters ?? all, settings.map((name) => [name])];
  await expect(planProbe('mysql', () => Promise.resolve(answers.shift()))).rejects.toThrow(
    /statement counters/,
  );
});

it('statements are listed once', () => {
  expect(new Set(WATCHED_STATEMENTS).size).toBe(WATCHED_STATEMENTS.length);
});
