import { loadCheckerSettings } from '../../config/index.ts';
import { type DatabaseStatus, readStatus } from '../../integrity-checker/index.ts';
import { EXIT } from '../output.ts';

/** Findings of one kind that are printed one by one; a dropped schema has thousands. */
const SHOWN = 50;

function page({ database, state, baseline, findings, remedies }: DatabaseStatus): string {
  const lines = [
    `${database}: ${state}${baseline === '' ? '' : `, compared with baseline ${baseline.slice(0, 16)}…`}`,
    ...findings
      .slice(0, SHOWN)
      .map(
        ({ code, object, sentence }) => `  ${code}${object === '' ? '' : `  ${object}`}\n      ${sentence}`,
      ),
  ];
  if (findings.length > SHOWN) lines.push(`  … and ${findings.length - SHOWN} more; --json has them all.`);
  if (remedies.length > 0) {
    lines.push(
      '  To restore what was approved (look at it first; commands take the options that name the server):',
      ...remedies.slice(0, SHOWN).map((remedy) => `    ${remedy}`),
    );
  }
  return lines.join('\n');
}

/** `chartgate checker status`. */
export async function runStatus(config: string, json: boolean): Promise<void> {
  const all = await readStatus(loadCheckerSettings(config));
  console.log(json ? JSON.stringify(all, null, 2) : all.map(page).join('\n\n'));
  process.exitCode = all.every(({ state }) => state === 'intact') ? EXIT.ok : EXIT.finding;
}
