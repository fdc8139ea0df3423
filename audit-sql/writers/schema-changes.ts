import type { Connection, RowDataPacket } from 'mysql2/promise';
import { byCodeUnit } from '../catalogue/order.ts';
import { canonicalJson } from '../fingerprint/canonical.ts';
import type { ColumnModel, SchemaModel, TableModel } from '../model.ts';
import { type AuditNames, INSTATEMENT_TABLE, printable, qualified } from '../names.ts';

export const SCHEMA_CHANGE_KINDS = [
  'table-added',
  'table-dropped',
  'table-renamed',
  'table-changed',
  'column-added',
  'column-dropped',
  'column-renamed',
  'column-changed',
  'key-changed',
  'foreign-key-added',
  'foreign-key-dropped',
  'foreign-key-changed',
] as const;
export type SchemaChangeKind = (typeof SCHEMA_CHANGE_KINDS)[number];

/** One difference between a schema then and now. */
export interface SchemaChange {
  readonly kind: SchemaChangeKind;
  /** The table as it is called now; as it was, when it is gone. */
  readonly table: string;
  /** For a person. */
  readonly sentence: string;
}

/** The last entry of the log of starts and stops. */
export interface LastInstatement {
  readonly action: 'start' | 'stop';
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly login: string;
  readonly generator: string;
  readonly schemaDigest: string;
  /** The tables as they were; undefined for an entry of a generator that did not keep them. */
  readonly tables: readonly TableModel[] | undefined;
}

/** The same but for its name. */
function sameBut<T extends { readonly name: string }>(a: T, b: T): boolean {
  return canonicalJson({ ...a, name: '' }) === canonicalJson({ ...b, name: '' });
}

interface Paired<T> {
  readonly kept: readonly (readonly [T, T])[];
  readonly renamed: readonly (readonly [T, T])[];
  readonly dropped: readonly T[];
  readonly added: readonly T[];
}

/**
 * Pairs things by name. What is gone and what is new is taken for renamed when it is otherwise the same and
 * nothing else could be meant.
 */
function pair<T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
  same: (a: T, b: T) => boolean,
): Paired<T> {
  const now = new Map(after.map((item) => [item.name, item]));
  const names = new Set(before.map((item) => item.name));
  const kept = before.flatMap((item) => {
    const other = now.get(item.name);
    return other === undefined ? [] : [[item, other] as const];
  });
  const gone = before.filter((item) => !now.has(item.name));
  const fresh = after.filter((item) => !names.has(item.name));
  const renamed = gone.flatMap((item) => {
    const [match, ...others] = fresh.filter((other) => same(item, other));
    const rivals = gone.filter((other) => match !== undefined && same(other, match));
    return match !== undefined && others.length === 0 && rivals.length === 1 ? [[item, match] as const] : [];
  });
  return {
    kept,
    renamed,
    dropped: gone.filter((item) => !renamed.some(([from]) => from === item)),
    added: fresh.filter((item) => !renamed.some(([, to]) => to === item)),
  };
}

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : names.map(printable).join(', ');

function columnChanges(before: TableModel, after: TableModel): SchemaChange[] {
  const table = after.name;
  const of = (column: ColumnModel): string => `column ${printable(column.name)} of ${printable(table)}`;
  const say = (kind: SchemaChangeKind, sentence: string): SchemaChange => ({ kind, table, sentence });
  const { kept, renamed, dropped, added } = pair(before.columns, after.columns, sameBut);
  return [
    ...renamed.map(([from, to]) =>
      say('column-renamed', `The ${of(from)} is called ${printable(to.name)} now.`),
    ),
    ...dropped.map((column) => say('column-dropped', `The ${of(column)} is gone.`)),
    ...added.map((column) => say('column-added', `The ${of(column)} is new (${column.columnType}).`)),
    ...kept
      .filter(([a, b]) => !sameBut(a, b))
      .map(([a, b]) => say('column-changed', `The ${of(b)} was ${shape(a)} and is ${shape(b)}.`)),
  ];
}

function shape(column: ColumnModel): string {
  return [
    column.columnType,
    ...(column.characterSet === undefined ? [] : [`in ${column.characterSet}`]),
    column.nullable ? 'NULL' : 'NOT NULL',
    ...(column.generated ? [`generated (${column.generation})`] : []),
    ...(column.invisible ? ['invisible'] : []),
    ...(column.versioned ? [] : ['without versioning']),
  ].join(' ');
}

function foreignKeyChanges(before: TableModel, after: TableModel): SchemaChange[] {
  const table = after.name;
  const { kept, dropped, added } = pair(before.foreignKeys, after.foreignKeys, () => false);
  const say = (kind: SchemaChangeKind, name: string, what: string): SchemaChange => ({
    kind,
    table,
    sentence: `The foreign key ${printable(name)} of ${printable(table)} ${what}.`,
  });
  return [
    ...dropped.map((key) => say('foreign-key-dropped', key.name, 'is gone')),
    ...added.map((key) =>
      say(
        'foreign-key-added',
        key.name,
        `is new (to ${printable(key.referencedTable)}, on delete ${key.onDelete}, on update ${key.onUpdate})`,
      ),
    ),
    ...kept
      .filter(([a, b]) => !sameBut(a, b))
      .map(([, b]) => say('foreign-key-changed', b.name, 'is another one now')),
  ];
}

function tableChanges(before: TableModel, after: TableModel): SchemaChange[] {
  const table = after.name;
  const said: SchemaChange[] = [...columnChanges(before, after)];
  if (canonicalJson(before.key) !== canonicalJson(after.key)) {
    said.push({
      kind: 'key-changed',
      table,
      sentence: `The key of ${printable(table)} was ${list(before.key)} and is ${list(after.key)}.`,
    });
  }
  said.push(...foreignKeyChanges(before, after));
  const rest = (t: TableModel): string =>
    `${t.engine}${t.systemVersioned ? ', system-versioned' : ''}${t.partitioned ? ', partitioned' : ''}`;
  if (rest(before) !== rest(after)) {
    said.push({
      kind: 'table-changed',
      table,
      sentence: `The table ${printable(table)} was ${rest(before)} and is ${rest(after)}.`,
    });
  }
  return said;
}

/** What changed, table by table in order of name. Empty when the shapes are the same. Pure. */
export function schemaChanges(
  before: readonly TableModel[],
  after: readonly TableModel[],
): readonly SchemaChange[] {
  const { kept, renamed, dropped, added } = pair(before, after, sameBut);
  const say = (kind: SchemaChangeKind, table: string, sentence: string): SchemaChange => ({
    kind,
    table,
    sentence,
  });
  return [
    ...renamed.map(([from, to]) =>
      say('table-renamed', to.name, `The table ${printable(from.name)} is called ${printable(to.name)} now.`),
    ),
    ...dropped.map((table) =>
      say('table-dropped', table.name, `The table ${printable(table.name)} is gone.`),
    ),
    ...added.map((table) =>
      say(
        'table-added',
        table.name,
        `The table ${printable(table.name)} is new, with ${table.columns.length} columns.`,
      ),
    ),
    ...kept.flatMap(([a, b]) => tableChanges(a, b)),
  ].sort((a, b) => byCodeUnit(a.table, b.table));
}

interface LogRow extends RowDataPacket {
  readonly action: 'start' | 'stop';
  readonly at: string;
  readonly login: string;
  readonly generator: string;
  readonly digest: string;
  readonly shape: string | null;
}

/** MySQL and MariaDB: no such database, no such table, no such column. */
const NOT_THERE: ReadonlySet<string> = new Set(['ER_BAD_DB_ERROR', 'ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR']);

/** The last start or stop of the schema's audit; undefined when there was none, or none by this generator. */
export async function readLastInstatement(
  connection: Connection,
  names: AuditNames,
): Promise<LastInstatement | undefined> {
  try {
    const [[row]] = await connection.query<LogRow[]>(
      `SELECT action, CONCAT(REPLACE(at, ' ', 'T'), 'Z') AS at, login, generator, schema_digest AS digest,
              schema_model AS shape
         FROM ${qualified(names.auditSchema, INSTATEMENT_TABLE)} ORDER BY id DESC LIMIT 1`,
    );
    if (row === undefined) return undefined;
    return {
      action: row.action,
      at: row.at,
      login: row.login,
      generator: row.generator,
      schemaDigest: row.digest,
      tables: row.shape === null ? undefined : (JSON.parse(row.shape) as readonly TableModel[]),
    };
  } catch (error) {
    if (NOT_THERE.has(String((error as { code?: unknown }).code))) return undefined;
    throw error;
  }
}

/** What changed since the last start or stop; undefined when there is nothing to compare with. */
export function changesSince(
  last: LastInstatement | undefined,
  model: SchemaModel,
): readonly SchemaChange[] | undefined {
  return last?.tables === undefined ? undefined : schemaChanges(last.tables, model.tables);
}
