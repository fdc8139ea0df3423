import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialectOf } from '../../audit-sql/dialect.ts';
import { apply, describeServer, readModel } from '../../audit-sql/index.ts';
import { RESTORE_SESSION, restoreSql } from '../../audit-sql/trail/restore.ts';
import { valueWriter } from '../../audit-sql/writers/values.ts';
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

const SCHEMA = 'edges';

interface Case {
  /** Its reason to be here. */
  readonly why: string;
  readonly type: string;
  readonly only?: TestEngine;
  /** Values as SQL, each with its JSON; `undefined` where only the round trip counts. */
  readonly values: readonly (readonly [sql: string, json: unknown])[];
}

const NINES = '9'.repeat(35);

const CASES: readonly Case[] = [
  {
    why: 'more digits than any number of a program',
    type: 'DECIMAL(65,30)',
    values: [
      [`${NINES}.${'9'.repeat(30)}`, `${NINES}.${'9'.repeat(30)}`],
      [`-0.${'0'.repeat(29)}1`, `-0.${'0'.repeat(29)}1`],
      ['0', `0.${'0'.repeat(30)}`],
    ],
  },
  {
    why: 'denormal, greatest, least, and digits that a printed FLOAT loses',
    type: 'FLOAT',
    values: [
      ['1.4e-45', undefined],
      ['3.4028234663852886e38', undefined],
      ['16777217', '16777216'],
      ['0.1', '0.10000000149011612'],
      ['0.10000001', '0.10000000894069672'],
    ],
  },
  {
    why: 'denormal, greatest, and doubles of 17 digits',
    type: 'DOUBLE',
    values: [
      ['5e-324', undefined],
      ['-2.2250738585072014e-308', '-2.2250738585072014e-308'],
      ['1.2345678901234567e-100', '1.2345678901234567e-100'],
      ['-1.7976931348623157e308', '-1.7976931348623157e308'],
      ['9007199254740993', undefined],
    ],
  },
  {
    why: 'zero with and without a sign',
    type: 'DOUBLE',
    only: 'mysql',
    values: [
      ['0', '0'],
      ['-1 * 0e0', '-0'],
    ],
  },
  {
    why: 'all bits, and bits that are characters',
    type: 'BIT(40)',
    values: [
      ["b'1111111111111111111111111111111111111111'", '1099511627775'],
      ["x'2227'", '8743'],
      ['0', '0'],
    ],
  },
  {
    why: 'what was no member is neither the empty member nor nothing',
    type: "ENUM('', 'a', 'b''c')",
    values: [
      ["''", ''],
      ["'not a member'", 0],
      ['3', "b'c"],
    ],
  },
  {
    why: 'what was no member, where no member is empty',
    type: "ENUM('a', 'b')",
    values: [
      ["'none'", ''],
      ["'b'", 'b'],
    ],
  },
  {
    why: 'members that a collation holds to be the same only by case',
    type: "ENUM('a', 'A') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    values: [
      ["'a'", 'a'],
      ["'A'", 'A'],
    ],
  },
  {
    why: 'many members at once',
    type: `SET(${Array.from({ length: 64 }, (_, i) => `'m${i}'`).join(', ')})`,
    values: [
      ["'m0,m63'", 'm0,m63'],
      ['18446744073709551615', Array.from({ length: 64 }, (_, i) => `m${i}`).join(',')],
      ["''", ''],
    ],
  },
  {
    why: 'partly zero and impossible dates, stored by lenient sessions',
    type: 'DATE',
    values: [
      ["'0000-01-01'", '0000-01-01'],
      ["'2024-00-15'", '2024-00-15'],
      ["'2024-02-00'", '2024-02-00'],
    ],
  },
  {
    why: 'partly zero dates with a time',
    type: 'DATETIME(3)',
    values: [
      ["'0000-00-00 00:00:00'", '0000-00-00 00:00:00.000'],
      ["'2024-00-00 23:59:59.999'", '2024-00-00 23:59:59.999'],
    ],
  },
  {
    why: 'negative, longer than a day, with a fraction',
    type: 'TIME(6)',
    values: [
      ["'-838:59:58.999999'", '-838:59:58.999999'],
      ["'100:00:00.000001'", '100:00:00.000001'],
      ["'-00:00:00.000001'", '-00:00:00.000001'],
    ],
  },
  {
    why: 'the year 0 is not 2000',
    type: 'YEAR',
    values: [
      ['2000', '2000'],
      ['0', '0000'],
      ['2155', '2155'],
    ],
  },
  {
    why: 'the same local time twice a year, and the last second there is',
    type: 'TIMESTAMP NULL',
    values: [
      ["'2024-10-27 00:30:00'", '1729989000'],
      ["'2024-10-27 01:30:00'", '1729992600'],
      ["'2038-01-19 03:14:07'", '2147483647'],
    ],
  },
  {
    why: 'bytes that are no text, quotes, and nothing',
    type: 'VARBINARY(16)',
    values: [
      ["x'00FF80C0'", '0x00FF80C0'],
      [`'"\\''`, '0x2227'],
      ["''", '0x'],
      ["x'00'", '0x00'],
    ],
  },
  {
    why: 'fixed length, filled with zero bytes',
    type: 'BINARY(3)',
    values: [
      ["''", '0x000000'],
      ["'a'", '0x610000'],
    ],
  },
  {
    why: 'only case, only an accent, only a blank at the end changes',
    type: 'VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
    values: [
      ["'resume'", 'resume'],
      ["'Resume'", 'Resume'],
      ["'Résumé'", 'Résumé'],
      ["'Résumé '", 'Résumé '],
      ["'Résumé\\t'", 'Résumé\t'],
    ],
  },
  {
    why: 'the same letters, composed and decomposed',
    type: 'VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci',
    values: [
      ["'\u00e9'", '\u00e9'],
      ["'e\u0301'", 'e\u0301'],
      ["'\u200be\u0301'", '\u200be\u0301'],
    ],
  },
  {
    why: 'controls, separators and what looks like JSON',
    type: 'TEXT',
    values: [
      ["'\u0001\u001f\u007f\u0080\u2028\u2029'", '\u0001\u001f\u007f\u0080\u2028\u2029'],
      [`'","x":["'`, '","x":["'],
      ["'null'", 'null'],
      ["'\\\\u0041'", '\\u0041'],
    ],
  },
  {
    why: 'all 256 bytes are characters',
    type: 'VARCHAR(10) CHARACTER SET latin1',
    values: [
      ["x'818D8F909D'", '\u0081\u008d\u008f\u0090\u009d'],
      ["x'80A0FF'", '€\u00a0ÿ'],
    ],
  },
  {
    why: 'a byte that the character set does not define',
    type: 'VARCHAR(10) CHARACTER SET cp1251',
    values: [
      ["x'98'", { hex: '98' }],
      ["'Пациент'", 'Пациент'],
      ["x'419842'", { hex: '419842' }],
    ],
  },
  {
    why: 'bytes of two, one of them alone',
    type: 'VARCHAR(10) CHARACTER SET gbk',
    values: [
      ["'病人'", '病人'],
      ["x'8180'", '亐'],
    ],
  },
  {
    why: 'half a surrogate pair',
    type: 'VARCHAR(10) CHARACTER SET ucs2',
    values: [
      ["x'D8000041'", { hex: 'D8000041' }],
      ["'ж'", 'ж'],
      ["x'0041DFFF'", { hex: '0041DFFF' }],
      ["x'41D8'", '\u41d8'],
    ],
  },
  {
    why: 'four bytes a character',
    type: 'VARCHAR(10) CHARACTER SET utf32',
    values: [
      ["'😀'", '😀'],
      ["'x'", 'x'],
    ],
  },
  {
    why: 'a system of reference',
    type: 'GEOMETRY',
    values: [
      ["ST_GeomFromText('POINT(1 2)', 4326)", undefined],
      ["ST_GeomFromText('LINESTRING(0 0, 1 1)')", undefined],
    ],
  },
  {
    why: 'white space and order as written',
    type: 'JSON',
    only: 'mariadb',
    values: [
      [`'{"b":1,  "a":1.0}'`, '{"b":1,  "a":1.0}'],
      [`'"text"'`, '"text"'],
      [`'null'`, 'null'],
    ],
  },
  {
    why: 'JSON null is not NULL, and a decimal stays one',
    type: 'JSON',
    only: 'mysql',
    values: [
      [`'null'`, 'null'],
      [`'1'`, '1'],
      [`'2.0'`, '2.0'],
      [`'"text"'`, '"text"'],
    ],
  },
  {
    why: 'stored compressed',
    type: 'TEXT COMPRESSED',
    only: 'mariadb',
    values: [
      ["REPEAT('long ', 1000)", 'long '.repeat(1000)],
      ["'short'", 'short'],
    ],
  },
  {
    why: 'an IPv4 address in IPv6',
    type: 'INET6',
    only: 'mariadb',
    values: [
      ["'::ffff:1.2.3.4'", '::ffff:1.2.3.4'],
      ["'::'", '::'],
    ],
  },
  {
    why: 'two identifiers that differ in one bit',
    type: 'UUID',
    only: 'mariadb',
    values: [
      ["'123e4567-e89b-12d3-a456-426655440000'", '123e4567-e89b-12d3-a456-426655440000'],
      ["'123e4567-e89b-12d3-a456-426655440001'", '123e4567-e89b-12d3-a456-426655440001'],
    ],
  },
];

describe.each(ENGINES)('values at the edges, on %s', (engine) => {
  const cases = CASES.filter((c) => c.only === undefined || c.only === engine);
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-value-edges', engine);
    admin = await lenient(server);
    await makeEmrUser(admin);
    await admin.query(`CREATE DATABASE ${SCHEMA} DEFAULT CHARACTER SET utf8mb4; USE ${SCHEMA}`);
    for (const [i, { type }] of cases.entries()) {
      await admin.query(
        `CREATE TABLE t${i} (id INT PRIMARY KEY, filler INT NOT NULL DEFAULT 0, v ${type}); CREATE TABLE n${i} (id INT PRIMARY KEY, filler INT NOT NULL DEFAULT 0, v ${type.replace(/ NULL$/, '')} NOT NULL)`,
      );
    }
    const { scripts } = await generateFor(admin, SCHEMA);
    await apply(admin, scripts.start);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  const everyCase = cases.flatMap((c, i) => [
    [c.type.slice(0, 60), c.why, `t${i}`, c] as const,
    [`${c.type.slice(0, 60)} NOT NULL`, c.why, `n${i}`, c] as const,
  ]);

  it.each(everyCase)('%s: %s', async (_, _why, table, { values }) => {
    const dialect = dialectOf(await describeServer(admin));
    const column = (await readModel(admin, SCHEMA)).tables.find((t) => t.name === table)?.columns[2];
    if (column === undefined) throw new Error('no column');
    const writer = valueWriter(column, dialect, 65_536);
    const written: unknown[] = [];
    for (const [value, json] of values) {
      // As lenient as any EMR, and in UTC, so that the values above are what they seem.
      await admin.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
      const before = await lastAuditId(admin, SCHEMA);
      await admin.query(
        written.length === 0
          ? `INSERT INTO ${table} (id, v) VALUES (1, ${value})`
          : `UPDATE ${table} SET v = ${value} WHERE id = 1`,
      );
      const [row] = await auditRows(admin, SCHEMA, before);
      const recorded =
        written.length === 0 ? JSON.parse(row?.new_values ?? '').v : JSON.parse(row?.changes ?? '').v?.[1];
      if (json !== undefined) expect(recorded).toEqual(json);
      if (written.length > 0)
        expect(JSON.parse(row?.changes ?? '')).toEqual({ v: [written.at(-1), recorded] });
      written.push(recorded);
      // And back: what was recorded gives the same bytes.
      for (const statement of RESTORE_SESSION) await admin.query(statement);
      await admin.query(`REPLACE INTO ${table} (id, v) VALUES (2, ${restoreSql(column, recorded)})`);
      const [[same]] = await admin.query<RowDataPacket[]>(
        `SELECT ${writer.unchanged('a.v', 'b.v')} AS same FROM ${table} a JOIN ${table} b WHERE a.id = 1 AND b.id = 2`,
      );
      expect(same?.same, `restored from ${JSON.stringify(recorded)}`).toBe(1);
    }
  });
});
