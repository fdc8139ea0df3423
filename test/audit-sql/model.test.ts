import type { Connection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialectOf } from '../../audit-sql/dialect.ts';
import { auditNames, describeServer, readModel, type SchemaModel } from '../../audit-sql/index.ts';
import { blindSpots } from '../../audit-sql/writers/blind-spots.ts';
import { cascadeOf } from '../../audit-sql/writers/cascade-paths.ts';
import { changesSince, readLastInstatement, schemaChanges } from '../../audit-sql/writers/schema-changes.ts';
import { startScript } from '../../audit-sql/writers/start.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { startAudit } from './following.ts';
import { ENGINES, lenient, startServer } from './support.ts';

describe('what cascade triggers ask of the server', () => {
  const model = {
    schema: 'emr',
    tables: ['p', 'c'].map((name) => ({
      name,
      engine: 'InnoDB',
      columns: [
        {
          ...{ name: 'id', dataType: 'int', columnType: 'int', characterSet: undefined, nullable: false },
          ...{
            generated: false,
            generation: 'none' as const,
            invisible: false,
            versioned: true,
            touched: false,
          },
        },
      ],
      key: ['id'],
      uniqueColumns: ['id'],
      foreignKeys:
        name === 'p'
          ? []
          : [
              {
                ...{ name: 'k', columns: ['id'], referencedSchema: undefined, referencedTable: 'p' },
                ...{ referencedColumns: ['id'], onUpdate: 'cascade' as const, onDelete: 'cascade' as const },
              },
            ],
      systemVersioned: false,
      partitioned: false,
    })),
    ...{ ownTriggers: [], emrTriggers: [], foreignChildren: [], unaudited: [] },
  } satisfies SchemaModel;
  const text = (engine: 'mariadb' | 'mysql', major: number, minor: number): string =>
    startScript(
      model,
      auditNames({ emrSchema: 'emr' }),
      dialectOf({ engine, version: `${major}.${minor}.1`, major, minor, partialRevokes: false }),
    ).text;

  it.each([
    ['mysql', 5, 7],
    ['mysql', 8, 4],
    ['mysql', 9, 6],
    ['mariadb', 10, 6],
    ['mariadb', 11, 8],
  ] as const)('%s %i.%i: no variable that it does not have', (engine, major, minor) => {
    const script = text(engine, major, minor);
    expect(script).toContain('@@SESSION.foreign_key_checks = 1');
    expect(script).not.toMatch(/enable_cascade_triggers|innodb_native_foreign_keys|WITH RECURSIVE|FOR SHARE/);
  });

  it('mysql 9.7: nothing is recorded twice where the server fires the triggers of children', () => {
    expect(text('mysql', 9, 7)).toContain('NOT (@@SESSION.enable_cascade_triggers = 1');
  });
});

describe.each(ENGINES)('the model of a schema on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-model', engine);
    admin = await lenient(server);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function model(name: string, sql: string): Promise<SchemaModel> {
    await admin.query(
      `DROP DATABASE IF EXISTS \`${name}\`; CREATE DATABASE \`${name}\`; USE \`${name}\`; ${sql}`,
    );
    return readModel(admin, name);
  }

  it('holds foreign keys as the tables spell their columns, and the rules', async () => {
    const { tables } = await model(
      'keys',
      `CREATE TABLE p (A INT, B INT, PRIMARY KEY (A, B));
       CREATE TABLE c (id INT PRIMARY KEY, X INT, Y INT, CONSTRAINT one FOREIGN KEY (x, y) REFERENCES p (a, b) ON DELETE SET NULL ON UPDATE CASCADE)`,
    );
    expect(tables.find((table) => table.name === 'c')?.foreignKeys).toEqual([
      {
        name: 'one',
        columns: ['X', 'Y'],
        referencedSchema: undefined,
        referencedTable: 'p',
        referencedColumns: ['A', 'B'],
        onUpdate: 'cascade',
        onDelete: 'set-null',
      },
    ]);
  });

  it('tells generated, invisible and self-setting columns, partitions, and unique columns', async () => {
    const { tables } = await model(
      'kinds',
      `CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT AS (id + 1) VIRTUAL, s INT AS (id + 2) STORED, h INT INVISIBLE,
         d INT DEFAULT (1 + 1), j TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP);
       CREATE TABLE parted (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2`,
    );
    const [parted, t] = [tables.find((x) => x.name === 'parted'), tables.find((x) => x.name === 't')];
    expect([parted?.partitioned, t?.partitioned]).toEqual([true, false]);
    expect(t?.uniqueColumns).toEqual(['id', 'u']);
    expect(t?.columns.map((c) => [c.name, c.generation, c.invisible, c.touched])).toEqual([
      ['id', 'none', false, false],
      ['u', 'none', false, false],
      ['v', 'virtual', false, false],
      ['s', 'stored', false, false],
      ['h', 'none', true, false],
      ['d', 'none', false, false],
      ['j', 'none', false, true],
    ]);
  });

  it.runIf(engine === 'mariadb')(
    'tells system versioning, its own columns, and those it passes over',
    async () => {
      const { tables } = await model(
        'versions',
        `CREATE TABLE t (id INT PRIMARY KEY, x INT WITHOUT SYSTEM VERSIONING, a TIMESTAMP(6) GENERATED ALWAYS AS ROW START, b TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
         PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING`,
      );
      expect(tables[0]?.systemVersioned).toBe(true);
      expect(tables[0]?.key).toEqual(['id']);
      expect(tables[0]?.columns.map((c) => [c.name, c.generation, c.versioned])).toEqual([
        ['id', 'none', true],
        ['x', 'none', false],
        ['a', 'row-start', true],
        ['b', 'row-end', true],
      ]);
    },
  );

  it('never mixes two states of a schema that changes while it is read: one of them, or a refusal', async () => {
    await model(
      'moving',
      'CREATE TABLE a_0 (id INT PRIMARY KEY, a INT); CREATE TABLE b_0 (id INT, b INT UNIQUE NOT NULL)',
    );
    const other = await server.connect({ database: 'moving' });
    let going = true;
    const migration = (async () => {
      for (let i = 0; going; i += 1) {
        await other.query(`RENAME TABLE a_${i} TO a_${i + 1}, b_${i} TO b_${i + 1}`);
        // MariaDB shows no tables at all to who reads while renaming never pauses.
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    })();
    const shape = ({ tables }: SchemaModel): string =>
      tables
        .map((t) => `${t.name.slice(0, 1)}(${t.columns.map((c) => c.name).join()})${t.key.join()}`)
        .join(' ');
    const outcomes: string[] = [];
    for (let i = 0; i < 15; i += 1) {
      outcomes.push(
        await readModel(admin, 'moving').then(
          (found) => `${shape(found)} ${new Set(found.tables.map((t) => t.name.slice(1))).size}`,
          (error: { code?: string }) => error.code ?? String(error),
        ),
      );
    }
    going = false;
    await migration;
    await other.end();
    for (const outcome of outcomes)
      expect(['a(id,a)id b(id,b)b 1', 'database-busy', 'privilege-missing']).toContain(outcome);
  });

  it('a schema that is not there is refused', async () => {
    await expect(readModel(admin, 'nowhere')).rejects.toMatchObject({ code: 'privilege-missing' });
  });

  it('says what cascades leave open', async () => {
    const server57 = {
      engine: 'mysql',
      version: '5.7.44',
      major: 5,
      minor: 7,
      partialRevokes: false,
    } as const;
    await model('elsewhere', 'CREATE TABLE q (id INT PRIMARY KEY)');
    await model(
      'spots',
      `CREATE TABLE p (id INT PRIMARY KEY);
      CREATE TABLE s (id INT PRIMARY KEY, a INT, b INT, c INT, FOREIGN KEY (a) REFERENCES s (id) ON DELETE CASCADE,
        FOREIGN KEY (b) REFERENCES s (id) ON DELETE CASCADE, FOREIGN KEY (c) REFERENCES s (id) ON DELETE CASCADE);
      CREATE TABLE f (id INT PRIMARY KEY, q INT, FOREIGN KEY (q) REFERENCES elsewhere.q (id) ON DELETE CASCADE);
      CREATE TABLE o1 (a INT, b INT, PRIMARY KEY (a, b));
      CREATE TABLE o2 (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
      CREATE TABLE o3 (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET NULL, CONSTRAINT again FOREIGN KEY (a) REFERENCES o2 (id) ON DELETE CASCADE)`,
    );
    await admin.query(
      'CREATE TABLE elsewhere.r (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES spots.p (id) ON DELETE SET NULL)',
    );
    const found = await readModel(admin, 'spots');
    const spots = blindSpots(found, dialectOf(server57)).map(({ reason, object }) => `${reason} ${object}`);
    expect(spots).toEqual(
      expect.arrayContaining([
        'cascade-into-other-schema p',
        'cascade-from-other-schema f',
        'cascade-depth s',
        'cascade-order o3',
        'cascade-shadow p',
      ]),
    );
    const s = found.tables.find((table) => table.name === 's');
    expect(s && cascadeOf(found, s, 'delete')?.cutAfter).toBe(3);
    for (const { sentence } of blindSpots(found, dialectOf(server57))) expect(sentence).toMatch(/^\S.*\.$/);
  });

  it('a start after a stop can say what a migration changed', async () => {
    await model(
      'moved',
      `CREATE TABLE a (id INT PRIMARY KEY, x INT, y VARCHAR(5)); CREATE TABLE b (id INT PRIMARY KEY); CREATE TABLE gone (id INT);
      CREATE TABLE c (id INT, b INT, CONSTRAINT k FOREIGN KEY (b) REFERENCES b (id))`,
    );
    const names = auditNames({ emrSchema: 'moved' });
    expect(await readLastInstatement(admin, names)).toBeUndefined();
    await startAudit(admin, 'moved');
    const last = await readLastInstatement(admin, names);
    expect(last).toMatchObject({ action: 'start', login: 'root@localhost' });
    expect(changesSince(last, await readModel(admin, 'moved'))).toEqual([]);
    await admin.query(`USE moved; ALTER TABLE a CHANGE x z INT, MODIFY y VARCHAR(50), ADD n INT NOT NULL; DROP TABLE gone; SET foreign_key_checks = 0; RENAME TABLE b TO b2;
      CREATE TABLE fresh (id INT PRIMARY KEY, v INT); ALTER TABLE c ADD PRIMARY KEY (id), DROP FOREIGN KEY k; ALTER TABLE c ENGINE = MyISAM`);
    const now = await readModel(admin, 'moved');
    expect(changesSince(last, now)?.map(({ kind, table }) => `${kind} ${table}`)).toEqual([
      'column-renamed a',
      'column-added a',
      'column-changed a',
      'table-renamed b2',
      ...['column-changed c', 'key-changed c', 'foreign-key-dropped c', 'table-changed c'],
      'table-added fresh',
      'table-dropped gone',
    ]);
    expect(schemaChanges(now.tables, now.tables)).toEqual([]);
    expect(await describeServer(admin)).toMatchObject({ engine });
  });
});
