import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSnapshot } from '../../audit-sql/fingerprint/index.ts';
import { type AuditNames, apply, type Scripts } from '../../audit-sql/index.ts';
import { GUARD_PROCEDURES, GUARD_TEXT_VIEW } from '../../audit-sql/names.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  auditAll,
  CHECKER,
  CHECKER_PASSWORD,
  connectAs,
  EMR_PASSWORD,
  ENGINES,
  generateFor,
  lenient,
  makeEmrUser,
  startServer,
} from './support.ts';

/** What the EMR's account must not be able to do once it is protected. */
const EMR_ATTEMPTS: readonly (readonly [string, string])[] = [
  ['CREATE TRIGGER t BEFORE INSERT ON patient FOR EACH ROW SET NEW.name = NULL', 'make a trigger'],
  ['DROP TABLE patient', 'drop a table'],
  ['TRUNCATE TABLE patient', 'empty a table without firing triggers'],
  ['ALTER TABLE patient ADD COLUMN x INT', 'alter a table'],
  ['RENAME TABLE patient TO p2', 'rename a table'],
  ['CREATE TABLE other (a INT)', 'make a table that is not audited'],
  ['CREATE INDEX i ON patient (name)', 'make an index'],
  ['CREATE VIEW v AS SELECT 1', 'make a view'],
  ['CREATE PROCEDURE p() SELECT 1', 'make a procedure'],
  ['CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1', 'make an event'],
  ['SELECT * FROM emr_audit.audit_row', 'read the audit'],
  ['INSERT INTO emr_audit.audit_row (at) VALUES (NOW())', 'forge an audit row'],
  ['UPDATE emr_audit.audit_row SET login = 1', 'change an audit row'],
  ['DELETE FROM emr_audit.audit_row', 'delete audit rows'],
  ['TRUNCATE TABLE emr_audit.audit_row', 'empty the audit'],
  ['DROP TABLE emr_audit.audit_row', 'drop the audit'],
  ['INSERT INTO emr_audit.audit_instatement_log (at) VALUES (NOW())', 'forge a start'],
  ['CALL emr_audit.chartgate_snapshot()', 'call a guard procedure'],
  ["ALTER USER 'chartgate_audit'@'localhost' ACCOUNT UNLOCK", 'unlock the definer'],
  ["GRANT ALL ON emr.* TO 'emr'@'localhost'", 'grant itself something'],
  ['CREATE USER x', 'make an account'],
  ['SELECT User FROM mysql.user', 'read accounts'],
  ["SELECT 1 INTO OUTFILE '/tmp/chartgate-test'", 'write a file'],
  ['SELECT * FROM otherdb.t', 'read another schema'],
  ['SET GLOBAL read_only = 1', 'change the server'],
  ['CREATE TABLE test.t (a INT)', 'use what anybody may'],
  ['CREATE DATABASE mine', 'make a schema'],
  ['SET SESSION sql_log_bin = 0', 'hide from the binary log'],
  ["BINLOG 'x'", 'replay row events, which fire no triggers'],
];

/** What the checker's account must not be able to do. */
const CHECKER_ATTEMPTS: readonly (readonly [string, string])[] = [
  ['SELECT * FROM emr.patient', 'read the EMR'],
  ['SELECT * FROM emr_audit.audit_row', 'read the audit'],
  ['SELECT * FROM emr_audit.audit_instatement_log', 'read the instatement log directly'],
  ['INSERT INTO emr_audit.audit_instatement_log (at) VALUES (NOW())', 'forge a start'],
  ['UPDATE emr.patient SET name = 1', 'write the EMR'],
  ['CREATE TABLE emr.t (a INT)', 'make a table'],
  ['CREATE PROCEDURE emr_audit.other() SELECT 1', 'make a procedure beside the guard'],
  ['ALTER PROCEDURE emr_audit.chartgate_snapshot SQL SECURITY INVOKER', 'alter the guard procedure'],
  ['DROP PROCEDURE emr_audit.chartgate_snapshot', 'drop the guard procedure'],
  ['SELECT * FROM mysql.user', 'read password hashes'],
  ["GRANT EXECUTE ON *.* TO 'chartgate_checker'@'localhost'", 'grant itself something'],
  ["ALTER USER 'chartgate_guard'@'localhost' ACCOUNT UNLOCK", 'unlock the guard'],
  ['CREATE TABLE test.t (a INT)', 'use what anybody may'],
];

describe.each(ENGINES)('after protect, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let emr: Connection;
  let checker: Connection;
  let names: AuditNames;
  let scripts: Scripts;

  beforeAll(async () => {
    server = await startServer('audit-sql-protection', engine);
    admin = await lenient(server);
    await admin.query(`
      CREATE DATABASE emr; CREATE DATABASE otherdb; CREATE TABLE otherdb.t (a INT); CREATE DATABASE test; CREATE DATABASE emrXaudit;
      CREATE TABLE emr.patient (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50));
      CREATE TABLE emr.visit (id INT AUTO_INCREMENT PRIMARY KEY, patient INT, FOREIGN KEY (patient) REFERENCES emr.patient (id));
      CREATE ROLE powerful; GRANT ALL ON *.* TO powerful`);
    // What installers leave behind: MariaDB's for everybody, MySQL's (up to 5.6) for accounts without a name.
    const everybody = engine === 'mariadb' ? 'PUBLIC' : "''@'%'";
    if (engine === 'mysql') await admin.query("CREATE USER ''@'%'");
    await admin.query(`GRANT ALL ON test.* TO ${everybody}; GRANT ALL ON \`test\\_%\`.* TO ${everybody}`);
    await makeEmrUser(admin);
    await admin.query(
      `GRANT powerful TO 'emr'@'localhost'; SET DEFAULT ROLE powerful ${engine === 'mariadb' ? 'FOR' : 'TO'} 'emr'@'localhost'`,
    );
    ({ names, scripts } = await auditAll(admin, 'emr'));
    emr = await connectAs(server, 'emr', EMR_PASSWORD, 'emr');
    checker = await connectAs(server, CHECKER.user, CHECKER_PASSWORD);
  });

  afterAll(async () => {
    await emr?.end();
    await checker?.end();
    await admin?.end();
    await server?.stop();
  });

  it("the EMR's account still does its work", async () => {
    const [made] = await emr.query("INSERT INTO patient (name) VALUES ('A')");
    expect(made).toMatchObject({ insertId: 1, affectedRows: 1 });
    await emr.query("UPDATE patient SET name = 'B'");
    expect((await emr.query('SELECT name FROM patient'))[0]).toEqual([{ name: 'B' }]);
    await emr.query('CREATE TEMPORARY TABLE scratch (a INT)');
    await emr.query('LOCK TABLES patient WRITE');
    await emr.query('DELETE FROM patient WHERE id = 99');
    await emr.query('UNLOCK TABLES');
  });

  it.each(EMR_ATTEMPTS)("the EMR's account cannot: %s (%s)", async (statement) => {
    await expect(emr.query(statement)).rejects.toThrow(/denied|privilege/i);
  });

  it('neither account can drop a trigger', async () => {
    const [rows] = await admin.query<RowDataPacket[]>(
      "SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr'",
    );
    expect(rows).toHaveLength(6);
    for (const row of rows) {
      for (const connection of [emr, checker]) {
        await expect(connection.query(`DROP TRIGGER emr.${row.name}`)).rejects.toThrow(/denied/);
      }
    }
  });

  it("the EMR's account holds exactly the grants of the script", async () => {
    const [rows] = await admin.query<RowDataPacket[]>("SHOW GRANTS FOR 'emr'@'localhost'");
    const grants = rows.map((row) => String(Object.values(row)[0]).replace(/ IDENTIFIED.*/, ''));
    expect(grants).toEqual([
      'GRANT USAGE ON *.* TO `emr`@`localhost`',
      'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE ON `emr`.* TO `emr`@`localhost`',
    ]);
  });

  it.each([
    "UPDATE emr_audit.audit_row SET login = 'somebody else'",
    'DELETE FROM emr_audit.audit_row',
    "UPDATE emr_audit.audit_instatement_log SET action = 'stop'",
    'DELETE FROM emr_audit.audit_instatement_log',
    'REPLACE INTO emr_audit.audit_row SELECT * FROM emr_audit.audit_row',
    'INSERT INTO emr_audit.audit_row SELECT * FROM emr_audit.audit_row ON DUPLICATE KEY UPDATE login = 1',
  ])("the administrator's plain statement is refused: %s", async (statement) => {
    const count = async (): Promise<unknown> => (await admin.query('SELECT * FROM emr_audit.audit_row'))[0];
    const before = await count();
    await expect(admin.query(statement)).rejects.toThrow(/append-only/);
    expect(await count()).toEqual(before);
  });

  it('the checker reads the snapshot, and it is complete', async () => {
    const snapshot = await readSnapshot(checker, names);
    expect(snapshot).toEqual(await readSnapshot(admin, names));
    const made = scripts.start.statements.filter((s) => /^TRIGGER /m.test(s.sql) && !/^DROP/.test(s.sql));
    expect(snapshot.triggers).toHaveLength(made.length);
    expect(snapshot.tables.map((t) => t.name)).toEqual(
      expect.arrayContaining(['audit_instatement_log', 'audit_row', 'audit_trail', 'patient', 'visit']),
    );
    expect(snapshot.views.map((v) => [v.name, v.body.length])).toContainEqual(['audit_trail', 64]);
    expect(snapshot.foreignKeys).toHaveLength(1);
    expect(snapshot.accounts.map((a) => a.locked)).toEqual([true, true]);
    expect(snapshot.instatement).toMatchObject({ action: 'start' });
    expect(snapshot.guards.map(({ name }) => name).sort()).toEqual(
      [...GUARD_PROCEDURES, ...(engine === 'mariadb' ? [GUARD_TEXT_VIEW] : [])].sort(),
    );
    for (const { text } of snapshot.guards) expect(text).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(CHECKER_ATTEMPTS)("the checker's account cannot: %s (%s)", async (statement) => {
    await expect(checker.query(statement)).rejects.toThrow(/denied|privilege/i);
  });

  it("the checker's account holds EXECUTE on the guard procedures, sees their texts, and nothing else", async () => {
    const [rows] = await checker.query<RowDataPacket[]>('SHOW GRANTS');
    const grants = rows.map((row) => String(Object.values(row)[0]).replace(/ IDENTIFIED.*/, ''));
    const to = 'TO `chartgate_checker`@`localhost`';
    expect(grants.map((grant) => grant.replace('(`action`, `id`)', '(`id`, `action`)')).sort()).toEqual(
      [
        `GRANT USAGE ON *.* ${to}`,
        ...GUARD_PROCEDURES.map((name) => `GRANT EXECUTE ON PROCEDURE \`emr_audit\`.\`${name}\` ${to}`),
        `GRANT SELECT (\`id\`, \`action\`) ON \`emr_audit\`.\`audit_instatement_log\` ${to}`,
        engine === 'mariadb'
          ? `GRANT SELECT, SHOW VIEW ON \`emr_audit\`.\`${GUARD_TEXT_VIEW}\` ${to}`
          : `GRANT SHOW_ROUTINE ON *.* ${to}`,
      ].sort(),
    );
    const [visible] = await checker.query<RowDataPacket[]>('SELECT * FROM information_schema.TRIGGERS');
    expect(visible).toEqual([]);
  });

  it.each(['chartgate_audit', 'chartgate_guard'])(
    'nobody can log in as %s, even were it unlocked',
    async (user) => {
      for (const password of ['', 'invalid']) {
        await expect(connectAs(server, user, password)).rejects.toThrow(/denied|locked/i);
      }
      await admin.query(`ALTER USER '${user}'@'localhost' ACCOUNT UNLOCK`);
      for (const password of ['', 'invalid']) {
        await expect(connectAs(server, user, password)).rejects.toThrow(/denied/i);
      }
      await admin.query(`ALTER USER '${user}'@'localhost' ACCOUNT LOCK`);
    },
  );

  it('the checker that protect made cannot log in before it has a password', async () => {
    await admin.query("DROP USER 'chartgate_checker'@'localhost'");
    await apply(admin, (await generateFor(admin, 'emr')).scripts.protect);
    await expect(connectAs(server, CHECKER.user, '')).rejects.toThrow(/denied|locked/i);
  });

  it('nothing that was generated holds a password', () => {
    for (const script of Object.values(scripts)) {
      expect(script.text).not.toContain(CHECKER_PASSWORD);
      expect(script.text).not.toContain(EMR_PASSWORD);
    }
  });

  it('protect generated again is the same but for what it has taken away', async () => {
    const again = (await generateFor(admin, 'emr')).scripts.protect;
    expect(again.text).not.toContain('powerful');
    expect(again.text).not.toContain('PUBLIC');
    expect((await generateFor(admin, 'emr')).scripts.protect).toEqual(again);
    expect(again.text).toContain(
      'SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES, LOCK TABLES',
    );
  });

  it('stops with a message that says where, when the administrator lacks a privilege', async () => {
    await expect(apply(emr, scripts.start)).rejects.toMatchObject({
      code: 'privilege-missing',
      message: expect.stringMatching(/"start" broke off at statement 3 of \d+ \(audit schema\)/),
    });
  });
});
