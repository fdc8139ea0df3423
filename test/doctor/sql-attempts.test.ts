import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attemptSql, type Places, SQL_ATTEMPTS } from '../../cli/doctor/sql-attempts.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { connectAs, ENGINES, startServer } from '../audit-sql/support.ts';

const PLACES: Places = {
  emr: 'emr',
  audit: 'emr_audit',
  table: 'patient_data',
  trigger: 'chartgate_patient_data_insert',
  locked: "'chartgate_audit'@'localhost'",
};
const PASSWORD = 'a-password-of-a-test';

/** Rights that somebody might give by mistake, and what of the table must then be noticed. */
const GRANTS: readonly (readonly [grant: string, noticed: readonly string[]])[] = [
  ['TRIGGER ON emr.*', ["see the audit's triggers, and so drop them", 'list triggers', 'make a trigger']],
  [
    'TRIGGER ON emr.patient_data',
    ["see the audit's triggers, and so drop them", 'list triggers', 'make a trigger'],
  ],
  ['SELECT ON emr.patient_data', ['read the EMR']],
  ['SELECT ON emr_audit.audit_row', ['read the audit rows']],
  ['SELECT, DELETE ON emr_audit.audit_row', ['read the audit rows', 'delete audit rows']],
  ['SELECT, UPDATE ON emr_audit.audit_row', ['read the audit rows', 'change audit rows']],
  ['SELECT, INSERT ON emr_audit.audit_row', ['read the audit rows', 'invent audit rows']],
  ['SELECT, DELETE ON emr_audit.audit_instatement_log', ['write that auditing started or stopped']],
  ['ALTER ON emr.patient_data', ['alter a table of the EMR']],
  ['ALTER ON emr_audit.audit_row', ['alter the audit rows']],
  ['CREATE ON emr.*', ['make a table of the EMR']],
  ['CREATE ON emr_audit.*', ['make a table of the audit']],
  ['CREATE TEMPORARY TABLES ON emr.*', ['make a temporary table']],
  ['DROP ON emr.*', ['drop a table of the EMR']],
  ['DROP ON emr_audit.*', ['drop a table of the audit', 'empty a table of the audit']],
  ['INDEX ON emr.*', ['make an index']],
  ['ALTER, DROP, CREATE, INSERT ON emr.*', ['rename a table of the EMR']],
  ['CREATE VIEW ON emr.*', []],
  ['CREATE VIEW, SELECT ON emr.*', ['make a view', 'read the EMR']],
  ['SELECT, DELETE ON emr.*', ['write to the EMR']],
  ['EVENT ON emr.*', ['make, change or drop an event']],
  ['ALTER ROUTINE ON emr_audit.*', ['alter a procedure of the audit', 'drop a procedure of the audit']],
  ['SELECT ON emr.* WITH GRANT', ['give rights away']],
  ['CREATE USER ON *.*', ['make an account', 'drop an account', 'unlock an account']],
  ['SELECT ON mysql.*', ['read password hashes']],
  ['DROP ON *.*', ['drop a schema', 'drop a table of the EMR']],
  ['FILE ON *.*', ['write files on the server']],
  ['PROCESS ON *.*', ['see what others are doing']],
  ['SUPER ON *.*', ['change a setting of the server', 'leave the binary log', 'cut the binary log']],
  ['INSERT ON mysql.*', ['load a plugin']],
  ['CREATE ON test.*', ['make a table in the schema `test`, which installers give to everybody']],
];

describe.each(ENGINES)('on %s, of the statements that the doctor tries', (engine) => {
  let server: PrivateDatabase;
  let administrator: Connection;
  let bystander: Connection;

  beforeAll(async () => {
    server = await startServer('doctor-sql', engine, [
      '--log-bin=doctor',
      '--server-id=7',
      '--log-bin-trust-function-creators=1',
    ]);
    administrator = await server.connect({ multipleStatements: true });
    await administrator.query(`
      CREATE DATABASE emr; CREATE DATABASE emr_audit; CREATE DATABASE IF NOT EXISTS test;
      CREATE TABLE emr.patient_data (id INT PRIMARY KEY, name VARCHAR(20));
      INSERT INTO emr.patient_data VALUES (1, 'x');
      CREATE TABLE emr_audit.audit_row (id INT PRIMARY KEY);
      INSERT INTO emr_audit.audit_row VALUES (1);
      CREATE TABLE emr_audit.audit_instatement_log (id INT PRIMARY KEY);
      CREATE TRIGGER emr.chartgate_patient_data_insert AFTER INSERT ON emr.patient_data FOR EACH ROW SET @x = 1;
      CREATE USER 'chartgate_audit'@'localhost' IDENTIFIED BY '${PASSWORD}';
      CREATE USER 'bystander'@'localhost' IDENTIFIED BY '${PASSWORD}'`);
    bystander = await connectAs(server, 'bystander', PASSWORD);
  });
  afterAll(async () => {
    await bystander?.end();
    await administrator?.end();
    await server?.stop();
  });

  async function tried(grants: readonly string[]): Promise<readonly string[]> {
    await administrator.query(`CREATE USER 'probe'@'localhost' IDENTIFIED BY '${PASSWORD}'`);
    try {
      for (const grant of grants) {
        const [what, option] = grant.split(' WITH GRANT');
        await administrator.query(
          `GRANT ${what} TO 'probe'@'localhost'${option === undefined ? '' : ' WITH GRANT OPTION'}`,
        );
      }
      const connection = await connectAs(server, 'probe', PASSWORD);
      try {
        await connection.query("SET SESSION sql_mode=''");
        return (await attemptSql(connection, PLACES)).filter(({ denied }) => !denied).map(({ what }) => what);
      } finally {
        await connection.end();
      }
    } finally {
      await administrator.query("DROP USER 'probe'@'localhost'");
    }
  }

  /** Everything that a statement of the table could have changed. */
  async function state(): Promise<string> {
    const all: unknown[] = [];
    for (const sql of [
      'SELECT TABLE_SCHEMA, TABLE_NAME, CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ("information_schema", "performance_schema", "sys") ORDER BY 1, 2',
      'SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ("emr", "emr_audit", "test") ORDER BY 1, 2, 3',
      'SELECT TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN ("emr", "emr_audit") ORDER BY 1, 2',
      'SELECT ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN ("emr", "emr_audit") ORDER BY 1, 2',
      'SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY 1',
      'SELECT User, Host FROM mysql.user WHERE User <> "probe" ORDER BY 1, 2',
      'SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE NOT LIKE "\'probe%" ORDER BY 1, 2',
      'SELECT GRANTEE, TABLE_SCHEMA, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE NOT LIKE "\'probe%" ORDER BY 1, 2, 3',
      'SELECT GRANTEE, TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE NOT LIKE "\'probe%" ORDER BY 1, 2, 3, 4',
      'SELECT PLUGIN_NAME FROM information_schema.PLUGINS ORDER BY 1',
      'SELECT * FROM emr.patient_data',
      'SELECT * FROM emr_audit.audit_row',
      'SELECT @@GLOBAL.max_connections',
      'SHOW BINARY LOGS',
    ]) {
      const [rows] = await administrator.query<RowDataPacket[]>(sql);
      all.push(sql.startsWith('SHOW BINARY') ? rows.map((row) => row.Log_name) : rows);
    }
    return JSON.stringify(all, undefined, 1);
  }

  it('every one is refused to an account that holds nothing', async () => {
    expect(await tried([])).toEqual([]);
  });

  it('every one is noticed of an account that may do everything, and none changes anything', async () => {
    const before = await state();
    const noticed = await tried(['ALL PRIVILEGES ON *.* WITH GRANT']);
    const missed = SQL_ATTEMPTS.map(({ what }) => what).filter((what) => !noticed.includes(what));
    expect(missed).toEqual([]);
    expect(await state()).toBe(before);
  });

  it.each(GRANTS)('GRANT %s is noticed', async (grant, wanted) => {
    const noticed = await tried([grant]);
    expect(noticed).toEqual(expect.arrayContaining([...wanted]));
  });
});
