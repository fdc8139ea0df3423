import { randomInt } from 'node:crypto';
import type { AccountSettings } from '../../contracts/account-settings.ts';
import { ACCOUNT_DEFAULTS } from '../../contracts/account-settings.ts';
import { atMost, type Part, part, quantile, table } from '../integrity/parts.ts';
import type { MeasureOptions } from '../report.ts';
import { median, rounded } from '../statistics.ts';
import { accountsIn, enrolAdministrators, LOGIN, openPlace, QUICK } from './place.ts';

/** Welch's |t|, of the issue. */
export const T_FLOOR = 4.5;
const SAMPLES = 5000;
const SHORT_SAMPLES = 500;
/** As long as the other, and tried as often: failures were counted for both before. */
const UNKNOWN = 'nobo@riverside.example';

/** Welch's t between two samples: how far their means differ, in standard errors. */
export function welch(a: readonly number[], b: readonly number[]): number {
  const [one, two] = [a, b].map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    return { mean, error: variance / values.length };
  });
  if (one === undefined || two === undefined) return Number.NaN;
  return (one.mean - two.mean) / Math.sqrt(one.error + two.error);
}

interface Times {
  readonly existing: readonly number[];
  readonly unknown: readonly number[];
}

/** In random order, so that nothing of the machine's mood falls on one side alone. */
async function sample(settings: AccountSettings, samples: number): Promise<Times> {
  const place = await openPlace('timing');
  try {
    const accounts = accountsIn(place, settings);
    await enrolAdministrators(accounts);
    const times = { existing: [] as number[], unknown: [] as number[] };
    let left = { existing: samples, unknown: samples };
    const attempt = async (login: string) => {
      const begun = performance.now();
      const answer = await accounts.signIn.authenticate({
        login,
        password: 'wrong ferry umbrella 9',
        source: '192.0.2.7',
      });
      const took = performance.now() - begun;
      if (answer.ok) throw new Error('signed in');
      return took;
    };
    for (let warm = 0; warm < 50; warm += 1) await attempt(warm % 2 === 0 ? LOGIN : UNKNOWN);
    while (left.existing + left.unknown > 0) {
      const which = randomInt(left.existing + left.unknown) < left.existing ? 'existing' : 'unknown';
      left = { ...left, [which]: left[which] - 1 };
      times[which].push(await attempt(which === 'existing' ? LOGIN : UNKNOWN));
    }
    return times;
  } finally {
    await place.close();
  }
}

/** Without the slowest, which are the machine's and not the program's; the whole must hold as well. */
function cropped(times: readonly number[], share: number): number[] {
  const limit = quantile(times, share);
  return times.filter((time) => time <= limit);
}

/** Whether the time of a refused sign-in tells if there is such an account. */
export async function runTiming({
  progress,
  short,
}: Pick<MeasureOptions, 'progress' | 'short'>): Promise<Part> {
  const samples = short ? SHORT_SAMPLES : SAMPLES;
  const unlocked = { ...ACCOUNT_DEFAULTS, lockout: QUICK.lockout };
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  const floors = [];
  for (const [name, settings, count] of [
    ['with Argon2 made cheap, so that all else shows', QUICK, samples],
    ['as it is installed', unlocked, short ? 25 : SAMPLES],
  ] as const) {
    progress(`sign-ins of accounts that exist and that do not, ${name}: ${count} each`);
    const { existing, unknown } = await sample(settings, count);
    const all = Math.abs(welch(existing, unknown));
    const inner = Math.abs(welch(cropped(existing, 0.95), cropped(unknown, 0.95)));
    rows.push([
      name,
      String(count),
      median(existing).toFixed(3),
      median(unknown).toFixed(3),
      all.toFixed(2),
      inner.toFixed(2),
    ]);
    floors.push(atMost(`|t| of sign-ins, ${name}`, Math.max(all, inner), T_FLOOR));
    const key = settings === QUICK ? 'cheap' : 'installed';
    figures[`${key}T`] = rounded(all, 2);
    figures[`${key}TCropped`] = rounded(inner, 2);
  }
  return part({
    tables: [
      table(
        'Time of a refused sign-in, ms',
        ['', 'samples each', 'account exists', 'does not', '|t|', '|t| of the quicker 95 %'],
        rows,
      ),
    ],
    floors,
    figures: { timing: figures },
  });
}
