import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply } from '../../audit-sql/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  auditRows,
  connectAs,
  ENGINES,
  generateFor,
  lastAuditId,
  lenient,
  makeEmrUser,
  startServer,
} from './support.ts';

const SCHEMA = 'store';
const AUDIT = `${SCHEMA}_audit`;

/** As generator 1 made them. */
const FIRST_STORE = (jsonType: string): string => `
  CREATE DATABASE ${AUDIT} DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  CREATE TABLE ${AUDIT}.audit_row (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    at DATETIME(6) NOT NULL COMMENT 'UTC, from the server',
    login VARCHAR(384) NOT NULL COMMENT 'session_user(): who was connected, and from where',
    ran_as VARCHAR(384) NOT NULL COMMENT 'current_user(): the account the trigger ran as',
    connection BIGINT UNSIGNED NOT NULL COMMENT 'connection_id()',
    emr_table VARCHAR(64) NOT NULL,
    operation ENUM('insert', 'update', 'delete') NOT NULL,
    row_key ${jsonType} NULL COMMENT 'the row''s key before the change; NULL for a table without one',
    old_values ${jsonType} NULL COMMENT 'the whole row as it was',
    new_values ${jsonType} NULL COMMENT 'the whole row as it became',
    changes ${jsonType} NULL COMMENT 'of an update: {"column": [old, new]} of what changed',
    PRIMARY KEY (id),
    KEY audited_table (emr_table, id)
  ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT = 'Every change of the EMR''s rows. Append-only.';
  CREATE TABLE ${AUDIT}.audit_instatement_log (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    at DATETIME(6) NOT NULL COMMENT 'UTC, from the server',
    action ENUM('start', 'stop') NOT NULL,
    login VARCHAR(384) NOT NULL COMMENT 'session_user()',
    account VARCHAR(384) NOT NULL COMMENT 'current_user()',
    connection BIGINT UNSIGNED NOT NULL COMMENT 'connection_id()',
    emr_schema VARCHAR(64) NOT NULL,
    schema_digest CHAR(64) NOT NULL COMMENT 'SHA-256 of the shape of the tables audited',
    generator VARCHAR(64) NOT NULL,
    tables_audited INT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
  ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
    COMMENT = 'When auditing was started and stopped, and by whom. Append-only.';
  INSERT INTO ${AUDIT}.audit_row (at, login, ran_as, connection, emr_table, operation, row_key, new_values)
    VALUES ('2024-01-02 03:04:05.000006', 'a@b', 'c@d', 7, 'old_table', 'insert', '{"id": 1}', '{"id": 1, "v": "x"}');
  INSERT INTO ${AUDIT}.audit_instatement_log (at, action, login, account, connection, emr_schema, schema_digest, generator, tables_audited)
    VALUES ('2024-01-02 03:04:05', 'start', 'a@b', 'c@d', 7, '${SCHEMA}', REPEAT('0', 64), 'chartgate audit-sql 1', 1);`;

describe.each(ENGINES)('the audit tables, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;

  beforeAll(async () => {
    server = await startServer('audit-sql-store', engine);
    admin = await lenient(server);
    await makeEmrUser(admin);
    for (const schema of [SCHEMA, 'fresh']) {
      await admin.query(`CREATE DATABASE ${schema} DEFAULT CHARACTER SET utf8mb4; USE ${schema};
        CREATE TABLE t (id INT PRIMARY KEY, v INT);
        CREATE TABLE old_engine (id INT PRIMARY KEY, v INT) ENGINE = MyISAM;
        CREATE TABLE in_memory (id INT PRIMARY KEY, v INT) ENGINE = MEMORY`);
    }
    await admin.query(
      FIRST_STORE(engine === 'mariadb' ? 'LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : 'JSON'),
    );
    for (const schema of [SCHEMA, SCHEMA, 'fresh']) {
      const { scripts } = await generateFor(admin, schema);
      await apply(admin, scripts.start);
    }
    await admin.query("SET SESSION sql_mode = ''");
  });

  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function shape(schema: string, table: string): Promise<string> {
    const [[row]] = await admin.query<RowDataPacket[]>(`SHOW CREATE TABLE ${schema}_audit.${table}`);
    return String(row?.['Create Table']).replace(/ AUTO_INCREMENT=\d+/, '');
  }

  it.each(['audit_row', 'audit_instatement_log', 'audit_row_direct'])(
    '%s of an earlier generator becomes what a new one is, and keeps its rows',
    async (table) => {
      expect(await shape(SCHEMA, table)).toBe(await shape('fresh', table));
    },
  );

  it('rows of an earlier generator are there after the upgrade', async () => {
    const [first] = await auditRows(admin, SCHEMA);
    expect(first).toMatchObject({
      id: 1,
      at: '2024-01-02 03:04:05.000006',
      connection: 7,
      emr_table: 'old_table',
    });
    expect(JSON.parse(first?.new_values ?? '')).toEqual({ id: 1, v: 'x' });
    const [log] = await admin.query<RowDataPacket[]>(
      `SELECT action, generator, schema_model IS NULL AS without FROM ${AUDIT}.audit_instatement_log ORDER BY id`,
    );
    expect(log[0]).toMatchObject({ generator: 'chartgate audit-sql 1', without: 1 });
    expect(log.at(-1)).toMatchObject({ action: 'start', without: 0 });
  });

  it.each(['old_engine', 'in_memory'])(
    'what %s keeps of a rolled back transaction or a failed statement has its record',
    async (table) => {
      const before = await lastAuditId(admin, SCHEMA, 'audit_row_direct');
      const session = await connectAs(server, 'emr', 'emr-password-of-a-test', SCHEMA);
      await session.query('START TRANSACTION');
      await session.query(`INSERT INTO ${table} VALUES (1, 1)`);
      await session.query('SAVEPOINT here');
      await session.query('INSERT INTO t VALUES (1, 1)');
      await session.query('ROLLBACK');
      await expect(session.query(`INSERT INTO ${table} VALUES (2, 2), (1, 9), (3, 3)`)).rejects.toThrow(
        /Duplicate/,
      );
      await session.end();
      const [rows] = await admin.query<RowDataPacket[]>(`SELECT id FROM ${SCHEMA}.${table} ORDER BY id`);
      expect(rows.map((row) => row.id)).toEqual([1, 2]);
      const trail = await auditRows(admin, SCHEMA, before, 'audit_row_direct');
      expect(trail.map((row) => row.row_key)).toEqual(['{"id":1}', '{"id":2}']);
      expect(trail[0]?.id).toBeGreaterThanOrEqual(2 ** 52);
      const [inTrail] = await admin.query<RowDataPacket[]>(
        `SELECT id FROM ${AUDIT}.audit_trail WHERE emr_table = '${table}' AND row_key = '{"id":1}'`,
      );
      expect(inTrail).toHaveLength(1);
    },
  );

  it('the trail shows what a foreign key changed only with the change that caused it', async () => {
    const insert = (operation: string, connection: number, cascade: string): Promise<unknown> =>
      admin.query(
        `INSERT INTO ${AUDIT}.audit_row (at, login, ran_as, connection, emr_table, operation, cascade_id, row_key)
         VALUES (UTC_TIMESTAMP(6), 'a', 'b', ${connection}, 'child', '${operation}', ${cascade}, '{"id":77}')`,
      );
    const trail = async (): Promise<unknown> =>
      (
        await admin.query<RowDataPacket[]>(
          `SELECT operation FROM ${AUDIT}.audit_trail WHERE emr_table = 'child' ORDER BY id`,
        )
      )[0].map((row) => row.operation);
    await insert('delete', 5, '18446744073709551615');
    await insert('cascade-delete', 5, '18446744073709551615');
    expect(await trail()).toEqual(['delete']);
    await insert('delete', 6, '18446744073709551615');
    expect(await trail()).toEqual(['delete', 'delete']);
    await insert('update', 5, '18446744073709551615');
    expect(await trail()).toEqual(['delete', 'cascade-delete', 'delete', 'update']);
  });

  it.each(['audit_row', 'audit_row_direct', 'audit_instatement_log'])(
    '%s refuses UPDATE and DELETE, also of the administrator',
    async (table) => {
      await expect(admin.query(`UPDATE ${AUDIT}.${table} SET login = 'somebody else'`)).rejects.toThrow(
        /append-only/,
      );
      await expect(admin.query(`DELETE FROM ${AUDIT}.${table}`)).rejects.toThrow(/append-only/);
    },
  );

  it("a record's life is found by its key without reading the whole trail", async () => {
    const [[plan]] = await admin.query<RowDataPacket[]>(
      `EXPLAIN FORMAT = JSON SELECT * FROM ${AUDIT}.audit_trail WHERE emr_table = 't' AND row_key = '{"id":1}'`,
    );
    const used = String(plan?.EXPLAIN).match(/"(key|index_name)": "record"/g);
    expect(used).toHaveLength(2);
  });
});
