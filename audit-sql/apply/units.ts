import { type TriggerDefinition, triggerKey, triggerOf } from '../coverage/definitions.ts';
import type { LiveTrigger } from '../coverage/live.ts';
import { triggerFaults } from '../coverage/tables.ts';
import type { Statement } from '../writers/script.ts';

/** Statements that only make sense together: on MySQL a table stays locked while its trigger is replaced. */
export interface Unit {
  /** Position in the script of the first statement, from 0. */
  readonly first: number;
  readonly statements: readonly Statement[];
}

/** Cuts a script into units; every statement is in exactly one. */
export function unitsOf(statements: readonly Statement[]): Unit[] {
  const units: Unit[] = [];
  let open: { first: number; statements: Statement[] } | undefined;
  for (const [index, statement] of statements.entries()) {
    if (open === undefined && /^LOCK TABLES\b/.test(statement.sql)) open = { first: index, statements: [] };
    if (open === undefined) {
      units.push({ first: index, statements: [statement] });
      continue;
    }
    open.statements.push(statement);
    if (statement.sql === 'UNLOCK TABLES') {
      units.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) units.push(open);
  return units;
}

const DROP = /^DROP TRIGGER IF EXISTS `((?:[^`]|``)+)`\.`((?:[^`]|``)+)`$/;

function dropped(sql: string): { schema: string; name: string } | undefined {
  const match = DROP.exec(sql);
  if (match === null) return undefined;
  return { schema: (match[1] ?? '').replaceAll('``', '`'), name: (match[2] ?? '').replaceAll('``', '`') };
}

/** The table that a unit needs for itself alone; undefined when it needs none that is known. Pure. */
export function tableOf(
  unit: Unit,
  live: ReadonlyMap<string, LiveTrigger>,
): { readonly schema: string; readonly table: string } | undefined {
  for (const { sql } of unit.statements) {
    const drop = dropped(sql);
    const found = triggerOf(sql) ?? (drop === undefined ? undefined : live.get(triggerKey(drop)));
    if (found !== undefined) return { schema: found.schema, table: found.table };
  }
  return undefined;
}

/** Schemas whose triggers a script makes or drops. */
export function triggerSchemas(statements: readonly Statement[]): string[] {
  const schemas = new Set<string>();
  for (const { sql } of statements) {
    const schema = triggerOf(sql)?.schema ?? dropped(sql)?.schema;
    if (schema !== undefined) schemas.add(schema);
  }
  return [...schemas];
}

/** True when the unit does nothing but make triggers that are there as wanted, or drop what is not there. Pure. */
export function isDone(unit: Unit, live: ReadonlyMap<string, LiveTrigger>): boolean {
  const made: TriggerDefinition[] = [];
  const drops: string[] = [];
  for (const { sql } of unit.statements) {
    const trigger = triggerOf(sql);
    const drop = dropped(sql);
    if (trigger !== undefined) made.push(trigger);
    else if (drop !== undefined) drops.push(triggerKey(drop));
    else if (!/^(?:LOCK TABLES\b|UNLOCK TABLES$)/.test(sql)) return false;
  }
  const wanted = new Set(made.map(triggerKey));
  return (
    made.length + drops.length > 0 &&
    made.every((trigger) => triggerFaults(trigger, live).length === 0) &&
    drops.every((key) => wanted.has(key) || !live.has(key))
  );
}
