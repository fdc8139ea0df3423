import { atMost, type Part, part, table } from '../integrity/parts.ts';
import { rounded } from '../statistics.ts';
import { own, type Run } from './scene-of-run.ts';
import { medianOf } from './statistics.ts';

/** Microseconds that hiding may add to what is permitted. */
const MOST_US = 50;

/** What a permitted read costs on a route that hides, beside the same on one that does not. */
export async function runCost(run: Run): Promise<Part> {
  run.progress('permitted reads on a route that hides and on one that does not');
  const { times } = await run.observer.ask<'timing'>({
    kind: 'timing',
    site: run.site,
    cells: [own(run, 'plain'), own(run, 'open')],
    streams: { h1: 2, h2: 0 },
    samples: run.short ? 1000 : 20_000,
    seconds: run.short ? 5 : 20,
  });
  const [hidden = Number.NaN, open = Number.NaN] = times.map(medianOf);
  const added = rounded((hidden - open) * 1000, 1);
  const chance = rounded(2000 * Math.hypot(...times.map(errorOfMedian)), 1);
  return part({
    tables: [
      table(
        'Permitted reads, medians',
        ['', 'samples', 'ms'],
        [
          ['a route that hides', String(times[0]?.length), hidden.toFixed(3)],
          ['a route that does not', String(times[1]?.length), open.toFixed(3)],
        ],
        1,
        [`Added: ${added} µs, ± ${chance} µs (two standard errors).`],
      ),
    ],
    floors: [
      // On a busy machine the medians themselves are uncertain by more than what is promised.
      atMost(
        'cost: added to the median of permitted requests, less what chance explains',
        added - chance,
        MOST_US,
        ' µs',
      ),
    ],
    figures: {
      cost: { hiddenMs: rounded(hidden, 4), openMs: rounded(open, 4), addedUs: added, plusMinusUs: chance },
    },
  });
}

/** Standard error of a median, from the middle half of the values (for values spread about normally around it). */
function errorOfMedian(values: Float64Array): number {
  const sorted = values.toSorted();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return (1.2533 * (at(0.75) - at(0.25))) / 1.349 / Math.sqrt(sorted.length);
}
