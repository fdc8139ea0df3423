import { rounded } from '../../statistics.ts';
import { ENGINE_TITLES, type Engine } from '../clinic.ts';
import type { AttemptFound } from '../credentials/run.ts';
import type { Fault } from '../faults/faults.ts';
import type { FaultFound } from '../faults/run.ts';
import { atLeast, atMost, type Part, part, quantile, table } from '../parts.ts';
import { FLOORS, type Plan } from '../plan.ts';

export function credentialsPart(
  engine: Engine,
  [sql, os]: readonly [readonly AttemptFound[], readonly AttemptFound[] | undefined],
): Part {
  const title = ENGINE_TITLES[engine];
  const all = [...sql, ...(os ?? [])];
  const done = all.filter(({ refused }) => !refused);
  return part({
    tables: [
      table(
        `${title}: tried with stolen credentials`,
        ['as', 'attempt', 'refused by'],
        all.map(({ as, name, refused, how }) => [as, name, refused ? how : `NOT REFUSED: ${how}`]),
        3,
      ),
    ],
    floors: [
      atLeast(`${title}: attempts with stolen credentials`, all.length, FLOORS.attempts),
      atMost(`${title}: attempts that were not refused`, done.length),
    ],
    notes:
      os === undefined
        ? [
            "Not started by root: gateway and checker share one OS user, so nothing was tried as the gateway's.",
          ]
        : [],
    figures: { [`credentials-${engine}`]: all.map((attempt) => ({ ...attempt })) },
  });
}

export function faultsPart(planned: number, found: readonly FaultFound[], plan: Plan): Part {
  const kinds = [...new Set(found.map(({ fault }) => fault))];
  const sum = (of: readonly FaultFound[], figure: 'asked' | 'forwarded' | 'staleForwarded'): number =>
    of.reduce((total, each) => total + each[figure], 0);
  const recoveries = (of: readonly FaultFound[]): number[] =>
    of.map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY);
  const row = (fault: Fault): string[] => {
    const of = found.filter((each) => each.fault === fault);
    return [
      fault.group,
      fault.name,
      String(of.length),
      String(sum(of, 'asked')),
      String(sum(of, 'forwarded') + sum(of, 'staleForwarded')),
      Math.max(...of.map(({ denialMs }) => denialMs)).toFixed(0),
      quantile(recoveries(of), 0.5).toFixed(0),
      quantile(recoveries(of), 1).toFixed(0),
    ];
  };
  const latest = Math.max(0, ...found.map(({ denialMs }) => denialMs));
  const longest = Math.max(0, ...recoveries(found));
  return part({
    tables: [
      table(
        `${found.length} faults under a steady load of strict reads and writes`,
        [
          'of',
          'fault',
          'times',
          'asked meanwhile',
          'forwarded unverified',
          'denied within ms',
          'recovery ms, median',
          'longest',
        ],
        kinds.map(row),
        2,
        [
          'Recovery: from the end of the cause to the first of several strict requests served in a row, nothing done by hand.',
        ],
      ),
    ],
    floors: [
      atLeast('Faults injected', found.length, plan.short ? planned : Math.max(planned, FLOORS.faults)),
      atMost('Requests forwarded without a verdict', sum(found, 'forwarded') + sum(found, 'staleForwarded')),
      atMost('Denial at the latest', rounded(latest / 1_000, 3), 1, ' s'),
      atMost('Recovery at the latest', rounded(longest / 1_000, 3), 5, ' s'),
    ],
    problems: found
      .filter(({ failure }) => failure !== '')
      .map(({ fault, failure }) => `fault "${fault.name}": ${failure}`),
    figures: {
      faults: found.map(({ fault, recoveryMs, denialMs, ...rest }) => ({
        name: fault.name,
        ...rest,
        denialMs: rounded(denialMs, 1),
        recoveryMs: recoveryMs === undefined ? null : rounded(recoveryMs, 1),
      })),
    },
  });
}

/** @param figures lagP50, lagMax (ms), rowsPerSecond, databaseCpuShare (0…1) */
export function sealingPart(figures: Readonly<Record<string, number>>): Part {
  return part({
    tables: [
      table(
        'Sealing of audit rows',
        ['what', 'figure'],
        Object.entries(figures).map(([name, value]) => [name, String(rounded(value, 4))]),
      ),
    ],
    floors: [
      atMost('Sealing lags at most', figures.lagMax, 2_000, ' ms'),
      atLeast('Audit rows per second meanwhile', figures.rowsPerSecond, 1_000 * 0.95, '/s'),
      atMost("Sealing's share of the database's processor time", figures.databaseCpuShare, 0.05),
    ],
    figures: { sealing: { ...figures } },
  });
}
