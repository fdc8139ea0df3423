import { rounded } from '../../statistics.ts';
import type { AlarmsFound } from '../catalogue/alarms.ts';
import { detected, type TamperFound } from '../catalogue/run.ts';
import { ENGINE_TITLES, type Engine } from '../clinic.ts';
import { atLeast, atMost, type Part, part, quantile, table } from '../parts.ts';
import { FLOORS, type Plan } from '../plan.ts';
import type { RaceFound } from '../race/run.ts';

/** Every tamper, what it was found as, and what reached the EMR after it. */
export function cataloguePart(
  engine: Engine,
  planned: number,
  found: readonly TamperFound[],
  plan: Plan,
): Part {
  const title = ENGINE_TITLES[engine];
  const missed = found.filter((each) => !detected(each));
  return part({
    tables: [
      table(
        `${title}: tampers, each followed at once by strict requests`,
        ['tamper', 'what for', 'found as', 'forwarded', 'served again, ms'],
        found.map((each) => [
          each.tamper.name,
          each.tamper.why,
          detected(each) ? each.findings.join(' ') : `NOT DETECTED ${each.failure}`,
          String(each.forwarded),
          each.recoveryMs?.toFixed(0) ?? 'never',
        ]),
        3,
      ),
    ],
    floors: [
      atLeast(
        `${title}: tampers tried`,
        found.length,
        plan.short ? planned : Math.max(planned, FLOORS.tampers),
      ),
      atMost(`${title}: tampers not detected before the next strict request`, missed.length),
      atMost(
        `${title}: requests forwarded to the EMR after a tamper`,
        found.reduce((sum, { forwarded }) => sum + forwarded, 0),
      ),
    ],
    problems: found
      .filter(({ failure, recoveryMs }) => failure !== '' || recoveryMs === undefined)
      .map(
        ({ tamper, failure }) => `${title}, ${tamper.name}: ${failure || 'no service after it was undone'}`,
      ),
    figures: {
      [`catalogue-${engine}`]: found.map(({ tamper, findings, forwarded, recoveryMs, refused }) => ({
        name: tamper.name,
        refused,
        forwarded,
        findings,
        recoveryMs: recoveryMs === undefined ? null : rounded(recoveryMs, 0),
      })),
    },
  });
}

export function alarmsPart(engine: Engine, found: AlarmsFound, plan: Plan): Part {
  const title = ENGINE_TITLES[engine];
  return part({
    tables: [
      table(
        `${title}: strict checks of a busy server that nobody tampers with`,
        [
          'checks',
          'false alarms',
          'new epochs',
          'writes',
          'refused',
          'temporary tables',
          'other statements',
          'seconds',
        ],
        [
          [
            String(found.checks),
            String(found.falseAlarms),
            String(found.newEpochs),
            String(found.writes),
            String(found.writesRefused),
            String(found.temporaryTables),
            String(found.statements),
            found.seconds.toFixed(1),
          ],
        ],
        0,
        found.codes.length > 0 ? [`Codes: ${found.codes.join(' ')}`] : [],
      ),
    ],
    floors: [
      atLeast(`${title}: checks of a busy server`, found.checks, plan.short ? plan.checks : FLOORS.checks),
      atMost(`${title}: false alarms`, found.falseAlarms),
      atMost(`${title}: epochs that ended without a cause`, found.newEpochs),
      atMost(`${title}: writes refused on the busy server`, found.writesRefused),
    ],
    figures: { [`alarms-${engine}`]: { ...found } },
  });
}

export function racePart(engine: Engine, found: RaceFound, plan: Plan): Part {
  const title = ENGINE_TITLES[engine];
  const drops = Object.values(found.drops).reduce((sum, count) => sum + count, 0);
  const rate = found.sent / found.seconds;
  return part({
    tables: [
      table(
        `${title}: the insert trigger dropped ${drops} times under ${rate.toFixed(0)} writes/s`,
        ['what', 'count'],
        [
          ['writes sent', String(found.sent)],
          ['  answered as successful', String(found.answered.success)],
          ['  refused', String(found.answered.refused)],
          ['  without an answer', String(found.answered.none)],
          ['rows that they made in the EMR', String(found.rows)],
          ['  without audit row', String(found.unaudited)],
          ...Object.entries(found.unauditedRecordedAs).map(([how, count]) => [
            `    logged as ${how}`,
            String(count),
          ]),
          ['answered as successful, no audit row', String(found.successWithoutAudit)],
          ['logged as unverified', String(found.unverified)],
          ['  that turned out to have an audit row', String(found.unverifiedWithAudit)],
          ...Object.entries(found.drops).map(([manner, count]) => [`dropped ${manner}`, String(count)]),
          ['served again after, ms: median', quantile(found.recoveries, 0.5).toFixed(0)],
          ['served again after, ms: longest', quantile(found.recoveries, 1).toFixed(0)],
        ],
      ),
    ],
    floors: [
      atLeast(`${title}: drops`, drops, plan.short ? plan.race.drops : FLOORS.drops),
      atLeast(
        `${title}: writes per second in the race`,
        rounded(rate, 1),
        plan.race.writesPerSecond * 0.98,
        '/s',
      ),
      atMost(`${title}: writes answered as successful whose row has no audit row`, found.successWithoutAudit),
      atMost(`${title}: writes answered as successful without a row`, found.successWithoutRow),
      atMost(
        `${title}: rows without audit row that the activity log does not call unverified`,
        Object.entries(found.unauditedRecordedAs)
          .filter(([how]) => !how.startsWith('unverified-write') && !how.startsWith('client got no'))
          .reduce((sum, [, count]) => sum + count, 0),
      ),
      atMost(`${title}: rows in the EMR without an intent in the activity log`, found.unannounced),
      atMost(`${title}: faults in the activity log`, found.logFaults),
    ],
    figures: {
      [`race-${engine}`]: {
        ...found,
        recoveries: { p50: quantile(found.recoveries, 0.5), max: quantile(found.recoveries, 1) },
      },
    },
  });
}
