import { type Sample, type Session, sample } from './session.ts';
import type { ColumnShape, ForeignKeyShape, TableShape } from './shape.ts';
import { value } from './values.ts';

/** Columns with the SQL of their values, in the table's order. */
export type Row = ReadonlyMap<string, string>;

export function settable(table: TableShape): ColumnShape[] {
  return table.columns.filter((c) => !c.generated);
}

/** Columns that belong to one of the table's own foreign keys. */
export function foreignColumns(table: TableShape): ReadonlySet<string> {
  return new Set(table.parents.flatMap((fk) => fk.columns));
}

export async function parentOf(session: Session, fk: ForeignKeyShape): Promise<Sample | undefined> {
  const parent = session.shape.tables.find((t) => t.name === fk.parent);
  return parent === undefined ? undefined : sample(session, parent);
}

/** Values of a foreign key's columns: a parent that exists, NULL, or, with checks off, one that may not. */
export async function reference(
  session: Session,
  table: TableShape,
  fk: ForeignKeyShape,
): Promise<ReadonlyMap<string, string>> {
  const { random } = session;
  const columns = fk.columns.map((name) => table.columns.find((c) => c.name === name));
  const nullable = columns.every((c) => c?.nullable === true);
  const parent = await parentOf(session, fk);
  const rows = parent?.rows ?? [];
  if (!session.foreignKeyChecks && random.chance(25)) {
    return new Map(
      fk.columns.map((name, i) => [name, columns[i] === undefined ? 'NULL' : value(random, columns[i])]),
    );
  }
  if (rows.length === 0 || (nullable && random.chance(12))) {
    return nullable ? new Map(fk.columns.map((name) => [name, 'NULL'])) : new Map();
  }
  const row = random.pick(rows);
  return new Map(fk.columns.map((name, i) => [name, row.get(fk.parentColumns[i] ?? '') ?? 'NULL']));
}

/** A new row: what must be given, and some of the rest. `columns` fixes which. */
export async function newRow(
  session: Session,
  table: TableShape,
  columns?: readonly string[],
): Promise<Map<string, string>> {
  const { random } = session;
  const foreign = foreignColumns(table);
  const fixed = columns === undefined ? undefined : new Set(columns);
  const share = random.pick([30, 70, 100]);
  const row = new Map<string, string>();
  for (const column of settable(table)) {
    const required = !column.nullable && !column.hasDefault && !column.autoIncrement;
    const wanted =
      fixed?.has(column.name) ??
      (column.autoIncrement
        ? random.chance(12)
        : required || column.unique || foreign.has(column.name) || random.chance(share));
    if (wanted) row.set(column.name, value(random, column));
  }
  for (const fk of table.parents) {
    if (!fk.columns.every((name) => row.has(name))) continue;
    for (const [name, sql] of await reference(session, table, fk)) row.set(name, sql);
  }
  // A statement without any column is legal, but says nothing.
  const [first] = settable(table);
  if (row.size === 0 && first !== undefined)
    row.set(first.name, first.autoIncrement ? 'NULL' : value(random, first));
  return row;
}

/** The row, but with the key of one that is there. */
export async function sameKey(session: Session, table: TableShape, row: Row): Promise<Map<string, string>> {
  const result = new Map(row);
  const { rows } = await sample(session, table);
  if (rows.length === 0) return result;
  const there = session.random.pick(rows);
  const names = table.uniques.length > 0 ? session.random.pick(table.uniques) : table.key;
  const generated = new Set(table.columns.filter((c) => c.generated).map((c) => c.name));
  for (const name of names) {
    const sql = there.get(name);
    if (sql !== undefined && !generated.has(name)) result.set(name, sql);
  }
  return result;
}
