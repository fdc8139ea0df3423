import { type TriggerDefinition, type TriggerFault, triggerKey } from '../coverage/definitions.ts';
import type { LiveTrigger } from '../coverage/live.ts';
import { triggerFaults } from '../coverage/tables.ts';
import type { SchemaModel, TableModel } from '../model.ts';
import { TRIGGER_PREFIX } from '../names.ts';
import { CASCADE_EVENTS, cascadeOf } from '../writers/cascade-paths.ts';

/** `keep`: it is there exactly so. */
export const TRIGGER_ACTIONS = ['make', 'replace', 'keep'] as const;
export type TriggerAction = (typeof TRIGGER_ACTIONS)[number];

export interface PlannedTrigger {
  readonly name: string;
  readonly timing: string;
  readonly event: string;
  readonly action: TriggerAction;
  /** Why it is replaced. */
  readonly faults: readonly TriggerFault[];
}

/** A trigger of the EMR's own, which stays and keeps its place. */
export interface KeptTrigger {
  readonly name: string;
  readonly timing: string;
  readonly event: string;
  readonly position: number;
}

/** What `start` would do for one table. */
export interface PlannedTable {
  readonly table: string;
  readonly engine: string;
  /** Columns that name a row; empty when none do, and whole rows are recorded. */
  readonly key: readonly string[];
  readonly columns: number;
  /** Columns that the server computes from others: not recorded, unless they are part of the key. */
  readonly computed: readonly string[];
  /** Tables whose rows a foreign key changes along with this one's, recorded by this table's BEFORE triggers. */
  readonly cascades: readonly string[];
  readonly triggers: readonly PlannedTrigger[];
  readonly emrTriggers: readonly KeptTrigger[];
}

function planTrigger(wanted: TriggerDefinition, live: ReadonlyMap<string, LiveTrigger>): PlannedTrigger {
  const faults = triggerFaults(wanted, live);
  const action = faults.length === 0 ? 'keep' : faults.includes('missing') ? 'make' : 'replace';
  return {
    name: wanted.name,
    timing: wanted.timing,
    event: wanted.event,
    action,
    faults: action === 'replace' ? faults : [],
  };
}

/** The tables whose rows a table's BEFORE triggers record, because a foreign key changes them along with its own. */
function cascadesOf(table: TableModel, wanted: readonly TriggerDefinition[], model: SchemaModel): string[] {
  if (!wanted.some(({ timing }) => timing === 'BEFORE')) return [];
  const reached = CASCADE_EVENTS.flatMap((event) => [
    ...(cascadeOf(model, table, event)?.targets.keys() ?? []),
  ]);
  return [...new Set(reached)].sort();
}

/** What `start` would do, table by table, in the model's order. Pure. */
export function planTables(
  model: SchemaModel,
  wanted: readonly TriggerDefinition[],
  live: ReadonlyMap<string, LiveTrigger>,
): PlannedTable[] {
  const byTable = new Map<string, TriggerDefinition[]>();
  for (const trigger of wanted) {
    const list = byTable.get(trigger.table);
    if (list === undefined) byTable.set(trigger.table, [trigger]);
    else list.push(trigger);
  }
  return model.tables.map((table) => {
    const triggers = byTable.get(table.name) ?? [];
    return {
      table: table.name,
      engine: table.engine,
      key: table.key,
      columns: table.columns.length,
      computed: table.columns.filter(({ generated }) => generated).map(({ name }) => name),
      cascades: cascadesOf(table, triggers, model),
      triggers: triggers.map((trigger) => planTrigger(trigger, live)),
      emrTriggers: [...live.values()]
        .filter(
          ({ schema, table: on, name }) =>
            schema === model.schema && on === table.name && !name.startsWith(TRIGGER_PREFIX),
        )
        .map(({ name, timing, event, position }) => ({ name, timing, event, position })),
    };
  });
}

/** Triggers of ours that `start` drops, because no table is to have them any more. Pure. */
export function staleTriggers(
  model: SchemaModel,
  wanted: readonly TriggerDefinition[],
  live: ReadonlyMap<string, LiveTrigger>,
): string[] {
  const keep = new Set(wanted.map(triggerKey));
  return [...live.values()]
    .filter(
      (trigger) =>
        trigger.schema === model.schema &&
        trigger.name.startsWith(TRIGGER_PREFIX) &&
        !keep.has(triggerKey(trigger)),
    )
    .map(({ name }) => name)
    .sort();
}
