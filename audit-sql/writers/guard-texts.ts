import { RESULT_SETS, type ResultSet, TRIGGER_COLUMNS } from '../fingerprint/result-sets.ts';
import { type AuditNames, GUARD_TEXT_COLUMNS, GUARD_TEXT_VIEW, ident, literal, qualified } from '../names.ts';
import { naming } from './guard-queries.ts';

/** What besides triggers must be asked for one by one. Rows: kind, schema, name. */
function others(names: AuditNames, mariadb: boolean): string {
  const parts = [
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

function indented(sql: string, by: string): string {
  return sql.replaceAll('\n', `\n${by}`);
}

/** What may not be seen is left out; what somebody is changing just now ends the call (ER_LOCK_WAIT_TIMEOUT). */
const SHOW = `      BEGIN
        DECLARE EXIT HANDLER FOR 1205 RESIGNAL;
        DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END;
        SET @chartgate_show = CONCAT('SHOW CREATE ', its_kind, ' \`', REPLACE(its_schema, '\`', '\`\`'), '\`.\`', REPLACE(its_name, '\`', '\`\`'), '\`');
        PREPARE chartgate_show FROM @chartgate_show;
        EXECUTE chartgate_show;
        DEALLOCATE PREPARE chartgate_show;
      END;`;

/** Loops over a cursor, shows each row and then the text of what it names. */
function loop(cursor: string, variables: string, row: string): string {
  return `    SET finished = FALSE;
    OPEN ${cursor};
    each_of_${cursor}: LOOP
      FETCH ${cursor} INTO ${variables};
      IF finished THEN LEAVE each_of_${cursor}; END IF;
      SELECT ${row};
${SHOW}
    END LOOP;
    CLOSE ${cursor};`;
}

/**
 * Body of the snapshot procedure: the result sets, and with `with_texts` the texts of triggers, of the audit's
 * own tables and on MySQL of routines and events, as they were written, each after a row that names it.
 * `information_schema` does not do: MySQL's shows literals unescaped, so that `'a\' , 1, \'b'`, one value, and
 * `'a' , 1, 'b'`, three, look the same there; MariaDB's leaves out the character sets in front of literals,
 * which decide what they say. The triggers then come one by one: on MariaDB listing them takes the most time,
 * and is done once.
 */
export function snapshotBody(
  queries: Readonly<Record<ResultSet, string>>,
  names: AuditNames,
  mariadb: boolean,
): string {
  // No comments in here: some clients drop them, others keep them, and the body must always be the same.
  const parts = RESULT_SETS.map((set) => {
    const query = `  ${indented(queries[set], '  ')};`;
    return set === 'triggers'
      ? `  IF with_texts THEN\n    SELECT NULL FROM DUAL WHERE FALSE;\n  ELSE\n  ${indented(query, '  ')}\n  END IF;`
      : query;
  });
  const columns = TRIGGER_COLUMNS.slice(2).map((_, index) => `its_${index + 3}`);
  const variables = ['its_schema', 'its_name', ...columns].join(', ');
  return `(IN with_texts BOOLEAN)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
  DECLARE finished BOOLEAN DEFAULT FALSE;
  DECLARE its_kind, its_schema, its_name VARCHAR(64);
  DECLARE ${columns.join(', ')} VARCHAR(2048);
  DECLARE triggers CURSOR FOR
    ${indented(queries.triggers, '    ')};
  DECLARE others CURSOR FOR
    ${indented(others(names, mariadb), '    ')};
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET finished = TRUE;
${parts.join('\n')}
  IF with_texts THEN
    SET SESSION sql_quote_show_create = 1;
    SET its_kind = 'TRIGGER';
${loop('triggers', variables, `its_kind, ${variables}`)}
${loop('others', 'its_kind, its_schema, its_name', 'its_kind, its_schema, its_name')}
  END IF;
END`;
}

/** The view through which the checker sees the routines' texts; see GUARD_TEXT_VIEW. */
export function guardTextView(names: AuditNames, definer: string): string {
  return `CREATE OR REPLACE DEFINER = ${definer} SQL SECURITY DEFINER
VIEW ${qualified(names.auditSchema, GUARD_TEXT_VIEW)} AS
SELECT ${GUARD_TEXT_COLUMNS.map(ident).join(', ')}
  FROM mysql.proc WHERE db = ${literal(names.auditSchema)}`;
}
