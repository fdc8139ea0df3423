import type { Tamper } from './tamper.ts';

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
    undo: ['INSERT INTO {audit}.audit_instatement_log SELECT * FROM otherdb.kept', 'DROP SCHEMA otherdb'],
  },
  {
    name: 'audit table emptied',
    why: 'everything that was done is forgotten',
    apply: [
      'CREATE SCHEMA otherdb',
      'CREATE TABLE otherdb.kept AS SELECT * FROM {audit}.audit_row',
      'TRUNCATE TABLE {audit}.audit_row',
    ],
    // What was written meanwhile has taken numbers of old rows.
    undo: [
      'TRUNCATE TABLE {audit}.audit_row',
      'INSERT INTO {audit}.audit_row SELECT * FROM otherdb.kept',
      'DROP SCHEMA otherdb',
    ],
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
