import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  type AuditRow,
  auditRows,
  connectAs,
  ENGINES,
  generateFor,
  lastAuditId,
  lenient,
  makeEmrUser,
  startServer,
  type TestEngine,
} from './support.ts';

const SCHEMA = 'sessions';
const PASSWORD = 'plain-password-of-a-test';

/** What any SQL user can do to his own session, each with what it could do to an audit row. */
const SETTINGS: readonly (readonly [sql: string, reason: string, only?: TestEngine])[] = [
  ['DO 0', 'nothing: what all others are compared with'],
  ["SET SESSION sql_mode = ''", 'too long values would be cut without an error'],
  ["SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'", 'another meaning of quotes'],
  ["SET SESSION sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'", 'CHAR with its blanks', 'mariadb'],
  ["SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", 'the audit row would get the number 0'],
  ["SET SESSION sql_mode = 'ORACLE'", 'NULL for an empty string', 'mariadb'],
  ["SET SESSION sql_mode = 'TIME_ROUND_FRACTIONAL'", 'other fractions', 'mariadb'],
  ["SET SESSION sql_mode = 'TIME_TRUNCATE_FRACTIONAL'", 'other fractions', 'mysql'],
  ["SET SESSION sql_mode = 'NO_UNSIGNED_SUBTRACTION'", 'the guard of the number is a subtraction'],
  ['SET NAMES latin1', 'values would pass through a smaller character set'],
  ['SET NAMES utf8mb3', 'characters of four bytes would be lost'],
  ['SET SESSION character_set_connection = ucs2', 'text of the trigger would be wide'],
  ['SET SESSION character_set_results = latin1', 'JSON would be converted'],
  ["SET SESSION collation_connection = 'utf8mb4_general_ci'", 'a and A would be the same'],
  ['SET SESSION character_set_database = latin1', 'variables of the trigger would be narrow'],
  ["SET SESSION time_zone = '+13:00'", 'local times would be recorded'],
  ["SET SESSION time_zone = '-12:00'", 'local times would be recorded'],
  ['SET SESSION timestamp = 1', 'the record would be of 1970'],
  ['SET SESSION timestamp = 2147483647', 'the record would be of 2038'],
  [
    'SET SESSION timestamp = UNIX_TIMESTAMP() - 5000.5',
    'the record would be an hour old, where the clock may have been changed',
  ],
  ["SET SESSION timestamp = 1325152800, time_zone = '+13:00'", 'both at once'],
  ['SET SESSION last_insert_id = 77', 'a number of its own'],
  ['SET SESSION identity = 77', 'a number of its own'],
  ['SET SESSION auto_increment_increment = 65535', 'numbers of the audit would be used up'],
  ['SET SESSION auto_increment_increment = 10, SESSION auto_increment_offset = 7', 'other numbers'],
  ['SET SESSION pseudo_thread_id = 1', "another connection's id"],
  ['SET SESSION rand_seed1 = 1, SESSION rand_seed2 = 1', 'what is random would repeat'],
  ['SET SESSION group_concat_max_len = 4', 'text would be cut', 'mariadb'],
  ['SET SESSION group_concat_max_len = 4', 'text would be cut', 'mysql'],
  ['SET SESSION div_precision_increment = 0', 'fewer digits'],
  ["SET SESSION lc_time_names = 'de_DE'", 'names of months'],
  ['SET SESSION max_sort_length = 4', 'values would be compared by their start', 'mysql'],
  ['SET SESSION max_sort_length = 64', 'values would be compared by their start', 'mariadb'],
  ['SET SESSION max_length_for_sort_data = 4', 'sorting', 'mariadb'],
  ['SET SESSION sql_select_limit = 0', 'SELECTs of the trigger would return nothing'],
  ['SET SESSION sql_big_selects = 0, SESSION max_join_size = 1', 'SELECTs of the trigger would be refused'],
  ['SET SESSION sql_safe_updates = 1', 'statements without a key would be refused'],
  ['SET SESSION sql_auto_is_null = 1', 'IS NULL would mean the last number'],
  ['SET SESSION unique_checks = 0', 'numbers could repeat'],
  ['SET SESSION foreign_key_checks = 0', 'no foreign keys'],
  ['SET SESSION unique_checks = 0, SESSION foreign_key_checks = 0', 'bulk loading, without undo'],
  ['SET SESSION check_constraint_checks = 0', 'constraints of the audit would not hold', 'mariadb'],
  ['SET SESSION sql_log_bin = 0', 'not replicated'],
  ["SET SESSION optimizer_switch = 'mrr=off,semijoin=off,materialization=off'", 'other plans'],
  ["SET SESSION use_stat_tables = 'never'", 'other plans', 'mariadb'],
  ['SET SESSION optimizer_search_depth = 0', 'other plans'],
  ['SET SESSION low_priority_updates = 1', 'the audit row would wait'],
  ["SET SESSION default_storage_engine = 'MyISAM', SESSION default_tmp_storage_engine = 'MyISAM'", 'tables'],
  ['SET SESSION max_error_count = 0', 'errors would not be kept'],
  ['SET SESSION sql_notes = 0, SESSION sql_warnings = 0', 'warnings would not be kept'],
  ['SET SESSION max_sp_recursion_depth = 0', 'no recursion'],
  ['SET SESSION max_recursive_iterations = 0', 'recursion would end early', 'mariadb'],
  ['SET SESSION cte_max_recursion_depth = 0', 'recursion would end early', 'mysql'],
  ['SET SESSION tmp_table_size = 1024, SESSION max_heap_table_size = 16384', 'little room'],
  ['SET SESSION sort_buffer_size = 32768, SESSION join_buffer_size = 128', 'little room'],
  ['SET SESSION innodb_lock_wait_timeout = 1, SESSION lock_wait_timeout = 1', 'no patience'],
  ['SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED', 'another view of the tables'],
  ['SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'other locks'],
  ['SET SESSION autocommit = 1, SESSION completion_type = 1', 'transactions follow each other'],
  ["SET SESSION old_mode = 'UTF8_IS_UTF8MB3,ZERO_DATE_TIME_CAST'", "an old server's habits", 'mariadb'],
  ['SET SESSION system_versioning_insert_history = 1', 'history of its own', 'mariadb'],
  ["SET SESSION binlog_format = 'STATEMENT'", 'another binary log'],
  ["SET SESSION session_track_system_variables = '*'", 'tracking'],
  ['SET SESSION tx_read_only = 1', 'nothing can be written', 'mariadb'],
  ['SET SESSION transaction_read_only = 1', 'nothing can be written', 'mysql'],
  ['SET SESSION big_tables = 1', 'temporary tables on disk'],
  ['SET SESSION eq_range_index_dive_limit = 1', 'other plans'],
  ['SET SESSION explicit_defaults_for_timestamp = 0', 'TIMESTAMPs that fill themselves'],
  ['SET SESSION windowing_use_high_precision = 0', 'fewer digits', 'mysql'],
  ['SET SESSION show_create_table_verbosity = 1', 'text', 'mysql'],
  ["SET @CHARTGATE_CASCADE = 1, @changed = 'x', @at = 0", 'variables that a trigger might use'],
  ['SET @@SESSION.query_cache_strip_comments = 1', 'comments', 'mariadb'],
  [
    'SET SESSION max_statement_time = 0.000001',
    'the statement would end between the change and its record',
    'mariadb',
  ],
];

const COLUMNS = 'id, name, fixed, born, seen, amount, ratio, flags, notes, data';
/** In hexadecimal: what the session says about its own text must not change what is written. */
const text = (value: string): string => `_utf8mb4 x'${Buffer.from(value).toString('hex')}'`;
const VALUES = [
  '1',
  text('Ä 😀 name '),
  "_utf8mb4'ab'",
  "'2024-02-29'",
  'FROM_UNIXTIME(1700000000.25)',
  '12345678901234567890.123456789',
  '0.1e0',
  "b'101'",
  `REPEAT(${text('note 😀 ')}, 200)`,
  "x'00ff'",
].join(', ');

/** What an insert, an update and a delete of one row leave behind. */
async function changeAll(connection: Connection): Promise<void> {
  await connection.query(`INSERT INTO ${SCHEMA}.t (${COLUMNS}) VALUES (${VALUES})`);
  await connection.query(
    `UPDATE ${SCHEMA}.t SET name = ${text('ä 😀 name')}, notes = REPEAT(notes, 3) WHERE id = 1`,
  );
  await connection.query(`DELETE FROM ${SCHEMA}.t WHERE id = 1`);
}

describe.each(ENGINES)('what a session sets for itself, on %s', (engine) => {
  const settings = SETTINGS.filter(([, , only]) => only === undefined || only === engine);
  let server: PrivateDatabase;
  let admin: Connection;
  let expected: readonly unknown[];
  /** Sets nothing, and comes after each of the others. */
  let bystander: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-session', engine);
    admin = await lenient(server);
    await makeEmrUser(admin);
    await admin.query(`
      CREATE DATABASE ${SCHEMA} DEFAULT CHARACTER SET utf8mb4; USE ${SCHEMA};
      CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(40), fixed CHAR(10), born DATE, seen TIMESTAMP(2) NULL,
        amount DECIMAL(40,12), ratio DOUBLE, flags BIT(8), notes LONGTEXT, data VARBINARY(20));
      CREATE TABLE u (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
      CREATE USER 'plain'@'localhost' IDENTIFIED BY '${PASSWORD}';
      GRANT SELECT, INSERT, UPDATE, DELETE ON ${SCHEMA}.* TO 'plain'@'localhost'`);
    const { scripts } = await generateFor(admin, SCHEMA);
    await apply(admin, scripts.start);
    const plain = await connectAs(server, 'plain', PASSWORD);
    await changeAll(plain);
    await plain.end();
    expected = (await auditRows(admin, SCHEMA)).map(content);
    expect(expected).toHaveLength(3);
    for (const row of expected) {
      expect(row).toMatchObject({ login: 'plain@localhost', ran_as: 'chartgate_audit@localhost' });
    }
    bystander = await connectAs(server, 'plain', PASSWORD);
  });

  afterAll(async () => {
    await bystander?.end();
    await admin?.end();
    await server?.stop();
  });

  /** Everything of a row that must be the same in every session. */
  function content(row: AuditRow): unknown {
    const { login, ran_as, emr_table, operation, row_key, old_values, new_values, changes } = row;
    return { login, ran_as, emr_table, operation, row_key, old_values, new_values, changes };
  }

  it.each(settings.map(([sql, reason]) => [sql, reason] as const))(
    '%s (%s) falsifies, shortens and suppresses nothing',
    async (sql) => {
      await admin.query(`DELETE FROM ${SCHEMA}.t`);
      const before = await lastAuditId(admin, SCHEMA);
      const session = await connectAs(server, 'plain', PASSWORD);
      const [[own]] = await session.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
      const refusedSetting = await session.query(sql).then(
        () => undefined,
        (error: Error & { code?: string }) => error.code,
      );
      // It is this session that opens the tables, and with them what the server prepares of their definition.
      await admin.query('FLUSH TABLES');
      const refused = await changeAll(session).then(
        () => undefined,
        (error: Error) => error.message,
      );
      await session.end();
      const rows = await auditRows(admin, SCHEMA, before);
      const [left] = await admin.query<RowDataPacket[]>(`SELECT id FROM ${SCHEMA}.t`);
      // An ordinary user may not set it: so much the better, but then it must be that.
      if (refusedSetting !== undefined) {
        expect(refusedSetting).toMatch(
          /ACCESS_DENIED|SPECIFIC_ACCESS|SESSION_VARIABLE|VARIABLE_IS_READONLY|UNKNOWN_SYSTEM_VARIABLE|WRONG_VALUE_FOR_VAR|CANT_SET|UNKNOWN_TIME_ZONE|STORED_FUNCTION|GLOBAL_VARIABLE|SWITCH_/,
        );
      }
      if (refused === undefined) {
        expect(rows.map(content)).toEqual(expected);
      } else {
        // Refused as a whole: what did happen is recorded as ever.
        expect(rows.map(content)).toEqual(expected.slice(0, rows.length));
        expect(left).toHaveLength(rows.length === 1 || rows.length === 2 ? 1 : 0);
      }
      for (const row of rows) {
        expect(Math.abs(Date.now() - Date.parse(`${row.at.replace(' ', 'T')}Z`))).toBeLessThan(60_000);
        expect(row.connection).toBe(own?.id);
      }
      await admin.query(`DELETE FROM ${SCHEMA}.t`);
      const afterwards = await lastAuditId(admin, SCHEMA);
      await changeAll(bystander);
      const others = await auditRows(admin, SCHEMA, afterwards);
      expect(others.map(content)).toEqual(expected);
      for (const row of others) {
        expect(Math.abs(Date.now() - Date.parse(`${row.at.replace(' ', 'T')}Z`))).toBeLessThan(60_000);
        expect(row.connection).toBe(bystander.threadId);
      }
    },
  );

  it.each([
    ['', 'as usual'],
    ['NO_UNSIGNED_SUBTRACTION', 'what is less than nothing is a number'],
    ['NO_UNSIGNED_SUBTRACTION,HIGH_NOT_PRECEDENCE,ANSI', 'operators and quotes besides'],
    ['NO_AUTO_VALUE_ON_ZERO', 'the next number is asked for in another way'],
    ['ALLOW_INVALID_DATES,PAD_CHAR_TO_FULL_LENGTH', 'nothing to do with numbers'],
  ])('in the SQL mode "%s" (%s) no session chooses the number of an audit row', async (mode) => {
    await admin.query(`DELETE FROM ${SCHEMA}.t`);
    const before = await lastAuditId(admin, SCHEMA);
    for (const number of [
      1,
      3,
      before + 50,
      before + 5_000_000,
      '9223372036854775807',
      '18446744073709551614',
    ]) {
      const session = await lenient(server);
      await session.query(`SET SESSION sql_mode = '${mode}', SESSION insert_id = ${number}`);
      await admin.query('FLUSH TABLES');
      await expect(session.query(`INSERT INTO ${SCHEMA}.t (id) VALUES (77)`)).rejects.toThrow(
        /out of range/i,
      );
      await session.end();
    }
    expect(await auditRows(admin, SCHEMA, before)).toEqual([]);
  });

  it('each is recorded as who they are, whoever opened the audit table first', async () => {
    const people = ['first', 'second', 'third'];
    for (const name of people) {
      await admin.query(
        `CREATE USER '${name}'@'localhost' IDENTIFIED BY '${PASSWORD}'; GRANT INSERT ON ${SCHEMA}.* TO '${name}'@'localhost'`,
      );
    }
    const sessions = await Promise.all(people.map((name) => connectAs(server, name, PASSWORD, SCHEMA)));
    await admin.query('FLUSH TABLES');
    const before = await lastAuditId(admin, SCHEMA);
    const did: unknown[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      // No pattern that a cache of two or three could follow.
      const which = ((turn * turn + turn / 3) % 3) | 0;
      const session = sessions[which];
      await session?.query(`SET @serverOSUser = 'person ${which}', time_zone = '+0${which}:00'`);
      await session?.query('INSERT INTO u (v) VALUES (1)');
      did.push([`${people[which]}@localhost`, session?.threadId, `person ${which}`]);
    }
    for (const session of sessions) await session.end();
    const [rows] = await admin.query<RowDataPacket[]>(
      `SELECT login, connection, os_user, CAST(at AS CHAR) AS at FROM ${SCHEMA}_audit.audit_row WHERE id > ${before} ORDER BY id`,
    );
    expect(rows.map((row) => [row.login, row.connection, row.os_user])).toEqual(did);
    for (const row of rows) {
      expect(Math.abs(Date.now() - Date.parse(`${row.at.replace(' ', 'T')}Z`))).toBeLessThan(60_000);
    }
  });

  it('an empty audit table and bulk loading lose nothing', async () => {
    await admin.query(`CREATE DATABASE bulk; CREATE TABLE bulk.t (id INT PRIMARY KEY, v INT)`);
    const { scripts } = await generateFor(admin, 'bulk');
    await apply(admin, scripts.start);
    await admin.query("GRANT INSERT, DELETE ON bulk.* TO 'plain'@'localhost'");
    const session = await connectAs(server, 'plain', PASSWORD, 'bulk');
    await session.query('SET SESSION unique_checks = 0, SESSION foreign_key_checks = 0');
    await session.query('INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)');
    await session.query('BEGIN');
    await session.query('INSERT INTO t VALUES (4, 4)');
    await session.query('ROLLBACK');
    await session.query('INSERT INTO t VALUES (5, 5)');
    await session.end();
    const rows = await auditRows(admin, 'bulk');
    expect(rows.map((row) => JSON.parse(row.row_key ?? '').id)).toEqual([1, 2, 3, 5]);
  });

  /** What a client may put into the variable, and what is recorded of it. */
  const PEOPLE: readonly (readonly [value: string, recorded: string | null, reason: string])[] = [
    ['NULL', null, 'not set'],
    ["_utf8mb4'jdoe'", 'jdoe', 'as meant'],
    ["''", '', 'empty'],
    ["_utf8mb4'Ünï 😀 病人'", 'Ünï 😀 病人', 'other scripts'],
    ["REPEAT('x', 100000)", 'x'.repeat(255), 'too long'],
    ["REPEAT(_utf8mb4'😀', 300)", '😀'.repeat(255), 'too long, four bytes a character'],
    ['42', '42', 'a number'],
    ['-1.50', '-1.50', 'a decimal'],
    ['1.5e300', '1.5e300', 'a double'],
    ["_latin1 x'e9'", 'é', 'another character set'],
    ["_utf16 x'D83DDE00'", '😀', 'a wide character set'],
    ["x'6a646f65'", 'jdoe', 'bytes that are text'],
    ["_utf8mb4'a\\nb\\0c\\'\"'", 'a\nb\0c\'"', 'controls and quotes'],
    ['NOW() - NOW()', '0', 'a calculation'],
  ];

  it.each(PEOPLE.map(([value, recorded, reason]) => [value, reason, recorded] as const))(
    '@serverOSUser = %s (%s) is recorded',
    async (value, _, recorded) => {
      const session = await connectAs(server, 'plain', PASSWORD, SCHEMA);
      await session.query(`SET @serverOSUser = ${value}`);
      await session.query('INSERT INTO u (v) VALUES (1)');
      await session.end();
      const [[row]] = await admin.query<RowDataPacket[]>(
        `SELECT os_user FROM ${SCHEMA}_audit.audit_row ORDER BY id DESC LIMIT 1`,
      );
      expect(row?.os_user).toBe(recorded);
    },
  );

  it.each([
    ["x'ff80c0'", 'bytes that are no text'],
    ["_cp1251 x'98'", 'a byte that its character set does not define'],
    ["_ucs2 x'D800'", 'half a surrogate pair'],
    ['POINT(1, 2)', 'a geometry'],
    ["REPEAT(x'ff', 100000)", 'many bytes that are no text'],
    ["JSON_OBJECT('a', 1)", 'JSON'],
    ["b'11111111'", 'bits'],
  ])('@serverOSUser = %s (%s) is no error', async (value) => {
    const session = await connectAs(server, 'plain', PASSWORD, SCHEMA);
    await session.query(`SET @serverOSUser = ${value}`);
    const before = await lastAuditId(admin, SCHEMA);
    await session.query('INSERT INTO u (v) VALUES (1)');
    await session.query('UPDATE u SET v = v + 1 ORDER BY id DESC LIMIT 1');
    await session.end();
    expect(await auditRows(admin, SCHEMA, before)).toHaveLength(2);
  });
});
