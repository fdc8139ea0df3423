import { type Part, part, table } from '../integrity/parts.ts';
import { rounded } from '../statistics.ts';
import { guessAt } from './classify.ts';
import { below, THERE } from './requests.ts';
import { own, type Run } from './scene-of-run.ts';
import { differences, medianOf, together } from './statistics.ts';

/**
 * How much remains to be seen where it is known that something does: a deadline that is always missed, and a permitted
 * request that shares the EMR with a refused one. Sizes, no promises.
 */
export async function runResidual(run: Run): Promise<Part> {
  const { short } = run;
  const cells = run.cells(['GET']);
  const tight = below('/tight', cells);
  run.progress('residual: a deadline that is always missed');
  const missed = await run.observer.ask<'timing'>({
    kind: 'timing',
    site: run.site,
    cells: tight,
    streams: { h1: 4, h2: 2 },
    samples: short ? 200 : 2000,
    seconds: short ? 3 : 20,
  });
  const guesses = await guessAt(
    run,
    run.site,
    tight.filter(({ case: which }) => PLAIN.has(which)),
    short ? 800 : 4000,
  );
  run.progress('residual: permitted requests beside refused ones');
  const beside = await run.observer.ask<'beside'>({
    kind: 'beside',
    site: run.site,
    cells,
    path: own(run, 'fhir').variants[0]?.path ?? '',
    samples: short ? 120 : 1000,
    seconds: short ? 3 : 20,
    connections: 10,
  });
  const rows = [
    sizeOf('a deadline that is always missed', cells, missed.times),
    sizeOf('a permitted request beside a refused one', cells, beside.times),
  ];
  return part({
    tables: [
      table(
        'What remains to be seen',
        ['', 'samples each', '|t| of any two cases', 'there / not', 'medians, least to most, ms'],
        rows.map((row) => [
          row.name,
          String(row.samples),
          row.t.toFixed(1),
          row.classes.toFixed(1),
          `${row.least.toFixed(2)} to ${row.most.toFixed(2)}`,
        ]),
        1,
        [
          `Where the deadline is always missed, a classifier is right in ${Math.max(guesses.logistic, guesses.trees).toFixed(1)} % of ${guesses.tested} guesses.`,
        ],
      ),
    ],
    figures: {
      residual: {
        missed: figuresOf(rows[0]),
        beside: figuresOf(rows[1]),
        classifier: rounded(Math.max(guesses.logistic, guesses.trees), 1),
      },
    },
  });
}

const PLAIN: ReadonlySet<string> = new Set([
  'absent',
  'other tenant',
  'other patient',
  'other patient, slow',
]);

interface Size {
  readonly name: string;
  readonly samples: number;
  readonly t: number;
  readonly classes: number;
  readonly least: number;
  readonly most: number;
}

function sizeOf(name: string, cells: ReturnType<Run['cells']>, times: readonly Float64Array[]): Size {
  const there = (wanted: boolean) =>
    together(times.filter((_, i) => THERE.has(cells[i]?.case ?? 'absent') === wanted));
  const medians = times.map(medianOf);
  return {
    name,
    samples: Math.min(...times.map((each) => each.length)),
    t: Math.max(...differences(times).map(({ by }) => by.t)),
    classes: differences([there(false), there(true)])[0]?.by.t ?? 0,
    least: Math.min(...medians),
    most: Math.max(...medians),
  };
}

function figuresOf(size: Size | undefined) {
  return {
    samples: size?.samples ?? 0,
    t: rounded(size?.t ?? 0, 1),
    classes: rounded(size?.classes ?? 0, 1),
    leastMedianMs: rounded(size?.least ?? 0, 3),
    mostMedianMs: rounded(size?.most ?? 0, 3),
  };
}
