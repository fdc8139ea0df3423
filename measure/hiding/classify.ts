import { atLeast, atMost, type Part, part, table } from '../integrity/parts.ts';
import { rounded } from '../statistics.ts';
import { Logistic } from './classifier/logistic.ts';
import { BoostedTrees, type Labelled } from './classifier/tree.ts';
import type { FeaturesResult, Site } from './observer/messages.ts';
import { pointsFor } from './order.ts';
import { type Cell, THERE } from './requests.ts';
import type { Run } from './scene-of-run.ts';

/** Percent of right guesses that are promised, of 50 by chance. */
const MOST = 52;
const ANSWERS = 20_000;
const METHODS = ['GET', 'PUT', 'DELETE', '$everything', 'POST _search', 'GET If-None-Match'];

/** As many cells in which there is a record as in which there is none, of each method. */
export function balanced(cells: readonly Cell[]): Cell[] {
  return [...new Set(cells.map(({ method }) => method))].flatMap((method) => {
    const of = (there: boolean) =>
      cells.filter((cell) => cell.method === method && THERE.has(cell.case) === there);
    const [yes, no] = [of(true), of(false)];
    const each = Math.min(yes.length, no.length);
    return [...yes.slice(0, each), ...no.slice(0, each)];
  });
}

export interface Guesses {
  readonly answers: number;
  readonly tested: number;
  /** Percent of right guesses about answers that the learner has not seen. */
  readonly logistic: number;
  readonly trees: number;
}

/** Learns from every other answer, and guesses the rest: is there a record? */
export function guess(cells: readonly Cell[], found: FeaturesResult): Guesses {
  const label = (row: number) => (THERE.has(cells[found.cells[row] ?? 0]?.case ?? 'absent') ? 1 : 0);
  const half = (odd: number): Labelled => {
    const at = found.rows.map((_, i) => i).filter((i) => i % 2 === odd);
    return { rows: at.map((i) => found.rows[i] as Float64Array), labels: Uint8Array.from(at, label) };
  };
  const [learn, test] = [half(0), half(1)];
  const right = (learner: { guess(row: Float64Array): number }) =>
    (100 * test.rows.filter((row, i) => learner.guess(row) === test.labels[i]).length) / test.rows.length;
  return {
    answers: found.rows.length,
    tested: test.rows.length,
    logistic: right(Logistic.learn(learn)),
    trees: right(BoostedTrees.learn(learn)),
  };
}

/** Answers of a site with everything observable, and how well is guessed. */
export async function guessAt(
  run: Run,
  site: Site,
  cells: readonly Cell[],
  answers: number,
): Promise<Guesses> {
  const streams = site.kind === 'gateway' ? { h1: 20, h2: 20 } : { h1: 12, h2: 0 };
  const found = await run.observer.ask<'features'>({
    kind: 'features',
    site,
    cells,
    streams,
    samples: answers,
  });
  return guess(cells, found);
}

/** Whether somebody who learns from everything observable can tell whether there is a record. */
export async function runClassifier(run: Run): Promise<Part> {
  run.progress('answers for a classifier');
  const cells = balanced(run.cells(run.short ? METHODS.slice(0, 2) : METHODS));
  const found = await guessAt(run, run.site, cells, run.short ? 2400 : ANSWERS);
  const best = Math.max(found.logistic, found.trees);
  return part({
    tables: [
      table(
        'Guesses of a classifier, % right (chance: 50)',
        ['', 'answers', 'of them tested', 'right %'],
        [
          ['logistic regression', String(found.answers), String(found.tested), found.logistic.toFixed(2)],
          ['boosted trees', String(found.answers), String(found.tested), found.trees.toFixed(2)],
        ],
      ),
    ],
    floors: [
      // Of few answers, chance alone is right more often than that.
      atMost(
        'classifier: right guesses',
        rounded(best, 2),
        Math.max(MOST, rounded(50 + pointsFor(found.tested), 1)),
        ' %',
      ),
      atLeast('classifier: answers', found.answers, run.short ? 2000 : ANSWERS),
    ],
    figures: {
      classifier: {
        answers: found.answers,
        logistic: rounded(found.logistic, 2),
        trees: rounded(found.trees, 2),
      },
    },
  });
}
