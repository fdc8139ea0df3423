import type { Connection } from 'mysql2/promise';
import {
  AUDIT_ROW_TABLE,
  DIRECT_ROW_TABLE,
  INSTATEMENT_TABLE,
  printable,
  qualified,
  TRAIL_VIEW,
} from '../names.ts';
import type { Report, StoppedPeriod, VerifyContext } from './findings.ts';
import { TRAIL_TABLES } from './read.ts';
import { streamText, textRows } from './rows.ts';

/** What the trail's own rows say about themselves. */
export interface TrailFigures {
  /** Audit rows. */
  readonly rows: number;
  /** Places where numbers are missing, and how many numbers. */
  readonly gaps: number;
  readonly missingNumbers: number;
  /** Announced cascades that were not made. */
  readonly voidCascades: number;
}

/** Clocks are set, and rows that several sessions write at once are numbered in another order than timed. */
const TOLERANCE_SECONDS = 5;

function iso(at: string | null | undefined): string {
  return `${(at ?? '').replace(' ', 'T')}Z`;
}

/** Reads the starts and stops, and reports what they say. */
export async function verifyInstatement(
  connection: Connection,
  { names }: VerifyContext,
  report: Report,
): Promise<readonly StoppedPeriod[]> {
  const rows = await textRows(
    connection,
    `SELECT action, CAST(at AS CHAR), login FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)} ORDER BY id`,
    'the log of starts and stops',
  );
  const periods: { from: string; to: string | undefined; login: string }[] = [];
  for (const [action, at, login] of rows) {
    const open = periods.at(-1);
    if (action === 'stop' && (open === undefined || open.to !== undefined)) {
      periods.push({ from: iso(at), to: undefined, login: login ?? '' });
    } else if (action === 'start' && open !== undefined && open.to === undefined) open.to = iso(at);
  }
  for (const { from, to, login } of periods) {
    if (to === undefined) continue;
    report({
      code: 'audit-was-stopped',
      severity: 'note',
      object: INSTATEMENT_TABLE,
      sentence: `Auditing was stopped from ${from} to ${to} by ${printable(login)}; changes in between have no audit row.`,
    });
  }
  const last = rows.at(-1);
  if (last?.[0] !== 'start') {
    report({
      code: 'audit-stopped',
      severity: 'finding',
      object: INSTATEMENT_TABLE,
      sentence:
        last === undefined
          ? 'Auditing was never started.'
          : `Auditing is stopped since ${iso(last[1])}, by ${printable(last[2] ?? '')}.`,
    });
  }
  return periods;
}

function microseconds(at: string | null | undefined): number {
  const text = iso(at);
  return Date.parse(`${text.slice(0, 19)}Z`) / 1000 + Number(`0.${text.slice(20, 26)}`);
}

/** Reads numbers, times and kinds of all audit rows, and reports what cannot be right or should be known. */
export async function verifyNumbers(
  connection: Connection,
  { names }: VerifyContext,
  periods: readonly StoppedPeriod[],
  report: Report,
  onProgress: (rows: number) => void,
  viewSql: readonly string[],
): Promise<TrailFigures> {
  let [rows, mainRows, gaps, missingNumbers, stoppedRows] = [0, 0, 0, 0, 0];
  const cascades = new Map<string, number>();
  for (const table of TRAIL_TABLES) {
    const sql =
      `SELECT id, CAST(at AS CHAR), operation, connection, cascade_id ` +
      `FROM ${qualified(names.auditSchema, table)} ORDER BY id`;
    let previous: bigint | undefined;
    let latest = 0;
    let backwards = 0;
    let firstBackwards = '';
    let furthest = 0;
    for await (const [id, at, operation, connectionId, cascadeId] of streamText(
      connection,
      sql,
      'the audit trail',
    )) {
      rows += 1;
      if (table === AUDIT_ROW_TABLE) mainRows += 1;
      if (rows % 10_000 === 0) onProgress(rows);
      const number = BigInt(id ?? 0);
      if (previous !== undefined && number > previous + 1n) {
        gaps += 1;
        missingNumbers += Number(number - previous - 1n);
      }
      previous = number;
      const time = microseconds(at);
      if (time < latest - TOLERANCE_SECONDS) {
        backwards += 1;
        furthest = Math.max(furthest, latest - time);
        if (firstBackwards === '') firstBackwards = id ?? '';
      }
      latest = Math.max(latest, time);
      const moment = iso(at);
      if (periods.some((p) => moment > p.from && (p.to === undefined || moment < p.to))) stoppedRows += 1;
      if (cascadeId === null || cascadeId === undefined) continue;
      // Both are plain digits.
      const token = `${connectionId} ${cascadeId}`;
      if (operation === 'update' || operation === 'delete') {
        cascades.delete(token);
      } else {
        cascades.set(token, (cascades.get(token) ?? 0) + 1);
      }
    }
    if (backwards > 0) {
      report({
        code: 'time-backwards',
        severity: 'finding',
        object: table,
        sentence:
          `The time of ${backwards} rows is more than ${TOLERANCE_SECONDS} s before that of an earlier number, ` +
          `first at number ${firstBackwards}, by up to ${Math.round(furthest)} s: the server's clock was set back, or rows were altered.`,
      });
    }
  }
  let voidCascades = 0;
  for (const count of cascades.values()) voidCascades += count;
  if (gaps > 0) {
    report({
      code: 'number-gaps',
      severity: 'note',
      object: 'audit_row',
      sentence:
        `${missingNumbers} numbers are missing in ${gaps} places. Rolled back transactions leave such gaps, so a gap alone ` +
        'proves nothing; a row that was taken out shows where the rows before and after it contradict each other.',
    });
  }
  if (voidCascades > 0) {
    report({
      code: 'cascades-not-made',
      severity: 'note',
      object: 'audit_row',
      sentence:
        `${voidCascades} rows announce what a foreign key would have done, had the change of the parent not been ` +
        `refused; they do not count, and ${TRAIL_VIEW} leaves them out.`,
    });
  }
  if (stoppedRows > 0) {
    report({
      code: 'changed-while-stopped',
      severity: 'note',
      object: 'audit_row',
      sentence: `${stoppedRows} rows were written while auditing counted as stopped: some triggers were still, or already, there.`,
    });
  }
  await verifyViewCount(connection, names.auditSchema, mainRows - voidCascades, viewSql, report);
  return { rows, gaps, missingNumbers, voidCascades };
}

/** The view is what auditors read: it must show exactly the rows that count. */
async function verifyViewCount(
  connection: Connection,
  schema: string,
  expected: number,
  sql: readonly string[],
  report: Report,
): Promise<void> {
  let shown: string | null | undefined;
  let direct: string | null | undefined;
  try {
    // In one statement: the second table has no transactions, and may have grown meanwhile.
    const [row] = await textRows(
      connection,
      `SELECT (SELECT COUNT(*) FROM ${qualified(schema, TRAIL_VIEW)}), (SELECT COUNT(*) FROM ${qualified(schema, DIRECT_ROW_TABLE)})`,
      'the audit view',
    );
    [shown, direct] = row ?? [];
  } catch {
    // That it is missing or broken is found with the definitions.
    return;
  }
  const wanted = expected + Number(direct);
  if (Number(shown) === wanted) return;
  report({
    code: 'audit-view-different',
    severity: 'finding',
    object: TRAIL_VIEW,
    sentence: `The view ${TRAIL_VIEW} shows ${shown} rows, but ${wanted} count.`,
    sql,
  });
}
