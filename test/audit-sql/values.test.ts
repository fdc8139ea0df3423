import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  auditRows,
  ENGINES,
  generateFor,
  lastAuditId,
  lenient,
  makeEmrUser,
  startServer,
  type TestEngine,
} from './support.ts';

/** A schema name with both wildcards of GRANT and characters that need quoting. */
const SCHEMA = 'old_emr%"`x';

/** Each column: its type, a value as SQL, how the audit writes it, another value, how that is written. */
type TypeRow = readonly [string, string, unknown, string, unknown];

const TYPES: readonly TypeRow[] = [
  ['TINYINT', '-128', -128, '127', 127],
  ['SMALLINT UNSIGNED', '65535', 65535, '0', 0],
  ['MEDIUMINT', '-8388608', -8388608, '1', 1],
  ['INT UNSIGNED', '4294967295', 4294967295, '7', 7],
  ['INT(6) ZEROFILL', '42', '000042', '43', '000043'],
  ['BIGINT', '-9223372036854775808', '-9223372036854775808', '9223372036854775807', '9223372036854775807'],
  ['BIGINT UNSIGNED', '18446744073709551615', '18446744073709551615', '0', '0'],
  [
    'DECIMAL(30,10)',
    '12345678901234567890.0000000001',
    '12345678901234567890.0000000001',
    '1.10',
    '1.1000000000',
  ],
  ['FLOAT', '3.1415927', '3.1415927410125732', '-1e-20', '-9.999999682655225e-21'],
  ['DOUBLE', '0.1', '0.1', '1.7976931348623157e308', '1.7976931348623157e308'],
  ['BIT(1)', "b'1'", '1', "b'0'", '0'],
  [
    'BIT(64)',
    "b'1111111111111111111111111111111111111111111111111111111111111111'",
    '18446744073709551615',
    "b'10'",
    '2',
  ],
  ['BOOLEAN', 'TRUE', 1, 'FALSE', 0],
  ['CHAR(8) CHARACTER SET latin1', "'café'", 'café', "'cafe'", 'cafe'],
  ['VARCHAR(40) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci', "'Ünï'", 'Ünï', "'ünï'", 'ünï'],
  ['VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci', "'😀 a'", '😀 a', "'😀 A'", '😀 A'],
  [
    'VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci',
    "'trailing'",
    'trailing',
    "'trailing '",
    'trailing ',
  ],
  ['VARCHAR(40) CHARACTER SET ucs2', "'ж'", 'ж', "'я'", 'я'],
  ['VARCHAR(40) CHARACTER SET utf16', "'😀'", '😀', "'x'", 'x'],
  ['VARCHAR(40) CHARACTER SET cp1251', "'Пациент'", 'Пациент', "'пациент'", 'пациент'],
  [
    'TEXT',
    "'quote \" back \\\\ slash \\n line \\t tab \\0 nul \\Z z'",
    'quote " back \\ slash \n line \t tab \0 nul \u001a z',
    "''",
    '',
  ],
  ['LONGTEXT', "REPEAT('ab', 100000)", 'ab'.repeat(100_000), "'short'", 'short'],
  ['BINARY(4)', "x'00ff'", '0x00FF0000', "x'01'", '0x01000000'],
  ['VARBINARY(8)', "x'00ff27'", '0x00FF27', "x''", '0x'],
  ['BLOB', "'\\0\\'\"'", '0x002722', "x'fe'", '0xFE'],
  [
    'LONGBLOB',
    "REPEAT('z', 65537)",
    `sha256:${createHash('sha256').update('z'.repeat(65_537)).digest('hex')}:65537`,
    "REPEAT('z', 65536)",
    `0x${'7A'.repeat(65_536)}`,
  ],
  ["ENUM('a\"b','c\\\\d')", "'a\"b'", 'a"b', "'c\\\\d'", 'c\\d'],
  ["SET('x','y','z')", "'x,z'", 'x,z', "''", ''],
  ['DATE', "'0000-00-00'", '0000-00-00', "'2024-02-29'", '2024-02-29'],
  ['DATE', "'2024-00-00'", '2024-00-00', "'9999-12-31'", '9999-12-31'],
  [
    'DATETIME',
    "'0000-00-00 00:00:00'",
    '0000-00-00 00:00:00',
    "'1000-01-01 00:00:00'",
    '1000-01-01 00:00:00',
  ],
  [
    'DATETIME(6)',
    "'2024-05-06 07:08:09.000001'",
    '2024-05-06 07:08:09.000001',
    "'2024-05-06 07:08:09'",
    '2024-05-06 07:08:09.000000',
  ],
  [
    'TIMESTAMP(6) NULL',
    'FROM_UNIXTIME(1700000000.000001)',
    '1700000000.000001',
    'FROM_UNIXTIME(1)',
    '1.000000',
  ],
  ['TIME(3)', "'-838:59:58.999'", '-838:59:58.999', "'00:00:00'", '00:00:00.000'],
  ['YEAR', '1901', '1901', '0', '0000'],
  [
    'POINT',
    "ST_PointFromText('POINT(1 2)')",
    '0x000000000101000000000000000000F03F0000000000000040',
    "ST_PointFromText('POINT(1 3)')",
    '0x000000000101000000000000000000F03F0000000000000840',
  ],
];

/** Types, or values of a type, that only one engine has. */
const OWN_TYPES: Readonly<Record<TestEngine, readonly TypeRow[]>> = {
  mariadb: [
    ['JSON', `'{"b": [1, 2.50], "a": null}'`, '{"b": [1, 2.50], "a": null}', "'1'", '1'],
    [
      'TIMESTAMP NULL',
      'FROM_UNIXTIME(1700000000)',
      '1700000000',
      "'0000-00-00 00:00:00'",
      '0000-00-00 00:00:00',
    ],
    [
      'UUID',
      "'123e4567-e89b-12d3-a456-426655440000'",
      '123e4567-e89b-12d3-a456-426655440000',
      "'00000000-0000-0000-0000-000000000000'",
      '00000000-0000-0000-0000-000000000000',
    ],
    ['INET6', "'2001:db8::1'", '2001:db8::1', "'::'", '::'],
    ['INET4', "'192.0.2.1'", '192.0.2.1', "'0.0.0.0'", '0.0.0.0'],
  ],
  mysql: [
    // Stored as a tree: members ordered, white space and trailing zeros gone before any trigger sees it.
    ['JSON', `'{"b": [1, 2.50], "a": null}'`, '{"a": null, "b": [1, 2.5]}', "'1'", '1'],
    [
      'TIMESTAMP NULL',
      'FROM_UNIXTIME(1700000000)',
      '1700000000',
      "'0000-00-00 00:00:00'",
      '0000-00-00 00:00:00',
    ],
    ['VECTOR(2)', "TO_VECTOR('[1,2]')", '0x0000803F00000040', "TO_VECTOR('[1,3]')", '0x0000803F00004040'],
  ],
};

/** Names that break naive generators, each with the reason. */
const NAMES: readonly (readonly [string, string])[] = [
  ['back`tick', 'the quote of identifiers'],
  ["quo'te", 'the quote of strings'],
  ['dou"ble', 'the quote of JSON'],
  ['back\\slash', 'the escape of strings and JSON'],
  ['two words', 'a space'],
  ['semi;colon$$--', 'delimiters and a comment'],
  ['select', 'a reserved word'],
  ['Пациент病人', 'other scripts'],
  ['per%cent_?', 'wildcards and a placeholder'],
  ['x'.repeat(64), 'the longest name'],
  [`${'x'.repeat(63)}y`, 'differs from the longest only at its end'],
  ['new\nline', 'would end a comment'],
  ['NEW', 'the name of the row in a trigger'],
  ['CaseFold', 'differs from the next by case only'],
  ['casefold', 'differs from the one before by case only'],
];

const sql = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** Tables of kinds that only one engine has; each has columns `id` and `v`. */
const OWN_TABLES: Readonly<Record<TestEngine, Readonly<Record<string, string>>>> = {
  mariadb: {
    history: 'CREATE TABLE history (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING',
    counted:
      'CREATE SEQUENCE counter; CREATE TABLE counted (id INT PRIMARY KEY DEFAULT NEXTVAL(counter), v INT)',
  },
  mysql: {
    expressed: 'CREATE TABLE expressed (id INT PRIMARY KEY, v INT DEFAULT (1 + 1))',
  },
};

describe.each(ENGINES)('audit rows of every type and name, on %s', (engine) => {
  const types = [...TYPES, ...OWN_TYPES[engine]];
  const ownTables = OWN_TABLES[engine];
  /** The column of a type that a test needs by its number. */
  const timestamp = `c${types.findIndex(([type]) => type === 'TIMESTAMP NULL')}`;
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-values', engine);
    admin = await lenient(server);
    await makeEmrUser(admin);
    await admin.query(`CREATE DATABASE ${sql(SCHEMA)} DEFAULT CHARACTER SET utf8mb4; USE ${sql(SCHEMA)}`);
    await admin.query(
      `CREATE TABLE types (id INT PRIMARY KEY, ${types.map(([type], i) => `c${i} ${type}`).join(', ')})`,
    );
    for (const [name] of NAMES) {
      await admin.query(
        `CREATE TABLE ${sql(name)} (${sql(name)} INT PRIMARY KEY, ${sql(`${name.slice(0, 60)} v`)} TEXT)`,
      );
    }
    await admin.query(`
      CREATE TABLE keyless (a INT, b TEXT, c BLOB);
      CREATE TABLE composite (a INT, b VARCHAR(10), v INT, PRIMARY KEY (b, a));
      CREATE TABLE uniquely (a INT NULL, b INT NOT NULL, c INT NOT NULL, UNIQUE KEY one (a), UNIQUE KEY two (c, b));
      CREATE TABLE computed (id INT PRIMARY KEY, n INT, v INT AS (n * 2) VIRTUAL, s INT AS (n * 3) STORED);
      CREATE TABLE hidden (id INT PRIMARY KEY, secret VARCHAR(20) DEFAULT 'unseen' INVISIBLE);
      CREATE TABLE parted (id INT PRIMARY KEY, v INT) PARTITION BY HASH (id) PARTITIONS 3;
      CREATE TABLE old_engine (id INT PRIMARY KEY, v INT) ENGINE = MyISAM;
      ${Object.values(ownTables).join(';\n')};
      CREATE VIEW seen AS SELECT * FROM keyless;
      CREATE TABLE own (id INT PRIMARY KEY, v INT);
      CREATE TRIGGER own_first BEFORE INSERT ON own FOR EACH ROW SET NEW.v = NEW.v + 1;
      CREATE TRIGGER own_after AFTER INSERT ON own FOR EACH ROW INSERT INTO keyless VALUES (NEW.v, 'from a trigger', NULL);
      CREATE PROCEDURE write_some() INSERT INTO composite VALUES (1, 'proc', 1);
    `);
    const { scripts } = await generateFor(admin, SCHEMA);
    await apply(admin, scripts.start);
    await admin.query("SET SESSION sql_mode = ''");
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function recorded(statement: string, trail = 'audit_row'): ReturnType<typeof auditRows> {
    const before = await lastAuditId(admin, SCHEMA.replaceAll('`', '``'), trail);
    await admin.query(statement);
    return auditRows(admin, SCHEMA.replaceAll('`', '``'), before, trail);
  }

  it.each(types.map((row, i) => [row[0], i, row] as const))(
    '%s (column %i) is recorded without loss',
    async (_, i, row) => {
      const [, first, firstJson, second, secondJson] = row;
      await admin.query('DELETE FROM types');
      const [insert] = await recorded(`INSERT INTO types (id, c${i}) VALUES (1, ${first})`);
      expect(JSON.parse(insert?.new_values ?? '')[`c${i}`]).toEqual(firstJson);
      const [update] = await recorded(`UPDATE types SET c${i} = ${second}`);
      expect(JSON.parse(update?.changes ?? '')).toEqual({ [`c${i}`]: [firstJson, secondJson] });
      expect(JSON.parse(update?.row_key ?? '')).toEqual({ id: 1 });
      const [toNull] = await recorded(`UPDATE types SET c${i} = NULL`);
      expect(JSON.parse(toNull?.changes ?? '')).toEqual({ [`c${i}`]: [secondJson, null] });
      const [unchanged] = await recorded(`UPDATE types SET c${i} = c${i}`);
      // Where no row was written there may be no record either; if there is one, it says so.
      expect(unchanged?.changes ?? '{}').toBe('{}');
      await admin.query(`UPDATE types SET c${i} = ${first}`);
      const [remove] = await recorded('DELETE FROM types');
      expect(JSON.parse(remove?.old_values ?? '')[`c${i}`]).toEqual(firstJson);
    },
  );

  it.each(NAMES)('a table and columns called %j (%s) are audited', async (name) => {
    const value = `${name.slice(0, 60)} v`;
    const rows = [
      ...(await recorded(`INSERT INTO ${sql(name)} VALUES (1, 'a')`)),
      ...(await recorded(`UPDATE ${sql(name)} SET ${sql(value)} = 'b'`)),
      ...(await recorded(`DELETE FROM ${sql(name)}`)),
    ];
    expect(rows.map((row) => [row.emr_table, row.operation])).toEqual([
      [name, 'insert'],
      [name, 'update'],
      [name, 'delete'],
    ]);
    expect(JSON.parse(rows[0]?.new_values ?? '')).toEqual({ [name]: 1, [value]: 'a' });
    expect(JSON.parse(rows[1]?.changes ?? '')).toEqual({ [value]: ['a', 'b'] });
    expect(JSON.parse(rows[2]?.row_key ?? '')).toEqual({ [name]: 1 });
  });

  it('a table without a key is recorded with whole rows', async () => {
    const [insert] = await recorded("INSERT INTO keyless VALUES (1, 'x', NULL)");
    const [update] = await recorded("UPDATE keyless SET b = 'X'");
    await admin.query('DELETE FROM keyless');
    expect(insert?.row_key).toBeNull();
    expect([update?.row_key, update?.changes]).toEqual([null, null]);
    expect(JSON.parse(update?.old_values ?? '')).toEqual({ a: 1, b: 'x', c: null });
    expect(JSON.parse(update?.new_values ?? '')).toEqual({ a: 1, b: 'X', c: null });
  });

  it('a key of several columns, and a change of the key itself, say which row it was', async () => {
    await admin.query("INSERT INTO composite VALUES (1, 'k', 0)");
    const [update] = await recorded("UPDATE composite SET a = 2 WHERE b = 'k'");
    expect(JSON.parse(update?.row_key ?? '')).toEqual({ a: 1, b: 'k' });
    expect(JSON.parse(update?.changes ?? '')).toEqual({ a: [1, 2] });
    const [unique] = await recorded('INSERT INTO uniquely VALUES (NULL, 3, 4)');
    expect(JSON.parse(unique?.row_key ?? '')).toEqual({ b: 3, c: 4 });
  });

  it('generated columns are left out, invisible ones are not', async () => {
    const [computed] = await recorded('INSERT INTO computed (id, n) VALUES (1, 5)');
    expect(JSON.parse(computed?.new_values ?? '')).toEqual({ id: 1, n: 5 });
    const [hidden] = await recorded('INSERT INTO hidden (id) VALUES (1)');
    expect(JSON.parse(hidden?.new_values ?? '')).toEqual({ id: 1, secret: 'unseen' });
  });

  it.each(['parted', 'old_engine', ...Object.keys(ownTables)])(
    'the table %s of a special kind is audited',
    async (table) => {
      const trail = table === 'old_engine' ? 'audit_row_direct' : 'audit_row';
      const rows = [
        ...(await recorded(`INSERT INTO ${table} (id, v) VALUES (1, 1)`, trail)),
        ...(await recorded(`UPDATE ${table} SET v = 2`, trail)),
        ...(await recorded(`DELETE FROM ${table}`, trail)),
      ];
      expect(rows.map((row) => row.operation)).toEqual(['insert', 'update', 'delete']);
      expect(JSON.parse(rows[1]?.changes ?? '')).toEqual({ v: [1, 2] });
    },
  );

  it("the EMR's own triggers and procedures go on, and what they write is recorded", async () => {
    const rows = await recorded('INSERT INTO own VALUES (1, 10)');
    expect(rows.map((row) => row.emr_table)).toEqual(['keyless', 'own']);
    expect(JSON.parse(rows[1]?.new_values ?? '')).toEqual({ id: 1, v: 11 });
    expect((await recorded('CALL write_some()')).map((row) => row.emr_table)).toEqual(['composite']);
  });

  it('what the session pretends does not change what is recorded', async () => {
    await admin.query(
      "SET SESSION timestamp = 86400, time_zone = '+05:30', character_set_connection = latin1",
    );
    const rows = await recorded(
      `INSERT INTO types (id, ${timestamp}) VALUES (50, FROM_UNIXTIME(1700000000))`,
    );
    await admin.query(
      'SET SESSION timestamp = DEFAULT, time_zone = DEFAULT; SET NAMES utf8mb4; DELETE FROM types',
    );
    expect(Math.abs(Date.now() - Date.parse(`${rows[0]?.at.replace(' ', 'T')}Z`))).toBeLessThan(60_000);
    expect(JSON.parse(rows[0]?.new_values ?? '')[timestamp]).toBe('1700000000');
  });

  it('a session cannot choose the number of an audit row', async () => {
    const attempt = 'INSERT INTO types (id) VALUES (60)';
    await admin.query('SET SESSION insert_id = 18446744073709551614');
    await expect(admin.query(attempt)).rejects.toThrow(/out of range/i);
    await admin.query('SET SESSION insert_id = DEFAULT').catch(() => {});
    await admin.query(
      'CREATE TEMPORARY TABLE takes_it (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY); INSERT INTO takes_it VALUES (NULL)',
    );
    expect(await recorded(attempt)).toHaveLength(1);
  });

  it("the EMR's insert ids and row counts are its own", async () => {
    await admin.query('CREATE TABLE IF NOT EXISTS plain (v INT)');
    const { scripts } = await generateFor(admin, SCHEMA);
    await apply(admin, scripts.start);
    const fresh = await server.connect({ database: SCHEMA });
    const [result] = await fresh.query('INSERT INTO plain VALUES (1), (2)');
    expect(result).toMatchObject({ insertId: 0, affectedRows: 2 });
    const [[row]] = await fresh.query<RowDataPacket[]>('SELECT LAST_INSERT_ID() AS id');
    expect(row?.id).toBe(0);
    await fresh.end();
  });

  it('a rolled back change leaves no row', async () => {
    const before = await lastAuditId(admin, SCHEMA.replaceAll('`', '``'));
    await admin.query('BEGIN; INSERT INTO plain VALUES (9); ROLLBACK');
    expect(await auditRows(admin, SCHEMA.replaceAll('`', '``'), before)).toEqual([]);
  });

  it('a change whose audit row cannot be written does not happen', async () => {
    const audit = sql(`${SCHEMA}_audit`);
    await admin.query(`RENAME TABLE ${audit}.audit_row TO ${audit}.gone`);
    await expect(admin.query('INSERT INTO plain VALUES (10)')).rejects.toThrow();
    await admin.query(`RENAME TABLE ${audit}.gone TO ${audit}.audit_row`);
    const [rows] = await admin.query<RowDataPacket[]>('SELECT * FROM plain WHERE v = 10');
    expect(rows).toEqual([]);
  });

  it('a renamed table is audited once, under its new name, after the next start', async () => {
    await admin.query('RENAME TABLE plain TO renamed');
    const { scripts } = await generateFor(admin, SCHEMA);
    await apply(admin, scripts.start);
    const rows = await recorded('INSERT INTO renamed VALUES (1)');
    expect(rows.map((row) => row.emr_table)).toEqual(['renamed']);
  });

  it('the privileges of the definer cover this schema only, though its name holds wildcards', async () => {
    const [rows] = await admin.query<RowDataPacket[]>("SHOW GRANTS FOR 'chartgate_audit'@'localhost'");
    const grants = rows.map((row) => String(Object.values(row)[0])).join('\n');
    expect(grants).toContain('`old\\_emr\\%"``x`.*');
    expect(grants).toContain('`old\\_emr\\%"``x\\_audit`.*');
  });
});
