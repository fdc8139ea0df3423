import { CHECKS, type CheckName, type Outcome, RESULTS, type Result } from './types.ts';

const SIGNS: Readonly<Record<Result, string>> = { ok: '✓', failed: '✗', warn: '!', skipped: '–' };
const COLOURS: Readonly<Record<Result, number>> = { ok: 32, failed: 31, warn: 33, skipped: 2 };

export function count(outcomes: readonly Outcome[], result: Result): number {
  return outcomes.filter((each) => each.result === result).length;
}

/** For a person in front of a terminal. @param colours whether it is one that shows them */
export function reportText(outcomes: readonly Outcome[], colours: boolean): string {
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const lines: string[] = [];
  for (const check of Object.keys(CHECKS) as CheckName[]) {
    const told = outcomes.filter((each) => each.check === check);
    if (told.length === 0) continue;
    lines.push(`${paint(1, CHECKS[check])}  ${paint(2, check)}`);
    for (const { about, result, sentence, remedy } of told) {
      lines.push(`  ${paint(COLOURS[result], SIGNS[result])} ${about === '' ? '' : `${about}: `}${sentence}`);
      if (remedy !== '') lines.push(`    → ${remedy}`);
    }
  }
  const failed = count(outcomes, 'failed');
  const sum = RESULTS.map((result) => `${count(outcomes, result)} ${result}`).join(', ');
  const verdict =
    failed === 0
      ? 'What could be looked at is as the documentation promises'
      : `${failed} ${failed === 1 ? 'thing is' : 'things are'} not as the documentation promises`;
  lines.push('', `${paint(failed === 0 ? 32 : 31, verdict)}: ${sum}.`);
  return lines.map(printable).join('\n');
}

/** Names of files and accounts are other people's text; a terminal must not obey them. */
function printable(line: string): string {
  // Our own colours are the only escapes that stay.
  return line.replace(/\u001b(?!\[\d+m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, '\ufffd');
}

/** For a program; the names of checks and results are stable. */
export function reportJson(outcomes: readonly Outcome[]): object {
  return {
    ok: count(outcomes, 'failed') === 0,
    counts: Object.fromEntries(RESULTS.map((result) => [result, count(outcomes, result)])),
    checks: outcomes,
  };
}
