import type { Tamper } from './tamper.ts';

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
    apply: ["INSTALL SONAME 'ha_blackhole'", 'ALTER TABLE {audit}.audit_row_direct ENGINE = BLACKHOLE'],
    undo: [
      'ALTER TABLE {audit}.audit_row_direct ENGINE = Aria TRANSACTIONAL = 0 PAGE_CHECKSUM = 1',
      "UNINSTALL SONAME 'ha_blackhole'",
    ],
    sample: true,
  },
  {
    name: 'audit table in memory',
    why: 'audit rows are gone with the next restart',
    apply: [
      'RENAME TABLE {audit}.audit_row TO {audit}.aside',
      'CREATE TABLE {audit}.audit_row (id BIGINT) ENGINE = MEMORY',
    ],
    undo: ['DROP TABLE {audit}.audit_row', 'RENAME TABLE {audit}.aside TO {audit}.audit_row'],
  },
  {
    name: 'column of the audit table narrowed',
    why: 'names of tables are cut',
    apply: ['ALTER TABLE {audit}.audit_row MODIFY emr_table VARCHAR(32) NOT NULL'],
    undo: ['ALTER TABLE {audit}.audit_row MODIFY emr_table VARCHAR(64) NOT NULL'],
  },
  {
    name: 'audit row names somebody else',
    why: 'who did it is a default of the audit table, and that says another',
    on: 'mariadb',
    apply: ["ALTER TABLE {audit}.audit_row ALTER COLUMN login SET DEFAULT 'somebody@localhost'"],
    undo: ['ALTER TABLE {audit}.audit_row ALTER COLUMN login SET DEFAULT (SESSION_USER())'],
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
