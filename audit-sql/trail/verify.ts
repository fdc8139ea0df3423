import type { Connection } from 'mysql2/promise';
import type { Script } from '../writers/script.ts';
import { MAXIMUM_BINARY_BYTES } from '../writers/triggers.ts';
import type { ContentFigures } from './comparing.ts';
import { cut, visible } from './display.ts';
import { keyDigest, type Report, type VerifyContext, type VerifyFinding } from './findings.ts';
import { findTable, printKey } from './key.ts';
import { inSnapshot } from './rows.ts';
import { verifyContent } from './verify-content.ts';
import { verifyDefinitions, viewStatements } from './verify-definitions.ts';
import { type TrailFigures, verifyInstatement, verifyNumbers } from './verify-trail.ts';

export interface VerifyOptions extends VerifyContext {
  /** What `generate` writes for the schema as it is now. */
  readonly start: Script;
  /** Compare the EMR's rows with the trail: of all tables, or of those named as a person types them. */
  readonly content?: true | readonly string[] | undefined;
  /** As given to `generate`. */
  readonly maximumBinaryBytes?: number;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** Records held in memory at a time. Default 200,000. */
  readonly recordsPerPass?: number;
}

export interface VerifyProgress {
  readonly step: 'definitions' | 'trail' | 'content';
  /** Audit rows read. */
  readonly done: number;
  /** Undefined when not known. */
  readonly total: number | undefined;
}

export interface VerifyReport {
  /** No finding; notes do not count. */
  readonly ok: boolean;
  readonly findings: readonly VerifyFinding[];
  readonly figures: {
    /** Triggers compared. */
    readonly triggers: number;
    readonly trail: TrailFigures;
    /** Undefined when content was not asked for. */
    readonly content: ContentFigures | undefined;
  };
}

/**
 * Checks that the audit is what it should be: triggers, audit tables, view and definer against what the
 * generator writes for the schema as it is; the trail's own numbers and times; and, when asked, the EMR's
 * rows against the trail. Everything is read in one consistent snapshot; nothing is written.
 *
 * @throws ChartgateError `usage` for an unknown table, `privilege-missing`, `database-unavailable`,
 *   `database-unsupported` when the audit tables are of another version or missing
 */
export async function verify(connection: Connection, options: VerifyOptions): Promise<VerifyReport> {
  const tables =
    options.content === undefined || options.content === true
      ? undefined
      : options.content.map((name) => findTable(options.model, name));
  const findings: VerifyFinding[] = [];
  const report: Report = (finding) => {
    findings.push({ ...finding, key: finding.key, sql: finding.sql ?? [] });
  };
  const progress = options.onProgress ?? (() => {});
  return inSnapshot(connection, async () => {
    progress({ step: 'definitions', done: 0, total: undefined });
    const triggers = await verifyDefinitions(connection, options, options.start, report);
    const periods = await verifyInstatement(connection, options, report);
    const trail = await verifyNumbers(
      connection,
      options,
      periods,
      report,
      (done) => progress({ step: 'trail', done, total: undefined }),
      viewStatements(options.start),
    );
    let content: ContentFigures | undefined;
    if (options.content !== undefined) {
      const context = { ...options, maximumBinaryBytes: options.maximumBinaryBytes ?? MAXIMUM_BINARY_BYTES };
      content = await verifyContent(connection, context, tables, periods, report, (done, total) =>
        progress({ step: 'content', done, total }),
      );
    }
    return {
      ok: findings.every((finding) => finding.severity !== 'finding'),
      findings,
      figures: { triggers, trail, content },
    };
  });
}

function line(finding: VerifyFinding, keys: boolean): string {
  const mark = finding.severity === 'finding' ? 'FINDING' : 'note   ';
  const key =
    finding.key === undefined
      ? ''
      : keys
        ? ` Key: ${cut(printKey(finding.key), 200)}`
        : ` Key: #${keyDigest(finding.key)}`;
  return `${mark}  ${finding.code}: ${visible(finding.sentence)}${key}`;
}

/**
 * The report for a person: findings first, then notes, then figures.
 * @param keys whether keys of records may be shown; digests of them otherwise, for whatever is kept
 */
export function verifyText(report: VerifyReport, keys: boolean): string {
  const { triggers, trail, content } = report.figures;
  const found = report.findings.filter((finding) => finding.severity === 'finding');
  const notes = report.findings.filter((finding) => finding.severity === 'note');
  const lines = [...found, ...notes].map((finding) => line(finding, keys));
  const repairs = [...new Set(found.flatMap((finding) => finding.sql))].length;
  return `${[
    ...lines,
    ...(lines.length > 0 ? [''] : []),
    `${triggers} triggers compared; ${trail.rows} audit rows read.`,
    ...(content === undefined
      ? ['The rows of the EMR were not compared with the trail (--content does).']
      : [
          `${content.records} records compared with their last audit row: ${content.equal} equal` +
            `${content.keylessRows > 0 ? `; ${content.keylessRows} rows of tables without a key looked for` : ''}.`,
        ]),
    ...(repairs > 0 ? [`${repairs} statements would put definitions right; --json has them.`] : []),
    report.ok ? 'The audit is as it should be.' : `${found.length} finding${found.length === 1 ? '' : 's'}.`,
  ].join('\n')}\n`;
}

/** The same for scripts. */
export function verifyJson(report: VerifyReport, keys: boolean): object {
  return {
    ok: report.ok,
    findings: report.findings.map(({ code, severity, object, sentence, key, sql }) => ({
      code,
      severity,
      object,
      sentence,
      ...(key === undefined ? {} : keys ? { key: printKey(key) } : { keyDigest: keyDigest(key) }),
      sql,
    })),
    figures: { ...report.figures, content: report.figures.content ?? null },
  };
}
