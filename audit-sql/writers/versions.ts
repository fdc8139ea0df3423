import type { TableModel } from '../model.ts';
import { ident, qualified } from '../names.ts';

/**
 * SQL that is true for a versioned row that still holds. MariaDB's own condition for that keeps, in a trigger,
 * the constant of the session's first time zone, and finds no row at all after SET time_zone. So the table is
 * read with all its history, and this says what of it is the present.
 */
export function isPresent(table: TableModel, alias: string): string {
  const end = table.columns.find((column) => column.generation === 'row-end');
  if (end?.dataType === 'bigint') return `${alias}.${ident(end.name)} = 18446744073709551615`;
  return `YEAR(${alias}.${end === undefined ? 'ROW_END' : ident(end.name)}) >= 2038`;
}

/** How a trigger names a table whose present rows it reads, and the conditions to add for a versioned one. */
export function presentRows(
  schema: string,
  table: TableModel,
  alias: string,
): { readonly from: string; readonly where: readonly string[] } {
  const name = qualified(schema, table.name);
  return table.systemVersioned
    ? { from: `${name} FOR SYSTEM_TIME ALL AS ${alias}`, where: [isPresent(table, alias)] }
    : { from: `${name} AS ${alias}`, where: [] };
}
