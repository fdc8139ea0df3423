import { atLeast, atMost, type Part, part, table } from '../integrity/parts.ts';
import { rounded } from '../statistics.ts';
import { startLoad } from './load.ts';
import { type Cell, METHODS, THERE } from './requests.ts';
import type { Run } from './scene-of-run.ts';
import { differences, medianOf, T_BOUND, together } from './statistics.ts';

/** Methods that a short run and a run under load look at. */
const MAIN = ['GET', 'PUT', 'DELETE', 'POST _search', '$everything'] as const;
const THOROUGH_SAMPLES = 10_000;

interface Plan {
  readonly methods: readonly string[];
  /** Of each case. */
  readonly samples: number;
  /** For each method. */
  readonly seconds: number;
  /** Fewer say too little. */
  readonly least: number;
}

/** Whether the time of an answer tells which case it was: quiet, and under half of what the gateway can do. */
export async function runTiming(run: Run): Promise<Part> {
  const { short } = run;
  const all: Plan = {
    methods: short ? ['GET', 'PUT', 'POST _search'] : Object.keys(METHODS),
    samples: short ? 150 : 2500,
    seconds: short ? 4 : 9,
    least: short ? 100 : 400,
  };
  const quiet = await look(run, 'timing', all);
  const deep = short
    ? []
    : [
        await look(run, 'GET, long', {
          methods: ['GET'],
          samples: THOROUGH_SAMPLES,
          seconds: 60,
          least: 3000,
        }),
      ];
  const load = await startLoad(run);
  const loaded = await look(run, 'timing, loaded', {
    ...all,
    methods: short ? ['GET'] : MAIN,
    seconds: short ? 4 : 9,
    least: short ? 60 : 300,
  });
  const made = await load.stop();
  const parts = [quiet, ...deep, loaded];
  return part({
    tables: parts.flatMap(({ tables }) => tables),
    floors: parts.flatMap(({ floors }) => floors),
    figures: {
      timing: {
        quiet: quiet.figures,
        ...(deep[0] === undefined ? {} : { long: deep[0].figures }),
        loaded: { capacity: rounded(load.capacity, 0), rate: rounded(made, 0), ...loaded.figures },
      },
    },
  });
}

/** As many samples of every case of every method as were promised. */
export async function runThorough(run: Run): Promise<Part> {
  const found = await look(run, 'thorough', {
    methods: Object.keys(METHODS),
    samples: run.short ? 300 : THOROUGH_SAMPLES,
    seconds: run.short ? 2 : 300,
    least: run.short ? 50 : THOROUGH_SAMPLES,
  });
  return { ...found, figures: { thorough: found.figures } };
}

interface Worst {
  readonly t: number;
  readonly raw: number;
  readonly second: number;
  readonly share: number;
  readonly pair: string;
}

/** The pair of cases of one method that differs most. */
function worstOf(all: readonly Cell[], times: readonly Float64Array[]): Worst {
  let worst: Worst = { t: 0, raw: 0, second: 0, share: 1, pair: '' };
  for (const { a, b, by } of differences(times)) {
    const second = Math.max(worst.second, by.second);
    worst =
      by.t > worst.t ? { ...by, second, pair: `${all[a]?.case} / ${all[b]?.case}` } : { ...worst, second };
  }
  return worst;
}

async function look(run: Run, name: string, plan: Plan): Promise<Part> {
  const rows: string[][] = [];
  const figures: Record<
    string,
    { t: number; raw: number; second: number; classes: number; samples: number }
  > = {};
  let most = 0;
  let second = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const method of plan.methods) {
    run.progress(`${name}: ${method}`);
    const asked = run.cells([method]);
    const { times, statuses } = await run.observer.ask<'timing'>({
      kind: 'timing',
      site: run.site,
      cells: asked,
      streams: await run.streams(),
      samples: plan.samples,
      seconds: plan.seconds,
    });
    const worst = worstOf(asked, times);
    const there = (wanted: boolean) =>
      together(times.filter((_, i) => THERE.has(asked[i]?.case ?? 'absent') === wanted));
    const [classes] = differences([there(false), there(true)]);
    const samples = Math.min(...times.map((each) => each.length));
    const t = Math.max(worst.t, classes?.by.t ?? 0);
    most = Math.max(most, t);
    second = Math.max(second, worst.second);
    least = Math.min(least, samples);
    figures[method] = {
      t: rounded(worst.t, 2),
      raw: rounded(worst.raw, 2),
      second: rounded(worst.second, 2),
      classes: rounded(classes?.by.t ?? 0, 2),
      samples,
    };
    run.progress(`${name}: ${method}: ${samples} of each case, |t| at most ${t.toFixed(2)}`);
    rows.push([
      method,
      worst.pair,
      [...new Set(statuses.flatMap((each) => Object.keys(each)))].join(' '),
      String(samples),
      medianOf(together(times)).toFixed(2),
      lateShare(times, run.keptMs).toFixed(1),
      worst.t.toFixed(2),
      worst.raw.toFixed(2),
      (classes?.by.t ?? 0).toFixed(2),
      worst.second.toFixed(2),
    ]);
  }
  return part({
    tables: [
      table(
        `Time of a refused answer (${name}): the two cases of each method that differ most`,
        [
          'method',
          'cases',
          'status',
          'samples each',
          'median ms',
          'late %',
          '|t| of crops',
          'raw',
          'there / not',
          'spread',
        ],
        rows,
        3,
      ),
    ],
    floors: [
      atMost(`${name}: |t| of any two cases, raw and cropped`, rounded(most, 2), T_BOUND),
      atMost(`${name}: |t| of how much they vary`, rounded(second, 2), T_BOUND),
      atLeast(`${name}: samples of each case`, least, plan.least),
    ],
    figures,
  });
}

/** Percent of the answers that missed their deadline. */
function lateShare(times: readonly Float64Array[], keptMs: number): number {
  const all = together(times);
  return (100 * all.filter((took) => took > keptMs).length) / all.length;
}
