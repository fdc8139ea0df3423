import type { Connection, RowDataPacket } from 'mysql2/promise';

/**
 * A schema as the workload needs it, read from `information_schema` by code of its own: what the product
 * overlooks when it reads a schema must not be overlooked here for the same reason.
 */
export interface ColumnShape {
  readonly name: string;
  /** Lower case, without length. */
  readonly type: string;
  readonly columnType: string;
  readonly characterSet: string | undefined;
  readonly nullable: boolean;
  readonly autoIncrement: boolean;
  /** Computed by the server: no statement may give it a value. */
  readonly generated: boolean;
  readonly hasDefault: boolean;
  readonly unsigned: boolean;
  /** Characters or bytes that fit; undefined where that says nothing. */
  readonly length: number | undefined;
  readonly precision: number;
  readonly scale: number;
  /** Digits after the second. */
  readonly fraction: number;
  /** Members of an ENUM or SET. */
  readonly members: readonly string[];
  /** Part of a primary or unique key. */
  readonly unique: boolean;
}

export interface ForeignKeyShape {
  readonly table: string;
  readonly columns: readonly string[];
  readonly parent: string;
  readonly parentColumns: readonly string[];
  /** Deleting or renaming the parent's row changes this table's; otherwise it is refused. */
  readonly cascades: boolean;
}

export interface TableShape {
  readonly name: string;
  readonly engine: string;
  readonly columns: readonly ColumnShape[];
  /** Columns that name a row; empty when nothing does. */
  readonly key: readonly string[];
  readonly uniques: readonly (readonly string[])[];
  readonly parents: readonly ForeignKeyShape[];
}

export interface Shape {
  readonly schema: string;
  /** Parents before children, where there is such an order. */
  readonly tables: readonly TableShape[];
}

interface ColumnRow extends RowDataPacket {
  readonly t: string;
  readonly name: string;
  readonly type: string;
  readonly columnType: string;
  readonly characterSet: string | null;
  readonly nullable: string;
  readonly extra: string;
  readonly standard: string | null;
  readonly length: number | string | null;
  readonly precision: number | string | null;
  readonly scale: number | string | null;
  readonly fraction: number | string | null;
}

const COLUMNS = `
  SELECT TABLE_NAME AS t, COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS columnType,
         CHARACTER_SET_NAME AS characterSet, IS_NULLABLE AS nullable, EXTRA AS extra, COLUMN_DEFAULT AS standard,
         CHARACTER_MAXIMUM_LENGTH AS length, NUMERIC_PRECISION AS \`precision\`, NUMERIC_SCALE AS scale,
         DATETIME_PRECISION AS fraction
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`;

/** MariaDB's JSON is a LONGTEXT with this check. */
const JSON_CHECKS = `
  SELECT TABLE_NAME AS t, CHECK_CLAUSE AS c FROM information_schema.CHECK_CONSTRAINTS
   WHERE CONSTRAINT_SCHEMA = ? AND CHECK_CLAUSE LIKE 'json_valid(%'`;

const UNIQUE_KEYS = `
  SELECT TABLE_NAME AS t, INDEX_NAME AS k, COLUMN_NAME AS c FROM information_schema.STATISTICS
   WHERE TABLE_SCHEMA = ? AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`;

const FOREIGN_KEYS = `
  SELECT k.TABLE_NAME AS t, k.CONSTRAINT_NAME AS k, k.COLUMN_NAME AS c, k.REFERENCED_TABLE_NAME AS p,
         k.REFERENCED_COLUMN_NAME AS pc,
         r.DELETE_RULE IN ('CASCADE', 'SET NULL') OR r.UPDATE_RULE IN ('CASCADE', 'SET NULL') AS cascades
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
   WHERE k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_SCHEMA = ?
   ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;

/** The members of `enum('a','b''c')`. */
function members(columnType: string): string[] {
  return [...columnType.matchAll(/'((?:[^']|'')*)'/g)].map((m) => (m[1] ?? '').replaceAll("''", "'"));
}

function column(row: ColumnRow, unique: ReadonlySet<string>, json: boolean): ColumnShape {
  const type = json ? 'json' : row.type.toLowerCase();
  const number = (value: number | string | null): number | undefined =>
    value === null ? undefined : Number(value);
  return {
    name: row.name,
    type,
    columnType: row.columnType,
    characterSet: row.characterSet ?? undefined,
    nullable: row.nullable === 'YES',
    autoIncrement: /auto_increment/i.test(row.extra),
    generated: /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b|\b(VIRTUAL|PERSISTENT)\b/i.test(row.extra),
    // NULL stands for "no default" on both engines; MariaDB writes the default NULL as the word.
    hasDefault: row.standard !== null || row.nullable === 'YES',
    unsigned: /unsigned/i.test(row.columnType),
    length: number(row.length),
    precision: number(row.precision) ?? 0,
    scale: number(row.scale) ?? 0,
    fraction: number(row.fraction) ?? 0,
    members: type === 'enum' || type === 'set' ? members(row.columnType) : [],
    unique: unique.has(row.name),
  };
}

function grouped<Row>(rows: readonly Row[], of: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const list = groups.get(of(row));
    if (list === undefined) groups.set(of(row), [row]);
    else list.push(row);
  }
  return groups;
}

/** Parents first; of a cycle, whichever comes first by name. */
function parentsFirst(tables: readonly TableShape[]): TableShape[] {
  const left = new Map(tables.map((table) => [table.name, table]));
  const ordered: TableShape[] = [];
  while (left.size > 0) {
    const free = [...left.values()].filter((table) =>
      table.parents.every((fk) => fk.parent === table.name || !left.has(fk.parent)),
    );
    const [first] = left.values();
    for (const table of free.length > 0 || first === undefined ? free : [first]) {
      left.delete(table.name);
      ordered.push(table);
    }
  }
  return ordered;
}

/** `["table","column"]` of each JSON column that calls itself LONGTEXT. */
async function jsonColumns(connection: Connection, schema: string): Promise<string[]> {
  const [[version]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS v');
  // MySQL says JSON, and has no table in that view.
  if (!/mariadb/i.test(String(version?.v))) return [];
  const [rows] = await connection.query<(RowDataPacket & { t: string; c: string })[]>(JSON_CHECKS, [schema]);
  return rows.map(({ t, c }) =>
    JSON.stringify([t, /^json_valid\(`(.*)`\)$/s.exec(c)?.[1]?.replaceAll('``', '`')]),
  );
}

/** Reads the base tables of a schema, with their keys. */
export async function readShape(connection: Connection, schema: string): Promise<Shape> {
  type Part = RowDataPacket & {
    t: string;
    k: string;
    c: string | null;
    p: string;
    pc: string;
    cascades: number;
  };
  const [names] = await connection.query<(RowDataPacket & { t: string; engine: string | null })[]>(
    `SELECT TABLE_NAME AS t, ENGINE AS engine FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME`,
    [schema],
  );
  const [columnRows] = await connection.query<ColumnRow[]>(COLUMNS, [schema]);
  const [uniqueRows] = await connection.query<Part[]>(UNIQUE_KEYS, [schema]);
  const [foreignRows] = await connection.query<Part[]>(FOREIGN_KEYS, [schema, schema]);
  const json = new Set(await jsonColumns(connection, schema));
  const columnsOf = grouped(columnRows, (row) => row.t);
  const uniquesOf = grouped(uniqueRows, (row) => row.t);
  const foreignOf = grouped(foreignRows, (row) => row.t);
  const tables = names.map(({ t: name, engine }): TableShape => {
    const keys = grouped(uniquesOf.get(name) ?? [], (part) => part.k);
    const uniques = [...keys.values()].map((parts) => parts.map((p) => p.c).filter((c) => c !== null));
    const inUnique = new Set(uniques.flat());
    const columns = (columnsOf.get(name) ?? []).map((row) =>
      column(row, inUnique, json.has(JSON.stringify([name, row.name]))),
    );
    const required = new Set(columns.filter((c) => !c.nullable).map((c) => c.name));
    const primary = keys.get('PRIMARY');
    const usable = [...keys.values()].filter((parts) =>
      parts.every((p) => p.c !== null && required.has(p.c)),
    );
    const parents = [...grouped(foreignOf.get(name) ?? [], (part) => part.k).values()].map((parts) => ({
      table: name,
      columns: parts.map((p) => p.c ?? ''),
      parent: parts[0]?.p ?? '',
      parentColumns: parts.map((p) => p.pc),
      cascades: Number(parts[0]?.cascades) === 1,
    }));
    return {
      name,
      engine: engine ?? '',
      columns,
      key: (primary ?? usable[0] ?? []).map((p) => p.c ?? ''),
      uniques,
      parents,
    };
  });
  return { schema, tables: parentsFirst(tables) };
}

/**
 * Tables in which a unique key names rows, and nothing does those that have NULL there. On MariaDB nobody can
 * tell afterwards which of two such rows that are equal `UPDATE IGNORE` passed over (`plan` itemises it).
 */
export function unnameable(shape: Shape): ReadonlySet<string> {
  return new Set(
    shape.tables.filter(({ key, uniques }) => key.length === 0 && uniques.length > 0).map(({ name }) => name),
  );
}

/**
 * Tables from whose rows some children are cascaded to and others hold them, at any depth. On MySQL 9.6 and
 * later `DELETE IGNORE` there leaves cascades done although the row itself stays, without any audit too:
 * nobody could say from the outside what happened.
 */
export function halfIgnorable(shape: Shape): ReadonlySet<string> {
  const found = new Set<string>();
  for (const origin of shape.tables) {
    const reached = new Set([origin.name]);
    let [cascades, holds] = [false, false];
    for (const name of reached) {
      for (const fk of shape.tables.flatMap((t) => t.parents).filter((fk) => fk.parent === name)) {
        if (fk.cascades) {
          cascades = true;
          reached.add(fk.table);
        } else holds = true;
      }
    }
    if (cascades && holds) found.add(origin.name);
  }
  return found;
}
