import type { Connection } from 'mysql2/promise';
import { ChartgateError, type ErrorCode } from '../contracts/errors.ts';
import { describeBlockers, takeApplyLock } from './apply/locks.ts';
import { isDone, tableOf, triggerSchemas, type Unit, unitsOf } from './apply/units.ts';
import type { TriggerDefinition } from './coverage/definitions.ts';
import { type LiveTrigger, readLiveTriggers } from './coverage/live.ts';
import { countStates, describeTable, tableCoverage } from './coverage/tables.ts';
import { type AuditNames, printable } from './names.ts';
import type { Script, Statement } from './writers/script.ts';

/** How far `apply` is. */
export interface Progress {
  /** Statements done, those left out because their effect was there already included. */
  readonly done: number;
  readonly total: number;
  /** The statement just done, in a few words. */
  readonly label: string;
}

export interface ApplyOptions {
  readonly onProgress?: (progress: Progress) => void;
  /** With these, no second `apply` runs on the same EMR schema at the same time. */
  readonly names?: AuditNames;
  /** Seconds to wait for a table that another session uses. Default 30. */
  readonly lockTimeoutSeconds?: number;
  /** The triggers with which every table is covered: with these, a failure says which tables are. */
  readonly wanted?: readonly TriggerDefinition[];
  /** A new connection, to look at the tables after this one broke. The callee's answer is ended here. */
  readonly reconnect?: () => Promise<Connection>;
}

export interface ApplyReport {
  readonly total: number;
  /** Statements left out, because the triggers they make were there already, exactly so. */
  readonly skipped: number;
}

export const DEFAULT_LOCK_TIMEOUT_SECONDS = 30;

const MISSING_PRIVILEGE: ReadonlySet<string> = new Set([
  'ER_ACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_PROCACCESS_DENIED_ERROR',
  'ER_SPECIFIC_ACCESS_DENIED_ERROR',
  'ER_CANT_CREATE_USER_WITH_GRANT',
  'ER_BINLOG_CREATE_ROUTINE_NEED_SUPER',
  'ER_CANNOT_USER',
]);
const LOCK_WAIT = 'ER_LOCK_WAIT_TIMEOUT';

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code ?? '');
}

/** The driver marks as fatal whatever ends the connection. */
function isGone(error: unknown): boolean {
  const { fatal, code } = error as { fatal?: unknown; code?: unknown };
  return (
    fatal === true ||
    code === 'PROTOCOL_CONNECTION_LOST' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'ER_SERVER_SHUTDOWN' ||
    code === 'ER_CONNECTION_KILLED'
  );
}

/**
 * Runs a script, statement by statement, and leaves out what is done already: triggers that are live
 * exactly as the script would make them, and drops of what is not there. So running it again after a
 * failure goes on where it broke off, and a script that was applied changes no trigger.
 *
 * Changes the session's character set, SQL mode and lock timeouts.
 *
 * @throws ChartgateError `privilege-missing`, `database-busy` (another apply, or a table in use for longer
 *   than the timeout) or `database-unavailable`, saying which statement failed and what is covered now
 */
export async function apply(
  connection: Connection,
  script: Script,
  options: ApplyOptions | ((progress: Progress) => void) = {},
): Promise<ApplyReport> {
  const settings: ApplyOptions = typeof options === 'function' ? { onProgress: options } : options;
  const release =
    settings.names === undefined ? async () => {} : await takeApplyLock(connection, settings.names);
  try {
    return await run(connection, script, settings);
  } finally {
    await release();
  }
}

async function run(connection: Connection, script: Script, options: ApplyOptions): Promise<ApplyReport> {
  const timeout = Math.max(1, Math.floor(options.lockTimeoutSeconds ?? DEFAULT_LOCK_TIMEOUT_SECONDS));
  const total = script.statements.length;
  const position = { done: 0, skipped: 0 };
  let live: ReadonlyMap<string, LiveTrigger> = new Map();
  let unit: Unit | undefined;
  let statement: Statement | undefined;
  try {
    await connection.query(
      `SET SESSION lock_wait_timeout = ${timeout}, SESSION innodb_lock_wait_timeout = ${timeout}`,
    );
    live = await readLiveTriggers(connection, triggerSchemas(script.statements));
    for (unit of unitsOf(script.statements)) {
      if (isDone(unit, live)) {
        position.skipped += unit.statements.length;
        position.done += unit.statements.length;
        options.onProgress?.({ done: position.done, total, label: unit.statements[0]?.label ?? '' });
        continue;
      }
      for (statement of unit.statements) {
        await connection.query(statement.sql);
        position.done += 1;
        options.onProgress?.({ done: position.done, total, label: statement.label });
      }
    }
    return { total, skipped: position.skipped };
  } catch (error) {
    // On MySQL a table may be locked while its trigger is replaced.
    if (!isGone(error)) await connection.query('UNLOCK TABLES').catch(() => {});
    const where =
      statement === undefined
        ? 'before its first statement'
        : `at statement ${position.done + 1} of ${total} (${statement.label})`;
    const said = error instanceof Error ? error.message : 'unknown error';
    const blockers =
      codeOf(error) === LOCK_WAIT
        ? await explainLock(connection, unit && tableOf(unit, live), timeout)
        : 'What came before is done.';
    throw new ChartgateError(
      failureCode(error),
      `The script "${script.name}" broke off ${where}: ${said}. ${blockers}` +
        `${await stateNow(connection, error, options)} The script can be run again: it goes on from there.`,
      { cause: error },
    );
  }
}

function failureCode(error: unknown): ErrorCode {
  const code = codeOf(error);
  if (MISSING_PRIVILEGE.has(code)) return 'privilege-missing';
  return code === LOCK_WAIT ? 'database-busy' : 'database-unavailable';
}

async function explainLock(
  connection: Connection,
  about: { readonly schema: string; readonly table: string } | undefined,
  timeout: number,
): Promise<string> {
  if (about === undefined) return `It waited ${timeout} s for another session.`;
  return (
    `It waited ${timeout} s for the table ${printable(about.table)}, which another session uses. ` +
    `${await describeBlockers(connection, about.schema, about.table)} ` +
    'Let that session end its transaction, or end it (KILL), or give --lock-timeout more seconds.'
  );
}

/** What is covered after a failure, from the live catalogue; never from what should have happened. */
async function stateNow(connection: Connection, error: unknown, options: ApplyOptions): Promise<string> {
  const { wanted, reconnect } = options;
  if (wanted === undefined || wanted.length === 0) return '';
  const unknown =
    ' Which tables are covered now cannot be said, because the server does not answer; "coverage" will say it.';
  const gone = isGone(error);
  let other: Connection | undefined;
  try {
    if (gone) {
      if (reconnect === undefined) return unknown;
      other = await reconnect();
    }
    const schemas = [...new Set(wanted.map(({ schema }) => schema))];
    const tables = tableCoverage(wanted, await readLiveTriggers(other ?? connection, schemas));
    const { covered, half, uncovered } = countStates(tables);
    const halves = tables.filter(({ state }) => state === 'half').map(describeTable);
    return (
      ` Tables now: ${covered} covered, ${half} half covered, ${uncovered} not covered.` +
      (halves.length === 0
        ? ''
        : ` ${halves.slice(0, 10).join('. ')}${halves.length > 10 ? '; and more' : ''}.`)
    );
  } catch {
    return unknown;
  } finally {
    await other?.end().catch(() => {});
  }
}
