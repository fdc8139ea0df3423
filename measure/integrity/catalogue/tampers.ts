import type { Engine } from '../clinic.ts';

/**
 * One way to disable, get round or falsify the audit. Statements are the administrator's; `{emr}`, `{audit}` are
 * the schemas, `{insert}`, `{update}`, `{delete}` the triggers of `observations`, `{user}`, `{definer}`,
 * `{guard}`, `{checker}` the accounts. Words with `@` are done by `tampering.ts`.
 */
export interface Tamper {
  readonly name: string;
  /** What somebody would gain by it. */
  readonly why: string;
  /** The engine that has it; both unless told. */
  readonly on?: Engine;
  readonly apply: readonly string[];
  readonly undo: readonly string[];
  /** Part of `--short`. */
  readonly sample?: true;
}

const INSERT_AS_DEFINER = 'CREATE DEFINER={definer} TRIGGER {emr}.{insert} AFTER INSERT ON {emr}.observations';

/** Triggers: dropped, exchanged, joined by others. */
export const TRIGGER_TAMPERS: readonly Tamper[] = [
  {
    name: 'trigger dropped',
    why: 'inserts leave no audit row',
    apply: ['DROP TRIGGER {emr}.{insert}'],
    undo: ['@triggers'],
    sample: true,
  },
  {
    name: 'cascade trigger dropped',
    why: 'rows that a cascade deletes leave no audit row',
    apply: ['@drop cascade_delete patients'],
    undo: ['@triggers'],
  },
  {
    name: 'trigger exchanged for an empty one',
    why: 'the name is there, the audit row is not',
    apply: ['DROP TRIGGER {emr}.{insert}', `${INSERT_AS_DEFINER} FOR EACH ROW SET @nothing = 1`],
    undo: ['@triggers'],
    sample: true,
  },
  {
    name: 'one byte of a trigger',
    why: 'the operation is recorded as another',
    apply: ["@remake insert s/'insert'/'Insert'/"],
    undo: ['@triggers'],
    sample: true,
  },
  {
    name: 'quotes of a trigger moved into a literal',
    why: 'MySQL shows both texts alike in information_schema',
    apply: [
      'DROP TRIGGER {emr}.{insert}',
      `${INSERT_AS_DEFINER} FOR EACH ROW SET @x = CONCAT('{"id":\\', NEW.id, \\'}')`,
    ],
    undo: ['@triggers'],
  },
  {
    name: 'another definer',
    why: 'the trigger runs with rights that may be taken away',
    apply: ['@remake update definer'],
    undo: ['@triggers'],
  },
  {
    name: 'another SQL mode',
    why: 'text is cut instead of refused',
    apply: ['@remake update mode'],
    undo: ['@triggers'],
  },
  {
    name: 'another collation',
    why: 'comparisons in the trigger mean something else',
    apply: ['@remake update collation'],
    undo: ['@triggers'],
  },
  {
    name: 'BEFORE in place of AFTER',
    why: 'what a later trigger changes is not recorded',
    apply: ['@remake delete s/AFTER/BEFORE/'],
    undo: ['@triggers'],
  },
  {
    name: 'trigger moved to another table',
    why: 'the table it was made for has none',
    apply: [
      'DROP TRIGGER {emr}.{insert}',
      'CREATE DEFINER={definer} TRIGGER {emr}.{insert} AFTER INSERT ON {emr}.facilities FOR EACH ROW SET @x = 1',
    ],
    undo: ['@triggers'],
  },
  {
    name: 'extra trigger blanks NEW',
    why: 'what the EMR writes never arrives, and is audited so',
    apply: [
      "CREATE TRIGGER {emr}.extra BEFORE UPDATE ON {emr}.observations FOR EACH ROW SET NEW.display = ''",
    ],
    undo: ['DROP TRIGGER {emr}.extra'],
    sample: true,
  },
  {
    name: 'extra BEFORE trigger makes statements fail',
    why: 'chosen writes are refused',
    apply: [
      "CREATE TRIGGER {emr}.extra BEFORE INSERT ON {emr}.observations FOR EACH ROW BEGIN IF NEW.code = 'x' THEN SIGNAL SQLSTATE '45000'; END IF; END",
    ],
    undo: ['DROP TRIGGER {emr}.extra'],
  },
  {
    name: 'extra trigger before ours',
    why: 'it decides what ours gets to see',
    apply: [
      'CREATE TRIGGER {emr}.extra AFTER UPDATE ON {emr}.observations FOR EACH ROW PRECEDES {update} SET @x = 1',
    ],
    undo: ['DROP TRIGGER {emr}.extra'],
  },
  {
    name: 'guard trigger of the audit table dropped',
    why: 'audit rows can be deleted',
    apply: ['@drop no_delete audit_row'],
    undo: ['@triggers'],
  },
  {
    name: 'trigger that falsifies audit rows',
    why: 'every audit row names somebody else',
    apply: [
      "CREATE TRIGGER {audit}.extra BEFORE INSERT ON {audit}.audit_row FOR EACH ROW SET NEW.login = 'nobody'",
    ],
    undo: ['DROP TRIGGER {audit}.extra'],
  },
  {
    name: 'dropped and put back with another body, twice',
    why: 'somebody hopes that only the names are counted',
    apply: [
      '@remake insert s/AFTER/BEFORE/',
      '@triggers',
      'DROP TRIGGER {emr}.{insert}',
      `${INSERT_AS_DEFINER} FOR EACH ROW DO SLEEP(0)`,
    ],
    undo: ['@triggers'],
  },
  {
    name: 'trigger dropped by a prepared statement',
    on: 'mariadb',
    why: 'the text of the statement says PREPARE',
    apply: ["EXECUTE IMMEDIATE 'DROP TRIGGER {emr}.{insert}'"],
    undo: ['@triggers'],
  },
  {
    name: 'trigger dropped from inside a procedure',
    why: 'the text of the statement says CALL',
    apply: [
      'CREATE SCHEMA otherdb',
      'CREATE PROCEDURE otherdb.quiet() DROP TRIGGER {emr}.{insert}',
      'CALL otherdb.quiet()',
    ],
    undo: ['DROP SCHEMA otherdb', '@triggers'],
  },
  {
    name: 'trigger replaced in one statement',
    on: 'mariadb',
    why: 'there is no moment without a trigger',
    apply: [
      'CREATE OR REPLACE DEFINER={definer} TRIGGER {emr}.{insert} AFTER INSERT ON {emr}.observations FOR EACH ROW SET @x = 1',
    ],
    undo: ['@triggers'],
  },
];

/** Tables and columns of the EMR and the audit, and views over them. */
export const TABLE_TAMPERS: readonly Tamper[] = [
  {
    name: 'table swapped by rename',
    why: 'the EMR writes into a copy without triggers',
    apply: [
      'CREATE TABLE {emr}.copy LIKE {emr}.access_log',
      'RENAME TABLE {emr}.access_log TO {emr}.aside, {emr}.copy TO {emr}.access_log',
    ],
    undo: ['DROP TABLE {emr}.access_log', 'RENAME TABLE {emr}.aside TO {emr}.access_log'],
    sample: true,
  },
  {
    name: 'table replaced by a view of its name',
    why: 'the EMR writes through it into a table that is not audited',
    apply: [
      'RENAME TABLE {emr}.access_log TO {emr}.aside',
      'CREATE VIEW {emr}.access_log AS SELECT * FROM {emr}.aside',
    ],
    undo: ['DROP VIEW {emr}.access_log', 'RENAME TABLE {emr}.aside TO {emr}.access_log'],
  },
  {
    name: 'new table',
    why: 'what is kept in it is not audited',
    apply: ['CREATE TABLE {emr}.shadow (a INT)'],
    undo: ['DROP TABLE {emr}.shadow'],
    sample: true,
  },
  {
    name: 'new column',
    why: 'what is kept in it is not audited',
    apply: ['ALTER TABLE {emr}.observations ADD COLUMN hidden INT'],
    undo: ['ALTER TABLE {emr}.observations DROP COLUMN hidden'],
  },
  {
    name: 'column of another type',
    why: 'values are cut before they are audited',
    apply: ["ALTER TABLE {emr}.facilities MODIFY city VARCHAR(30) NOT NULL DEFAULT ''"],
    undo: ["ALTER TABLE {emr}.facilities MODIFY city VARCHAR(40) NOT NULL DEFAULT ''"],
  },
  {
    name: 'generated column in place of a real one',
    why: 'what is stored is no longer what was sent',
    apply: [
      "ALTER TABLE {emr}.facilities DROP COLUMN phone, ADD COLUMN phone VARCHAR(24) AS (CONCAT('x', city)) VIRTUAL AFTER city",
    ],
    undo: [
      "ALTER TABLE {emr}.facilities DROP COLUMN phone, ADD COLUMN phone VARCHAR(24) NOT NULL DEFAULT '' AFTER city",
    ],
  },
  {
    name: 'foreign key begins to cascade',
    why: 'deletes of children fire no trigger',
    apply: [
      'ALTER TABLE {emr}.users DROP FOREIGN KEY users_facility',
      'ALTER TABLE {emr}.users ADD CONSTRAINT users_facility FOREIGN KEY (facility_id) REFERENCES {emr}.facilities (id) ON DELETE CASCADE',
    ],
    undo: [
      'ALTER TABLE {emr}.users DROP FOREIGN KEY users_facility',
      'ALTER TABLE {emr}.users ADD CONSTRAINT users_facility FOREIGN KEY (facility_id) REFERENCES {emr}.facilities (id) ON DELETE SET NULL',
    ],
  },
  {
    name: 'audited table on another engine',
    why: 'what is rolled back stays, its audit row does not',
    apply: ['ALTER TABLE {emr}.access_log ENGINE = MyISAM'],
    undo: ['ALTER TABLE {emr}.access_log ENGINE = InnoDB'],
  },
  {
    name: 'audit table on BLACKHOLE',
    why: 'audit rows vanish while every statement succeeds',
    on: 'mysql',
    apply: [
      'CREATE TABLE {audit}.kept LIKE {audit}.audit_row_direct',
      'ALTER TABLE {audit}.audit_row_direct ENGINE = BLACKHOLE',
    ],
    undo: ['ALTER TABLE {audit}.audit_row_direct ENGINE = MyISAM', 'DROP TABLE {audit}.kept'],
    sample: true,
  },
  {
    name: 'audit table on BLACKHOLE',
    why: 'audit rows vanish while every statement succeeds',
    on: 'mariadb',
    apply: [
      "INSTALL SONAME 'ha_blackhole'",
      'ALTER TABLE {audit}.audit_row_direct ENGINE = BLACKHOLE',
    ],
    undo: [
      'ALTER TABLE {audit}.audit_row_direct ENGINE = Aria TRANSACTIONAL = 0',
      "UNINSTALL SONAME 'ha_blackhole'",
    ],
    sample: true,
  },
  {
    name: 'audit table in memory',
    why: 'audit rows are gone with the next restart',
    apply: ['RENAME TABLE {audit}.audit_row TO {audit}.aside', 'CREATE TABLE {audit}.audit_row (id BIGINT) ENGINE = MEMORY'],
    undo: ['DROP TABLE {audit}.audit_row', 'RENAME TABLE {audit}.aside TO {audit}.audit_row'],
  },
  {
    name: 'column of the audit table narrowed',
    why: 'names of tables are cut',
    apply: ['ALTER TABLE {audit}.audit_row_direct MODIFY emr_table VARCHAR(32) NOT NULL'],
    undo: ['ALTER TABLE {audit}.audit_row_direct MODIFY emr_table VARCHAR(64) NOT NULL'],
  },
  {
    name: 'audit table put aside',
    why: 'what was done is no longer found',
    apply: ['RENAME TABLE {audit}.audit_row TO {audit}.aside'],
    undo: ['RENAME TABLE {audit}.aside TO {audit}.audit_row'],
  },
  {
    name: 'view for auditors leaves something out',
    why: 'auditors do not see what one account did',
    apply: [
      'RENAME TABLE {audit}.audit_trail TO {audit}.real_trail',
      "CREATE VIEW {audit}.audit_trail AS SELECT * FROM {audit}.real_trail WHERE login <> 'thief@localhost'",
    ],
    undo: ['DROP VIEW {audit}.audit_trail', 'RENAME TABLE {audit}.real_trail TO {audit}.audit_trail'],
  },
  {
    name: 'view laid over the audit',
    why: 'auditors are shown another table',
    apply: ['CREATE VIEW {audit}.nicer AS SELECT 1 AS one'],
    undo: ['DROP VIEW {audit}.nicer'],
  },
];

/** Accounts and privileges. */
export const PRIVILEGE_TAMPERS: readonly Tamper[] = [
  {
    name: 'TRIGGER granted on the schema',
    why: 'the EMR may drop its triggers',
    apply: ['GRANT TRIGGER ON {emr}.* TO {user}'],
    undo: ['REVOKE TRIGGER ON {emr}.* FROM {user}'],
    sample: true,
  },
  {
    name: 'TRIGGER granted on one table',
    why: 'the EMR may drop the triggers of that table',
    apply: ['GRANT TRIGGER ON {emr}.observations TO {user}'],
    undo: ['REVOKE TRIGGER ON {emr}.observations FROM {user}'],
  },
  {
    name: 'DROP granted by wildcard',
    why: 'the EMR may drop and truncate tables, no trigger fires',
    apply: ["GRANT DROP ON `em%`.* TO {user}"],
    undo: ["REVOKE DROP ON `em%`.* FROM {user}"],
  },
  {
    name: 'DROP granted by a role',
    why: 'the same, two steps away',
    apply: ['CREATE ROLE powerful', 'GRANT DROP ON {emr}.* TO powerful', 'GRANT powerful TO {user}'],
    undo: ['DROP ROLE powerful'],
  },
  {
    name: 'DROP granted by a role of a role',
    why: 'the same, three steps away',
    apply: [
      'CREATE ROLE powerful',
      'CREATE ROLE weak',
      'GRANT DROP ON {emr}.* TO powerful',
      'GRANT powerful TO weak',
      'GRANT weak TO {user}',
    ],
    undo: ['DROP ROLE weak', 'DROP ROLE powerful'],
  },
  {
    name: 'SUPER granted',
    why: 'the EMR may do what it likes',
    apply: ['GRANT SUPER ON *.* TO {user}'],
    undo: ['REVOKE SUPER ON *.* FROM {user}'],
  },
  {
    name: 'naming any definer granted',
    why: 'routines that run as the locked accounts',
    on: 'mysql',
    apply: ['GRANT SET_ANY_DEFINER ON *.* TO {user}'],
    undo: ['REVOKE SET_ANY_DEFINER ON *.* FROM {user}'],
  },
  {
    name: 'naming any definer granted',
    why: 'routines that run as the locked accounts',
    on: 'mariadb',
    apply: ['GRANT SET USER ON *.* TO {user}'],
    undo: ['REVOKE SET USER ON *.* FROM {user}'],
  },
  {
    name: 'replaying row events granted',
    why: 'they fire no triggers',
    on: 'mysql',
    apply: ['GRANT BINLOG_ADMIN ON *.* TO {user}'],
    undo: ['REVOKE BINLOG_ADMIN ON *.* FROM {user}'],
  },
  {
    name: 'everybody gets a role',
    why: 'one setting gives it to every account',
    on: 'mysql',
    apply: ["CREATE ROLE powerful", "GRANT DROP ON {emr}.* TO powerful", "SET GLOBAL mandatory_roles = 'powerful'"],
    undo: ["SET GLOBAL mandatory_roles = ''", 'DROP ROLE powerful'],
  },
  {
    name: 'everybody gets something',
    why: 'PUBLIC is every account',
    on: 'mariadb',
    apply: ['GRANT ALTER ON {emr}.* TO PUBLIC'],
    undo: ['REVOKE ALTER ON {emr}.* FROM PUBLIC'],
  },
  {
    name: 'account without a name gets something',
    why: 'whoever connects may alter tables',
    apply: ["CREATE USER ''@'%'", "GRANT ALTER ON {emr}.* TO ''@'%'"],
    undo: ["DROP USER ''@'%'"],
  },
  {
    name: 'writing the audit table granted',
    why: 'audit rows that never happened',
    apply: ['GRANT INSERT ON {audit}.audit_row TO {user}'],
    undo: ['REVOKE INSERT ON {audit}.audit_row FROM {user}'],
  },
  {
    name: 'writing one column of the audit table granted',
    why: 'somebody else was it',
    apply: ['GRANT UPDATE (login) ON {audit}.audit_row TO {user}'],
    undo: ['REVOKE UPDATE (login) ON {audit}.audit_row FROM {user}'],
  },
  {
    name: 'writing the privilege tables granted',
    why: 'the next GRANT is an UPDATE',
    apply: ['GRANT UPDATE ON mysql.db TO {user}'],
    undo: ['REVOKE UPDATE ON mysql.db FROM {user}'],
  },
  {
    name: 'altering the guard procedure granted',
    why: 'the checker is told what somebody wants',
    apply: ['GRANT ALTER ROUTINE ON PROCEDURE {audit}.chartgate_snapshot TO {user}'],
    undo: ['REVOKE ALTER ROUTINE ON PROCEDURE {audit}.chartgate_snapshot FROM {user}'],
  },
  {
    name: 'becoming the administrator granted',
    why: 'PROXY takes over every right',
    apply: ["GRANT PROXY ON 'root'@'localhost' TO {user}"],
    undo: ["REVOKE PROXY ON 'root'@'localhost' FROM {user}"],
  },
  {
    name: 'privilege tables written directly',
    why: 'no GRANT is counted, FLUSH makes it count',
    on: 'mysql',
    apply: [
      "UPDATE mysql.db SET Drop_priv = 'Y' WHERE User = '{username}'",
      'FLUSH PRIVILEGES',
    ],
    undo: ["UPDATE mysql.db SET Drop_priv = 'N' WHERE User = '{username}'", 'FLUSH PRIVILEGES'],
  },
  {
    name: 'privilege tables written directly',
    why: 'no GRANT is counted, FLUSH makes it count',
    on: 'mariadb',
    apply: ["UPDATE mysql.db SET Drop_priv = 'Y' WHERE User = '{username}'", 'FLUSH PRIVILEGES'],
    undo: ["UPDATE mysql.db SET Drop_priv = 'N' WHERE User = '{username}'", 'FLUSH PRIVILEGES'],
  },
  {
    name: 'definer loses what it needs',
    why: 'triggers fail, or the EMR is made to go on without them',
    apply: ['REVOKE INSERT ON {audit}.audit_row FROM {definer}'],
    undo: ['GRANT INSERT ON {audit}.audit_row TO {definer}'],
  },
  {
    name: 'definer unlocked',
    why: 'somebody may log in as it and write audit rows',
    apply: ['ALTER USER {definer} ACCOUNT UNLOCK'],
    undo: ['ALTER USER {definer} ACCOUNT LOCK'],
    sample: true,
  },
  {
    name: 'guard unlocked',
    why: 'somebody may log in as it and drop triggers',
    apply: ['ALTER USER {guard} ACCOUNT UNLOCK'],
    undo: ['ALTER USER {guard} ACCOUNT LOCK'],
  },
  {
    name: 'guard authenticates otherwise',
    why: 'a way to log in, made ready for later',
    on: 'mariadb',
    apply: ['ALTER USER {guard} IDENTIFIED VIA unix_socket ACCOUNT LOCK'],
    undo: ["ALTER USER {guard} IDENTIFIED VIA mysql_native_password USING 'invalid' ACCOUNT LOCK"],
  },
  {
    name: 'guard blinded',
    why: 'it sees no triggers, and so nothing that is wrong with them',
    apply: ['REVOKE TRIGGER ON {emr}.* FROM {guard}'],
    undo: ['GRANT TRIGGER ON {emr}.* TO {guard}'],
  },
  {
    name: 'second account for the EMR with more',
    why: 'the EMR is pointed at it later',
    apply: ["CREATE USER shadow@'%' IDENTIFIED BY 'of-the-attacker'", "GRANT ALL ON {emr}.* TO shadow@'%'"],
    undo: ["DROP USER shadow@'%'"],
  },
];

/** Code in the server, the guard, the record of start and stop, settings, the server itself. */
export const SERVER_TAMPERS: readonly Tamper[] = [
  {
    name: 'event deletes audit rows',
    why: 'every night the day is forgotten',
    apply: [
      'CREATE SCHEMA otherdb',
      'CREATE EVENT otherdb.cleaner ON SCHEDULE EVERY 1 DAY DO DELETE FROM {audit}.audit_row',
    ],
    undo: ['DROP SCHEMA otherdb'],
    sample: true,
  },
  {
    name: 'routine touches the audit',
    why: 'whoever may call it deletes audit rows',
    apply: ['CREATE SCHEMA otherdb', 'CREATE PROCEDURE otherdb.cleaner() DELETE FROM {audit}.audit_row'],
    undo: ['DROP SCHEMA otherdb'],
  },
  {
    name: 'guard procedure replaced by the old answer',
    why: 'the checker sees what was, for ever; its date of making is forged',
    apply: ['@guard replay'],
    undo: ['@guard restore'],
    sample: true,
  },
  {
    name: 'guard procedure dropped',
    why: 'no answer at all',
    apply: ['@guard drop'],
    undo: ['@guard restore'],
  },
  {
    name: 'checker may no longer call the guard',
    why: 'no answer at all',
    apply: ['REVOKE EXECUTE ON PROCEDURE {audit}.chartgate_snapshot FROM {checker}'],
    undo: ['GRANT EXECUTE ON PROCEDURE {audit}.chartgate_snapshot TO {checker}'],
  },
  {
    name: 'auditing stopped',
    why: 'done properly, and still nothing may pass',
    apply: ['@script stop'],
    undo: ['@script start'],
    sample: true,
  },
  {
    name: 'only the record says stopped',
    why: 'a record of a stop that nobody ordered',
    apply: ['@record stop'],
    undo: ['@script start'],
  },
  {
    name: 'record of start and stop emptied',
    why: 'no trace of when there was no audit',
    apply: [
      'CREATE SCHEMA otherdb',
      'CREATE TABLE otherdb.kept AS SELECT * FROM {audit}.audit_instatement_log',
      'TRUNCATE TABLE {audit}.audit_instatement_log',
    ],
    undo: [
      'INSERT INTO {audit}.audit_instatement_log SELECT * FROM otherdb.kept',
      'DROP SCHEMA otherdb',
    ],
  },
  {
    name: 'audit table emptied',
    why: 'everything that was done is forgotten',
    apply: [
      'CREATE SCHEMA otherdb',
      'CREATE TABLE otherdb.kept AS SELECT * FROM {audit}.audit_row',
      'TRUNCATE TABLE {audit}.audit_row',
    ],
    undo: ['INSERT INTO {audit}.audit_row SELECT * FROM otherdb.kept', 'DROP SCHEMA otherdb'],
  },
  {
    name: 'cascades begin to fire triggers',
    why: 'rows are recorded twice, or not as they were',
    on: 'mysql',
    apply: ['SET GLOBAL enable_cascade_triggers = ON'],
    undo: ['SET GLOBAL enable_cascade_triggers = OFF'],
  },
  {
    name: 'wildcards of grants lose their meaning',
    why: 'grants cover other schemas than before',
    on: 'mysql',
    apply: ['SET GLOBAL partial_revokes = ON'],
    undo: ['SET GLOBAL partial_revokes = OFF'],
  },
  {
    name: 'statement for every new session',
    why: 'every session begins as somebody wishes',
    apply: ["SET GLOBAL init_connect = 'SET @chartgate_off = 1'"],
    undo: ["SET GLOBAL init_connect = ''"],
  },
  {
    name: 'server restarted without privilege checks',
    why: 'everybody may do everything',
    apply: ['@restart --skip-grant-tables'],
    undo: ['@restart'],
  },
  {
    name: 'server restarted with another way to compare names',
    why: 'a second table of nearly the same name is one and the same',
    on: 'mariadb',
    apply: ['@restart --lower-case-table-names=1'],
    undo: ['@restart'],
  },
  {
    name: 'server restarted with a statement for every new session',
    why: 'no SET GLOBAL is ever seen',
    apply: ['@restart --init-connect=SET @chartgate_off = 1'],
    undo: ['@restart'],
  },
];

export const TAMPERS: readonly Tamper[] = [
  ...TRIGGER_TAMPERS,
  ...TABLE_TAMPERS,
  ...PRIVILEGE_TAMPERS,
  ...SERVER_TAMPERS,
];

export function tampersFor(engine: Engine, short: boolean): readonly Tamper[] {
  return TAMPERS.filter((tamper) => (tamper.on ?? engine) === engine && (!short || tamper.sample === true));
}
