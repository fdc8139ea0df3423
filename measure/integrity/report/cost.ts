import { median, rounded } from '../../statistics.ts';
import type { Kind } from '../bench.ts';
import type { Naive } from '../cost/naive.ts';
import type { Round } from '../cost/rounds.ts';
import type { TenantsFound } from '../cost/tenants.ts';
import type { Verdicts } from '../cost/verdicts.ts';
import { atLeast, atMost, type Part, part, table } from '../parts.ts';
import { FLOORS, type Plan } from '../plan.ts';

type Figure = Exclude<keyof Round, 'kind'>;

/** What strict attestation adds, beside the same requests with a verdict of up to a minute, and a check of everything each time. */
export function costPart(
  rounds: readonly Round[],
  naive: Naive,
  verdicts: Verdicts,
  plan: Plan,
  openemr: boolean,
): Part {
  const of = (kind: Kind, figure: Figure): number =>
    median(rounds.filter((round) => round.kind === kind).map((round) => round[figure]));
  const added = (figure: Figure): number => of('strict', figure) - of('off', figure);
  const row = (title: string, kind: Kind): string[] => [
    title,
    of(kind, 'perSecond').toFixed(0),
    of(kind, 'p50').toFixed(2),
    of(kind, 'p99').toFixed(2),
    of(kind, 'queriesPerSecond').toFixed(0),
    of(kind, 'checker').toFixed(2),
    of(kind, 'database').toFixed(2),
    of(kind, 'gateway').toFixed(2),
  ];
  const failures = rounds.reduce((sum, round) => sum + round.failures, 0);
  return part({
    tables: [
      table(
        `Cost of strict attestation, MariaDB, ${openemr ? 'OpenEMR' : 'the demo EMR'}'s schema (median of ${plan.cost.rounds})`,
        ['requests', 'per second', 'p50 ms', 'p99 ms', 'queries/s', 'checker', 'database', 'gateway'],
        [
          row('attestation at most every 30 s', 'off'),
          row('strict: proven after it arrived', 'strict'),
          [
            'a strict verdict alone, nothing proxied',
            verdicts.perSecond.toFixed(0),
            verdicts.p50.toFixed(2),
            verdicts.p99.toFixed(2),
            '',
            '',
            '',
            '',
          ],
          [
            'everything compared for each (at most)',
            naive.perSecond.toFixed(0),
            naive.p50.toFixed(1),
            naive.p99.toFixed(1),
            naive.perSecond.toFixed(0),
            '',
            '',
            '',
          ],
        ],
        1,
        [
          'Last three columns: cores. Requests arrive at random instants, over 256 connections that stay open.',
        ],
      ),
    ],
    floors: [
      atLeast(
        'Requests per second, strict',
        rounded(of('strict', 'perSecond'), 0),
        plan.cost.perSecond * 0.98,
        '/s',
      ),
      atMost('Strict attestation adds at the median', rounded(added('p50'), 2), 1, ' ms'),
      atMost('Strict attestation adds at the 99th percentile', rounded(added('p99'), 2), 5, ' ms'),
      atMost('Database queries per second', rounded(of('strict', 'queriesPerSecond'), 0), 1_000, '/s'),
      atMost('Processor of the checker', rounded(of('strict', 'checker'), 2), 0.3, ' cores'),
      atMost('Requests that failed', failures),
      atMost('Verdicts alone that were not intact', verdicts.notIntact),
    ],
    notes: [
      `The database's own share for strict attestation: ${added('database').toFixed(2)} cores more than without.`,
    ],
    figures: {
      cost: { rounds: rounds.map((round) => ({ ...round })), verdicts: { ...verdicts }, naive: { ...naive } },
    },
  });
}

export function tenantsPart(found: TenantsFound, plan: Plan): Part {
  return part({
    tables: [
      table(
        `${found.tenants} databases on one checker, ${found.perSecond.toFixed(0)} strict verdicts/s`,
        ['what', 'figure'],
        [
          ['all verified after the start, ms', found.readyMs.toFixed(0)],
          ['verdict, ms: median', found.p50.toFixed(2)],
          ['verdict, ms: 99th percentile', found.p99.toFixed(2)],
          ['queries per second', found.queriesPerSecond.toFixed(0)],
          ['checker, cores', found.checker.toFixed(2)],
          ['database, cores', found.database.toFixed(2)],
          ['checker, cores, nobody asking', found.idleChecker.toFixed(2)],
          ['database, cores, nobody asking', found.idleDatabase.toFixed(2)],
        ],
      ),
    ],
    floors: [
      atLeast('Databases on one checker', found.tenants, plan.short ? plan.tenants.count : FLOORS.tenants),
      atMost('Verdicts of untouched databases that were not intact', found.notIntact + found.blamed),
      atMost('One of them tampered with, and not found', found.missed),
    ],
    figures: { tenants: { ...found } },
  });
}
