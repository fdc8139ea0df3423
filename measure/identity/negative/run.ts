import { atLeast, atMost, type Part, part, table } from '../../integrity/parts.ts';
import type { MeasureOptions } from '../../report.ts';
import { openBench } from './bench.ts';
import { SIGN_IN_CASES } from './sign-in.ts';
import { TOKEN_CASES } from './tokens.ts';

/** Of the issue: at least so many cases. */
export const CASES_FLOOR = 45;

/** Everything that must not be let in, against a real provider over HTTPS. */
export async function runNegative({ progress }: Pick<MeasureOptions, 'progress'>): Promise<Part> {
  progress('negative cases: tokens and sign-ins that a provider would not give');
  const cases = [...TOKEN_CASES, ...SIGN_IN_CASES];
  const accepted: string[] = [];
  const problems: string[] = [];
  const bench = await openBench();
  try {
    for (const one of cases) {
      const letIn = await one.run(bench);
      if (one.good === true && !letIn)
        problems.push(`${one.side}: ${one.name} was refused, so the others prove nothing`);
      if (one.good !== true && letIn) accepted.push(`${one.side}: ${one.name}`);
    }
  } finally {
    await bench.stop();
  }
  const count = (side: string) => cases.filter((one) => one.side === side && one.good !== true).length;
  const tried = cases.filter((one) => one.good !== true).length;
  return part({
    tables: [
      table(
        'Negative cases against a real provider (oidc-provider over HTTPS)',
        ['side', 'cases', 'accepted'],
        ['resource server', 'relying party'].map((side) => [
          side,
          String(count(side)),
          String(accepted.filter((name) => name.startsWith(side)).length),
        ]),
        1,
        accepted.map((name) => `accepted: ${name}`),
      ),
    ],
    floors: [
      atLeast('negative cases tried', tried, CASES_FLOOR),
      atMost('negative cases accepted', accepted.length),
    ],
    problems,
    figures: { negative: { tried, accepted } },
  });
}
