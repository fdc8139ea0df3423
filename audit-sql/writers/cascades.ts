import type { Dialect } from '../dialect.ts';
import type { SchemaModel, TableModel } from '../model.ts';
import { AUDIT_ROW_TABLE, type AuditNames, ident, literal, qualified } from '../names.ts';
import { type Cascade, type CascadeEvent, cascadeOf, type Path } from './cascade-paths.ts';
import { type Affected, affectedRows, any, type Context, sourceSql } from './cascade-rows.ts';
import { insertAuditRow } from './provenance.ts';
import { changes, jsonObject, type RowReference, rowOf, rowWritings } from './row-json.ts';
import { valueWriter } from './values.ts';

/*
 * A foreign key's cascade fires no trigger of the child. So the parent gets a BEFORE trigger that records
 * what the cascade is about to do, row by row of the children, at any depth.
 *
 * Rows are locked as they are read: what is recorded is what the cascade finds, at any isolation level. The
 * lock is a shared one: FOR UPDATE counts as writing, which a trigger may not do to its statement's tables.
 *
 * A cursor reads all of them before the first audit row is numbered, so that the numbers follow the order of
 * changes, and each is written by an INSERT of its own. One INSERT … SELECT would keep the counter of
 * `audit_row` locked until the EMR's statement ends (MariaDB): while that waits for a row, nobody else could
 * write to any audited table.
 */

const CHILD = rowOf('child');

/** The child's row as the update leaves it. */
function after(affected: Affected, origin: TableModel): RowReference {
  return (column) => {
    const write = affected.written.get(column.name);
    if (write === undefined) return CHILD(column);
    const cases = write.values.map((value, i) => `WHEN ${i + 1} THEN ${sourceSql(value, origin, column)}`);
    return `CASE ${write.choice} ${cases.join(' ')} ELSE ${CHILD(column)} END`;
  };
}

/** Records what the cascade does to the rows of one table. */
function statement(paths: readonly [Path, ...Path[]], context: Context): string {
  const { cascade, names, dialect } = context;
  const table = paths[0].at(-1)?.child ?? cascade.origin;
  const affected = affectedRows(table, paths, context);
  const { key, stored } = rowWritings(table, dialect, context.maximumBinaryBytes);
  const keyed = key.length > 0;
  const whole = jsonObject(stored, CHILD, '        ');
  const now = after(affected, cascade.origin);
  const written = stored.filter(({ column }) => affected.written.has(column.name));
  const updated = keyed
    ? { old: 'NULL', new: 'NULL', changes: changes(written, CHILD, now, '        ') }
    : { old: whole, new: jsonObject(stored, now, '        '), changes: 'NULL' };
  const either = (deletion: string, update: string): string => {
    if (!affected.updates || deletion === update) return deletion;
    return affected.deletes ? `IF(${affected.deleted}, ${deletion}, ${update})` : update;
  };
  // The names of these variables are no names of columns: a column in the query is always qualified.
  const text = 'LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
  return [
    '    BEGIN',
    '      DECLARE at_end BOOLEAN DEFAULT FALSE;',
    '      DECLARE the_operation VARCHAR(16) CHARACTER SET utf8mb4;',
    `      DECLARE the_key, the_old, the_new, the_changes ${text};`,
    '      DECLARE affected CURSOR FOR SELECT',
    `        ${either("'cascade-delete'", "'cascade-update'")},`,
    `        ${keyed ? jsonObject(key, CHILD, '        ') : 'NULL'},`,
    `        ${either(whole, updated.old)},`,
    `        ${either('NULL', updated.new)},`,
    `        ${either('NULL', updated.changes)}`,
    `${affected.source};`,
    '      DECLARE CONTINUE HANDLER FOR NOT FOUND SET at_end = TRUE;',
    '      OPEN affected;',
    '      each_row: LOOP',
    '        FETCH affected INTO the_operation, the_key, the_old, the_new, the_changes;',
    '        IF at_end THEN LEAVE each_row; END IF;',
    `        ${insertAuditRow(
      qualified(names.auditSchema, AUDIT_ROW_TABLE),
      [
        ['emr_table', literal(table.name)],
        ['operation', 'the_operation'],
        ['cascade_id', 'token'],
        ['row_key', 'the_key'],
        ['old_values', 'the_old'],
        ['new_values', 'the_new'],
        ['changes', 'the_changes'],
      ],
      dialect,
      '        ',
    )};`,
    '      END LOOP;',
    '      CLOSE affected;',
    '    END',
  ].join('\n');
}

/**
 * Joins the records of a cascade to the record of the row it started from: a number that the BEFORE and the
 * AFTER trigger of one row compute alike, from the connection, the statement's time and the row's key. Not
 * a session variable: `DELETE … RETURNING (@v := 0)` could change that between the two, and triggers of the
 * EMR may cascade in between.
 */
function cascadeToken(context: Context, indent: string): string {
  const { key, stored } = rowWritings(context.cascade.origin, context.dialect, context.maximumBinaryBytes);
  const row = jsonObject(key.length > 0 ? key : stored, rowOf('OLD'), indent);
  return `CONV(LEFT(SHA2(CONCAT(CONNECTION_ID(), ' ', NOW(6), ' ', ${row}), 256), 16), 16, 10)`;
}

/** True when the server is about to cascade without firing the children's triggers. */
function happens(context: Context): string {
  const { cascade, dialect, maximumBinaryBytes } = context;
  const conditions = ['@@SESSION.foreign_key_checks = 1'];
  if (dialect.cascadesFireTriggers !== undefined) conditions.push(`NOT ${dialect.cascadesFireTriggers}`);
  if (cascade.event === 'update') {
    const ways = [...cascade.targets.values()].flat();
    const referenced = new Set(ways.flatMap(([first]) => first.key.referencedColumns));
    const changed = cascade.origin.columns
      .filter((column) => referenced.has(column.name))
      .map((column) => {
        const { unchanged } = valueWriter(column, dialect, maximumBinaryBytes);
        return `NOT (${unchanged(`OLD.${ident(column.name)}`, `NEW.${ident(column.name)}`)})`;
      });
    conditions.push(any(changed));
  }
  return conditions.join(' AND ');
}

/**
 * True when the rows that referenced the deleted one do so no longer. MySQL's own layer fires the triggers
 * of a deletion for REPLACE but does not cascade when the new row has the same key.
 */
function happened(context: Context): string[] {
  const { cascade, dialect, schema } = context;
  if (cascade.event !== 'delete' || !dialect.cascadesAboveInnodb) return [];
  const first = [...cascade.targets.values()].flat().filter((path) => path.length === 1);
  return first.map(([{ child, key }]) => {
    const match = key.columns.map(
      (column, i) => `child.${ident(column)} = OLD.${ident(key.referencedColumns[i] ?? '')}`,
    );
    return `NOT EXISTS (SELECT 1 FROM ${qualified(schema, child.name)} AS child WHERE ${match.join(' AND ')})`;
  });
}

/** The two sides of recording one table's cascades. */
export interface CascadeSql {
  readonly cascade: Cascade;
  /** What follows `FOR EACH ROW` in the BEFORE trigger. */
  readonly body: string;
  /** The value of `cascade_id` in the row that the AFTER trigger writes. */
  readonly token: string;
}

/** How the cascades of a table are recorded; undefined when it has none. Pure. */
export function cascadeSql(
  model: SchemaModel,
  origin: TableModel,
  event: CascadeEvent,
  names: AuditNames,
  dialect: Dialect,
  maximumBinaryBytes: number,
): CascadeSql | undefined {
  const cascade = cascadeOf(model, origin, event);
  if (cascade === undefined) return undefined;
  const context: Context = { cascade, schema: model.schema, names, dialect, maximumBinaryBytes };
  return {
    cascade,
    body: [
      'BEGIN',
      '  DECLARE token BIGINT UNSIGNED;',
      `  IF ${happens(context)} THEN`,
      `    SET token = ${cascadeToken(context, '      ')};`,
      ...[...cascade.targets.values()].map((paths) => `${statement(paths, context)};`),
      '  END IF;',
      'END',
    ].join('\n'),
    token: `IF(${[happens(context), ...happened(context)].join(' AND ')}, ${cascadeToken(context, '    ')}, NULL)`,
  };
}
