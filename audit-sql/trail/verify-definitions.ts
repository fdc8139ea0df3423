import type { Connection } from 'mysql2/promise';
import { type TriggerFault, triggerKey, triggersOf } from '../coverage/definitions.ts';
import { type LiveTrigger, readLiveTriggers } from '../coverage/live.ts';
import { triggerFaults } from '../coverage/tables.ts';
import { literal, printable, qualified, TRAIL_VIEW, TRIGGER_PREFIX } from '../names.ts';
import { changesSince, readLastInstatement } from '../writers/schema-changes.ts';
import type { Script, Statement } from '../writers/script.ts';
import type { Report, VerifyContext } from './findings.ts';
import { readingFailed, textRows } from './rows.ts';
import { verifyDefiner } from './verify-definer.ts';

const FAULT_WORDS: Readonly<Record<TriggerFault, string>> = {
  missing: 'is missing',
  table: 'is on another table',
  timing: 'has another timing or event',
  definer: 'runs as another account',
  'sql-mode': 'has another SQL mode',
  'character-set': 'was made under another character set',
  body: 'has another body',
  order: 'does not come last',
};

function sqlOf(statements: readonly Statement[], label: string): string[] {
  return statements.filter((statement) => statement.label === label).map((statement) => statement.sql);
}

/** Compares every trigger of both schemas with what the generator writes for the schema as it is now. */
async function verifyTriggers(
  connection: Connection,
  { names }: VerifyContext,
  start: Script,
  report: Report,
): Promise<number> {
  const wanted = triggersOf(start.statements);
  const labels = new Map<string, string>();
  for (const statement of start.statements) {
    for (const trigger of triggersOf([statement])) labels.set(triggerKey(trigger), statement.label);
  }
  let live: ReadonlyMap<string, LiveTrigger>;
  try {
    live = await readLiveTriggers(connection, [names.emrSchema, names.auditSchema]);
  } catch (error) {
    throw readingFailed(error, 'the triggers');
  }
  for (const trigger of wanted) {
    const faults = triggerFaults(trigger, live);
    if (faults.length === 0) continue;
    report({
      code: faults.includes('missing') ? 'trigger-missing' : 'trigger-different',
      severity: 'finding',
      object: trigger.name,
      sentence:
        `The ${trigger.timing} ${trigger.event} trigger of ${printable(trigger.table)} ` +
        `${faults.map((fault) => FAULT_WORDS[fault]).join(' and ')}.`,
      sql: sqlOf(start.statements, labels.get(triggerKey(trigger)) ?? ''),
    });
  }
  const known = new Set(wanted.map(triggerKey));
  for (const [key, trigger] of live) {
    const ours = trigger.schema === names.auditSchema || trigger.name.startsWith(TRIGGER_PREFIX);
    if (!ours || known.has(key)) continue;
    report({
      code: 'trigger-unknown',
      severity: 'finding',
      object: trigger.name,
      sentence: `The trigger ${printable(trigger.name)} on ${printable(trigger.table)} is not one that the generator makes now.`,
      sql: [`DROP TRIGGER ${qualified(trigger.schema, trigger.name)}`],
    });
  }
  return wanted.length;
}

/** A type as both the scripts and `information_schema` would write it. */
function plainType(type: string): string {
  return type
    .toLowerCase()
    .replace(/\b((?:tiny|small|medium|big)?int)\(\d+\)/, '$1')
    .replace(/\s*,\s*/g, ',')
    .trim();
}

const COLUMN = /^ {2}([a-z_]+) ([A-Z]+(?:\((?:'[^']*'|[^()'])*\))?(?: UNSIGNED)?)(.*)$/gm;

async function verifyTables(
  connection: Connection,
  { names }: VerifyContext,
  start: Script,
  report: Report,
): Promise<void> {
  for (const { sql } of start.statements) {
    const table = /^CREATE TABLE IF NOT EXISTS .*?`\.`([^`]+)` \($/m.exec(sql)?.[1];
    if (table === undefined) continue;
    const where = `TABLE_SCHEMA = ${literal(names.auditSchema)} AND TABLE_NAME = ${literal(table)}`;
    const [live] = await textRows(
      connection,
      `SELECT ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE ${where}`,
      'the audit tables',
    );
    if (live === undefined) {
      report({
        code: 'audit-table-missing',
        severity: 'finding',
        object: table,
        sentence: `The audit table ${table} is missing, and every audit row that was in it.`,
        sql: [sql],
      });
      continue;
    }
    const different = (what: string): void =>
      report({
        code: 'audit-table-different',
        severity: 'finding',
        object: table,
        sentence: `The audit table ${table} is not as the generator makes it: ${what}.`,
      });
    const engine = /ENGINE = (\w+)/.exec(sql)?.[1] ?? '';
    if (live[0]?.toLowerCase() !== engine.toLowerCase()) different(`its engine is ${live[0]}, not ${engine}`);
    if (live[1] !== 'utf8mb4_bin') different(`its collation is ${live[1]}`);
    const columns = await textRows(
      connection,
      `SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, EXTRA FROM information_schema.COLUMNS WHERE ${where} ORDER BY ORDINAL_POSITION`,
      'the audit tables',
    );
    const there = new Map(columns.map((row) => [row[0] ?? '', row] as const));
    for (const [, name = '', type = '', rest = ''] of sql.matchAll(COLUMN)) {
      const row = there.get(name);
      there.delete(name);
      if (row === undefined) different(`the column ${name} is missing`);
      else if (plainType(row[1] ?? '') !== plainType(type))
        different(`the column ${name} is ${row[1]}, not ${type.toLowerCase()}`);
      else if ((row[2] === 'NO') !== rest.includes('NOT NULL'))
        different(`the column ${name} may${row[2] === 'NO' ? ' not' : ''} be NULL`);
    }
    for (const name of there.keys()) different(`it has another column ${printable(name)}`);
  }
}

/** What makes the view. */
export function viewStatements(start: Script): readonly string[] {
  return start.statements
    .map(({ sql }) => sql)
    .filter((sql) => /^CREATE OR REPLACE DEFINER = .*\nVIEW /.test(sql));
}

/** A view that shows less than the rows that count would mislead whoever reads it. */
async function verifyView(
  connection: Connection,
  { names }: VerifyContext,
  start: Script,
  report: Report,
): Promise<void> {
  const sql = viewStatements(start);
  const [view] = await textRows(
    connection,
    `SELECT DEFINER, SECURITY_TYPE FROM information_schema.VIEWS
      WHERE TABLE_SCHEMA = ${literal(names.auditSchema)} AND TABLE_NAME = '${TRAIL_VIEW}'`,
    'the audit view',
  );
  const different = (what: string): void =>
    report({
      code: 'audit-view-different',
      severity: 'finding',
      object: TRAIL_VIEW,
      sentence: `The view ${TRAIL_VIEW} ${what}.`,
      sql,
    });
  if (view === undefined) {
    different('is missing');
    return;
  }
  const definer = `${names.definer.user}@${names.definer.host}`;
  if (view[0] !== definer) different(`belongs to ${printable(view[0] ?? '')}, not to ${printable(definer)}`);
  if (view[1] !== 'INVOKER') different('does not run with the rights of its reader');
}

/** The triggers were made for another schema, or a table went away without a word. */
async function verifySchema(
  connection: Connection,
  { names, model }: VerifyContext,
  report: Report,
): Promise<void> {
  let last: Awaited<ReturnType<typeof readLastInstatement>>;
  try {
    last = await readLastInstatement(connection, names);
  } catch (error) {
    throw readingFailed(error, 'the log of starts and stops');
  }
  // While auditing is stopped the schema may change: that is what it is stopped for.
  if (last?.action !== 'start') return;
  for (const { table, sentence } of changesSince(last, model) ?? []) {
    report({
      code: 'schema-changed',
      severity: 'finding',
      object: table,
      sentence: `${sentence} Auditing was last started before that; start it again.`,
    });
  }
}

/**
 * Compares triggers, audit tables, view and definer with what `start` would make for the schema as it is.
 * @param start what `generate` gives now
 * @returns how many triggers were compared
 */
export async function verifyDefinitions(
  connection: Connection,
  context: VerifyContext,
  start: Script,
  report: Report,
): Promise<number> {
  await verifyTables(connection, context, start, report);
  await verifyView(connection, context, start, report);
  await verifyDefiner(connection, context, start, report);
  await verifySchema(connection, context, report);
  return verifyTriggers(connection, context, start, report);
}
