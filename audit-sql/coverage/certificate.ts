import { printable } from '../names.ts';
import { POWER_WORDS } from './accounts.ts';
import type { BeyondReason, BinlogCoverage } from './binlog.ts';
import type { BlindSpot } from './blind-spots.ts';
import type { CoverageReport } from './report.ts';
import { describeTable } from './tables.ts';

const BEYOND_WORDS: Readonly<Record<BeyondReason, string>> = {
  cascade: 'cascades, which this engine does below its log',
  'nothing-changed': 'updates that set what was there already',
  unexplained: 'no reason known',
};
const ENGINES: Readonly<Record<string, string>> = { mariadb: 'MariaDB', mysql: 'MySQL' };

function percent(part: number, whole: number): string {
  // Never rounded up to 100: 999 of 1,000 is not all.
  return whole === 0 ? 'there are none' : `${Math.floor((part / whole) * 1000) / 10} %`;
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(15)} ${value}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', title, ...lines.map((line) => `  ${line}`)];
}

function head(report: CoverageReport): string[] {
  const { server, instatement } = report;
  return [
    `Coverage certificate of the schema ${printable(report.emrSchema)}`,
    '',
    field(
      'server',
      `${ENGINES[server.engine] ?? server.engine} ${server.version} on ${server.host}:${server.port}`,
    ),
    field('audit schema', printable(report.auditSchema)),
    field('taken', `${report.takenAt} UTC by ${report.takenBy}`),
    field('generator', report.generator),
    field('schema digest', report.schemaDigest),
    field(
      'audit',
      instatement === undefined
        ? 'never started'
        : `last ${instatement.action}: ${instatement.at} UTC by ${instatement.login} (${instatement.generator})`,
    ),
  ];
}

function figures(report: CoverageReport): string[] {
  const { counts, triggers, tables } = report;
  const { covered, half, uncovered } = counts;
  return [
    '',
    field(
      'tables',
      `${covered} of ${tables.length} covered (${percent(covered, tables.length)}), ${half} half, ${uncovered} not`,
    ),
    field('triggers', `${triggers.asWanted} of ${triggers.wanted} live and as generated`),
  ];
}

/** Blind spots of one kind under one heading, so that forty columns do not hide the one routine. */
export function blindSpotLines(blindSpots: readonly BlindSpot[]): string[] {
  const groups = new Map<string, { sentence: string; objects: string[] }>();
  for (const { code, object, sentence } of blindSpots) {
    const key = JSON.stringify([code, sentence]);
    const group = groups.get(key) ?? { sentence: `${code}: ${sentence}`, objects: [] };
    if (object !== undefined) group.objects.push(printable(object));
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ sentence, objects }) => [
    `- ${sentence}`,
    ...objects.map((object) => `    ${object}`),
  ]);
}

function accountLines(report: CoverageReport): string[] {
  if (report.powerfulAccounts.length === 0) return ['none'];
  return report.powerfulAccounts.flatMap(({ account, locked, powers, privileges }) => [
    `- ${printable(account)}${locked ? ', locked,' : ''} ${powers.map((power) => POWER_WORDS[power]).join('; ')}`,
    `    ${privileges.join(', ')}`,
  ]);
}

function binaryLogLines(log: BinlogCoverage): string[] {
  const rows = (count: number): string => `${count} row${count === 1 ? '' : 's'}`;
  return [
    `${log.audited} of ${log.rowChanges} row changes have their audit row (${percent(log.audited, log.rowChanges)})`,
    `${rows(log.whileStopped)} changed while auditing was stopped, which is not counted`,
    ...log.missing.map(
      ({ table, operation, rows: count, where }) =>
        `- MISSING ${printable(table)}: ${operation} of ${rows(count)}, first at ${where}`,
    ),
    ...log.beyond.map(
      ({ table, reason, rows: count }) =>
        `- ${printable(table)}: ${count} audit rows without a row change: ${BEYOND_WORDS[reason]}`,
    ),
    ...log.otherObjects.map(
      ({ object, rows: count }) => `- ${printable(object)}: ${rows(count)}, no audited table`,
    ),
    ...log.statements.map(({ verb, times, where }) => `- ${verb}: ${times} times, first at ${where}`),
  ];
}

/** The certificate for a person: plain text, ends with a line that says whether all is covered. Pure. */
export function certificate(report: CoverageReport): string {
  const open = report.tables.filter(({ state }) => state !== 'covered');
  const lines = [
    ...head(report),
    ...figures(report),
    ...(open.length === 0
      ? []
      : section(
          'Tables not covered',
          open.map((table) => `- ${describeTable(table)}`),
        )),
    ...(report.faults.length === 0
      ? []
      : section(
          'What else is not as it should be',
          report.faults.map(({ code, sentence }) => `- ${code}: ${sentence}`),
        )),
    ...(report.binaryLog === undefined ? [] : section('Binary log', binaryLogLines(report.binaryLog))),
    ...section('Blind spots: what no trigger records, or not wholly', blindSpotLines(report.blindSpots)),
    ...section('Accounts that could disable or get around the audit', accountLines(report)),
    '',
    report.covered
      ? 'COVERED: every insert, update and delete on every table is recorded, but for the blind spots above.'
      : 'NOT COVERED: see above.',
  ];
  return `${lines.join('\n')}\n`;
}
