import type { ForeignChild, ForeignKeyModel, ReferentialRule, TableModel } from '../model.ts';
import { byCodeUnit } from './order.ts';
import type { ReferenceRow } from './raw.ts';

type Table = Omit<TableModel, 'foreignKeys'>;

const RULES: Readonly<Record<string, ReferentialRule>> = {
  CASCADE: 'cascade',
  'SET NULL': 'set-null',
  'SET DEFAULT': 'set-default',
};

function rule(text: string): ReferentialRule {
  return RULES[text.toUpperCase()] ?? 'restrict';
}

/**
 * A foreign key keeps the names of its tables and columns as they were typed, which need not be how they
 * are spelt (`lower_case_table_names`; column names never distinguish case).
 */
function spelt(name: string, names: readonly string[]): string {
  if (names.includes(name)) return name;
  return names.find((other) => other.toLowerCase() === name.toLowerCase()) ?? name;
}

/** Rows of one key together, in order of the key's columns. */
function grouped(rows: readonly ReferenceRow[]): readonly (readonly [ReferenceRow, ...ReferenceRow[]])[] {
  const keys = new Map<string, [ReferenceRow, ...ReferenceRow[]]>();
  for (const row of rows) {
    const id = JSON.stringify([row.tableSchema, row.tableName, row.name]);
    const list = keys.get(id);
    if (list === undefined) keys.set(id, [row]);
    else list.push(row);
  }
  return [...keys.values()];
}

/** The foreign keys of each table of the schema, in order of name. */
export function foreignKeys(
  schema: string,
  tables: readonly Table[],
  rows: readonly ReferenceRow[],
): ReadonlyMap<string, readonly ForeignKeyModel[]> {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const names = [...byName.keys()];
  const columnsOf = (table: string): readonly string[] =>
    byName.get(table)?.columns.map((column) => column.name) ?? [];
  const found = new Map<string, ForeignKeyModel[]>();
  for (const key of grouped(rows)) {
    const [first] = key;
    const table = spelt(first.tableName, names);
    const inside = first.referencedSchema.toLowerCase() === schema.toLowerCase();
    const referencedTable = inside ? spelt(first.referencedTable, names) : first.referencedTable;
    const model: ForeignKeyModel = {
      name: first.name,
      columns: key.map((row) => spelt(row.columnName, columnsOf(table))),
      referencedSchema: inside ? undefined : first.referencedSchema,
      referencedTable,
      referencedColumns: key.map((row) =>
        inside ? spelt(row.referencedColumn, columnsOf(referencedTable)) : row.referencedColumn,
      ),
      onUpdate: rule(first.onUpdate),
      onDelete: rule(first.onDelete),
    };
    const list = found.get(table);
    if (list === undefined) found.set(table, [model]);
    else list.push(model);
  }
  for (const list of found.values()) list.sort((a, b) => byCodeUnit(a.name, b.name));
  return found;
}

/** Foreign keys of other schemas' tables to this schema. */
export function foreignChildren(
  tables: readonly Table[],
  rows: readonly ReferenceRow[],
): readonly ForeignChild[] {
  const names = tables.map((table) => table.name);
  return grouped(rows)
    .map(([first]) => ({
      schema: first.tableSchema,
      table: first.tableName,
      name: first.name,
      referencedTable: spelt(first.referencedTable, names),
      onUpdate: rule(first.onUpdate),
      onDelete: rule(first.onDelete),
    }))
    .sort(
      (a, b) => byCodeUnit(a.schema, b.schema) || byCodeUnit(a.table, b.table) || byCodeUnit(a.name, b.name),
    );
}
