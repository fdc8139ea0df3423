import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ColumnModel, OwnTrigger, SchemaModel, TableModel } from '../model.ts';
import { printable, TRIGGER_PREFIX } from '../names.ts';

interface TableRow extends RowDataPacket {
  readonly name: string;
  readonly engine: string | null;
}

interface ColumnRow extends RowDataPacket {
  readonly tableName: string;
  readonly name: string;
  readonly dataType: string;
  readonly columnType: string;
  readonly characterSet: string | null;
  readonly nullable: string;
  readonly extra: string;
}

interface KeyRow extends RowDataPacket {
  readonly tableName: string;
  readonly keyName: string;
  readonly columnName: string | null;
}

/** Binary order: the same on every machine, whatever its locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function group<Row extends { readonly tableName: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const list = groups.get(row.tableName);
    if (list === undefined) groups.set(row.tableName, [row]);
    else list.push(row);
  }
  return groups;
}

function column(row: ColumnRow): ColumnModel {
  return {
    name: row.name,
    dataType: row.dataType.toLowerCase(),
    columnType: row.columnType,
    characterSet: row.characterSet ?? undefined,
    nullable: row.nullable === 'YES',
    // `DEFAULT_GENERATED` is MySQL's word for an expression as default: such a column is stored as given.
    generated: /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b|\b(VIRTUAL|PERSISTENT)\b/i.test(row.extra),
  };
}

/** The primary key, else the first unique key (by name) that can name every row, else nothing. */
function rowKey(columns: readonly ColumnModel[], rows: readonly KeyRow[]): readonly string[] {
  const keys = new Map<string, (string | null)[]>();
  for (const row of rows) {
    const list = keys.get(row.keyName);
    if (list === undefined) keys.set(row.keyName, [row.columnName]);
    else list.push(row.columnName);
  }
  const required = new Set(columns.filter((c) => !c.nullable).map((c) => c.name));
  // A functional key part has no column name; such a key cannot be written down.
  const usable = [...keys].filter(([, parts]) => parts.every((part) => part !== null && required.has(part)));
  usable.sort(([a], [b]) => (a === 'PRIMARY' ? -1 : b === 'PRIMARY' ? 1 : byCodeUnit(a, b)));
  return usable[0]?.[1].filter((part): part is string => part !== null) ?? [];
}

/**
 * Reads the base tables of a schema. Needs a user who sees every table: the administrator's.
 * @throws ChartgateError `privilege-missing` when the schema or all its tables are invisible
 */
export async function readModel(connection: Connection, schema: string): Promise<SchemaModel> {
  const [tableRows] = await connection.query<TableRow[]>(
    `SELECT TABLE_NAME AS name, ENGINE AS engine
       FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')`,
    [schema],
  );
  if (tableRows.length === 0) {
    throw new ChartgateError(
      'privilege-missing',
      `The schema ${printable(schema)} does not exist, has no tables, or this SQL user may not see them.`,
    );
  }
  const [columnRows] = await connection.query<ColumnRow[]>(
    `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS name, DATA_TYPE AS dataType, COLUMN_TYPE AS columnType,
            CHARACTER_SET_NAME AS characterSet, IS_NULLABLE AS nullable, EXTRA AS extra
       FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`,
    [schema],
  );
  const [keyRows] = await connection.query<KeyRow[]>(
    `SELECT TABLE_NAME AS tableName, INDEX_NAME AS keyName, COLUMN_NAME AS columnName
       FROM information_schema.STATISTICS
      WHERE TABLE_SCHEMA = ? AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    [schema],
  );
  const columns = group(columnRows);
  const keys = group(keyRows);
  const tables = tableRows.map((row): TableModel => {
    const ofTable = (columns.get(row.name) ?? []).map(column);
    if (ofTable.length === 0) {
      throw new ChartgateError(
        'privilege-missing',
        `The columns of the table ${printable(row.name)} cannot be seen by this SQL user, or it was dropped meanwhile.`,
      );
    }
    return {
      name: row.name,
      engine: row.engine ?? '',
      columns: ofTable,
      key: rowKey(ofTable, keys.get(row.name) ?? []),
    };
  });
  tables.sort((a, b) => byCodeUnit(a.name, b.name));
  return { schema, tables, ownTriggers: await readOwnTriggers(connection, schema) };
}

async function readOwnTriggers(connection: Connection, schema: string): Promise<OwnTrigger[]> {
  const [rows] = await connection.query<(RowDataPacket & { name: string; tableName: string })[]>(
    `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tableName
       FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
    [schema],
  );
  return rows
    .filter((row) => row.name.startsWith(TRIGGER_PREFIX))
    .map((row) => ({ name: row.name, table: row.tableName }))
    .sort((a, b) => byCodeUnit(a.name, b.name));
}
