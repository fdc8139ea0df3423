import { atMost, type Part, part, table } from '../integrity/parts.ts';
import { rounded } from '../statistics.ts';
import { startLoad } from './load.ts';
import type { Case, Cell } from './requests.ts';
import type { Run } from './scene-of-run.ts';

/** Points from 50 % that are promised. */
const POINTS = 3;
/** As many as that, and chance alone does not reach it (3 points are 3.8 standard deviations). */
const PAIRS = 4000;
const SHORT_PAIRS = 320;

type Pair = readonly [method: string, one: Case, two: Case];

const QUIET: readonly Pair[] = [
  ['GET', 'absent', 'other patient'],
  ['GET', 'absent', 'refused by the EMR'],
  ['GET', 'deleted', 'other patient, slow'],
  ['PUT', 'absent', 'other patient'],
  ['DELETE', 'absent', 'refused by the EMR'],
  ['POST _search', 'absent', 'other patient'],
  ['$everything', 'absent', 'other patient'],
];
const LOADED: readonly Pair[] = [
  ['GET', 'absent', 'other patient'],
  ['GET', 'absent', 'refused by the EMR'],
];

export function pairOf(cells: readonly Cell[], one: Case, two: Case): readonly [Cell, Cell] {
  const [a, b] = [one, two].map((which) => cells.find((cell) => cell.case === which));
  if (a === undefined || b === undefined) throw new Error(`there is no pair ${one} / ${two}`);
  return [a, b];
}

/** Four standard deviations of a fair coin, in points, where that is more than what is promised. */
export function pointsFor(pairs: number): number {
  return Math.max(POINTS, 400 * Math.sqrt(0.25 / pairs));
}

/** Whether of two requests made together the one is answered first more often. */
export async function runOrder(run: Run): Promise<Part> {
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  const pairs = run.short ? SHORT_PAIRS : PAIRS;
  const most = { quiet: 0, loaded: 0 };
  const look = async (how: 'quiet' | 'loaded', [method, one, two]: Pair): Promise<void> => {
    run.progress(`order, ${how}: ${method}, ${one} / ${two}`);
    const found = await run.observer.ask<'order'>({
      kind: 'order',
      site: run.site,
      pair: pairOf(run.cells([method]), one, two),
      pairs,
      connections: 40,
      withinMs: run.keptMs,
    });
    const share = (100 * found.first) / found.pairs;
    most[how] = Math.max(most[how], Math.abs(share - 50));
    rows.push([
      how,
      method,
      `${one} / ${two}`,
      String(found.pairs),
      ((100 * (found.pairs - found.kept.pairs)) / found.pairs).toFixed(1),
      share.toFixed(1),
      ((100 * found.sentFirst) / found.pairs).toFixed(1),
    ]);
    figures[`${how}: ${method}, ${one} / ${two}`] = rounded(share, 2);
  };
  for (const pair of run.short ? QUIET.slice(0, 2) : QUIET) await look('quiet', pair);
  if (!run.short) {
    const load = await startLoad(run);
    for (const pair of LOADED) await look('loaded', pair);
    await load.stop();
  }
  const points = rounded(pointsFor(pairs), 1);
  return part({
    tables: [
      table(
        'Two requests made together on one HTTP/2 connection, in random order',
        ['', 'method', 'cases', 'pairs', 'late %', 'first case first %', 'sent first %'],
        rows,
        3,
      ),
    ],
    floors: [
      atMost('order: points from 50 %', rounded(most.quiet, 2), points),
      ...(run.short ? [] : [atMost('order under load: points from 50 %', rounded(most.loaded, 2), points)]),
    ],
    figures: { order: figures },
  });
}
