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

/** Reads what is there now, not what was when the session's transaction began; the row is locked already. */
const CURRENT = 'LOCK IN SHARE MODE';

/**
 * Of each foreign key of the table, SQL that is true when it cannot but have refused the new row: the parent
 * that the row would have is not there.
 */
function parentsMissing(table: TableModel, model: SchemaModel, dialect: Dialect): string[] {
  return table.foreignKeys.flatMap((key) => {
    const columns = table.columns.filter((column) => key.columns.includes(column.name));
    // The triggers' account reads no other schema.
    if (key.referencedSchema !== undefined || columns.length === 0) return [];
    const parent = model.tables.find(({ name }) => name === key.referencedTable);
    if (parent === undefined) return [];
    const { from, where } = presentRows(model.schema, parent, 'parent');
    const found = key.columns.map(
      (column, i) => `parent.${ident(key.referencedColumns[i] ?? '')} = NEW.${ident(column)}`,
    );
    const conditions = [
      '@@SESSION.foreign_key_checks = 1',
      ...key.columns.map((column) => `NEW.${ident(column)} IS NOT NULL`),
      `NOT (${same(columns, 'OLD', 'NEW', dialect)})`,
      `NOT EXISTS (SELECT 1 FROM ${from}\n      WHERE ${[...found, ...where].join(' AND ')} ${CURRENT})`,
    ];
    return [`(${conditions.join(' AND ')})`];
  });
}

/**
 * True of a table in which nobody can say of every row whether `UPDATE IGNORE` passed over it on MariaDB.
 * Only foreign keys of its own can be asked without a name for the row.
 */
export function refusalsUnnamed(table: TableModel, model: SchemaModel, dialect: Dialect): boolean {
  if (dialect.engine !== 'mariadb' || table.key.length > 0) return false;
  const own = new Set(table.foreignKeys.flatMap((key) => key.columns));
  const elsewhere = table.foreignKeys.some((key) => key.referencedSchema !== undefined);
  const touched = table.columns.some((column) => column.touched);
  return elsewhere || touched || [...refusable(table, model)].some((name) => !own.has(name));
}

/**
 * SQL that is true when an update took place, for the AFTER UPDATE trigger. MariaDB fires it also for a row
 * that `UPDATE IGNORE` had to leave as it was, and shows the new time of ON UPDATE CURRENT_TIMESTAMP in a
 * row that an update did not change at all. In both cases the table still holds the old row. To look is
 * needed only when a column changed that could have been refused, or nothing but such a time. A row that
 * nothing names is not looked for; then the parents are that it would have.
 *
 * Undefined where nothing need be asked, or nothing can be: on MySQL but for JSON, and of a table in which
 * nothing names a row and no foreign key refuses one. There an update is recorded.
 */
export function tookPlace(table: TableModel, model: SchemaModel, dialect: Dialect): string | undefined {
  const stored = table.columns.filter((column) => column.generation === 'none');
  if (dialect.engine === 'mysql') return jsonTookPlace(stored, dialect);
  const names = refusable(table, model);
  const risky = stored.filter((column) => names.has(column.name) && !column.touched);
  const touched = stored.filter((column) => column.touched);
  const keyed = table.key.length > 0;
  const naming = stored
    .map((column) => column.name)
    .filter((name) => (keyed ? table.key : table.uniqueColumns).includes(name));
  // Where a row has a name, whether it is still the old one says everything.
  const missing = keyed ? [] : parentsMissing(table, model, dialect);
  if (risky.length + touched.length === 0 || naming.length + missing.length === 0) return undefined;
  const { from, where } = presentRows(model.schema, table, 'same');
  const holds = (row: 'OLD' | 'NEW', compared: readonly ColumnModel[]): string => {
    const found = naming.map((name) => `same.${ident(name)} = ${row}.${ident(name)}`).join(' AND ');
    return `EXISTS (SELECT 1 FROM ${from}\n      WHERE ${[found, same(compared, 'same', row, dialect), ...where].join(' AND ')} ${CURRENT})`;
  };
  const others = stored.filter((column) => !column.touched);
  const ordinary = [
    same(risky, 'OLD', 'NEW', dialect),
    ...(touched.length > 0 && naming.length > 0
      ? [`(${same(touched, 'OLD', 'NEW', dialect)} OR NOT (${same(others, 'OLD', 'NEW', dialect)}))`]
      : []),
  ];
  // Without a key, a unique key names a row only while none of its columns is NULL.
  const nulls = naming.map((name) => `NEW.${ident(name)} IS NULL`).join(' OR ');
  const asked = keyed
    ? [`NOT ${holds('OLD', [...risky, ...touched])}`]
    : naming.length > 0
      ? [`NOT ${holds('OLD', stored)}`, `(${nulls} OR ${holds('NEW', stored)})`]
      : [];
  const conditions = [...asked, ...missing.map((refused) => `NOT ${refused}`)];
  return `(${ordinary.join(' AND ')})\n    OR (${conditions.join('\n      AND ')})`;
}
