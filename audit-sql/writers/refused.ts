import type { Dialect } from '../dialect.ts';
import type { ColumnModel, SchemaModel, TableModel } from '../model.ts';
import { ident, qualified } from '../names.ts';
import { valueWriter } from './values.ts';

/** Columns whose change a key, a foreign key or a partition may refuse. */
function refusable(table: TableModel, model: SchemaModel): readonly ColumnModel[] {
  if (table.partitioned) return table.columns.filter((column) => column.generation === 'none');
  const names = new Set([
    ...table.key,
    ...table.uniqueColumns,
    ...table.foreignKeys.flatMap((key) => key.columns),
    ...model.tables.flatMap((child) =>
      child.foreignKeys
        .filter((key) => key.referencedSchema === undefined && key.referencedTable === table.name)
        .flatMap((key) => key.referencedColumns),
    ),
  ]);
  return table.columns.filter((column) => names.has(column.name));
}

/**
 * SQL that is true when an update took place, for the AFTER UPDATE trigger: MariaDB fires it also for a row
 * that `UPDATE IGNORE` had to leave as it was. Then the old row is still there, in every column that could
 * have been refused. Only a change of such a column costs the look at the table.
 *
 * Undefined where nothing need be asked. Of a row without a key nobody can say whether it is still there,
 * unless a unique key names it all the same; it is recorded.
 */
export function tookPlace(table: TableModel, model: SchemaModel, dialect: Dialect): string | undefined {
  if (dialect.engine !== 'mariadb') return undefined;
  const columns = refusable(table, model);
  const naming = table.key.length > 0 ? table.key : table.uniqueColumns;
  if (columns.length === 0 || naming.length === 0) return undefined;
  const compared =
    table.key.length > 0 ? columns : table.columns.filter((column) => column.generation === 'none');
  const unchanged = (list: readonly ColumnModel[], a: string, b: string): string =>
    list
      .map((column) => {
        const name = ident(column.name);
        return valueWriter(column, dialect, 0).unchanged(`${a}.${name}`, `${b}.${name}`);
      })
      .join(' AND ');
  const found = naming.map((name) => `same.${ident(name)} = OLD.${ident(name)}`).join(' AND ');
  return [
    `(${unchanged(columns, 'OLD', 'NEW')})`,
    `    OR NOT EXISTS (SELECT 1 FROM ${qualified(model.schema, table.name)} AS same`,
    `      WHERE ${found} AND ${unchanged(compared, 'same', 'OLD')})`,
  ].join('\n');
}
