import { type AuditNames, GUARD_TEXT_COLUMNS, GUARD_TEXT_VIEW, ident, literal, qualified } from '../names.ts';
import { naming } from './guard-queries.ts';

/**
 * What must be asked for one by one: texts as they were written. MySQL's `information_schema` shows literals
 * unescaped, so that `'a\' , 1, \'b'`, one value, and `'a' , 1, 'b'`, three, look the same there; MariaDB's
 * leaves out the character sets in front of literals, which decide what they say. Rows: kind, schema, name.
 */
function objects(names: AuditNames, mariadb: boolean): string {
  const both = [names.emrSchema, names.auditSchema].map(literal).join(', ');
  const parts = [
    `SELECT 'TRIGGER', TRIGGER_SCHEMA, TRIGGER_NAME
  FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN (${both})`,
    `SELECT 'TABLE', TABLE_SCHEMA, TABLE_NAME
  FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = ${literal(names.auditSchema)} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')`,
  ];
  // MariaDB's are read from `mysql.proc` and `mysql.event`, where they are as they were written.
  if (!mariadb) {
    parts.push(
      `SELECT ROUTINE_TYPE, ROUTINE_SCHEMA, ROUTINE_NAME
  FROM information_schema.ROUTINES WHERE ${naming(names, 'ROUTINE_SCHEMA', 'ROUTINE_DEFINITION')}`,
      `SELECT 'EVENT', EVENT_SCHEMA, EVENT_NAME
  FROM information_schema.EVENTS WHERE ${naming(names, 'EVENT_SCHEMA', 'EVENT_DEFINITION')}`,
    );
  }
  return parts.join('\nUNION ALL\n');
}

/**
 * Body of the procedure that shows texts, each after a row that names it. What it may not see it leaves out.
 * What somebody is changing just now cannot be seen either; then it ends with that (1205, ER_LOCK_WAIT_TIMEOUT).
 */
export function textsBody(names: AuditNames, mariadb: boolean): string {
  return `()
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
  DECLARE finished BOOLEAN DEFAULT FALSE;
  DECLARE its_kind, its_schema, its_name VARCHAR(64);
  DECLARE objects CURSOR FOR
    ${objects(names, mariadb).replaceAll('\n', '\n    ')};
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET finished = TRUE;
  SET SESSION sql_quote_show_create = 1;
  OPEN objects;
  one_by_one: LOOP
    FETCH objects INTO its_kind, its_schema, its_name;
    IF finished THEN LEAVE one_by_one; END IF;
    SELECT its_kind, its_schema, its_name;
    BEGIN
      DECLARE EXIT HANDLER FOR 1205 RESIGNAL;
      DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END;
      SET @chartgate_show = CONCAT('SHOW CREATE ', its_kind, ' \`', REPLACE(its_schema, '\`', '\`\`'), '\`.\`', REPLACE(its_name, '\`', '\`\`'), '\`');
      PREPARE chartgate_show FROM @chartgate_show;
      EXECUTE chartgate_show;
      DEALLOCATE PREPARE chartgate_show;
    END;
  END LOOP;
  CLOSE objects;
END`;
}

/** The view through which the checker sees the routines' texts; see GUARD_TEXT_VIEW. */
export function guardTextView(names: AuditNames, definer: string): string {
  return `CREATE OR REPLACE DEFINER = ${definer} SQL SECURITY DEFINER
VIEW ${qualified(names.auditSchema, GUARD_TEXT_VIEW)} AS
SELECT ${GUARD_TEXT_COLUMNS.map(ident).join(', ')}
  FROM mysql.proc WHERE db = ${literal(names.auditSchema)}`;
}
