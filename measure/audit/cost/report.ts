import type { Floor, Json, Table } from '../../report.ts';
import { ratio, rounded, spread } from '../../statistics.ts';
import { ENGINE_TITLES, type Engine } from '../servers.ts';
import { BULK_ROWS, type Sample, TASKS, type Task, VARIANTS, type Variant } from './rounds.ts';
import type { SetupTime } from './setup-time.ts';

/**
 * What the audit may cost, as a multiple of the same work without it. Undefined where nothing is promised:
 * a server that copies rows within itself has so little else to do that recording them weighs most.
 */
export const COST_FLOORS: Readonly<Record<Task, number | undefined>> = {
  insert: 1.3,
  update: 1.6,
  bulk: 2,
  'bulk select': undefined,
};
export const GENERATE_FLOOR = 2;
export const APPLY_FLOOR = 10;

const TITLES: Readonly<Record<Task, string>> = {
  insert: 'insert of one row',
  update: 'update of one column of forty, one row',
  bulk: `insert of ${BULK_ROWS.toLocaleString('en')} rows, 500 a statement`,
  'bulk select': `INSERT … SELECT of ${BULK_ROWS.toLocaleString('en')} rows`,
};

export interface CostFound {
  readonly engine: Engine;
  readonly samples: readonly Sample[];
  readonly setup: SetupTime | undefined;
}

function medianOf(
  { samples }: CostFound,
  task: Task,
  variant: Variant,
  what: 'milliseconds' | 'cpuMilliseconds',
): number | undefined {
  return spread(samples.filter((s) => s.task === task && s.variant === variant).map((s) => s[what]))?.median;
}

/** The median of each round's own ratio: what slows a whole round down slows both sides. */
function times(
  { samples }: CostFound,
  task: Task,
  variant: Variant,
  what: 'milliseconds' | 'cpuMilliseconds' = 'milliseconds',
): number | undefined {
  const of = (name: Variant) => samples.filter((s) => s.task === task && s.variant === name);
  const plain = new Map(of('plain').map((s) => [s.round, s[what]]));
  const ratios = of(variant).map((s) => ratio(s[what], plain.get(s.round)));
  return spread(ratios.filter((value) => value !== undefined))?.median;
}

const shown = (value: number | undefined, digits = 2): string => value?.toFixed(digits) ?? '–';

export function costTable(found: readonly CostFound[], rounds: number): Table {
  const right = (title: string) => ({ title, align: 'right' }) as const;
  return {
    title: `Cost: forty columns, three indexes beside the key, durable commits, median of ${rounds} interleaved rounds`,
    columns: [
      { title: 'server', align: 'left' },
      { title: 'work', align: 'left' },
      right('plain ms'),
      right('audited ms'),
      right('× plain'),
      right('× by server CPU'),
      right('system versioning ×'),
    ],
    rows: found.flatMap((one) =>
      TASKS.filter((task) => one.samples.some((s) => s.task === task)).map((task) => [
        ENGINE_TITLES[one.engine],
        TITLES[task],
        shown(medianOf(one, task, 'plain', 'milliseconds')),
        shown(medianOf(one, task, 'audited', 'milliseconds')),
        shown(times(one, task, 'audited')),
        shown(times(one, task, 'audited', 'cpuMilliseconds')),
        shown(times(one, task, 'versioned')),
      ]),
    ),
    footnotes: [
      'System versioning is MariaDB’s own history of a table, which says neither who nor from where.',
    ],
  };
}

export function setupTable(found: readonly CostFound[]): Table {
  return {
    title: 'Putting OpenEMR under audit',
    columns: [
      { title: 'server', align: 'left' },
      { title: 'tables', align: 'right' },
      { title: 'statements', align: 'right' },
      { title: 'read and generate, s', align: 'right' },
      { title: 'apply, s', align: 'right' },
    ],
    rows: found.flatMap(({ engine, setup }) =>
      setup === undefined
        ? []
        : [
            [
              ENGINE_TITLES[engine],
              String(setup.tables),
              String(setup.statements),
              setup.generateSeconds.toFixed(2),
              setup.applySeconds.toFixed(1),
            ],
          ],
    ),
    footnotes: [],
  };
}

/** On MariaDB what the project promises; MySQL's figures are in the table. */
export function costFloors(found: readonly CostFound[]): Floor[] {
  const most = (
    name: string,
    limit: number,
    unit: string,
    measured: number | undefined,
    optional = false,
  ): Floor => ({
    name,
    bound: 'at-most',
    limit,
    unit,
    measured,
    optional,
  });
  return found.flatMap((one) => {
    const name = ENGINE_TITLES[one.engine];
    return [
      ...(one.engine === 'mariadb'
        ? TASKS.flatMap((task) => {
            const limit = COST_FLOORS[task];
            return limit === undefined
              ? []
              : [most(`${name}: ${TITLES[task]}`, limit, '×', times(one, task, 'audited'))];
          })
        : []),
      // The schema of another project, not on every machine.
      most(`${name}: reading OpenEMR and generating`, GENERATE_FLOOR, ' s', one.setup?.generateSeconds, true),
      most(`${name}: applying to OpenEMR`, APPLY_FLOOR, ' s', one.setup?.applySeconds, true),
    ];
  });
}

export function costFigures(found: readonly CostFound[]): Json {
  return found.map((one) => ({
    engine: one.engine,
    setup: one.setup === undefined ? null : { ...one.setup },
    tasks: Object.fromEntries(
      TASKS.map((task) => [
        task,
        Object.fromEntries(
          VARIANTS.map((variant) => [
            variant,
            {
              milliseconds: optional(medianOf(one, task, variant, 'milliseconds')),
              cpuMilliseconds: optional(medianOf(one, task, variant, 'cpuMilliseconds')),
              times: optional(times(one, task, variant)),
              rounds: one.samples
                .filter((s) => s.task === task && s.variant === variant)
                .map((s) => rounded(s.milliseconds, 4)),
            },
          ]),
        ),
      ]),
    ),
  }));
}

function optional(value: number | undefined): number | null {
  return value === undefined ? null : rounded(value, 4);
}
