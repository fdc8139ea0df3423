/** How the tour speaks: each step with what was sent, what came back and why, and whether it is as promised. */
export interface StepReport {
  readonly title: string;
  readonly sent: string;
  readonly came: string;
  readonly why: string;
  readonly ok: boolean;
}

const colours = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

export const bold = (text: string): string => paint(1, text);
export const dim = (text: string): string => paint(2, text);
export const green = (text: string): string => paint(32, text);
export const red = (text: string): string => paint(31, text);

export function printStep(step: StepReport, number: number): void {
  console.log(`\n${step.ok ? green('✓') : red('✗')} ${bold(`${number}. ${step.title}`)}`);
  console.log(`    ${dim('sent')}  ${indent(step.sent)}`);
  console.log(`    ${dim('back')}  ${indent(step.came)}`);
  console.log(`    ${dim('why ')}  ${indent(step.why)}`);
}

function indent(text: string): string {
  return text.split('\n').join('\n          ');
}

/** Columns of text, aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows
    .map(
      (row) =>
        `  ${row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('   ')}`,
    )
    .join('\n');
}
