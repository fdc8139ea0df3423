import { atLeast, type Part, part, table } from '../integrity/parts.ts';
import { rounded } from '../statistics.ts';
import { guessAt } from './classify.ts';
import { pairOf } from './order.ts';
import { below, type Cell } from './requests.ts';
import type { Run } from './scene-of-run.ts';
import { differences } from './statistics.ts';

/** What the same instrument must see where nothing protects. */
const CLEAR_T = 45;
const CLEAR_PERCENT = 90;
/** As many in which there is a record as in which there is none; a route that hides nothing refuses the rest alike. */
const PLAIN: ReadonlySet<Cell['case']> = new Set<Cell['case']>([
  'absent',
  'other tenant',
  'other patient',
  'other patient, slow',
]);

/** The same measurements of the back end itself, and of a route of the gateway that hides nothing. */
export async function runContrast(run: Run): Promise<Part> {
  const { short } = run;
  const asked = run.cells(['GET']).filter(({ case: which }) => which !== 'error of the EMR');
  const open = below('/open', asked);
  const direct = {
    ...run.site,
    kind: 'back-end',
    port: Number(new URL(run.scene.direct).port),
    token: '',
  } as const;
  const rows: string[][] = [];
  const timed = async (name: string, site: typeof run.site | typeof direct, cells: readonly Cell[]) => {
    run.progress(`contrast: ${name}`);
    const { times } = await run.observer.ask<'timing'>({
      kind: 'timing',
      site,
      cells,
      streams: { h1: 4, h2: 0 },
      samples: short ? 300 : 3000,
      seconds: short ? 3 : 20,
    });
    const most = Math.max(...differences(times).map(({ by }) => by.t));
    const guesses = await guessAt(
      run,
      site,
      cells.filter(({ case: which }) => PLAIN.has(which)),
      short ? 1000 : 6000,
    );
    const best = Math.max(guesses.logistic, guesses.trees);
    rows.push([name, most.toFixed(1), best.toFixed(1)]);
    return { t: most, classifier: best };
  };
  const atBackEnd = await timed('the back end itself', direct, asked);
  const atGateway = await timed('a route that hides nothing', run.site, open);
  const order = await run.observer.ask<'order'>({
    kind: 'order',
    site: run.site,
    pair: pairOf(open, 'absent', 'other patient, slow'),
    pairs: short ? 200 : 2000,
    connections: 4,
    withinMs: run.keptMs,
  });
  const first = (100 * order.first) / order.pairs;
  return part({
    tables: [
      table('Without protection', ['', 'largest |t|', 'classifier, right %'], rows, 1, [
        `Of two requests made together, absent and there but slow, the absent one is answered first: ${first.toFixed(1)} %.`,
      ]),
    ],
    floors: [
      atLeast('contrast: |t| at the back end itself', rounded(atBackEnd.t, 1), short ? CLEAR_T / 3 : CLEAR_T),
      atLeast('contrast: |t| without hiding', rounded(atGateway.t, 1), short ? CLEAR_T / 5 : CLEAR_T),
      atLeast('contrast: order without hiding', rounded(first, 1), CLEAR_PERCENT, ' %'),
      atLeast(
        'contrast: classifier at the back end itself',
        rounded(atBackEnd.classifier, 1),
        CLEAR_PERCENT,
        ' %',
      ),
      atLeast('contrast: classifier without hiding', rounded(atGateway.classifier, 1), CLEAR_PERCENT, ' %'),
    ],
    figures: { contrast: { backEnd: atBackEnd, gateway: atGateway, order: rounded(first, 2) } },
  });
}
