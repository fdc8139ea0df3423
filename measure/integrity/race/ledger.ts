import type { RowDataPacket } from 'mysql2/promise';
import { readActivityLog, verifyActivityLog } from '../../../activity-log/index.ts';
import { type Answer, served } from '../client.ts';
import type { Clinic } from '../clinic.ts';

/** What clients were told, held against the EMR's rows, the audit rows and the activity log. */
export interface Ledger {
  readonly answered: { readonly success: number; readonly refused: number; readonly none: number };
  /** Rows that the writes made in the EMR. */
  readonly rows: number;
  /** Of those, rows that have no audit row. */
  readonly unaudited: number;
  /** Answered as successful although the row has no audit row. */
  readonly successWithoutAudit: number;
  /** Answered as successful, and there is no such row. */
  readonly successWithoutRow: number;
  /** Rows without audit row by what the activity log says of the request. */
  readonly unauditedRecordedAs: Readonly<Record<string, number>>;
  /** Writes that the log calls unverified, whether or not they turned out to have an audit row. */
  readonly unverified: number;
  readonly unverifiedWithAudit: number;
  /** Rows in the EMR for which the log has no intent. */
  readonly unannounced: number;
  readonly logFaults: number;
}

interface Said {
  intent: boolean;
  unverified: boolean;
  outcome: string;
}

export async function settle(clinic: Clinic, answers: readonly Answer[]): Promise<Ledger> {
  // What the EMR still works on, and a worker's last records, may be on their way.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const said = await readLog(clinic);
  const { rows, audited } = await readDatabase(clinic);
  const idOf = (answer: Answer): string => answer.location.slice(answer.location.lastIndexOf('/') + 1);
  const successes = answers.filter(served);
  const requests = new Map(answers.map((answer) => [answer.marker, answer.requestId]));
  const recordedAs: Record<string, number> = {};
  let unannounced = 0;
  let unverifiedWithAudit = 0;
  let unaudited = 0;
  for (const [id, marker] of rows) {
    const account = said.get(requests.get(marker) ?? '');
    if (account !== undefined && !account.intent) unannounced += 1;
    if (audited.has(id)) {
      if (account?.unverified === true) unverifiedWithAudit += 1;
      continue;
    }
    unaudited += 1;
    const how =
      account === undefined
        ? 'client got no answer'
        : `${account.unverified ? 'unverified-write' : 'no unverified-write'}, outcome ${account.outcome}`;
    recordedAs[how] = (recordedAs[how] ?? 0) + 1;
  }
  const report = await verifyActivityLog(clinic.stack.layout.activity);
  return {
    answered: {
      success: successes.length,
      refused: answers.filter(({ status }) => status >= 400).length,
      none: answers.filter(({ status }) => status === 0).length,
    },
    rows: rows.size,
    unaudited,
    successWithoutAudit: successes.filter((answer) => rows.has(idOf(answer)) && !audited.has(idOf(answer)))
      .length,
    successWithoutRow: successes.filter((answer) => !rows.has(idOf(answer))).length,
    unauditedRecordedAs: recordedAs,
    unverified: [...said.values()].filter(({ unverified }) => unverified).length,
    unverifiedWithAudit,
    unannounced,
    logFaults: report.faults.length,
  };
}

async function readLog(clinic: Clinic): Promise<ReadonlyMap<string, Said>> {
  const said = new Map<string, Said>();
  for await (const { entry } of readActivityLog(clinic.stack.layout.activity)) {
    const request = typeof entry.request === 'string' ? entry.request : undefined;
    if (request === undefined) continue;
    const account = said.get(request) ?? { intent: false, unverified: false, outcome: 'none' };
    said.set(request, account);
    if (entry.kind === 'intent') account.intent = true;
    if (entry.kind === 'unverified-write') account.unverified = true;
    if (entry.kind === 'outcome') account.outcome = `${entry.status} ${entry.reason}`;
  }
  return said;
}

/** Rows of the race with their markers, and the ids of those whose making has an audit row. */
async function readDatabase(
  clinic: Clinic,
): Promise<{ rows: ReadonlyMap<string, string>; audited: ReadonlySet<string> }> {
  const connection = await clinic.stack.mariadb.connect();
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      "SELECT id, display FROM ??.observations WHERE display LIKE 'race %'",
      [clinic.tenant.schema],
    );
    const [audited] = await connection.query<RowDataPacket[]>(
      "SELECT JSON_VALUE(new_values, '$.id') id FROM ??.audit_row WHERE emr_table = 'observations' AND operation = 'insert'",
      [clinic.tenant.auditSchema],
    );
    return {
      rows: new Map(rows.map((row) => [String(row.id), String(row.display)])),
      audited: new Set(audited.map((row) => String(row.id))),
    };
  } finally {
    await connection.end();
  }
}
