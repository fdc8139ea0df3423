import { printable, TRIGGER_PREFIX } from '../names.ts';
import { compareTrigger, type TriggerDefinition, type TriggerFault, triggerKey } from './definitions.ts';
import type { LiveTrigger } from './live.ts';

/**
 * `covered`: every trigger is live and is the wanted one. `uncovered`: not one is there. `half`: what
 * lies between, where some changes are recorded and others are not, or not as they should be.
 */
export const COVERAGE_STATES = ['covered', 'half', 'uncovered'] as const;
export type CoverageState = (typeof COVERAGE_STATES)[number];

export interface FaultyTrigger {
  readonly trigger: string;
  readonly timing: string;
  readonly event: string;
  readonly faults: readonly TriggerFault[];
}

export interface TableCoverage {
  readonly table: string;
  readonly state: CoverageState;
  /** How many triggers the table should have. */
  readonly triggers: number;
  readonly faulty: readonly FaultyTrigger[];
}

const WORDS: Readonly<Record<TriggerFault, string>> = {
  missing: 'is missing',
  table: 'is on another table',
  timing: 'has another timing or event',
  definer: 'runs as another account',
  'sql-mode': 'has another SQL mode',
  'character-set': 'was made under another character set',
  body: 'has another body',
  order: 'comes before another trigger that may still change the row',
};

/** Triggers of the EMR that fire after ours on the same event, and so could change a row after we saw it. */
function later(trigger: LiveTrigger, live: ReadonlyMap<string, LiveTrigger>): boolean {
  if (trigger.timing !== 'BEFORE') return false;
  for (const other of live.values()) {
    if (
      other.schema === trigger.schema &&
      other.table === trigger.table &&
      other.timing === trigger.timing &&
      other.event === trigger.event &&
      other.position > trigger.position &&
      !other.name.startsWith(TRIGGER_PREFIX)
    ) {
      return true;
    }
  }
  return false;
}

/** What is wrong with a wanted trigger on this server; empty when it is there as wanted. Pure. */
export function triggerFaults(
  wanted: TriggerDefinition,
  live: ReadonlyMap<string, LiveTrigger>,
): readonly TriggerFault[] {
  const found = live.get(triggerKey(wanted));
  const faults = compareTrigger(wanted, found);
  return found !== undefined && later(found, live) ? [...faults, 'order'] : faults;
}

/** Each table's state, in the order in which `wanted` first names it. Pure. */
export function tableCoverage(
  wanted: readonly TriggerDefinition[],
  live: ReadonlyMap<string, LiveTrigger>,
): TableCoverage[] {
  const tables = new Map<string, TriggerDefinition[]>();
  for (const trigger of wanted) {
    const list = tables.get(trigger.table);
    if (list === undefined) tables.set(trigger.table, [trigger]);
    else list.push(trigger);
  }
  return [...tables].map(([table, triggers]) => {
    const faulty = triggers.flatMap((trigger): FaultyTrigger[] => {
      const faults = triggerFaults(trigger, live);
      if (faults.length === 0) return [];
      return [{ trigger: trigger.name, timing: trigger.timing, event: trigger.event, faults }];
    });
    const absent = faulty.filter(({ faults }) => faults.includes('missing')).length;
    const state = faulty.length === 0 ? 'covered' : absent === triggers.length ? 'uncovered' : 'half';
    return { table, state, triggers: triggers.length, faulty };
  });
}

/** One line about a table that is not covered, for a person. */
export function describeTable(coverage: TableCoverage): string {
  const name = printable(coverage.table);
  if (coverage.state === 'covered') return `${name}: covered by ${coverage.triggers} triggers`;
  if (coverage.state === 'uncovered') return `${name}: NOT covered, no trigger is there`;
  const faults = coverage.faulty.map(
    ({ timing, event, faults: list }) =>
      `the ${timing} ${event} trigger ${list.map((fault) => WORDS[fault]).join(' and ')}`,
  );
  return `${name}: HALF covered: ${faults.join('; ')}`;
}

/** How many tables are in each state. */
export function countStates(tables: readonly TableCoverage[]): Readonly<Record<CoverageState, number>> {
  const counts = { covered: 0, half: 0, uncovered: 0 };
  for (const { state } of tables) counts[state] += 1;
  return counts;
}
