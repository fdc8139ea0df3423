import type { Dialect } from '../dialect.ts';
import type { ColumnModel, SchemaModel, TableModel } from '../model.ts';
import { ident } from '../names.ts';
import { valueWriter } from './values.ts';
import { presentRows } from './versions.ts';

/** Byte for byte, in all the columns. */
function same(columns: readonly ColumnModel[], a: string, b: string, dialect: Dialect): string {
  const pairs = columns.map((column) => {
    const name = ident(column.name);
    const equal = valueWriter(column, dialect, 0).unchanged(`${a}.${name}`, `${b}.${name}`);
    // As a condition by itself, MariaDB's WHERE calls two zero dates of a TIMESTAMP different in a trigger.
    return column.dataType === 'timestamp' ? `(${equal}) = 1` : equal;
  });
  return pairs.length === 0 ? 'TRUE' : pairs.join(' AND ');
}

/** MySQL does not write a row that differs only in how its JSON is written, as `1` and `1.0`. */
function jsonTookPlace(stored: readonly ColumnModel[], dialect: Dialect): string | undefined {
  const json = stored.filter((column) => column.dataType === dialect.jsonColumnType);
  if (json.length === 0) return undefined;
  const others = stored.filter((column) => !json.includes(column));
  const equal = json.map((column) => `OLD.${ident(column.name)} <=> NEW.${ident(column.name)}`);
  return `NOT (${[...equal, same(others, 'OLD', 'NEW', dialect)].join(' AND ')})`;
}

/** Columns whose change a key, a foreign key or a partition may refuse. */
function refusable(table: TableModel, model: SchemaModel): ReadonlySet<string> {
  if (table.partitioned) return new Set(table.columns.map((column) => column.name));
  return new Set([
    ...table.key,
    ...table.uniqueColumns,
    ...table.foreignKeys.flatMap((key) => key.columns),
    ...model.tables.flatMap((child) =>
      child.foreignKeys
        .filter((key) => key.referencedSchema === undefined && key.referencedTable === table.name)
        .flatMap((key) => key.referencedColumns),
    ),
  ]);
}

/**
 * SQL that is true when an update took place, for the AFTER UPDATE trigger. MariaDB fires it also for a row
 * that `UPDATE IGNORE` had to leave as it was, and shows the new time of ON UPDATE CURRENT_TIMESTAMP in a
 * row that an update did not change at all. In both cases the table still holds the old row. To look is
 * needed only when a column changed that could have been refused, or nothing but such a time.
 *
 * Undefined where nothing need be asked: on MySQL but for JSON, and of a table in which nothing names a row.
 * There an update is recorded.
 */
export function tookPlace(table: TableModel, model: SchemaModel, dialect: Dialect): string | undefined {
  const stored = table.columns.filter((column) => column.generation === 'none');
  if (dialect.engine === 'mysql') return jsonTookPlace(stored, dialect);
  const names = refusable(table, model);
  const risky = stored.filter((column) => names.has(column.name) && !column.touched);
  const touched = stored.filter((column) => column.touched);
  const naming = stored
    .map((column) => column.name)
    .filter((name) => (table.key.length > 0 ? table.key : table.uniqueColumns).includes(name));
  if (risky.length + touched.length === 0 || naming.length === 0) return undefined;
  const { from, where } = presentRows(model.schema, table, 'same');
  const holds = (row: 'OLD' | 'NEW', compared: readonly ColumnModel[]): string => {
    const found = naming.map((name) => `same.${ident(name)} = ${row}.${ident(name)}`).join(' AND ');
    return `EXISTS (SELECT 1 FROM ${from}\n      WHERE ${[found, same(compared, 'same', row, dialect), ...where].join(' AND ')})`;
  };
  const others = stored.filter((column) => !column.touched);
  const ordinary = [
    same(risky, 'OLD', 'NEW', dialect),
    ...(touched.length > 0
      ? [`(${same(touched, 'OLD', 'NEW', dialect)} OR NOT (${same(others, 'OLD', 'NEW', dialect)}))`]
      : []),
  ];
  // Without a key, a unique key names a row only while none of its columns is NULL.
  const nulls = naming.map((name) => `NEW.${ident(name)} IS NULL`).join(' OR ');
  const asked =
    table.key.length > 0
      ? `NOT ${holds('OLD', [...risky, ...touched])}`
      : `(NOT ${holds('OLD', stored)}\n      AND (${nulls} OR ${holds('NEW', stored)}))`;
  return `(${ordinary.join(' AND ')})\n    OR ${asked}`;
}
