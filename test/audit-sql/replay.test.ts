import fc from 'fast-check';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compareContent,
  compareRestored,
  rebuild,
  restoreSchema,
  snapshotSchema,
} from '../../audit-sql/trail/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { ENGINES, lenient, startServer } from './support.ts';
import { type Audited, startAudit } from './trail/audited.ts';

const SCHEMA = 'replayed';
/** A name that breaks whatever quotes by joining strings, as SQL and as it is. */
const ODD = '`a``b \'c\' "d" \\ ; 病 ?`';
const ROW_OF_NULLS = Array.from({ length: 8 }, () => null);

/** Columns whose restoring is easily got wrong, each with values as SQL. */
const VALUES: readonly (readonly [type: string, ...values: string[]])[] = [
  ['TINYINT', '-128', '0'],
  ['INT(6) ZEROFILL', '42', '1234567'],
  ['BIGINT UNSIGNED', '18446744073709551615', '0'],
  ['DECIMAL(30,10)', '-12345678901234567890.0000000001', '0'],
  ['FLOAT', '3.1415927', '-1e-20', '-0e0'],
  ['DOUBLE', '0.1', '1.7976931348623157e308', '5e-324', '-0e0'],
  ['BIT(64)', '18446744073709551615', "b'10'"],
  ['YEAR', '1901', '0', '2155'],
  ['CHAR(8) CHARACTER SET latin1', "'café'", "''", "'a'"],
  ['VARCHAR(40) CHARACTER SET utf16', "'😀'", "'trailing '"],
  ['TEXT CHARACTER SET utf8mb4', "'quote \" '' back \\\\ \\n \\0 \\Z'", "'😀'", "REPEAT('ab', 100000)"],
  ['VARCHAR(10) CHARACTER SET cp1251', "x'98'", "'Ж'", "CONCAT(x'98', 'x')"],
  ['LONGTEXT CHARACTER SET utf8mb4', "REPEAT('ü', 600000)", "'short'"],
  ["ENUM('', 'x')", "''", "'x'", "'no member'"],
  ['BINARY(4)', "x'00ff'", "x'20'"],
  ['VARBINARY(20)', "x'00ff27'", "''", "'sha256:x'"],
  ['LONGBLOB', "REPEAT('z', 65537)", "REPEAT('z', 65536)", "x''"],
  ["ENUM('a\"b','c\\\\d')", "'a\"b'", "''"],
  ["SET('x','y','z')", "'x,z'", "''"],
  ['DATE', "'0000-00-00'", "'2024-00-00'", "'9999-12-31'"],
  ['DATETIME(6)', "'0000-00-00 00:00:00'", "'2024-05-06 07:08:09.000001'"],
  ['TIMESTAMP NULL', 'FROM_UNIXTIME(1700000000)', "'0000-00-00 00:00:00'"],
  ['TIMESTAMP(6) NULL', 'FROM_UNIXTIME(1700000000.000001)', 'FROM_UNIXTIME(1)'],
  ['TIME(3)', "'-838:59:59.999'", "'00:00:00'"],
  ['JSON', `'{"b": [1, 2.50], "a": null}'`, "'1'", `'"2024-01-01"'`],
  ['POINT', "ST_PointFromText('POINT(1 2)')", "ST_PointFromText('POINT(1 3)')"],
];

describe.each(ENGINES)('rebuilding from a snapshot and the trail on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let audited: Audited;

  beforeAll(async () => {
    server = await startServer('audit-sql-replay', engine, ['--max-allowed-packet=4M']);
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE ${SCHEMA} DEFAULT CHARACTER SET utf8mb4; USE ${SCHEMA}`);
    await admin.query(`
      CREATE TABLE typed (id INT PRIMARY KEY, ${VALUES.map(([type], i) => `c${i} ${type}${type.includes('NULL') ? '' : ' NULL'}`).join(', ')});
      CREATE TABLE random (id INT PRIMARY KEY, s VARCHAR(200), l VARCHAR(200) CHARACTER SET latin1, b VARBINARY(100), n BIGINT,
        d DOUBLE, f FLOAT, t TIMESTAMP(6) NULL, j JSON);
      CREATE TABLE ${ODD} (${ODD} INT PRIMARY KEY, \`__proto__\` VARCHAR(20), \`constructor\` TEXT);
      CREATE TABLE keyless (a INT, b VARCHAR(20), c BLOB);
      CREATE TABLE composite (a INT, b VARCHAR(10), v INT, PRIMARY KEY (b, a));
      CREATE TABLE computed (id INT PRIMARY KEY, n INT, v INT AS (n * 2) VIRTUAL, s INT AS (n * 3) STORED);
      CREATE TABLE parted (id INT PRIMARY KEY, v INT) PARTITION BY HASH (id) PARTITIONS 3;
      CREATE TABLE old_engine (id INT PRIMARY KEY, v INT) ENGINE = MyISAM;
      CREATE TABLE numbered (id INT PRIMARY KEY AUTO_INCREMENT, v INT);
      CREATE TABLE parent (id INT PRIMARY KEY, v INT);
      CREATE TABLE holds (id INT PRIMARY KEY, parent_id INT, FOREIGN KEY (parent_id) REFERENCES parent (id));
      CREATE TABLE child (id INT PRIMARY KEY, parent_id INT NULL, v INT,
        FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE loose (id INT PRIMARY KEY, parent_id INT NULL,
        FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE);
      INSERT INTO keyless VALUES (1, 'x', NULL), (1, 'x', NULL), (2, 'y', 'z');
      INSERT INTO composite VALUES (1, 'a', 1), (2, 'a', 2);
      INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3);
      INSERT INTO child VALUES (10, 1, 1), (11, 2, 2), (12, 3, 3);
      INSERT INTO loose VALUES (20, 1), (21, 2);
      INSERT INTO numbered VALUES (0, 7);
    `);
    if (engine === 'mariadb') {
      await admin.query('CREATE TABLE versioned (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING');
      await admin.query('CREATE TABLE own_types (id INT PRIMARY KEY, u UUID, i6 INET6, i4 INET4)');
    }
    audited = await startAudit(admin, SCHEMA);
    await admin.query(`USE ${SCHEMA}`);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function prove(work: () => Promise<unknown>): Promise<{ entries: number; hashes: number }> {
    const connection = await server.connect({ charset: 'utf8mb4' });
    try {
      const before = await snapshotSchema(connection, audited);
      await work();
      const rebuilt = await rebuild(connection, audited, before);
      expect(rebuilt.breaks).toEqual([]);
      expect(rebuilt.unknownTables).toEqual([]);
      const encoded = compareContent(rebuilt.content, (await snapshotSchema(connection, audited)).tables);
      expect(encoded.filter((d) => d.missing + d.extra + d.different > 0)).toEqual([]);
      const hashes = await restoreSchema(connection, audited, rebuilt.content, `${SCHEMA}_replay`);
      const restored = await compareRestored(connection, audited, `${SCHEMA}_replay`);
      expect(restored.filter((d) => d.missing + d.extra > 0)).toEqual([]);
      expect(restored.map((d) => d.equal)).toEqual(
        restored.map((d) => encoded.find((e) => e.table === d.table)?.equal),
      );
      return { entries: rebuilt.entries, hashes };
    } finally {
      await connection.end();
    }
  }

  it('restores every type of value to the same bytes', async () => {
    let rows = 0;
    let hashed = 0;
    const { hashes, entries } = await prove(async () => {
      for (const [i, [type, ...values]] of VALUES.entries()) {
        for (const value of values) {
          rows += 1;
          await admin.query(`INSERT INTO typed (id, c${i}) VALUES (${rows}, ${value})`);
        }
        if (type === 'LONGBLOB') hashed += 1;
      }
    });
    expect([hashes, entries]).toEqual([hashed, rows]);
  });

  it('rebuilds inserts, updates, key changes and deletes of every kind of table', async () => {
    await prove(async () => {
      await admin.query(`
        UPDATE typed SET c0 = 5 WHERE id < 10;
        INSERT INTO keyless VALUES (1, 'X', NULL), (3, 'ü', x'00');
        UPDATE keyless SET b = 'w' WHERE a = 1 LIMIT 1;
        DELETE FROM keyless WHERE a = 2;
        UPDATE composite SET a = a + 10, b = 'B';
        REPLACE INTO composite VALUES (11, 'b', 9), (1, 'c', 1);
        INSERT INTO composite VALUES (1, 'c', 0) ON DUPLICATE KEY UPDATE v = 77;
        INSERT INTO computed (id, n) VALUES (1, 5), (2, 6);
        UPDATE computed SET n = n + 1;
        INSERT INTO parted VALUES (1, 1), (2, 2), (3, 3); UPDATE parted SET id = id + 100; DELETE FROM parted WHERE id = 102;
        INSERT INTO numbered (v) VALUES (1), (2); SET @m = @@sql_mode;
        BEGIN; INSERT INTO numbered (v) VALUES (3); ROLLBACK;
        DELETE FROM numbered WHERE v = 1;
      `);
      if (engine === 'mariadb') {
        await admin.query(`
          INSERT INTO versioned VALUES (1, 1), (2, 2); UPDATE versioned SET v = 5; DELETE FROM versioned WHERE id = 2;
          INSERT INTO own_types VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '2001:db8::1', '192.0.2.1');
        `);
      }
    });
  });

  it('rebuilds tables and columns of any name', async () => {
    await prove(async () => {
      await admin.query(`INSERT INTO ${ODD} VALUES (1, 'x', 'y'), (2, 'x', 'y'), (3, '', NULL)`);
      await admin.query(`UPDATE ${ODD} SET ${ODD} = 20, \`__proto__\` = 'z' WHERE ${ODD} = 2`);
      await admin.query(`DELETE FROM ${ODD} WHERE ${ODD} = 1`);
    });
  });

  it('rebuilds what foreign keys did to other tables', async () => {
    await prove(async () => {
      await admin.query('UPDATE parent SET id = 30 WHERE id = 3');
      await admin.query('DELETE FROM parent WHERE id = 1');
    });
  });

  // MySQL looks at foreign keys in the order in which they were made, and leaves what the first ones did when a
  // later one refuses; so `holds` comes before `child` here.
  it('does not believe a cascade whose parent was not deleted after all', async () => {
    await admin.query('INSERT INTO holds VALUES (1, 2)');
    await prove(() => admin.query('DELETE IGNORE FROM parent'));
    const [left] = await admin.query('SELECT id FROM child WHERE parent_id = 2');
    expect(left).toEqual([{ id: 11 }]);
  });

  const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((s) => s.isWellFormed());
  const latin = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((n) => String.fromCharCode(n)),
    maxLength: 60,
  });
  const ROW = fc.tuple(
    text,
    latin,
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer({ min: 1, max: 2 ** 31 - 2 }).map((n) => `${n}.${String(n).padStart(6, '0').slice(-6)}`),
    fc.json({ maxDepth: 2 }),
  );

  it('restores whatever value a client writes', async () => {
    await prove(async () => {
      for (const [i, row] of fc.sample(fc.option(ROW, { freq: 20 }), 400).entries()) {
        const values = row ?? ROW_OF_NULLS;
        await admin.query('INSERT INTO random VALUES (?, ?, ?, ?, ?, ?, ?, FROM_UNIXTIME(?), ?)', [
          i,
          ...values,
        ]);
      }
      await admin.query('UPDATE random SET s = b WHERE id % 7 = 0');
    });
  });

  it('rebuilds tables without transactions, also what no rollback took back', async () => {
    await prove(async () => {
      await admin.query('INSERT INTO old_engine VALUES (1, 1), (2, 2); UPDATE old_engine SET v = v + 1');
      await admin.query('BEGIN; INSERT INTO old_engine VALUES (3, 3); ROLLBACK');
      await admin.query('INSERT INTO old_engine VALUES (4, 4), (1, 1)').catch(() => {});
    });
  });

  it('counts what a transaction in flight at the snapshot did', async () => {
    const other = await server.connect({ database: SCHEMA, multipleStatements: true });
    const third = await server.connect({ database: SCHEMA });
    await other.query('BEGIN; INSERT INTO numbered (v) VALUES (50)');
    await third.query('INSERT INTO numbered (v) VALUES (51)');
    await prove(async () => {
      await other.query('COMMIT');
    });
    await other.end();
    await third.end();
  });

  it('finds a change that has no audit row', async () => {
    const connection = await server.connect({ charset: 'utf8mb4' });
    const before = await snapshotSchema(connection, audited);
    await admin.query(`TRUNCATE TABLE computed`);
    const rebuilt = await rebuild(connection, audited, before);
    const difference = compareContent(rebuilt.content, (await snapshotSchema(connection, audited)).tables);
    expect(difference.find((d) => d.table === 'computed')).toMatchObject({ missing: 2, extra: 0 });
    await restoreSchema(connection, audited, rebuilt.content, `${SCHEMA}_replay`);
    const restored = await compareRestored(connection, audited, `${SCHEMA}_replay`);
    expect(restored.find((d) => d.table === 'computed')).toMatchObject({ missing: 2, extra: 0 });
    await connection.end();
  });

  it('refuses to restore into anything that is not a schema for it', async () => {
    await expect(restoreSchema(admin, audited, new Map(), SCHEMA)).rejects.toMatchObject({ code: 'usage' });
  });
});
