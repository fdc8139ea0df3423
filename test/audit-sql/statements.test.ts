import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SchemaModel } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  contentOf,
  counting,
  lastTrailId,
  replayed,
  startAudit,
  type TrailRow,
  trailRows,
} from './following.ts';
import { ENGINES, lenient, startServer, type TestEngine } from './support.ts';

/** What every engine has. */
const TABLES = `
  CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, u INT UNIQUE, v VARCHAR(20));
  CREATE TABLE o (id INT PRIMARY KEY, v VARCHAR(20));
  CREATE TABLE keyless (a INT, v VARCHAR(20));
  CREATE TABLE loosely (u INT UNIQUE, v VARCHAR(20));
  CREATE TABLE myisam (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE = MyISAM;
  CREATE TABLE memory (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE = MEMORY;
  CREATE TABLE parted (id INT PRIMARY KEY, v VARCHAR(20)) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (100), PARTITION b VALUES LESS THAN (1000));
  CREATE TABLE computed (id INT PRIMARY KEY, n INT, w INT AS (n * 2) VIRTUAL, s INT AS (n * 3) STORED, KEY (w));
  CREATE TABLE referring (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES o (id));
  CREATE VIEW seen AS SELECT id, v FROM o WHERE id > 0;
  CREATE PROCEDURE write_some(n INT) BEGIN INSERT INTO o VALUES (n, 'by a procedure'); UPDATE o SET v = 'twice' WHERE id = n; END;
  CREATE FUNCTION write_one(n INT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO o VALUES (n, 'by a function'); RETURN n; END;
`;
const ONLY: Readonly<Record<TestEngine, string>> = {
  mariadb: `
    CREATE TABLE versioned (id INT PRIMARY KEY, v VARCHAR(20)) WITH SYSTEM VERSIONING;
    CREATE TABLE periods (id INT PRIMARY KEY, v VARCHAR(20), b TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (b, e)) WITH SYSTEM VERSIONING;
    CREATE SEQUENCE counter; CREATE TABLE counted (id INT PRIMARY KEY DEFAULT NEXTVAL(counter), v VARCHAR(20));
    CREATE TABLE hidden (id INT PRIMARY KEY, v VARCHAR(20) INVISIBLE DEFAULT 'unseen');
    CREATE TABLE aria (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE = Aria;`,
  mysql: "CREATE TABLE hidden (id INT PRIMARY KEY, v VARCHAR(20) INVISIBLE DEFAULT 'unseen');",
};

const ROWS = `
  INSERT INTO t VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, 'three'), (4, NULL, 'four');
  INSERT INTO o VALUES (1, 'one'), (2, 'two'), (3, 'three');
  INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, 'y'); INSERT INTO loosely VALUES (1, 'x'), (2, 'x'), (NULL, 'x');
  INSERT INTO myisam VALUES (1, 'one'), (2, 'two'); INSERT INTO memory VALUES (1, 'one'), (2, 'two');
  INSERT INTO parted VALUES (1, 'one'), (200, 'two'); INSERT INTO computed (id, n) VALUES (1, 1), (2, 2);
  INSERT INTO referring VALUES (1, 1)
`;

/** A statement, and the operations it must leave in the trail; undefined: only the content must come out. */
const STATEMENTS: readonly (readonly [string, string | undefined])[] = [
  ["INSERT INTO t (u, v) VALUES (10, 'a'), (11, 'b')", 'insert insert'],
  ["INSERT INTO t SET u = 10, v = 'a'", 'insert'],
  ['INSERT INTO t (v) SELECT v FROM o', 'insert insert insert'],
  ["INSERT IGNORE INTO t VALUES (1, 50, 'no'), (50, 50, 'yes'), (51, 1, 'no')", 'insert'],
  ["INSERT INTO t VALUES (60, 60, 'a'), (1, 61, 'fails')", ''],
  ["REPLACE INTO t VALUES (1, 1, 'new')", 'delete insert'],
  ["REPLACE INTO t VALUES (1, 2, 'replaces two')", undefined],
  ['REPLACE INTO t SELECT id, id, v FROM o', undefined],
  ["INSERT INTO t VALUES (1, 9, 'x') ON DUPLICATE KEY UPDATE v = 'updated'", 'update'],
  ["INSERT INTO t VALUES (1, 9, 'x'), (9, 9, 'y') ON DUPLICATE KEY UPDATE id = id + 100", 'update insert'],
  ["UPDATE t SET v = 'same' WHERE id = 1", 'update'],
  ['UPDATE t SET v = v', undefined],
  ['UPDATE t SET id = id + 10 ORDER BY id DESC LIMIT 2', 'update update'],
  ['UPDATE IGNORE t SET id = 2 WHERE id = 1', ''],
  ['UPDATE IGNORE t SET u = 2', undefined],
  ["UPDATE IGNORE t SET u = 2, v = 'all' ORDER BY id", undefined],
  ['UPDATE IGNORE t a JOIN o b ON a.id = b.id SET a.id = 3, b.v = CONCAT(b.v, a.id)', undefined],
  ['UPDATE IGNORE referring SET o = 77', ''],
  ['UPDATE IGNORE o SET id = id + 70', 'update update'],
  ['UPDATE IGNORE parted SET id = id + 850', 'update'],
  ['UPDATE IGNORE loosely SET u = 1 WHERE u = 2', ''],
  ["UPDATE IGNORE loosely SET u = 1, v = 'other' WHERE u IS NULL", ''],
  ['UPDATE IGNORE loosely SET u = 7 WHERE u IS NULL', 'update'],
  ['UPDATE IGNORE loosely SET u = NULL', undefined],
  ["UPDATE t JOIN o USING (id) SET t.v = 'joined', o.v = 'both' WHERE id < 3", undefined],
  ["UPDATE t SET u = (SELECT MAX(id) FROM o) + 5, v = 'sub' WHERE id = 4", 'update'],
  ['DELETE FROM t WHERE u IS NOT NULL ORDER BY id DESC LIMIT 1', 'delete'],
  ['DELETE t, o FROM t JOIN o USING (id) WHERE id > 1', undefined],
  ['DELETE FROM t USING t LEFT JOIN o USING (id) WHERE o.id IS NULL', 'delete'],
  ["INSERT INTO keyless VALUES (1, 'x')", 'insert'],
  ["UPDATE keyless SET v = 'X' WHERE a = 1", 'update update'],
  ['DELETE FROM keyless WHERE a = 1 LIMIT 1', 'delete'],
  ["UPDATE loosely SET v = 'y', u = u + 10", 'update update update'],
  ["INSERT INTO seen VALUES (20, 'through a view')", 'insert'],
  ["UPDATE seen SET v = 'through a view'", 'update update update'],
  ['DELETE FROM seen WHERE id = 2', 'delete'],
  ['CALL write_some(30)', 'insert update'],
  ['SELECT write_one(31)', 'insert'],
  ['DO write_one(32) + write_one(33)', 'insert insert'],
  [
    "PREPARE p FROM 'INSERT INTO o VALUES (?, ?)'; SET @a = 40, @b = 'prepared'; EXECUTE p USING @a, @b; DEALLOCATE PREPARE p",
    'insert',
  ],
  [
    "BEGIN; INSERT INTO o VALUES (41, 'x'); SAVEPOINT s; INSERT INTO o VALUES (42, 'y'); ROLLBACK TO s; COMMIT",
    'insert',
  ],
  ["START TRANSACTION; UPDATE o SET v = 'gone'; ROLLBACK", ''],
  [
    // MariaDB refuses LOCK TABLES and UPDATE as long as the trail was read last: hence the INSERT.
    "INSERT INTO o VALUES (900, 'x'); LOCK TABLES t WRITE, o READ; UPDATE t SET v = 'locked', id = id + 1 WHERE id = 4; UNLOCK TABLES",
    'insert update',
  ],
  [
    "INSERT INTO parted VALUES (5, 'x'); UPDATE parted SET id = 300 WHERE id = 5; DELETE FROM parted PARTITION (b)",
    'insert update delete delete',
  ],
  [
    'INSERT INTO computed (id, n) VALUES (3, 3); UPDATE computed SET n = n + 1; DELETE FROM computed WHERE w = 8',
    'insert update update update delete',
  ],
  [
    "INSERT INTO hidden (id) VALUES (1); UPDATE hidden SET v = 'named'; DELETE FROM hidden",
    'insert update delete',
  ],
];

/** On tables of engines that undo nothing; their trail is another table. */
const DIRECT: readonly (readonly [string, string])[] = [
  ["INSERT INTO myisam VALUES (3, 'a'), (4, 'b'), (1, 'fails')", 'insert insert'],
  ["BEGIN; INSERT INTO myisam VALUES (3, 'kept'); ROLLBACK", 'insert'],
  ["UPDATE myisam SET v = 'x', id = id + 10", 'update update'],
  ['UPDATE IGNORE myisam SET id = 2', 'update'],
  ['DELETE FROM myisam WHERE id = 1', 'delete'],
  ["INSERT INTO memory VALUES (3, 'a'), (1, 'fails')", 'insert'],
  ['UPDATE IGNORE memory SET id = 2', 'update'],
  ["REPLACE INTO memory VALUES (1, 'again')", 'delete insert'],
];

const MARIADB_ONLY: readonly (readonly [string, string])[] = [
  [
    "INSERT INTO versioned VALUES (1, 'a'), (2, 'b'), (3, 'c'); UPDATE IGNORE versioned SET id = 9",
    'insert insert insert update',
  ],
  [
    "INSERT INTO periods (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c'); UPDATE IGNORE periods SET id = 9",
    'insert insert insert update',
  ],
  [
    "INSERT INTO versioned VALUES (1, 'a'); UPDATE versioned SET v = 'b'; DELETE FROM versioned",
    'insert update delete',
  ],
  [
    "INSERT INTO periods (id, v) VALUES (1, 'a'); UPDATE periods SET v = 'b'; REPLACE INTO periods (id, v) VALUES (1, 'c')",
    'insert update delete insert',
  ],
  [
    "INSERT INTO counted (v) VALUES ('a'), ('b'); UPDATE counted SET id = id + 10 ORDER BY id DESC",
    'insert insert update update',
  ],
  ["INSERT INTO o VALUES (50, 'x') RETURNING id", 'insert'],
  ['DELETE FROM t WHERE id = 1 RETURNING v', 'delete'],
  ["BEGIN NOT ATOMIC INSERT INTO o VALUES (51, 'x'); DELETE FROM o WHERE id = 51; END", 'insert delete'],
  ["EXECUTE IMMEDIATE 'INSERT INTO o VALUES (52, ''x'')'", 'insert'],
];

describe.each(ENGINES)('statements of every kind on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let model: SchemaModel;

  beforeAll(async () => {
    server = await startServer('audit-sql-statements', engine, [
      '--local-infile=ON',
      '--event-scheduler=ON',
      '--secure-file-priv=',
    ]);
    admin = await lenient(server);
    await admin.query('SET GLOBAL log_bin_trust_function_creators = 1; CREATE DATABASE said; USE said');
    await admin.query(TABLES + ONLY[engine]);
    model = await startAudit(admin, 'said');
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function reset(): Promise<void> {
    await admin.query('ROLLBACK; UNLOCK TABLES; SET foreign_key_checks = 0');
    for (const table of model.tables) await admin.query(`DELETE FROM \`${table.name}\``);
    await admin.query(`${ROWS}; SET foreign_key_checks = 1`);
  }

  /** Does something from a known state; the trail must lead from there to what came of it. */
  async function follow(act: () => Promise<unknown>): Promise<readonly TrailRow[]> {
    await reset();
    const before = await contentOf(admin, model);
    const [last, direct] = [await lastTrailId(admin, 'said'), await lastDirect()];
    await act().catch(() => {});
    const rows = counting(await trailRows(admin, 'said', last));
    const undone = await trailRows(admin, 'said', direct, 'audit_row_direct');
    expect(replayed(before, [...rows, ...undone], model)).toEqual(await contentOf(admin, model));
    return [...rows, ...undone];
  }

  async function lastDirect(): Promise<number> {
    const [[row]] = await admin.query<RowDataPacket[]>(
      'SELECT IFNULL(MAX(id), 0) AS id FROM said_audit.audit_row_direct',
    );
    return Number(row?.id);
  }

  const operations = (rows: readonly TrailRow[]): string => rows.map((row) => row.operation).join(' ');

  it.each([...STATEMENTS, ...DIRECT, ...(engine === 'mariadb' ? MARIADB_ONLY : [])])(
    '%s',
    async (statement, expected) => {
      const rows = await follow(() => admin.query(statement));
      if (expected !== undefined) expect(operations(rows)).toBe(expected);
    },
  );

  it('LOAD DATA, from the server and from the client, with IGNORE and REPLACE', async () => {
    const file = join(server.directory, 'rows.tsv');
    writeFileSync(file, '1\tloaded\n70\tloaded\n71\tloaded\n', { mode: 0o644 });
    const load = (how: string, infile: string): string =>
      `LOAD DATA ${how} INFILE '${infile}' ${how === '' ? 'IGNORE ' : ''}INTO TABLE o`;
    expect(operations(await follow(() => admin.query(load('', file))))).toBe('insert insert');
    const local = (rule: string) => () =>
      admin.query({
        sql: `LOAD DATA LOCAL INFILE 'rows' ${rule} INTO TABLE o`,
        infileStreamFactory: () => Readable.from([Buffer.from('1\tloaded\n72\tloaded\n')]),
      });
    expect(operations(await follow(local('IGNORE')))).toBe('insert');
    await follow(local('REPLACE'));
    const replacing = () => admin.query('DELETE FROM referring').then(local('REPLACE'));
    expect(operations(await follow(replacing))).toBe('delete delete insert insert');
  });

  it('what an event of the EMR does', async () => {
    const rows = await follow(async () => {
      await admin.query(
        "CREATE EVENT once ON SCHEDULE AT CURRENT_TIMESTAMP DO INSERT INTO o VALUES (80, 'by an event')",
      );
      for (let i = 0; i < 100; i += 1) {
        const [found] = await admin.query<RowDataPacket[]>('SELECT 1 FROM o WHERE id = 80');
        if (found.length > 0) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    expect(operations(rows)).toBe('insert');
  });

  it('a server-side prepared statement, again and again', async () => {
    const rows = await follow(async () => {
      for (const id of [90, 91, 92]) await admin.execute('INSERT INTO o VALUES (?, ?)', [id, 'bound']);
    });
    expect(operations(rows)).toBe('insert insert insert');
  });

  it('a time of ON UPDATE CURRENT_TIMESTAMP changes in the trail when it does in the row', async () => {
    await admin.query(
      `CREATE DATABASE stamps; USE stamps;
       CREATE TABLE t (id INT PRIMARY KEY, n INT, j TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP);
       INSERT INTO t VALUES (1, 1, '2001-01-01')`,
    );
    await startAudit(admin, 'stamps');
    const changed = async (statement: string): Promise<string> => {
      const last = await lastTrailId(admin, 'stamps');
      await admin.query(statement);
      const rows = await trailRows(admin, 'stamps', last);
      return rows.map((row) => Object.keys(JSON.parse(row.changes ?? '{}')).join()).join(' ');
    };
    expect(await changed('UPDATE t SET n = n')).toBe('');
    expect(await changed('INSERT INTO t VALUES (1, 1, NULL) ON DUPLICATE KEY UPDATE n = 1')).toBe('');
    expect(await changed('UPDATE t SET n = 2')).toBe('n,j');
    expect(await changed("UPDATE t SET j = '2002-02-02'")).toBe('j');
    await admin.query('USE said');
  });

  it.runIf(engine === 'mysql')('JSON written otherwise is recorded when the row is written', async () => {
    await admin.query(`CREATE DATABASE documents; USE documents; CREATE TABLE t (id INT PRIMARY KEY, n INT, j JSON);
      INSERT INTO t VALUES (1, 1, '{"a": 1}')`);
    await startAudit(admin, 'documents');
    const recorded = async (statement: string): Promise<string> => {
      const last = await lastTrailId(admin, 'documents');
      await admin.query(statement);
      const rows = await trailRows(admin, 'documents', last);
      const [[row]] = await admin.query<RowDataPacket[]>('SELECT CAST(j AS CHAR) AS j FROM t');
      for (const { changes } of rows) {
        const [, now] = (JSON.parse(changes ?? '{}') as { j?: [string, string] }).j ?? [];
        if (now !== undefined) expect(now).toBe(row?.j);
      }
      return rows.map(({ changes }) => Object.keys(JSON.parse(changes ?? '{}')).join()).join(' ');
    };
    expect(await recorded(`UPDATE t SET j = '{"a": 1.0}'`)).toBe('');
    expect(await recorded(`UPDATE t SET j = '{"a": 1.0}', n = 2`)).toBe('n,j');
    expect(await recorded(`UPDATE t SET j = '{"a": 2}'`)).toBe('j');
    expect(await recorded('UPDATE t SET j = NULL')).toBe('j');
    await admin.query('USE said');
  });

  it('what the catalogue shows and triggers cannot record is itemised', () => {
    const found = model.unaudited.map(({ reason, object }) => [reason, object]);
    expect(found).toEqual(
      engine === 'mariadb'
        ? [
            ['sequence', 'counter'],
            ['view', 'seen'],
          ]
        : [['view', 'seen']],
    );
  });
});

describe.each(ENGINES)("the EMR's own triggers on %s", (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-own-triggers', engine);
    admin = await lenient(server);
    await admin.query(`CREATE DATABASE own; USE own;
      CREATE TABLE p (id INT PRIMARY KEY, v VARCHAR(200) DEFAULT ''); CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE ON DELETE CASCADE);
      CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200));
      CREATE TRIGGER b BEFORE UPDATE ON p FOR EACH ROW SET NEW.v = CONCAT(NEW.v, 'b'), NEW.id = NEW.id + 1;
      CREATE TRIGGER a BEFORE UPDATE ON p FOR EACH ROW FOLLOWS b SET NEW.v = CONCAT(NEW.v, 'a'), NEW.id = NEW.id * 10;
      CREATE TRIGGER z AFTER UPDATE ON p FOR EACH ROW INSERT INTO log (v) VALUES (CONCAT('z', NEW.v));
      CREATE TRIGGER y AFTER UPDATE ON p FOR EACH ROW FOLLOWS z INSERT INTO log (v) VALUES (CONCAT('y', NEW.v));
      CREATE TRIGGER x BEFORE DELETE ON p FOR EACH ROW INSERT INTO log (v) VALUES ('x')`);
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function order(): Promise<readonly string[]> {
    const [rows] = await admin.query<RowDataPacket[]>(
      `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'own' AND EVENT_OBJECT_TABLE = 'p'
        ORDER BY CONCAT(ACTION_TIMING), CONCAT(EVENT_MANIPULATION), ACTION_ORDER`,
    );
    return rows.map((row) =>
      String(row.name).replace(/^chartgate_([a-z]+(?:_(?:update|delete))?)_.*$/, '($1)'),
    );
  }

  it('keep their order, before ours, also when start is run again and when more come', async () => {
    const wanted = async (before: readonly string[], more: readonly string[]): Promise<void> => {
      const found = await order();
      const place = (name: string): number => found.indexOf(name);
      expect(found.filter((name) => !name.startsWith('('))).toEqual([...more]);
      for (const name of before) expect(place('(cascade_update)')).toBeGreaterThan(place(name));
      expect(place('(cascade_delete)')).toBeGreaterThan(place('x'));
    };
    await startAudit(admin, 'own');
    await wanted(['b', 'a'], ['z', 'y', 'x', 'b', 'a']);
    await startAudit(admin, 'own');
    await wanted(['b', 'a'], ['z', 'y', 'x', 'b', 'a']);
    await admin.query("CREATE TRIGGER later BEFORE UPDATE ON p FOR EACH ROW SET NEW.v = CONCAT(NEW.v, 'l')");
    await startAudit(admin, 'own');
    await wanted(['b', 'a', 'later'], ['z', 'y', 'x', 'b', 'a', 'later']);
  });

  it('do what they did, and all of it is recorded as it came out', async () => {
    const model = await startAudit(admin, 'own');
    const before = await contentOf(admin, model);
    const last = await lastTrailId(admin, 'own');
    await admin.query(
      'INSERT INTO p (id) VALUES (1); INSERT INTO c VALUES (1, 1); UPDATE p SET id = 2; DELETE FROM p',
    );
    const [logged] = await admin.query<RowDataPacket[]>('SELECT v FROM log ORDER BY id');
    expect(logged.map((row) => row.v)).toEqual(['zbal', 'ybal', 'x']);
    const rows = counting(await trailRows(admin, 'own', last));
    expect(replayed(before, rows, model)).toEqual(await contentOf(admin, model));
    expect(JSON.parse(rows.find((row) => row.operation === 'cascade-update')?.changes ?? '')).toEqual({
      p: [1, 30],
    });
  });
});
