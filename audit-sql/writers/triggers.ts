import { createHash } from 'node:crypto';
import type { Dialect } from '../dialect.ts';
import type { SchemaModel, TableModel, TriggerEvent, TriggerTiming } from '../model.ts';
import { type AuditNames, ident, literal, printable, qualified, TRIGGER_PREFIX } from '../names.ts';
import { CASCADE_EVENTS, cascadeOf } from './cascade-paths.ts';
import { type CascadeSql, cascadeSql } from './cascades.ts';
import { insertAuditRow } from './provenance.ts';
import { tookPlace } from './refused.ts';
import {
  collectChanges,
  collectedChanges,
  jsonObject,
  type RowWritings,
  rowOf,
  rowWritings,
} from './row-json.ts';
import type { Section, Statement } from './script.ts';
import { rowTableOf } from './store.ts';

export const ROW_OPERATIONS = ['insert', 'update', 'delete'] as const;
export type RowOperation = (typeof ROW_OPERATIONS)[number];

/** Binary values up to this many bytes are recorded whole. */
export const MAXIMUM_BINARY_BYTES = 65_536;

/** Where a BEFORE trigger records cascades, it is called after them. */
export const TRIGGER_KINDS = [...ROW_OPERATIONS, 'cascade_update', 'cascade_delete'] as const;
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

const MAXIMUM_NAME = 63;

/**
 * The trigger's name: readable, at most 63 characters, plain ASCII (a name becomes a file name on MariaDB,
 * where other characters take five bytes), and different for table names that differ only in case.
 */
export function triggerName(table: string, kind: TriggerKind): string {
  const digest = createHash('sha256').update(table).digest('hex').slice(0, 10);
  const start = `${TRIGGER_PREFIX}${kind}_`;
  const room = MAXIMUM_NAME - start.length - digest.length - 1;
  return `${start}${table.replace(/[^A-Za-z0-9]/g, '_').slice(0, room)}_${digest}`;
}

/** A trigger that the start script makes. */
export interface WantedTrigger {
  readonly name: string;
  readonly table: string;
  readonly timing: TriggerTiming;
  readonly event: TriggerEvent;
}

/** Every trigger that a table needs: one per operation, and one per event that cascades to other rows. */
export function wantedTriggers(table: TableModel, model: SchemaModel): readonly WantedTrigger[] {
  const wanted = (kind: TriggerKind, timing: TriggerTiming, event: TriggerEvent): WantedTrigger => ({
    name: triggerName(table.name, kind),
    table: table.name,
    timing,
    event,
  });
  return [
    ...ROW_OPERATIONS.map((operation) => wanted(operation, 'after', operation)),
    ...CASCADE_EVENTS.filter((event) => cascadeOf(model, table, event) !== undefined).map((event) =>
      wanted(`cascade_${event}`, 'before', event),
    ),
  ];
}

/** A local variable of the trigger: a session's own could be read, or set, by the session. */
const CHANGED = 'changed';

const OLD = rowOf('OLD');
const NEW = rowOf('NEW');

function body(
  table: TableModel,
  operation: RowOperation,
  names: AuditNames,
  { key, stored }: RowWritings,
  cascade: CascadeSql | undefined,
  happened: string | undefined,
  dialect: Dialect,
): string {
  const keyed = key.length > 0;
  // Without a key only the whole old row says which row an update changed.
  const keyedUpdate = operation === 'update' && keyed;
  /** What is not named here is NULL: a column that is named costs something, whatever its value. */
  const columns: readonly (readonly [column: string, value: string])[] = [
    ['emr_table', literal(table.name)],
    ['operation', `'${operation}'`],
    ...(cascade === undefined ? [] : [['cascade_id', cascade.token] as const]),
    ...(keyed ? [['row_key', jsonObject(key, operation === 'insert' ? NEW : OLD, '  ')] as const] : []),
    ...(operation === 'insert' || keyedUpdate
      ? []
      : [['old_values', jsonObject(stored, OLD, '  ')] as const]),
    ...(operation === 'delete' || keyedUpdate
      ? []
      : [['new_values', jsonObject(stored, NEW, '  ')] as const]),
    ...(keyedUpdate ? [['changes', collectedChanges(CHANGED)] as const] : []),
  ];
  const insert = insertAuditRow(qualified(names.auditSchema, rowTableOf(table)), columns, dialect);
  if (operation !== 'update') return insert;
  const guarded = (statements: readonly string[]): readonly string[] =>
    happened === undefined ? statements : [`  IF ${happened} THEN`, ...statements, '  END IF;'];
  if (!keyed) {
    return happened === undefined ? insert : ['BEGIN', ...guarded([`${insert};`]), 'END'].join('\n');
  }
  const recorded = new Set([...stored, ...key]);
  return [
    'BEGIN',
    `  DECLARE ${CHANGED} LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '';`,
    ...guarded([collectChanges([...recorded], OLD, NEW, CHANGED), `${insert};`]),
    'END',
  ].join('\n');
}

/**
 * The triggers of one table. Each is put behind the EMR's own of the same kind, on both engines, also when
 * it is replaced; so a BEFORE UPDATE trigger of ours sees what the EMR's make of NEW.
 */
export function tableSection(
  table: TableModel,
  model: SchemaModel,
  names: AuditNames,
  dialect: Dialect,
  maximumBinaryBytes: number,
): Section {
  const writings = rowWritings(table, dialect, maximumBinaryBytes);
  const cascades = new Map(
    CASCADE_EVENTS.map(
      (event) => [event, cascadeSql(model, table, event, names, dialect, maximumBinaryBytes)] as const,
    ),
  );
  const trigger = (kind: TriggerKind, timing: string, event: string, rest: string): Statement[] =>
    dialect
      .replaceTrigger({
        schema: model.schema,
        table: table.name,
        name: triggerName(table.name, kind),
        definer: names.definer,
        rest: `${timing} ${event.toUpperCase()} ON ${ident(model.schema)}.${ident(table.name)} FOR EACH ROW${rest}`,
      })
      .map((sql) => ({
        label: `${kind.replace('_', ' ')} trigger of ${printable(table.name)}`,
        sql,
        ...(/\n *BEGIN\n/.test(rest) && sql.startsWith('CREATE') ? { compound: true } : {}),
      }));
  return {
    comment: tableComment(table, [...cascades.values()]),
    statements: [
      ...ROW_OPERATIONS.flatMap((operation) => {
        const cascade = operation === 'insert' ? undefined : cascades.get(operation);
        return trigger(
          operation,
          'AFTER',
          operation,
          `\n${body(table, operation, names, writings, cascade, tookPlace(table, model, dialect), dialect)}`,
        );
      }),
      ...CASCADE_EVENTS.flatMap((event) => {
        const cascade = cascades.get(event);
        return cascade === undefined ? [] : trigger(`cascade_${event}`, 'BEFORE', event, `\n${cascade.body}`);
      }),
    ],
  };
}

function tableComment(table: TableModel, cascades: readonly (CascadeSql | undefined)[]): readonly string[] {
  const generated = table.columns.filter((c) => c.generated).map((c) => printable(c.name));
  const reached = cascades.flatMap((cascade) =>
    cascade === undefined
      ? []
      : [
          `Of ${cascade.cascade.event === 'delete' ? 'a deletion' : 'a change of its key'} the foreign keys' ` +
            `cascade to ${[...cascade.cascade.targets.keys()].map(printable).join(', ')} is recorded first.`,
        ],
  );
  return [
    `Table ${printable(table.name)}: ${
      table.key.length > 0
        ? `a row is named by ${table.key.map(printable).join(', ')}.`
        : 'no key names a row, so updates record the whole old and new row.'
    }`,
    ...(generated.length > 0 ? [`Generated, not recorded: ${generated.join(', ')}.`] : []),
    ...reached,
  ];
}
