import type { Finding, Mark } from './checks.ts';

const MARKS: Readonly<Record<Mark, string>> = { ok: 'ok    ', todo: 'TO DO ', failed: 'FAILED' };

/** What was found, then what is left to do, then what was done. */
export function printFindings(findings: readonly Finding[], sentences: readonly string[]): void {
  for (const { mark, about, sentence, remedy } of findings) {
    console.log(`${MARKS[mark]}  ${about}: ${sentence}`);
    if (mark !== 'ok' && remedy !== undefined) console.log(`        → ${remedy}`);
  }
  for (const sentence of sentences) console.log(sentence);
}

/** Lines of a table, columns aligned. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
