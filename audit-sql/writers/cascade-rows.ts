import type { Dialect } from '../dialect.ts';
import type { ColumnModel, TableModel } from '../model.ts';
import { type AuditNames, ident } from '../names.ts';
import type { Cascade, CascadeEvent, Path, Source, Step } from './cascade-paths.ts';
import { valueWriter } from './values.ts';
import { presentRows } from './versions.ts';

/** What is the same for every statement of one trigger. */
export interface Context {
  readonly cascade: Cascade;
  readonly schema: string;
  readonly names: AuditNames;
  readonly dialect: Dialect;
  readonly maximumBinaryBytes: number;
}

export const every = (conditions: readonly string[]): string =>
  conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' AND ')})`;
export const any = (conditions: readonly string[]): string =>
  conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' OR ')})`;

function columnOf(table: TableModel, name: string): ColumnModel {
  const column = table.columns.find((c) => c.name === name);
  if (column === undefined) throw new Error(`The model of ${table.name} lacks the column ${name}.`);
  return column;
}

const isZerofill = (column: ColumnModel): boolean => /\bzerofill\b/i.test(column.columnType);

/** The value as the child's column will hold it: the two may differ in ZEROFILL, which is how it prints. */
export function sourceSql(source: Source, origin: TableModel, column: ColumnModel): string {
  if (source.kind === 'null') return 'NULL';
  const from = columnOf(origin, source.column);
  const value = `NEW.${ident(from.name)}`;
  if (isZerofill(column)) {
    const width = /\((\d+)/.exec(column.columnType)?.[1] ?? '1';
    return `LPAD(${value} + 0, GREATEST(${width}, LENGTH(${value} + 0)), '0')`;
  }
  return isZerofill(from) ? `(${value} + 0)` : value;
}

/** A session's `sql_select_limit` counts for a cursor too, unless it has a limit of its own. */
const NO_LIMIT = '      LIMIT 18446744073709551615';

/** What columns of a row get, and the conditions under which they do; none: always. */
type Assignments = ReadonlyMap<string, { readonly source: Source; readonly when: readonly string[] }>;

/** Conditions under which a column of the row `alias` gets another value; undefined when it never does. */
function changing(table: TableModel, alias: string, assignments: Assignments, context: Context) {
  return (name: string): readonly string[] | undefined => {
    const assignment = assignments.get(name);
    if (assignment === undefined) return undefined;
    // What is referenced, or references, is not NULL, so NULL is always another value.
    if (assignment.source.kind === 'null') return assignment.when;
    const column = columnOf(table, name);
    const { unchanged } = valueWriter(column, context.dialect, context.maximumBinaryBytes);
    const now = sourceSql(assignment.source, context.cascade.origin, column);
    return [...assignment.when, `NOT (${unchanged(`${alias}.${ident(name)}`, now)})`];
  };
}

/** True when any of the alternatives holds; undefined when one of them always does. */
function anyChange(alternatives: readonly (readonly string[] | undefined)[]): string | undefined {
  const present = alternatives.filter((when) => when !== undefined);
  return present.some((when) => when.length === 0) ? undefined : any(present.map(every));
}

/** A way to the rows of a table, as SQL. */
interface Way {
  /** From the origin's children down to the rows themselves; the first has no join condition. */
  readonly tables: readonly { readonly table: string; readonly on: string }[];
  readonly where: readonly string[];
  /** Alias of the row that is changed in the end. */
  readonly row: string;
  readonly effect: CascadeEvent;
  readonly assignments: Assignments;
}

/** What an update of the parent row `alias` writes into the child, and when. */
function assigned(
  step: Step,
  changed: (name: string) => readonly string[] | undefined,
  dialect: Dialect,
): Assignments {
  const assignments = new Map<string, { source: Source; when: readonly string[] }>();
  for (const [index, column] of step.key.columns.entries()) {
    const source = step.assigned.get(column);
    if (source === undefined) continue;
    const when = changed(step.key.referencedColumns[index] ?? '') ?? [];
    // Of a key of several columns InnoDB writes those that changed, MySQL's own layer writes all.
    const partly = source.kind === 'origin' && step.key.columns.length > 1 && when.length > 0;
    const condition = dialect.cascadesAboveInnodb
      ? `(@@GLOBAL.innodb_native_foreign_keys = 0 OR ${every(when)})`
      : every(when);
    assignments.set(column, { source, when: partly ? [condition] : [] });
  }
  return assignments;
}

/** @param row the alias that the last table of the way gets */
function wayOf(path: Path, row: string | undefined, context: Context): Way {
  const where: string[] = [];
  const tables: { table: string; on: string }[] = [];
  let parent = 'OLD';
  let effect: CascadeEvent = context.cascade.event;
  let assignments: Assignments = new Map(
    path[0].key.referencedColumns.map((column) => [column, { source: { kind: 'origin', column }, when: [] }]),
  );
  for (const [index, step] of path.entries()) {
    const alias = index === path.length - 1 && row !== undefined ? row : `r${index + 1}`;
    const on = step.key.columns
      .map(
        (column, i) => `${alias}.${ident(column)} = ${parent}.${ident(step.key.referencedColumns[i] ?? '')}`,
      )
      .join(' AND ');
    const { from, where: present } = presentRows(context.schema, step.child, alias);
    tables.push({ table: from, on });
    where.push(...present);
    if (index === 0) where.push(on);
    if (effect === 'update') {
      const changed = changing(step.parent, parent, assignments, context);
      const active = anyChange(step.key.referencedColumns.map(changed));
      if (active !== undefined) where.push(active);
      assignments = assigned(step, changed, context.dialect);
    } else {
      assignments = new Map([...step.assigned].map(([column, source]) => [column, { source, when: [] }]));
    }
    effect = step.effect;
    parent = alias;
  }
  const last = path.at(-1)?.child;
  if (effect === 'update' && last !== undefined) {
    // A child that holds the new value already, in other letters of the same collation, is not changed.
    const real = anyChange([...assignments.keys()].map(changing(last, parent, assignments, context)));
    if (real !== undefined) where.push(real);
  }
  return { tables, where, row: parent, effect, assignments };
}

/** The rows of one child table that the cascade reaches, and what becomes of them, as SQL. */
export interface Affected {
  /** Everything after the SELECT list. The row is called `child`. */
  readonly source: string;
  readonly deletes: boolean;
  readonly updates: boolean;
  /** Where some rows are deleted and others updated: SQL that is true for the deleted ones. */
  readonly deleted: string;
  /** Per column that may be written: SQL of a number, 0 when it is not, else which of `values`, from 1. */
  readonly written: ReadonlyMap<string, { readonly choice: string; readonly values: readonly Source[] }>;
}

const sameSource = (a: Source, b: Source): boolean =>
  a.kind === b.kind && (a.kind === 'null' || (b.kind === 'origin' && a.column === b.column));

/** Which values each column may get, over all ways; the last one wins where two disagree. */
function valuesOf(ways: readonly Way[]): ReadonlyMap<string, readonly Source[]> {
  const values = new Map<string, Source[]>();
  for (const way of ways) {
    for (const [column, { source }] of way.assignments) {
      const list = values.get(column) ?? [];
      if (!list.some((other) => sameSource(other, source))) list.push(source);
      values.set(column, list);
    }
  }
  return values;
}

function choice(way: Way, column: string, values: readonly Source[]): string {
  const assignment = way.assignments.get(column);
  if (assignment === undefined) return '0';
  const number = values.findIndex((value) => sameSource(value, assignment.source)) + 1;
  return assignment.when.length === 0 ? String(number) : `IF(${every(assignment.when)}, ${number}, 0)`;
}

/** The changed row itself is no row of its cascade, though a self-reference may lead back to it. */
function notOrigin(table: TableModel, cascade: Cascade): string[] {
  if (table.name !== cascade.origin.name) return [];
  const referenced = new Set(table.foreignKeys.flatMap((key) => key.referencedColumns));
  const names = table.key.length > 0 ? table.key : [...referenced];
  return [`NOT (${names.map((name) => `child.${ident(name)} <=> OLD.${ident(name)}`).join(' AND ')})`];
}

/**
 * A table with a key: the keys of the rows are collected first, which makes one of a row that several ways
 * lead to.
 */
function keyedRows(table: TableModel, paths: readonly Path[], context: Context): Affected {
  const ways = paths.map((path) => wayOf(path, undefined, context));
  const values = valuesOf(ways);
  const written = [...values.keys()];
  const keys = table.key.map((_, i) => `k${i}`).join(', ');
  const flags = ['d', ...written.map((_, i) => `w${i}`)];
  const select = (way: Way, indent: string, distinct: string): string => {
    const list = [
      ...table.key.map((name, i) => `${way.row}.${ident(name)} AS k${i}`),
      `${way.effect === 'delete' ? 1 : 0} AS d`,
      ...written.map((name, i) => `${choice(way, name, values.get(name) ?? [])} AS w${i}`),
    ];
    const joins = way.tables.map(({ table: name, on }, i) =>
      i === 0 ? `FROM ${name}` : `STRAIGHT_JOIN ${name} ON ${on}`,
    );
    const where = `WHERE ${way.where.join(' AND ')}`;
    return [`SELECT ${distinct}${list.join(', ')}`, ...joins, where, 'LOCK IN SHARE MODE'].join(
      `\n${indent}`,
    );
  };
  const [only] = ways;
  const found =
    ways.length === 1 && only !== undefined
      ? select(only, '        ', 'DISTINCT ')
      : [
          `SELECT ${keys}, ${flags.map((flag) => `MAX(${flag}) AS ${flag}`).join(', ')}`,
          '        FROM (',
          ways.map((way) => `          (${select(way, '           ', '')})`).join('\n          UNION ALL\n'),
          '        ) AS reached',
          `        GROUP BY ${keys}`,
        ].join('\n');
  const { from, where: present } = presentRows(context.schema, table, 'child');
  const where = [...present, ...notOrigin(table, context.cascade)];
  return {
    source: [
      `      FROM (${found}) AS found`,
      `      STRAIGHT_JOIN ${from}`,
      `        ON ${table.key.map((name, i) => `child.${ident(name)} = found.k${i}`).join(' AND ')}`,
      ...(where.length > 0 ? [`      WHERE ${where.join(' AND ')}`] : []),
      NO_LIMIT,
      '      LOCK IN SHARE MODE',
    ].join('\n'),
    deletes: ways.some((way) => way.effect === 'delete'),
    updates: ways.some((way) => way.effect === 'update'),
    deleted: 'found.d = 1',
    written: new Map(
      written.map((name, i) => [name, { choice: `found.w${i}`, values: values.get(name) ?? [] }]),
    ),
  };
}

/** A table without a key: each row can only be asked whether a way leads to it. */
function keylessRows(table: TableModel, paths: readonly Path[], context: Context): Affected {
  const ways = paths.map((path) => wayOf(path, 'child', context));
  const values = valuesOf(ways);
  const leads = (way: Way): string => {
    const above = way.tables.slice(0, -1);
    const conditions = above.length === 0 ? way.where : [way.tables.at(-1)?.on ?? '', ...way.where];
    if (above.length === 0) return every(conditions);
    const joins = above.map(({ table: name, on }, i) => (i === 0 ? name : `STRAIGHT_JOIN ${name} ON ${on}`));
    return `EXISTS (SELECT 1 FROM ${joins.join(' ')} WHERE ${conditions.join(' AND ')} LOCK IN SHARE MODE)`;
  };
  const deletions = ways.filter((way) => way.effect === 'delete').map(leads);
  const where = [any(ways.map(leads)), ...notOrigin(table, context.cascade)];
  const written = [...values].map(([name, sources]) => {
    const choices = ways
      .filter((way) => way.assignments.has(name))
      .map((way) => `IF(${leads(way)}, ${choice(way, name, sources)}, 0)`);
    const best = choices.length === 1 ? (choices[0] ?? '') : `GREATEST(${choices.join(', ')})`;
    return [name, { choice: best, values: sources }] as const;
  });
  return {
    source: [
      `      FROM ${presentRows(context.schema, table, 'child').from}`,
      `      WHERE ${where.join('\n        AND ')}`,
      NO_LIMIT,
      '      LOCK IN SHARE MODE',
    ].join('\n'),
    deletes: deletions.length > 0,
    updates: deletions.length < ways.length,
    deleted: any(deletions),
    written: new Map(written),
  };
}

export function affectedRows(table: TableModel, paths: readonly Path[], context: Context): Affected {
  return table.key.length > 0 ? keyedRows(table, paths, context) : keylessRows(table, paths, context);
}
