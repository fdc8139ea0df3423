import fc from 'fast-check';
import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnModel, TableModel } from '../../audit-sql/model.ts';
import {
  type History,
  history,
  historyJson,
  historyTable,
  parseKey,
  printKey,
} from '../../audit-sql/trail/index.ts';
import { parseMoment } from '../../audit-sql/trail/moments.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { ENGINES, lenient, startServer } from './support.ts';
import { type Audited, startAudit } from './trail/audited.ts';

const SCHEMA = 'remembered';

function column(name: string, columnType: string, characterSet?: string): ColumnModel {
  return {
    name,
    dataType: /^[a-z]+/.exec(columnType)?.[0] ?? '',
    columnType,
    characterSet,
    nullable: false,
    generated: false,
    generation: 'none',
    invisible: false,
    versioned: true,
    touched: false,
  };
}

function table(name: string, columns: readonly ColumnModel[], key: readonly string[]): TableModel {
  return {
    name,
    engine: 'InnoDB',
    columns,
    key,
    uniqueColumns: key,
    foreignKeys: [],
    systemVersioned: false,
    partitioned: false,
  };
}

const NUMBERED = table('numbered', [column('id', 'int(11)'), column('name', 'text', 'utf8mb4')], ['id']);
const CODED = table('coded', [column('code', 'varchar(20)', 'utf8mb4'), column('v', 'int')], ['code']);
const PAIRED = table(
  'paired',
  [column('a', 'bigint(20) unsigned'), column('b', 'varchar(9)', 'utf8mb4'), column('v', 'int')],
  ['b', 'a'],
);
const LOOSE = table('loose', [column('a', 'int'), column('b', 'text', 'utf8mb4')], []);

describe('the key of a record as a person types it', () => {
  const READ: readonly (readonly [string, TableModel, string, Record<string, unknown>])[] = [
    ['the value alone', NUMBERED, '5', { id: 5 }],
    ['with the name', NUMBERED, 'id=5', { id: 5 }],
    ['the name in another case', NUMBERED, 'ID=5', { id: 5 }],
    ['JSON', NUMBERED, '{"id": 5}', { id: 5 }],
    ['leading zeros and a sign', NUMBERED, '+005', { id: 5 }],
    ['a text with an equals sign', CODED, 'x=y', { code: 'x=y' }],
    ['a text with a comma', CODED, 'a,b', { code: 'a,b' }],
    ['a text that is a number', CODED, '007', { code: '007' }],
    ['an empty text', CODED, 'code=', { code: '' }],
    ['two columns', PAIRED, 'a=1,b=x', { b: 'x', a: '1' }],
    ['a comma in a value', PAIRED, 'b=x,y,a=1', { b: 'x,y', a: '1' }],
    [
      'JSON of a number that JavaScript would round',
      PAIRED,
      '{"a": 18446744073709551615, "b": "x"}',
      { b: 'x', a: '18446744073709551615' },
    ],
    ['values of a table without a key', LOOSE, 'b=x', { b: 'x' }],
    ['NULL in a table without a key', LOOSE, '{"b": null}', { b: null }],
  ];
  it.each(READ)('%s', (_, of, typed, key) => {
    expect(Object.fromEntries(parseKey(of, typed))).toEqual(key);
  });

  const REFUSED: readonly (readonly [string, TableModel, string, RegExp])[] = [
    ['a text for a number', NUMBERED, 'five', /"id" \(int\(11\)\) takes a whole number, not "five"/],
    ['a column outside the key', NUMBERED, 'name=x', /"name" is not in the key of "numbered"; write id=…/],
    ['a column that is not there', NUMBERED, 'ide=5', /no column "ide"\. Did you mean "id"\?/],
    ['half of a key', PAIRED, 'a=1', /lacks "b"; write b=…,a=…/],
    ['one value for two columns', PAIRED, '5', /named by "b" and "a"; write b=…,a=…/],
    ['a column twice', PAIRED, 'a=1,a=2,b=x', /"a" is given twice/],
    ['a bare value for a table without a key', LOOSE, '5', /has no key; name values of its columns/],
    ['nested JSON', NUMBERED, '{"id": {"x": 1}}', /must be a text, a number or null/],
    ['a control character in it', NUMBERED, '\u001b[31m', /not "\\u001b\[31m"/],
  ];
  it.each(REFUSED)('is refused: %s', (_, of, typed, message) => {
    expect(() => parseKey(of, typed)).toThrow(message);
    expect(() => parseKey(of, typed)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('is printed so that it reads as the same key', () => {
    const keys = fc.record({
      b: fc.string({ unit: 'binary' }),
      a: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    });
    fc.assert(
      fc.property(keys, ({ a, b }) => {
        const key = new Map<string, string>([
          ['b', b],
          ['a', String(a)],
        ]);
        const printed = printKey(key);
        expect([...parseKey(PAIRED, printed)]).toEqual([...key]);
        expect(printed).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it('reads any text as a key or refuses it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(NUMBERED, CODED, PAIRED, LOOSE),
        (text, of) => {
          try {
            parseKey(of, text);
          } catch (error) {
            expect(error).toMatchObject({ name: 'ChartgateError', code: 'usage' });
          }
        },
      ),
    );
  });
});

describe('a moment as a person types it', () => {
  const READ: readonly (readonly [string, 'first' | 'last', string])[] = [
    ['2026-11-22', 'first', '2026-11-22T00:00:00.000000Z'],
    ['2026-11-22', 'last', '2026-11-22T23:59:59.999999Z'],
    ['2026-11-22 13:05', 'first', '2026-11-22T13:05:00.000000Z'],
    ['2026-11-22 13:05', 'last', '2026-11-22T13:05:59.999999Z'],
    ['2026-11-22T13:05:06.5Z', 'first', '2026-11-22T13:05:06.500000Z'],
    ['2026-11-22T00:30:00+01:00', 'first', '2026-11-21T23:30:00.000000Z'],
  ];
  it.each(READ)('%s, the %s of it', (text, edge, moment) => {
    expect(parseMoment(text, edge)).toBe(moment);
  });
  it.each(['yesterday', '2026-13-01', '2026-02-30', '22.11.2026', '', '2026-11-22T25:00'])(
    '%j is refused',
    (text) => {
      expect(() => parseMoment(text, 'first')).toThrow(/A moment is written/);
    },
  );
});

describe.each(ENGINES)('a record’s life on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let reader: Connection;
  let audited: Audited;

  beforeAll(async () => {
    server = await startServer('audit-sql-history', engine);
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE ${SCHEMA} DEFAULT CHARACTER SET utf8mb4; USE ${SCHEMA}`);
    await admin.query(`
      CREATE TABLE patients (id INT PRIMARY KEY, name VARCHAR(200), note TEXT, photo BLOB, seen TIMESTAMP NULL);
      CREATE TABLE visits (id INT PRIMARY KEY, patient_id INT NULL, v INT,
        FOREIGN KEY (patient_id) REFERENCES patients (id) ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE codes (code VARCHAR(20) COLLATE utf8mb4_general_ci, list INT, v INT, PRIMARY KEY (list, code));
      CREATE TABLE log (who VARCHAR(20), what VARCHAR(20));
      CREATE TABLE old_list (id INT PRIMARY KEY, v INT) ENGINE = MyISAM;
      INSERT INTO patients (id, name) VALUES (100, 'before'), (101, 'untouched');
    `);
    audited = await startAudit(admin, SCHEMA);
    await admin.query(`USE ${SCHEMA}`);
    reader = await server.connect({ charset: 'utf8mb4' });
  });

  afterAll(async () => {
    await reader?.end();
    await admin?.end();
    await server?.stop();
  });

  const life = (of: string, key: string, more: { since?: string; until?: string } = {}): Promise<History> =>
    history(reader, { ...audited, table: of, key, ...more });
  const operations = (found: History): string[] => found.entries.map((entry) => entry.operation);

  it('shows insert, changes, delete and what was inserted under the same key later', async () => {
    await admin.query("SET @serverOSUser = 'nurse7'");
    await admin.query(
      `INSERT INTO patients (id, name) VALUES (1, 'Ada'); UPDATE patients SET name = 'ada' WHERE id = 1`,
    );
    await admin.query(`DELETE FROM patients WHERE id = 1; INSERT INTO patients (id, name) VALUES (1, 'Bob')`);
    await admin.query('SET @serverOSUser = NULL; UPDATE patients SET note = name WHERE id = 1');
    const found = await life('patients', '1');
    expect(operations(found)).toEqual(['insert', 'update', 'delete', 'insert', 'update']);
    expect(found.entries.map((entry) => entry.osUser)).toEqual([
      'nurse7',
      'nurse7',
      'nurse7',
      'nurse7',
      undefined,
    ]);
    expect(found.entries[1]?.cells).toEqual([{ column: 'name', old: 'Ada', new: 'ada' }]);
    expect([found.live, found.beganBefore]).toEqual([true, false]);
    expect(found.entries[0]?.login).toBe('root@localhost');
    expect(found.entries[0]?.connection).toBe(String(admin.threadId));
  });

  it('follows a record through changes of its key, asked for by any of them', async () => {
    await admin.query(`
      INSERT INTO patients (id, name) VALUES (10, 'mover'); UPDATE patients SET id = 11 WHERE id = 10;
      UPDATE patients SET id = 12 WHERE id = 11; UPDATE patients SET name = 'moved' WHERE id = 12;
      INSERT INTO patients (id, name) VALUES (11, 'another');
    `);
    expect(operations(await life('patients', '12'))).toEqual(['insert', 'update', 'update', 'update']);
    expect(operations(await life('patients', '10'))).toEqual(['insert', 'update', 'update', 'update']);
    // 11 was also the key of another record.
    expect(operations(await life('patients', '11'))).toEqual([
      'insert',
      'update',
      'update',
      'update',
      'insert',
    ]);
    await admin.query('UPDATE patients SET id = 13 WHERE id = 12');
    const quiet = await life('patients', '13');
    expect([operations(quiet).length, quiet.live]).toEqual([5, true]);
  });

  it('shows what a foreign key did to a child, and because of what', async () => {
    await admin.query(`
      INSERT INTO patients (id, name) VALUES (20, 'parent'); INSERT INTO visits VALUES (7, 20, 1);
      UPDATE patients SET id = 21 WHERE id = 20; DELETE FROM patients WHERE id = 21;
    `);
    const found = await life('visits', 'id=7');
    expect(operations(found)).toEqual(['insert', 'cascade-update', 'cascade-delete']);
    expect(found.entries[2]?.cause).toMatchObject({ table: 'patients', operation: 'delete' });
    expect(historyTable(found)).toContain('cascade-delete (delete of patients id=21)');
    expect(found.live).toBe(false);
  });

  it('says that a record was there before its first audit row, or has none', async () => {
    await admin.query("UPDATE patients SET name = 'after' WHERE id = 100");
    const found = await life('patients', '100');
    expect([found.beganBefore, found.live]).toEqual([true, true]);
    expect(historyTable(found)).toContain('the record was there before its first audit row');
    const untouched = await life('patients', '101');
    expect([untouched.entries.length, untouched.live]).toEqual([0, true]);
    expect(historyTable(untouched)).toBe('patients id=101: no audit row; in the table now.\n');
    expect(historyTable(await life('patients', '999'))).toBe(
      'patients id=999: no audit row; not in the table now.\n',
    );
  });

  it('finds a record by a key that the collation takes for the same', async () => {
    await admin.query("INSERT INTO codes VALUES ('Été', 1, 0)");
    expect(operations(await life('codes', 'list=1,code=été'))).toEqual(['insert']);
    expect(operations(await life('codes', '{"list": 1, "code": "Été"}'))).toEqual(['insert']);
  });

  it.each([
    ['a quote " and \\ a backslash', 'escapes of JSON and SQL'],
    ['new\nline\ttab \u0001', 'control characters'],
    ['😀 病人', 'other scripts'],
    ["O'Brien", 'the quote of SQL'],
    ['50%_', 'wildcards'],
  ])('finds the key %j (%s)', async (code) => {
    const short = code.slice(0, 20);
    await admin.query('INSERT INTO codes VALUES (?, 2, 0)', [short]);
    await admin.query('UPDATE codes SET v = 1 WHERE code = ? AND list = 2', [short]);
    const found = await life('codes', JSON.stringify({ list: 2, code: short }));
    expect(operations(found)).toEqual(['insert', 'update']);
  });

  it('finds rows of a table without a key by their values', async () => {
    await admin.query(
      "INSERT INTO log VALUES ('a', 'in'), ('b', 'in'), ('a', NULL); UPDATE log SET what = 'out' WHERE who = 'a' AND what = 'in'; DELETE FROM log WHERE who = 'b'",
    );
    expect(operations(await life('log', 'who=a'))).toEqual(['insert', 'insert', 'update']);
    expect(operations(await life('log', 'who=b,what=in'))).toEqual(['insert', 'delete']);
    expect(operations(await life('log', '{"what": null}'))).toEqual(['insert']);
  });

  it('shows tables without transactions too', async () => {
    await admin.query('INSERT INTO old_list VALUES (1, 1); UPDATE old_list SET v = 2');
    expect(operations(await life('old_list', '1'))).toEqual(['insert', 'update']);
  });

  it('shows only what was between two moments', async () => {
    const all = await life('patients', '1');
    const second = all.entries[1]?.at ?? '';
    const part = await life('patients', '1', { since: second, until: second });
    expect(part.entries.map((entry) => entry.id)).toEqual([all.entries[1]?.id]);
    expect((await life('patients', '1', { until: '2000-01-01' })).entries).toEqual([]);
  });

  it('lets no data drive the terminal, and cuts long values in the table only', async () => {
    const hostile = '\u001b]0;owned\u0007\u001b[2J\r\n\u202eevil\u200b\u0000\u009b31m\t"\\';
    await admin.query(
      'INSERT INTO patients (id, name, note, photo, seen) VALUES (50, ?, ?, x?, FROM_UNIXTIME(1700000000))',
      [hostile, 'x'.repeat(5000), '00ff'],
    );
    const found = await life('patients', '50');
    const text = historyTable(found);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(text).toContain('\\u{1b}]0;owned\\u{7}');
    expect(text).toContain('… [5002 characters]');
    expect(text).toContain('0x00FF');
    expect(text).toContain('2023-11-14 22:13:20 UTC');
    const json = JSON.parse(JSON.stringify(historyJson(found)));
    const values = new Map(
      json.entries[0].values.map((v: { column: string; new: unknown }) => [v.column, v.new]),
    );
    expect(values.get('name')).toBe(hostile);
    expect(values.get('note')).toBe('x'.repeat(5000));
  });

  it('names the table that was probably meant', async () => {
    await expect(life('patient', '1')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('Did you mean "patients"?'),
    });
  });

  it('looks a record up by the index', async () => {
    const [plan] = await reader.query<import('mysql2').RowDataPacket[]>(
      `EXPLAIN FORMAT=JSON SELECT id FROM ${SCHEMA}_audit.audit_row WHERE emr_table = 'patients' AND row_key IN ('{"id":1}', '{"id": 1}') ORDER BY id`,
    );
    expect(JSON.stringify(plan)).toMatch(/key\W+record\W|index_name\W+record\W/);
  });
});
