import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import {
  type ExpectedHead,
  readActivityLog,
  type ShownRecord,
  type VerifyReport,
  verifyActivityLog,
} from '../../activity-log/index.ts';
import { parseRequestId } from '../../contracts/identifiers.ts';
import { EXIT, fail } from '../output.ts';

/** `chartgate log verify DIR` and `chartgate log show DIR`. */
export function register(program: Command): void {
  const log = program.command('log').description('Check and read the activity log.');
  log
    .command('verify')
    .description(
      'Check every chain of the log in DIR for edited, removed, inserted and moved records.\n' +
        'Exit code 0: intact; 1: broken; 4: it cannot be read.\n\n' +
        'A chain whose very end was cut off looks like one that has not come further yet. Keep the\n' +
        'printed heads somewhere else and give them back later with --expect-head.',
    )
    .argument('<dir>', "the log's directory")
    .option(
      '--expect-head <chain:seq:hash>',
      'the chain must contain this record; may be given several times',
      collectHead,
      [],
    )
    .option('--json', 'print the report as JSON')
    .action(guarded(verify));
  log
    .command('show')
    .description('Print the records of all chains in the order of their times, without checking them.')
    .argument('<dir>', "the log's directory")
    .option('--request <id>', 'only the entries of this request', requestId)
    .option('--since <when>', 'only from this time on: 2026-01-31T08:00:00Z, or 90s, 15m, 2h, 7d ago', since)
    .option('--json', 'print one JSON object per line')
    .action(guarded(show));
}

/** Errors end the process here with their exit code, wherever the command was registered. */
function guarded<Options>(
  action: (directory: string, options: Options) => Promise<void>,
): (directory: string, options: Options) => Promise<void> {
  return async (directory, options) => {
    try {
      await action(directory, options);
    } catch (error) {
      fail(error);
    }
  };
}

async function verify(
  directory: string,
  options: { readonly expectHead: readonly ExpectedHead[]; readonly json?: boolean },
): Promise<void> {
  const report = await verifyActivityLog(directory, { expectHeads: options.expectHead });
  await print(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : describe(report));
  process.exitCode = report.intact ? EXIT.ok : EXIT.finding;
}

function describe(report: VerifyReport): string {
  const lines: string[] = [];
  for (const fault of report.faults) {
    lines.push(`BROKEN  ${place(fault)}  ${fault.code}: ${fault.message}`);
  }
  if (report.faultCount > report.faults.length)
    lines.push(`… and ${report.faultCount - report.faults.length} more`);
  for (const warning of report.warnings) {
    lines.push(`warning ${place(warning)}  ${warning.code}: ${warning.message}`);
  }
  for (const { chain, files, records, head } of report.chains) {
    lines.push(`${chain}: ${plural(records, 'record')} in ${plural(files, 'file')}`);
    if (head) lines.push(`  head ${chain}:${head.seq}:${head.hash}  ${head.time}`);
  }
  lines.push(
    report.intact
      ? `intact: ${plural(report.records, 'record')}, ${plural(report.warningCount, 'warning')}`
      : `BROKEN: ${plural(report.faultCount, 'fault')}`,
  );
  return `${lines.join('\n')}\n`;
}

function place(where: { readonly file: string; readonly line: number; readonly seq: number }): string {
  const line = where.line > 0 ? `:${where.line}` : '';
  return `${where.file}${line}${where.seq > 0 ? ` (record ${where.seq})` : ''}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

async function show(
  directory: string,
  options: { readonly request?: string; readonly since?: number; readonly json?: boolean },
): Promise<void> {
  let malformed = 0;
  const records = readActivityLog(directory, {
    ...(options.request === undefined ? {} : { request: options.request }),
    ...(options.since === undefined ? {} : { since: options.since }),
    onMalformed: () => {
      malformed += 1;
    },
  });
  for await (const record of records) {
    if (!(await print(options.json ? `${JSON.stringify(record)}\n` : line(record)))) return;
  }
  if (malformed > 0) {
    console.error(`chartgate: ${plural(malformed, 'line')} left out; see "chartgate log verify".`);
    process.exitCode = EXIT.finding;
  }
}

function line({ chain, seq, time, entry }: ShownRecord): string {
  const { kind, reasons, ...rest } = entry;
  let text = `${time} ${chain}#${seq} ${word(kind)}`;
  for (const [name, value] of Object.entries(rest)) {
    if (value !== '') text += ` ${word(name)}=${word(value)}`;
  }
  if (Array.isArray(reasons) && reasons.length > 0) text += ` reasons=${reasons.map(reason).join(',')}`;
  return `${text}\n`;
}

/** `+route-matched(patient-read)` held, `-scope-missing` did not. */
function reason(value: unknown): string {
  const [, sign = '', code = '', detail] = /^([+-])(\S+)(?: (.*))?$/s.exec(String(value)) ?? [];
  if (sign === '') return word(value);
  return `${sign}${word(code)}${detail === undefined ? '' : `(${word(detail)})`}`;
}

/** Quotes whatever could be taken for something else, by a reader or by the terminal. */
function word(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
  if (/^[\w.:/@+#[\]-]+$/.test(text)) return text;
  // JSON leaves DEL, the C1 controls and the direction marks as they are; a terminal may obey them.
  return JSON.stringify(text).replace(
    /[^\x20-\x7e\u00a0-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff\uf900-\ufdff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** @returns false when nobody reads any more */
function print(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    // `chartgate log show | head` is no error.
    process.stdout.once('error', () => resolve(false));
    process.stdout.write(text, (error) => {
      process.stdout.removeAllListeners('error');
      resolve(!error);
    });
  });
}

const HEAD = /^([a-z][a-z0-9-]{0,62}):([1-9]\d{0,14}):([0-9a-f]{64})$/;

function collectHead(text: string, former: readonly ExpectedHead[]): readonly ExpectedHead[] {
  const match = HEAD.exec(text);
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) {
    throw new InvalidArgumentError('It must be CHAIN:SEQ:HASH, as "chartgate log verify" prints it.');
  }
  return [...former, { chain: match[1], seq: Number(match[2]), hash: match[3] }];
}

function requestId(text: string): string {
  const id = parseRequestId(text);
  if (id === undefined) throw new InvalidArgumentError('It must be 26 characters of Crockford base 32.');
  return id;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function since(text: string): number {
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  const unit = UNIT_MS[ago?.[2] ?? ''];
  if (ago?.[1] !== undefined && unit !== undefined) return Date.now() - Number(ago[1]) * unit;
  const instant = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new InvalidArgumentError('It must be a UTC time like 2026-01-31T08:00:00Z, or like 15m, 2h, 7d.');
  }
  return instant;
}
