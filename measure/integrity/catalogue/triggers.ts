import type { Tamper } from './tamper.ts';

const INSERT_AS_DEFINER =
  'CREATE DEFINER={definer} TRIGGER {emr}.{insert} AFTER INSERT ON {emr}.observations';

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
