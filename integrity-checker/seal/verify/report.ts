import type { SealedTable } from '../../../audit-sql/fingerprint/index.ts';
import type { Checkpoint } from '../checkpoint.ts';

/** What an audit can find. Stable: scripts look at them. */
export const VERIFY_CODES = [
  'checkpoint-invalid',
  'checkpoint-contradicts',
  'store-altered',
  'store-cut',
  'store-behind',
  'store-forked',
  'row-edited',
  'row-deleted',
  'row-inserted',
  'rows-exchanged',
  'table-rewound',
  'batch-differs',
] as const;
export type VerifyCode = (typeof VERIFY_CODES)[number];

/** A checkpoint, as little of it as tells a person when. */
export interface Moment {
  /** From 1, in the order they were signed. */
  readonly number: number;
  readonly size: number;
  readonly time: string;
}

export interface Rows {
  readonly table: SealedTable;
  readonly first: number;
  readonly last: number;
  /** How many rows; undefined when that cannot be told. */
  readonly count: number | undefined;
}

/** One thing that is wrong. */
export interface VerifyFinding {
  readonly code: VerifyCode;
  readonly sentence: string;
  readonly rows?: Rows;
  /** Sealed after this checkpoint, undefined for the first ones … */
  readonly after?: Moment | undefined;
  /** … and by this one: what was done to it, was done later. */
  readonly sealedBy?: Moment | undefined;
  /** The file it concerns, when it concerns the store. */
  readonly file?: string;
}

export interface VerifyFigures {
  readonly checkpoints: number;
  readonly leaves: number;
  /** Rows of the database that were compared. */
  readonly rows: number;
  /** Rows that are not sealed yet. */
  readonly unsealed: number;
}

export interface SealReport {
  readonly ok: boolean;
  readonly origin: string;
  /** `leaves` finds the row, `checkpoints` the second or so in which it was sealed, `none` looks at no database. */
  readonly precision: 'leaves' | 'checkpoints' | 'none';
  readonly findings: readonly VerifyFinding[];
  /** More than are listed. */
  readonly further: number;
  readonly notes: readonly string[];
  readonly last: Moment | undefined;
  readonly figures: VerifyFigures;
}

/** Findings in a report at most. */
export const MOST_FINDINGS = 1_000;

export interface VerifyProgress {
  readonly step: string;
  readonly done: number;
  readonly total: number | undefined;
}

export type OnProgress = (progress: VerifyProgress) => void;

export function momentOf(checkpoint: Checkpoint, number: number): Moment {
  return { number, size: checkpoint.size, time: checkpoint.time };
}

/** When a row that must not be there can have come: after its id had been given up. */
function periodOf({ code, after, sealedBy }: VerifyFinding): string | undefined {
  if (sealedBy === undefined) return undefined;
  const until = `checkpoint ${sealedBy.number} (${sealedBy.time})`;
  if (code === 'row-inserted') return `came after ${until}`;
  const from = after === undefined ? 'the beginning' : `checkpoint ${after.number} (${after.time})`;
  return `sealed between ${from} and ${until}`;
}

function placeOf(finding: VerifyFinding): string {
  const { rows, file } = finding;
  const parts: string[] = [];
  if (rows !== undefined) {
    const ids = rows.first === rows.last ? `id ${rows.first}` : `ids ${rows.first} to ${rows.last}`;
    const count = rows.count === undefined || rows.first === rows.last ? '' : ` (${rows.count} rows)`;
    parts.push(`${rows.table} ${ids}${count}`);
  }
  const period = periodOf(finding);
  if (period !== undefined) parts.push(period);
  if (file !== undefined) parts.push(file);
  return parts.join(', ');
}

function wholeness({ notes }: SealReport): string {
  return notes.length === 0 ? 'intact' : 'intact as far as it could be compared: see the notes';
}

/** For a person. */
export function sealReportText(report: SealReport): string {
  const { figures, last } = report;
  const count = report.findings.length + report.further;
  const lines = report.findings.map((finding) => {
    const place = placeOf(finding);
    return `FOUND  ${finding.code}${place === '' ? '' : `: ${place}`}\n       ${finding.sentence}`;
  });
  if (report.further > 0) lines.push(`… and ${report.further} more`);
  for (const note of report.notes) lines.push(`note   ${note}`);
  lines.push(
    `${report.origin}: ${figures.checkpoints} checkpoints over ${figures.leaves} rows` +
      (last === undefined ? '' : `, the last of ${last.time}`),
    report.precision === 'none'
      ? 'No database was compared.'
      : `${figures.rows} rows of the database compared, ${figures.unsealed} not sealed yet.`,
    report.ok ? wholeness(report) : `NOT INTACT: ${count} ${count === 1 ? 'finding' : 'findings'}`,
  );
  return `${lines.join('\n')}\n`;
}
