import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SchemaModel } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { contentOf, counting, lastTrailId, quoted, replayed, startAudit, trailRows } from './following.ts';
import { ENGINES, lenient, startServer } from './support.ts';

/** Names that break naive generators, each with the reason. */
const NAMES: readonly (readonly [string, string])[] = [
  ['back`tick', 'the quote of identifiers'],
  ['``', 'nothing but quotes'],
  ["quo'te", 'the quote of strings'],
  ['dou"ble', 'the quote of JSON'],
  ['back\\slash', 'the escape of strings and of JSON'],
  ['two words', 'a space'],
  [' leading', 'a space in front'],
  ['semi;colon$$--', 'delimiters and a comment'],
  ['/*!50000 x */', 'a comment that servers run'],
  ['select', 'a reserved word'],
  ['Пациент病人', 'other scripts'],
  ['per%cent_?', 'wildcards and a placeholder'],
  ['new\nline', 'would end a comment'],
  ['\u2028\u0085', 'line ends of Unicode'],
  ['NEW', 'the name of the row in a trigger'],
  ['OLD', 'the other name of the row in a trigger'],
  ['changed', 'a variable of the update trigger'],
  ['token', 'a variable of the cascade trigger'],
  ['child', 'an alias of the cascade trigger'],
  ['found', 'another alias of it'],
  ['same', 'an alias of the update trigger'],
  ['r1', 'an alias of a step of a cascade'],
  ['d', 'a column of what a cascade reaches'],
  ['audit_row', "the audit's own table"],
  ['chartgate_insert', "the prefix of the audit's triggers"],
  ['CaseFold', 'differs from the next by case only'],
  ['casefold', 'differs from the one before by case only'],
  ['{"a":[1,2]}', 'JSON'],
  ['a.b', 'a dot'],
  ['@x', 'a variable'],
  ['1', 'a number'],
  ['x'.repeat(64), 'the longest name'],
  [`${'x'.repeat(63)}y`, 'differs from the longest only at its end'],
  ['病'.repeat(45), 'as long as a file name may be'],
];

/** The schema itself has such a name; its default audit schema gets a suffix, so it must leave room for it. */
const SCHEMAS: readonly (readonly [string, string])[] = [
  ['emr`"\'\\x'.replace('\\', ''), 'quotes of every kind'],
  ['per%cent_', 'the wildcards of GRANT'],
  ['Клиника 病院', 'other scripts and a space'],
  ['select', 'a reserved word'],
  ['x'.repeat(57), 'the longest that leaves room for the audit schema, as GRANT writes it'],
];

/** The name with something behind it, cut to the longest that servers take, different for each row. */
const suffixed = (name: string, suffix: string): string => {
  const index = NAMES.findIndex(([other]) => other === name);
  return `${[...name].slice(0, 59).join('')}-${index}${suffix}`;
};

describe.each(ENGINES)('hostile names on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let model: SchemaModel;

  beforeAll(async () => {
    server = await startServer('audit-sql-names', engine);
    admin = await lenient(server);
    await admin.query('CREATE DATABASE named; USE named');
    for (const [name] of NAMES) {
      const parent = name;
      const [child, value, key] = [suffixed(name, 'c'), suffixed(name, 'v'), suffixed(name, 'f')];
      await admin.query(
        `CREATE TABLE ${quoted(parent)} (${quoted(name)} INT PRIMARY KEY, ${quoted(value)} VARCHAR(20));
         CREATE TABLE ${quoted(child)} (${quoted(value)} INT PRIMARY KEY, ${quoted(name)} INT,
           CONSTRAINT ${quoted(key)} FOREIGN KEY (${quoted(name)}) REFERENCES ${quoted(parent)} (${quoted(name)})
           ON DELETE CASCADE ON UPDATE CASCADE)`,
      );
    }
    model = await startAudit(admin, 'named');
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  it.each(NAMES)(
    '%j (%s) as table, column, foreign key: every change and cascade is recorded',
    async (name) => {
      const [parent, child, value] = [quoted(name), quoted(suffixed(name, 'c')), quoted(suffixed(name, 'v'))];
      const column = quoted(name);
      const before = await contentOf(admin, model);
      const last = await lastTrailId(admin, 'named');
      await admin.query(
        `INSERT INTO ${parent} VALUES (1, 'a'), (2, 'b'); INSERT INTO ${child} VALUES (1, 1), (2, 2);
       UPDATE ${parent} SET ${value} = 'c' WHERE ${column} = 1; UPDATE ${parent} SET ${column} = 9 WHERE ${column} = 2;
       DELETE FROM ${parent} WHERE ${column} = 1`,
      );
      const rows = counting(await trailRows(admin, 'named', last));
      expect(rows.map((row) => row.operation)).toEqual([
        ...['insert', 'insert', 'insert', 'insert', 'update'],
        ...['cascade-update', 'update', 'cascade-delete', 'delete'],
      ]);
      expect(replayed(before, rows, model)).toEqual(await contentOf(admin, model));
      await admin.query(`DELETE FROM ${parent}`);
    },
  );

  it.each(SCHEMAS)('the schema %j (%s) is audited, and its trail is its own', async (schema) => {
    await admin.query(
      `CREATE DATABASE ${quoted(schema)}; USE ${quoted(schema)};
       CREATE TABLE t (id INT PRIMARY KEY, v INT);
       CREATE TABLE c (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES t (id) ON DELETE SET NULL)`,
    );
    const own = await startAudit(admin, schema);
    const elsewhere = await lastTrailId(admin, 'named');
    await admin.query(
      'INSERT INTO t VALUES (1, 1); INSERT INTO c VALUES (1, 1); UPDATE t SET v = 2; DELETE FROM t',
    );
    const rows = counting(await trailRows(admin, schema));
    expect(replayed({ t: [], c: [] }, rows, own)).toEqual(await contentOf(admin, own));
    expect(await lastTrailId(admin, 'named')).toBe(elsewhere);
    await admin.query('USE named');
  });
});
