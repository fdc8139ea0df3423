import { createHash } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { GUARD_TEXT_COLUMNS, GUARD_TEXT_VIEW, ident, literal, qualified } from '../names.ts';
import { canonicalJson } from './canonical.ts';
import { type Row, rows, text } from './cells.ts';
import type { GuardFact } from './types.ts';

function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/**
 * What stands between us and a text: not there, not of this kind, or not shown. Then it has no digest, which
 * equals nothing that is expected.
 */
const HIDDEN: ReadonlySet<string> = new Set([
  'ER_NO_SUCH_TABLE',
  'ER_BAD_DB_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_SPECIFIC_ACCESS_DENIED_ERROR',
  'ER_WRONG_OBJECT',
  'ER_VIEW_INVALID',
  'ER_VIEW_NO_EXPLAIN',
  'ER_BAD_FIELD_ERROR',
  'ER_SP_DOES_NOT_EXIST',
  'ER_PROCACCESS_DENIED_ERROR',
]);

async function shownRows(connection: Connection, sql: string): Promise<readonly Row[]> {
  try {
    return (await rows(connection, sql)) as Row[];
  } catch (error) {
    if (HIDDEN.has(String((error as { code?: unknown }).code))) return [];
    throw error;
  }
}

/**
 * The routines of the audit schema with their texts, seen without calling any of them: a guard procedure that
 * was replaced could answer what the old one did, and the times in the catalogue follow the `timestamp` of
 * whoever replaced it.
 *
 * MySQL shows the text with SHOW_ROUTINE, which allows nothing else. MariaDB has nothing of the kind for an
 * ordinary account, so there a view of the guard's shows it; the server itself then says what that view is.
 */
export async function readGuards(
  connection: Connection,
  auditSchema: string,
  byView: boolean,
): Promise<GuardFact[]> {
  return byView ? throughView(connection, auditSchema) : throughServer(connection, auditSchema);
}

async function throughView(connection: Connection, auditSchema: string): Promise<GuardFact[]> {
  const view = qualified(auditSchema, GUARD_TEXT_VIEW);
  const [shown] = await shownRows(connection, `SHOW CREATE VIEW ${view}`);
  if (shown === undefined) return [];
  // Its own schema is left out where that is the session's.
  const statement = text(shown[1]).replace(` VIEW ${ident(auditSchema)}.`, ' VIEW ');
  const facts: GuardFact[] = [
    {
      name: GUARD_TEXT_VIEW,
      kind: 'VIEW',
      definer: /\bDEFINER=(.+?) SQL SECURITY\b/.exec(statement)?.[1] ?? '',
      security: /\bSQL SECURITY (\w+)/.exec(statement)?.[1] ?? '',
      sqlMode: '',
      text: statement === '' ? '' : digest(statement),
    },
  ];
  const found = await shownRows(
    connection,
    `SELECT ${GUARD_TEXT_COLUMNS.map(ident).join(', ')} FROM ${view}`,
  );
  for (const row of found) {
    const cells = row.map(text);
    const of = (column: (typeof GUARD_TEXT_COLUMNS)[number]): string =>
      cells[GUARD_TEXT_COLUMNS.indexOf(column)] ?? '';
    facts.push({
      name: of('name'),
      kind: of('type'),
      definer: of('definer'),
      security: of('security_type'),
      sqlMode: of('sql_mode'),
      text: of('body') === '' ? '' : digest(cells),
    });
  }
  return facts;
}

async function throughServer(connection: Connection, auditSchema: string): Promise<GuardFact[]> {
  const found = (await rows(
    connection,
    `SELECT ROUTINE_NAME, ROUTINE_TYPE, DEFINER, SECURITY_TYPE, SQL_MODE
       FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ${literal(auditSchema)}`,
  )) as Row[];
  const facts: GuardFact[] = [];
  for (const row of found) {
    const [name = '', kind = '', definer = '', security = '', sqlMode = ''] = row.map(text);
    const routine = kind === 'FUNCTION' ? 'FUNCTION' : 'PROCEDURE';
    const [shown] = await shownRows(connection, `SHOW CREATE ${routine} ${qualified(auditSchema, name)}`);
    const written = text(shown?.[2]);
    facts.push({
      name,
      kind,
      definer,
      security,
      sqlMode,
      text: written === '' ? '' : digest((shown ?? []).slice(1).map(text)),
    });
  }
  return facts;
}
