import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Baseline,
  compareSnapshot,
  type FindingCode,
  openBaseline,
  readSnapshot,
  remediesOf,
} from '../../audit-sql/fingerprint/index.ts';
import { type AuditNames, apply, type Scripts, takeBaseline } from '../../audit-sql/index.ts';
import { type RowOperation, triggerName } from '../../audit-sql/writers/triggers.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import {
  auditAll,
  CHECKER,
  CHECKER_PASSWORD,
  connectAs,
  ENGINES,
  generateFor,
  keyPair,
  lenient,
  makeEmrUser,
  startServer,
  type TestEngine,
  trusting,
} from './support.ts';

/** `{insert}`, `{update}` and `{delete}` stand for the triggers of `patient`. */
interface Tamper {
  readonly what: string;
  /** What is told to do about it does not restore it by itself. */
  readonly unrestored?: true;
  /** The engine that has it; both unless told. */
  readonly on?: TestEngine;
  readonly does: string;
  readonly undo: string;
  readonly finds: FindingCode;
}

/** Makes a trigger of ours anew with something changed. */
const remake = (event: string, change: string): string => `@remake ${event} ${change}`;

const TAMPERS: readonly Tamper[] = [
  {
    what: 'a trigger is dropped',
    does: 'DROP TRIGGER emr.{update}',
    undo: '@start',
    finds: 'trigger-missing',
  },
  {
    what: 'a trigger of the audit table is dropped',
    does: 'DROP TRIGGER emr_audit.chartgate_no_delete_audit_row',
    undo: '@start',
    finds: 'trigger-missing',
  },
  {
    what: "a byte of a trigger's body changes",
    does: remake('insert', "s/'insert'/'Insert'/"),
    undo: '@start',
    finds: 'trigger-body-changed',
  },
  {
    // MySQL's information_schema shows both the same: literals are unescaped there.
    what: "two quotes of a trigger's body become part of a literal, so that a value is no longer recorded",
    does: 'DROP TRIGGER emr.{delete}; CREATE DEFINER=`chartgate_audit`@localhost TRIGGER emr.{delete} AFTER DELETE ON emr.patient FOR EACH ROW SET @x = CONCAT(\'{"id":\\\', OLD.id, \\\',"name":\')',
    undo: '@start',
    finds: 'trigger-body-changed',
  },
  {
    what: 'a trigger is swapped for one that does nothing',
    does: 'DROP TRIGGER emr.{delete}; CREATE DEFINER=`chartgate_audit`@localhost TRIGGER emr.{delete} AFTER DELETE ON emr.patient FOR EACH ROW SET @x = 1',
    undo: '@start',
    finds: 'trigger-body-changed',
  },
  {
    what: 'a trigger gets another definer',
    does: remake('update', 's/chartgate_audit@localhost/root@localhost/'),
    undo: '@start',
    finds: 'trigger-definer-changed',
  },
  {
    what: 'a trigger gets another SQL mode',
    does: remake('update', "mode ''"),
    undo: '@start',
    finds: 'trigger-sql-mode-changed',
  },
  {
    what: 'a trigger gets another connection collation',
    does: remake('update', 'collation'),
    undo: '@start',
    finds: 'trigger-character-set-changed',
  },
  {
    what: 'a trigger fires before instead of after',
    does: remake('delete', 's/AFTER/BEFORE/'),
    undo: '@start',
    finds: 'trigger-timing-changed',
  },
  {
    what: 'a trigger moves to another table',
    does: 'DROP TRIGGER emr.{delete}; CREATE DEFINER=chartgate_audit@localhost TRIGGER emr.{delete} AFTER DELETE ON emr.visit FOR EACH ROW SET @x = 1',
    undo: 'DROP TRIGGER emr.{delete}; @start',
    finds: 'trigger-table-changed',
  },
  {
    what: 'an extra trigger blanks what is written',
    does: 'CREATE TRIGGER emr.extra BEFORE UPDATE ON emr.patient FOR EACH ROW SET NEW.name = OLD.name',
    undo: 'DROP TRIGGER emr.extra',
    finds: 'trigger-added',
  },
  {
    what: 'an extra trigger goes before ours',
    does: 'CREATE TRIGGER emr.extra AFTER UPDATE ON emr.patient FOR EACH ROW PRECEDES {update} SET @x = 1',
    undo: 'DROP TRIGGER emr.extra',
    finds: 'trigger-order-changed',
  },
  {
    what: 'a table is added that is not audited',
    unrestored: true,
    does: 'CREATE TABLE emr.shadow (a INT)',
    undo: 'DROP TABLE emr.shadow',
    finds: 'table-added',
  },
  {
    what: 'a table is swapped by renaming',
    unrestored: true,
    does: 'CREATE TABLE emr.copy LIKE emr.visit; RENAME TABLE emr.visit TO emr.aside, emr.copy TO emr.visit',
    undo: 'DROP TABLE emr.visit; RENAME TABLE emr.aside TO emr.visit',
    finds: 'trigger-table-changed',
  },
  {
    what: 'a table becomes a view',
    unrestored: true,
    does: 'RENAME TABLE emr.visit TO emr.aside; CREATE VIEW emr.visit AS SELECT * FROM emr.aside',
    undo: 'DROP VIEW emr.visit; RENAME TABLE emr.aside TO emr.visit',
    finds: 'table-changed',
  },
  {
    what: 'a column is added',
    does: 'ALTER TABLE emr.patient ADD COLUMN hidden INT',
    undo: 'ALTER TABLE emr.patient DROP COLUMN hidden',
    finds: 'column-added',
  },
  {
    what: 'a column is dropped',
    does: 'ALTER TABLE emr.visit DROP COLUMN note',
    undo: 'ALTER TABLE emr.visit ADD COLUMN note TEXT',
    finds: 'column-missing',
  },
  {
    what: 'a column gets another type',
    does: 'ALTER TABLE emr.patient MODIFY name VARCHAR(51)',
    undo: 'ALTER TABLE emr.patient MODIFY name VARCHAR(50)',
    finds: 'column-changed',
  },
  {
    what: 'a primary key goes',
    does: 'ALTER TABLE emr.note DROP PRIMARY KEY',
    undo: 'ALTER TABLE emr.note ADD PRIMARY KEY (id)',
    finds: 'column-changed',
  },
  {
    what: 'a foreign key is dropped',
    does: 'ALTER TABLE emr.visit DROP FOREIGN KEY of_patient',
    undo: 'ALTER TABLE emr.visit ADD CONSTRAINT of_patient FOREIGN KEY (patient) REFERENCES emr.patient (id)',
    finds: 'foreign-key-missing',
  },
  {
    what: 'a foreign key begins to cascade, which fires no trigger',
    does: 'ALTER TABLE emr.visit DROP FOREIGN KEY of_patient; ALTER TABLE emr.visit ADD CONSTRAINT of_patient FOREIGN KEY (patient) REFERENCES emr.patient (id) ON DELETE CASCADE',
    undo: 'ALTER TABLE emr.visit DROP FOREIGN KEY of_patient; ALTER TABLE emr.visit ADD CONSTRAINT of_patient FOREIGN KEY (patient) REFERENCES emr.patient (id)',
    finds: 'foreign-key-changed',
  },
  {
    what: "the audit table's engine changes",
    does: 'ALTER TABLE emr_audit.audit_row ENGINE = MyISAM',
    undo: 'ALTER TABLE emr_audit.audit_row ENGINE = InnoDB',
    finds: 'table-engine-changed',
  },
  {
    what: 'a column of the audit table is narrowed',
    does: 'ALTER TABLE emr_audit.audit_row MODIFY emr_table VARCHAR(32) NOT NULL',
    undo: 'ALTER TABLE emr_audit.audit_row MODIFY emr_table VARCHAR(64) NOT NULL',
    finds: 'column-changed',
  },
  {
    what: 'the audit table is dropped',
    does: 'RENAME TABLE emr_audit.audit_row TO emr_audit.aside',
    undo: 'RENAME TABLE emr_audit.aside TO emr_audit.audit_row',
    finds: 'table-missing',
  },
  {
    what: 'an index of the audit table is dropped',
    does: 'DROP INDEX record ON emr_audit.audit_row',
    undo: 'ALTER TABLE emr_audit.audit_row ADD KEY record (emr_table, row_key(64))',
    unrestored: true,
    finds: 'table-changed',
  },
  {
    what: 'the audit table refuses some rows',
    does: "ALTER TABLE emr_audit.audit_row ADD CONSTRAINT no_deletes CHECK (operation <> 'delete')",
    undo: 'ALTER TABLE emr_audit.audit_row DROP CONSTRAINT no_deletes',
    unrestored: true,
    finds: 'table-changed',
  },
  {
    what: 'the audit table is cut into partitions',
    does: 'ALTER TABLE emr_audit.audit_row PARTITION BY HASH (id) PARTITIONS 2',
    undo: 'ALTER TABLE emr_audit.audit_row REMOVE PARTITIONING',
    unrestored: true,
    finds: 'table-changed',
  },
  {
    what: 'a table of the EMR moves into memory',
    does: 'ALTER TABLE emr.note ENGINE = MEMORY',
    undo: 'ALTER TABLE emr.note ENGINE = InnoDB',
    finds: 'table-engine-changed',
  },
  {
    what: 'a table of the EMR becomes a black hole',
    on: 'mysql',
    does: 'ALTER TABLE emr.note ENGINE = BLACKHOLE',
    undo: 'ALTER TABLE emr.note ENGINE = InnoDB',
    finds: 'table-engine-changed',
  },
  {
    what: 'a table of the EMR becomes a window on another',
    does: 'CREATE TABLE otherdb.behind (id INT) ENGINE = MyISAM; ALTER TABLE emr.loose ENGINE = MRG_MYISAM, UNION = (otherdb.behind)',
    undo: 'ALTER TABLE emr.loose ENGINE = InnoDB; DROP TABLE otherdb.behind',
    unrestored: true,
    finds: 'table-engine-changed',
  },
  {
    what: 'an entry of the instatement log is changed',
    does: "CREATE TABLE otherdb.kept AS SELECT * FROM emr_audit.audit_instatement_log; CREATE TABLE otherdb.forged LIKE emr_audit.audit_instatement_log; INSERT INTO otherdb.forged SELECT * FROM emr_audit.audit_instatement_log; UPDATE otherdb.forged SET login = 'somebody@else'; TRUNCATE TABLE emr_audit.audit_instatement_log; INSERT INTO emr_audit.audit_instatement_log SELECT * FROM otherdb.forged",
    undo: 'TRUNCATE TABLE emr_audit.audit_instatement_log; INSERT INTO emr_audit.audit_instatement_log SELECT * FROM otherdb.kept; DROP TABLE otherdb.kept, otherdb.forged',
    unrestored: true,
    finds: 'audit-log-rewritten',
  },
  {
    what: "a literal of a trigger's body gets another character set, which the catalogue does not show",
    on: 'mariadb',
    does: remake('insert', "s/'insert'/_latin1'insert'/"),
    undo: '@start',
    finds: 'trigger-body-changed',
  },
  {
    what: 'every session begins by saying who it is',
    does: "SET GLOBAL init_connect = 'SET @serverOSUser = 0x616e6e61'",
    undo: "SET GLOBAL init_connect = ''",
    finds: 'setting-changed',
  },
  {
    what: 'row events begin to fire triggers',
    on: 'mariadb',
    does: "SET GLOBAL slave_run_triggers_for_rbr = 'YES'",
    undo: "SET GLOBAL slave_run_triggers_for_rbr = 'NO'",
    finds: 'setting-changed',
  },
  {
    what: 'anybody may say that he comes from elsewhere',
    on: 'mariadb',
    does: "SET GLOBAL proxy_protocol_networks = '*'",
    undo: "SET GLOBAL proxy_protocol_networks = ''",
    finds: 'setting-changed',
  },
  {
    what: 'a plugin is loaded',
    on: 'mariadb',
    does: "INSTALL PLUGIN locales SONAME 'locales.so'",
    undo: 'UNINSTALL PLUGIN locales',
    finds: 'extension-added',
  },
  {
    what: 'a component is loaded',
    on: 'mysql',
    does: "INSTALL COMPONENT 'file://component_query_attributes'",
    undo: "UNINSTALL COMPONENT 'file://component_query_attributes'",
    finds: 'extension-added',
  },
  {
    what: "the view of the guards' texts leaves one out",
    on: 'mariadb',
    does: "CREATE OR REPLACE DEFINER=`chartgate_guard`@localhost VIEW emr_audit.chartgate_guard_text AS SELECT name, type, definer, security_type, sql_mode, language, sql_data_access, is_deterministic, param_list, returns, body, character_set_client, collation_connection, db_collation FROM mysql.proc WHERE db = 'emr_audit' AND name <> 'x'",
    undo: '@guard',
    finds: 'guard-changed',
  },
  {
    what: "a table stands where the view of the guards' texts was",
    on: 'mariadb',
    does: 'CREATE TABLE otherdb.texts AS SELECT * FROM emr_audit.chartgate_guard_text; DROP VIEW emr_audit.chartgate_guard_text; RENAME TABLE otherdb.texts TO emr_audit.chartgate_guard_text',
    undo: 'DROP TABLE emr_audit.chartgate_guard_text; @guard',
    unrestored: true,
    finds: 'guard-missing',
  },
  {
    what: "the checker loses sight of the guards' texts",
    on: 'mysql',
    does: "REVOKE SHOW_ROUTINE ON *.* FROM 'chartgate_checker'@'localhost'",
    undo: "GRANT SHOW_ROUTINE ON *.* TO 'chartgate_checker'@'localhost'",
    finds: 'guard-changed',
  },
  {
    what: "the checker loses sight of the guards' texts",
    on: 'mariadb',
    does: "REVOKE SELECT ON emr_audit.chartgate_guard_text FROM 'chartgate_checker'@'localhost'",
    undo: "GRANT SELECT ON emr_audit.chartgate_guard_text TO 'chartgate_checker'@'localhost'",
    finds: 'guard-missing',
  },
  { what: 'auditing is stopped', does: '@stop', undo: '@start', finds: 'audit-not-started' },
  {
    what: 'only the record says stopped',
    does: "INSERT INTO emr_audit.audit_instatement_log (at, action, login, account, connection, emr_schema, schema_digest, generator, tables_audited) SELECT at, 'stop', login, account, connection, emr_schema, schema_digest, generator, tables_audited FROM emr_audit.audit_instatement_log ORDER BY id DESC LIMIT 1",
    undo: '@start',
    finds: 'audit-not-started',
  },
  {
    what: 'the instatement log is emptied',
    unrestored: true,
    does: 'CREATE TABLE otherdb.kept AS SELECT * FROM emr_audit.audit_instatement_log; TRUNCATE TABLE emr_audit.audit_instatement_log',
    undo: 'INSERT INTO emr_audit.audit_instatement_log SELECT * FROM otherdb.kept; DROP TABLE otherdb.kept',
    finds: 'audit-log-rewound',
  },
  {
    what: 'the definer is unlocked',
    does: "ALTER USER 'chartgate_audit'@'localhost' ACCOUNT UNLOCK",
    undo: "ALTER USER 'chartgate_audit'@'localhost' ACCOUNT LOCK",
    finds: 'account-unlocked',
  },
  {
    what: 'the guard is unlocked',
    does: "ALTER USER 'chartgate_guard'@'localhost' ACCOUNT UNLOCK",
    undo: "ALTER USER 'chartgate_guard'@'localhost' ACCOUNT LOCK",
    finds: 'account-unlocked',
  },
  {
    what: 'the guard authenticates otherwise',
    on: 'mariadb',
    does: "ALTER USER 'chartgate_guard'@'localhost' IDENTIFIED VIA unix_socket ACCOUNT LOCK",
    undo: "ALTER USER 'chartgate_guard'@'localhost' IDENTIFIED VIA mysql_native_password USING 'invalid' ACCOUNT LOCK",
    finds: 'account-changed',
  },
  {
    what: 'the guard gets a second way to authenticate',
    on: 'mariadb',
    does: "ALTER USER 'chartgate_guard'@'localhost' IDENTIFIED VIA mysql_native_password USING 'invalid' OR unix_socket ACCOUNT LOCK",
    undo: "ALTER USER 'chartgate_guard'@'localhost' IDENTIFIED VIA mysql_native_password USING 'invalid' ACCOUNT LOCK",
    finds: 'account-changed',
  },
  {
    what: 'the guard gets a password',
    does: "ALTER USER 'chartgate_guard'@'localhost' IDENTIFIED BY 'of-the-attacker' ACCOUNT LOCK",
    undo: '@guard-account',
    finds: 'account-changed',
  },
  {
    what: 'the definer gets a password',
    does: "ALTER USER 'chartgate_audit'@'localhost' IDENTIFIED BY 'of-the-attacker' ACCOUNT LOCK",
    undo: '@start',
    finds: 'account-changed',
  },
  {
    what: 'the view that auditors read leaves something out',
    does: "CREATE OR REPLACE DEFINER=`chartgate_audit`@localhost SQL SECURITY INVOKER VIEW emr_audit.audit_trail AS SELECT * FROM emr_audit.audit_row WHERE login <> 'thief@localhost'",
    undo: '@start',
    finds: 'view-changed',
  },
  {
    what: 'the view that auditors read begins to read with rights of its own',
    does: 'ALTER DEFINER=`root`@localhost SQL SECURITY DEFINER VIEW emr_audit.audit_trail AS SELECT * FROM emr_audit.audit_row',
    undo: '@start',
    finds: 'view-changed',
  },
  {
    what: 'the view that auditors read is dropped',
    does: 'DROP VIEW emr_audit.audit_trail',
    undo: '@start',
    finds: 'view-missing',
  },
  {
    what: 'a view is laid over the audit',
    does: 'CREATE VIEW emr_audit.nicer AS SELECT 1 AS one',
    undo: 'DROP VIEW emr_audit.nicer',
    finds: 'view-added',
  },
  {
    what: "a view of the EMR's begins to read with its reader's rights",
    unrestored: true,
    does: 'ALTER SQL SECURITY INVOKER VIEW emr.seen AS SELECT id FROM emr.patient',
    undo: 'ALTER SQL SECURITY DEFINER VIEW emr.seen AS SELECT id FROM emr.patient',
    finds: 'view-changed',
  },
  {
    what: 'everybody gets a role',
    on: 'mysql',
    does: "SET GLOBAL mandatory_roles = 'powerful'",
    undo: "SET GLOBAL mandatory_roles = ''",
    finds: 'setting-changed',
  },
  {
    what: 'wildcards of grants lose their meaning',
    on: 'mysql',
    does: 'SET GLOBAL partial_revokes = ON',
    undo: 'SET GLOBAL partial_revokes = OFF',
    finds: 'setting-changed',
  },
  {
    what: 'cascades begin to fire triggers',
    on: 'mysql',
    does: 'SET GLOBAL enable_cascade_triggers = ON',
    undo: 'SET GLOBAL enable_cascade_triggers = OFF',
    finds: 'setting-changed',
  },
  {
    what: 'making things in the name of anybody is granted',
    on: 'mysql',
    does: "GRANT SET_ANY_DEFINER ON *.* TO 'emr'@'localhost'",
    undo: "REVOKE SET_ANY_DEFINER ON *.* FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'making things in the name of anybody is granted',
    on: 'mariadb',
    does: "GRANT SET USER ON *.* TO 'emr'@'localhost'",
    undo: "REVOKE SET USER ON *.* FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'replaying row events, which fire no triggers, is granted',
    on: 'mysql',
    does: "GRANT BINLOG_ADMIN ON *.* TO 'emr'@'localhost'",
    undo: "REVOKE BINLOG_ADMIN ON *.* FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'everybody without a name gets something',
    does: "CREATE USER ''@'%'; GRANT ALTER ON emr.* TO ''@'%'",
    undo: "DROP USER ''@'%'",
    finds: 'privilege-added',
  },
  {
    what: 'TRIGGER is granted to the EMR',
    does: "GRANT TRIGGER ON emr.* TO 'emr'@'localhost'",
    undo: "REVOKE TRIGGER ON emr.* FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'TRIGGER is granted on one table',
    does: "GRANT TRIGGER ON emr.patient TO 'emr'@'localhost'",
    undo: "REVOKE TRIGGER ON emr.patient FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'DROP is granted through a wildcard',
    does: "GRANT DROP ON `em%`.* TO 'emr'@'localhost'",
    undo: "REVOKE DROP ON `em%`.* FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'a powerful role is granted',
    does: "GRANT powerful TO 'emr'@'localhost'",
    undo: "REVOKE powerful FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'a powerful role is granted through another',
    does: "GRANT powerful TO weak; GRANT weak TO 'emr'@'localhost'",
    undo: "REVOKE weak FROM 'emr'@'localhost'; REVOKE powerful FROM weak",
    finds: 'privilege-added',
  },
  {
    what: 'SUPER is granted',
    does: "GRANT SUPER ON *.* TO 'emr'@'localhost'",
    undo: "REVOKE SUPER ON *.* FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'writing the audit table is granted',
    does: "GRANT INSERT ON emr_audit.audit_row TO 'emr'@'localhost'",
    undo: "REVOKE INSERT ON emr_audit.audit_row FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'writing one column of the audit table is granted',
    does: "GRANT UPDATE (login) ON emr_audit.audit_row TO 'emr'@'localhost'",
    undo: "REVOKE UPDATE (login) ON emr_audit.audit_row FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'writing the privilege tables is granted',
    does: "GRANT UPDATE ON mysql.db TO 'emr'@'localhost'",
    undo: "REVOKE UPDATE ON mysql.db FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'altering the guard procedure is granted',
    does: "GRANT ALTER ROUTINE ON PROCEDURE emr_audit.chartgate_snapshot TO 'emr'@'localhost'",
    undo: "REVOKE ALTER ROUTINE ON PROCEDURE emr_audit.chartgate_snapshot FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'everybody gets something',
    on: 'mariadb',
    does: 'GRANT ALTER ON emr.* TO PUBLIC',
    undo: 'REVOKE ALTER ON emr.* FROM PUBLIC',
    finds: 'privilege-added',
  },
  {
    what: 'becoming the administrator is granted',
    does: "GRANT PROXY ON 'root'@'localhost' TO 'emr'@'localhost'",
    undo: "REVOKE PROXY ON 'root'@'localhost' FROM 'emr'@'localhost'",
    finds: 'privilege-added',
  },
  {
    what: 'the definer loses what it needs',
    does: "REVOKE INSERT ON emr_audit.audit_row FROM 'chartgate_audit'@'localhost'",
    undo: "GRANT INSERT ON emr_audit.audit_row TO 'chartgate_audit'@'localhost'",
    finds: 'privilege-missing',
  },
  {
    what: 'an event deletes audit rows',
    does: 'CREATE EVENT otherdb.cleaner ON SCHEDULE EVERY 1 DAY DO TRUNCATE TABLE emr_audit.audit_row',
    undo: 'DROP EVENT otherdb.cleaner',
    finds: 'event-added',
  },
  {
    what: 'a routine touches the audit',
    does: 'CREATE PROCEDURE otherdb.cleaner() TRUNCATE TABLE emr_audit.audit_row',
    undo: 'DROP PROCEDURE otherdb.cleaner',
    finds: 'routine-added',
  },
  {
    what: "a routine of the EMR's changes",
    unrestored: true,
    does: 'DROP PROCEDURE emr.work; CREATE PROCEDURE emr.work() SELECT 2',
    undo: "SET SESSION sql_mode = ''; DROP PROCEDURE emr.work; CREATE PROCEDURE emr.work() SELECT 1",
    finds: 'routine-changed',
  },
];

describe.each(ENGINES)('every tamper is found, on %s', (engine) => {
  let server: PrivateDatabase;
  let admin: Connection;
  let checker: Connection;
  let names: AuditNames;
  let scripts: Scripts;
  let baseline: Baseline;
  const key = keyPair();

  beforeAll(async () => {
    server = await startServer('audit-sql-tamper', engine);
    admin = await lenient(server);
    // As scripts do: what is made anew by a script must have the same collation as before.
    await admin.query('SET NAMES utf8mb4 COLLATE utf8mb4_bin');
    await admin.query(`
      CREATE DATABASE emr; CREATE DATABASE otherdb; USE emr;
      CREATE TABLE patient (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50));
      CREATE TABLE visit (id INT AUTO_INCREMENT PRIMARY KEY, patient INT,
                          CONSTRAINT of_patient FOREIGN KEY (patient) REFERENCES patient (id), note TEXT);
      CREATE TABLE note (id INT NOT NULL PRIMARY KEY);
      CREATE TABLE loose (id INT);
      CREATE DEFINER=root@localhost VIEW seen AS SELECT id FROM patient;
      CREATE ROLE powerful; GRANT DROP ON *.* TO powerful; CREATE ROLE weak;
      INSERT INTO patient (name) VALUES ('A');`);
    // By itself: MySQL keeps the semicolon of a batch as part of the routine.
    await admin.query('CREATE PROCEDURE emr.work() SELECT 1');
    await makeEmrUser(admin);
    ({ names, scripts } = await auditAll(admin, 'emr'));
    checker = await connectAs(server, CHECKER.user, CHECKER_PASSWORD);
    baseline = openBaseline(await takeBaseline(admin, names, key.privatePem), trusting(key.publicPem));
  });

  afterAll(async () => {
    await checker?.end();
    await admin?.end();
    await server?.stop();
  });

  const named = (event: string): string => triggerName('patient', event as RowOperation);

  async function remakeTrigger(event: string, change: string): Promise<void> {
    const name = named(event);
    const [[row]] = await admin.query<RowDataPacket[]>(
      `SELECT ACTION_TIMING AS timing, EVENT_OBJECT_TABLE AS t, ACTION_STATEMENT AS body, SQL_MODE AS mode
         FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'emr' AND TRIGGER_NAME = ?`,
      [name],
    );
    let create = `CREATE DEFINER=chartgate_audit@localhost TRIGGER emr.${name} ${row?.timing} ${event} ON emr.${row?.t} FOR EACH ROW ${row?.body}`;
    const substitute = /^s\/(.*)\/(.*)\/$/.exec(change);
    if (substitute !== null) create = create.replace(substitute[1] ?? '', substitute[2] ?? '');
    await admin.query(`DROP TRIGGER emr.${name}`);
    await admin.query(`SET SESSION sql_mode = '${change.startsWith('mode') ? '' : row?.mode}'`);
    await admin.query(
      `SET NAMES utf8mb4 COLLATE ${change === 'collation' ? 'utf8mb4_general_ci' : 'utf8mb4_bin'}`,
    );
    await admin.query(create);
  }

  /** Without the rest of the guard script, which would make the procedure anew: another finding. */
  async function remakeGuardAccount(): Promise<void> {
    const alter = scripts.guard.statements.find((s) => s.sql.startsWith('ALTER USER'));
    await admin.query(alter?.sql ?? 'the guard script locks its account');
  }

  async function run(what: string): Promise<void> {
    for (const part of what.split('; ')) {
      const [, event = '', change = ''] = /^@remake (\w+) (.*)$/.exec(part) ?? [];
      if (part === '@start') await apply(admin, scripts.start);
      else if (part === '@stop') await apply(admin, scripts.stop);
      else if (part === '@guard') await apply(admin, scripts.guard);
      else if (part === '@guard-account') await remakeGuardAccount();
      else if (event !== '') await remakeTrigger(event, change);
      else await admin.query(part.replace(/\{(\w+)\}/g, (_, event: string) => named(event)));
    }
  }

  /** As an administrator would: SQL as it stands, and commands of ours. */
  async function follow(remedy: string): Promise<void> {
    const [, command] = /^chartgate audit-sql (\w+) /.exec(remedy) ?? [];
    if (command === undefined) return void (await admin.query(remedy));
    const { scripts } = await generateFor(admin, 'emr');
    const script = Object.values(scripts).find(({ name }) => name === command);
    if (script !== undefined) await apply(admin, script);
  }

  const findings = async () => compareSnapshot(baseline, await readSnapshot(checker, names));

  it('finds nothing where nothing happened, whatever the EMR does', async () => {
    expect(await findings()).toEqual([]);
    await admin.query("INSERT INTO emr.patient (name) VALUES ('B')");
    await admin.query('CREATE TEMPORARY TABLE emr.scratch (a INT)');
    expect(await findings()).toEqual([]);
    await admin.query('DROP TEMPORARY TABLE emr.scratch');
  });

  it('finds nothing when another EMR on the same server is audited', async () => {
    await admin.query('CREATE DATABASE emr2; CREATE TABLE emr2.patient (id INT PRIMARY KEY)');
    const second = await generateFor(admin, 'emr2');
    await apply(admin, second.scripts.start);
    await apply(admin, second.scripts.guard);
    // Generated anew: the checker's account may be shared by both.
    await apply(admin, (await generateFor(admin, 'emr2')).scripts.protect);
    await admin.query("GRANT SELECT, INSERT, UPDATE, DELETE ON emr.* TO 'emr'@'localhost'");
    const made = second.scripts.start.statements.filter(
      (s) => /^TRIGGER /m.test(s.sql) && !/^DROP/.test(s.sql),
    );
    expect((await readSnapshot(checker, second.names)).triggers).toHaveLength(made.length);
    expect(await findings()).toEqual([]);
  });

  it('finds nothing when somebody gets a privilege that harms nothing', async () => {
    await admin.query(
      "CREATE USER auditor IDENTIFIED BY 'x'; GRANT SELECT ON emr_audit.* TO auditor; GRANT SELECT, INSERT ON emr.* TO auditor",
    );
    expect(await findings()).toEqual([]);
    await admin.query('DROP USER auditor');
  });

  it.each(TAMPERS.filter((t) => (t.on ?? engine) === engine).map((t) => [t.what, t.finds, t] as const))(
    '%s → %s, and what is told to do about it restores it',
    async (_, code, tamper) => {
      await run(tamper.does);
      const found = await findings();
      expect(found.map((f) => f.code)).toContain(code);
      for (const finding of found)
        expect(finding.sentence).toMatch(/^The? ?.*\.$|^Auditing .*\.$|^Entries .*\.$/);
      const remedies = remediesOf(found);
      if (tamper.unrestored !== true) {
        let failed: unknown;
        for (const remedy of remedies) await follow(remedy).catch((error: unknown) => (failed ??= error));
        const left = await findings();
        // So that the next tamper begins with the approved state, whatever became of this one.
        if (left.length > 0) await run(tamper.undo).catch(() => {});
        expect({ left, remedies, failed }).toEqual({ left: [], remedies, failed: undefined });
        return;
      }
      await run(tamper.undo);
      expect(await findings()).toEqual([]);
    },
  );

  it('texts that information_schema shows alike are told apart', async () => {
    const make = async (kind: string, head: string, literals: string): Promise<string> => {
      await admin.query(`DROP ${kind} IF EXISTS emr.alike`);
      await admin.query(`CREATE ${kind} emr.alike${head} SET @x = CONCAT(${literals})`);
      const snapshot = await readSnapshot(checker, names);
      const facts = [...snapshot.triggers, ...snapshot.routines, ...snapshot.events];
      return facts.find((fact) => fact.name === 'alike')?.body ?? '';
    };
    for (const [kind, head] of [
      ['TRIGGER', ' BEFORE INSERT ON emr.note FOR EACH ROW'],
      ['PROCEDURE', '()'],
      ['EVENT', ' ON SCHEDULE EVERY 1 DAY DO'],
    ] as const) {
      const three = await make(kind, head, "'a' , 1, 'b'");
      expect(three).toMatch(/^[0-9a-f]{64}$/);
      expect(await make(kind, head, "'a\\' , 1, \\'b'")).not.toBe(three);
      expect(await make(kind, head, "'a' , 1, 'b'")).toBe(three);
      await admin.query(`DROP ${kind} emr.alike`);
    }
  });

  it('a checker that lost its EXECUTE gets an error, never an empty answer', async () => {
    await admin.query(
      "REVOKE EXECUTE ON PROCEDURE emr_audit.chartgate_snapshot FROM 'chartgate_checker'@'localhost'",
    );
    await expect(findings()).rejects.toThrow(/denied|does not exist/);
    await admin.query(
      "GRANT EXECUTE ON PROCEDURE emr_audit.chartgate_snapshot TO 'chartgate_checker'@'localhost'",
    );
    expect(await findings()).toEqual([]);
  });

  it('a guard that lost its sight shows nothing, and that is not intact', async () => {
    await admin.query("REVOKE TRIGGER ON emr.* FROM 'chartgate_guard'@'localhost'");
    const codes = (await findings()).map((f) => f.code);
    expect(codes.filter((c) => c === 'trigger-missing')).toHaveLength(12);
    await admin.query("GRANT TRIGGER ON emr.* TO 'chartgate_guard'@'localhost'");
    expect(await findings()).toEqual([]);
  });

  /** Statements by which somebody replaces the snapshot procedure with one that leaves something out. */
  async function lie(): Promise<readonly string[]> {
    const [[row]] = await admin.query<RowDataPacket[]>('SHOW CREATE PROCEDURE emr_audit.chartgate_snapshot');
    const text = String(row?.['Create Procedure']);
    const lying = text.replaceAll(
      "EVENT_OBJECT_SCHEMA = 'emr'",
      "EVENT_OBJECT_SCHEMA = 'emr' AND TRIGGER_NAME <> 'extra'",
    );
    expect(lying).not.toBe(text);
    // As old as the one that it replaces, and with the same grants.
    const [[made]] = await admin.query<RowDataPacket[]>(
      "SELECT UNIX_TIMESTAMP(CREATED) AS at FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'emr_audit' AND ROUTINE_NAME = 'chartgate_snapshot'",
    );
    const mode = String(row?.sql_mode);
    return [
      'USE emr_audit',
      `SET SESSION timestamp = ${String(made?.at)}, sql_mode = '${mode}'`,
      'DROP PROCEDURE chartgate_snapshot',
      lying,
      "GRANT EXECUTE ON PROCEDURE chartgate_snapshot TO 'chartgate_guard'@'localhost', 'chartgate_checker'@'localhost'",
      "SET SESSION timestamp = DEFAULT, sql_mode = ''",
    ];
  }

  it('a guard procedure that was replaced by one with the old answer, as of the old time, is found', async () => {
    for (const sql of await lie()) await admin.query(sql);
    await admin.query(
      'CREATE TRIGGER emr.extra BEFORE UPDATE ON emr.patient FOR EACH ROW SET NEW.name = OLD.name',
    );
    const found = await findings();
    // It does lie: the trigger is not seen.
    expect(found.map((f) => f.code)).toContain('guard-changed');
    expect(found.map((f) => f.code)).not.toContain('trigger-added');
    await admin.query('DROP TRIGGER emr.extra');
    for (const remedy of remediesOf(found)) await follow(remedy);
    expect(await findings()).toEqual([]);
  });

  it('a guard procedure that was made anew, but is the same, needs no new approval', async () => {
    await apply(admin, (await generateFor(admin, 'emr')).scripts.guard);
    expect(await findings()).toEqual([]);
  });

  it('a guard procedure of another form is no answer', async () => {
    await admin.query(
      "DROP PROCEDURE emr_audit.chartgate_snapshot; CREATE DEFINER='chartgate_guard'@'localhost' PROCEDURE emr_audit.chartgate_snapshot() SELECT 1; GRANT EXECUTE ON PROCEDURE emr_audit.chartgate_snapshot TO 'chartgate_guard'@'localhost', 'chartgate_checker'@'localhost'",
    );
    await expect(findings()).rejects.toMatchObject({ code: 'privilege-missing' });
    await apply(admin, (await generateFor(admin, 'emr')).scripts.guard);
  });

  it('no baseline is taken of what is not audited', async () => {
    await apply(admin, scripts.guard);
    await admin.query('CREATE TABLE emr.late (a INT)');
    await expect(takeBaseline(admin, names, key.privatePem)).rejects.toMatchObject({
      code: 'baseline-invalid',
      message: expect.stringContaining('"late" has no insert trigger'),
    });
    await admin.query('DROP TABLE emr.late');
    await apply(admin, scripts.stop);
    await expect(takeBaseline(admin, names, key.privatePem)).rejects.toMatchObject({
      code: 'baseline-invalid',
    });
  });

  it('a server that was started without privilege checks is found', async () => {
    await server.stop();
    await server.restart(['--skip-grant-tables']);
    const unchecked = await connectAs(server, CHECKER.user, 'any password');
    const found = compareSnapshot(baseline, await readSnapshot(unchecked, names));
    expect(found.map((f) => [f.code, f.object])).toContainEqual(['setting-changed', 'guard_runs_as']);
    await unchecked.end();
  });
});
