import type { Statement } from '../writers/script.ts';
import { SQL_MODE } from '../writers/script.ts';

/** A trigger as a script makes it, or as a server has it. */
export interface TriggerDefinition {
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  /** `BEFORE` or `AFTER`. */
  readonly timing: string;
  /** `INSERT`, `UPDATE` or `DELETE`. */
  readonly event: string;
  /** `user@host`, without quotes. */
  readonly definer: string;
  /** Modes in order of name; a server lists them in an order of its own. */
  readonly sqlMode: string;
  readonly characterSet: string;
  readonly collation: string;
  /** From what follows `FOR EACH ROW` on, as the server keeps it. */
  readonly body: string;
}

/** In what a live trigger differs from the wanted one. */
export const TRIGGER_FAULTS = [
  'missing',
  'table',
  'timing',
  'definer',
  'sql-mode',
  'character-set',
  'body',
  'order',
] as const;
export type TriggerFault = (typeof TRIGGER_FAULTS)[number];

const IDENTIFIER = '`((?:[^`]|``)+)`';
const TEXT = "'((?:[^'\\\\]|''|\\\\\\\\)*)'";
const CREATE = new RegExp(
  `^CREATE (?:OR REPLACE )?DEFINER = ${TEXT}@${TEXT}\\s+TRIGGER ${IDENTIFIER}\\.${IDENTIFIER}\\s+` +
    `(BEFORE|AFTER) (INSERT|UPDATE|DELETE) ON ${IDENTIFIER}\\.${IDENTIFIER} FOR EACH ROW\\s+` +
    `(?:(?:FOLLOWS|PRECEDES) ${IDENTIFIER}\\s+)?`,
);

const name = (quoted: string | undefined): string => (quoted ?? '').replaceAll('``', '`');
const text = (quoted: string | undefined): string =>
  (quoted ?? '').replaceAll("''", "'").replaceAll('\\\\', '\\');

/** The same modes, the same text. */
export function orderedModes(modes: string): string {
  return modes
    .split(',')
    .filter((mode) => mode !== '')
    .sort()
    .join(',');
}

/** The trigger that a statement of a script makes; undefined when it makes none. */
export function triggerOf(sql: string): TriggerDefinition | undefined {
  const match = CREATE.exec(sql);
  if (match === null) return undefined;
  return {
    schema: name(match[3]),
    name: name(match[4]),
    table: name(match[8]),
    timing: match[5] ?? '',
    event: match[6] ?? '',
    definer: `${text(match[1])}@${text(match[2])}`,
    // Every script sets these for its session, and a trigger keeps what it was made under.
    sqlMode: orderedModes(SQL_MODE),
    characterSet: 'utf8mb4',
    collation: 'utf8mb4_bin',
    body: sql.slice(match[0].length),
  };
}

/** Every trigger that a script makes, in its order. */
export function triggersOf(statements: readonly Statement[]): TriggerDefinition[] {
  return statements.flatMap((statement) => triggerOf(statement.sql) ?? []);
}

/** What is wrong with a live trigger; empty when it is the wanted one. Pure. */
export function compareTrigger(
  wanted: TriggerDefinition,
  live: TriggerDefinition | undefined,
): readonly TriggerFault[] {
  if (live === undefined) return ['missing'];
  const faults: TriggerFault[] = [];
  if (live.schema !== wanted.schema || live.table !== wanted.table) faults.push('table');
  if (live.timing !== wanted.timing || live.event !== wanted.event) faults.push('timing');
  if (live.definer !== wanted.definer) faults.push('definer');
  if (live.sqlMode !== wanted.sqlMode) faults.push('sql-mode');
  if (live.characterSet !== wanted.characterSet || live.collation !== wanted.collation) {
    faults.push('character-set');
  }
  if (live.body !== wanted.body) faults.push('body');
  return faults;
}

/** A key that no two triggers share; a trigger's name is unique in its schema. */
export function triggerKey(trigger: { readonly schema: string; readonly name: string }): string {
  return JSON.stringify([trigger.schema, trigger.name]);
}
