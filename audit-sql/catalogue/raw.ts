import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2/promise';

export interface TableRow extends RowDataPacket {
  readonly name: string;
  readonly type: string;
  readonly engine: string | null;
  readonly options: string | null;
}

export interface ColumnRow extends RowDataPacket {
  readonly tableName: string;
  readonly name: string;
  readonly dataType: string;
  readonly columnType: string;
  readonly characterSet: string | null;
  readonly nullable: string;
  readonly extra: string;
  readonly expression: string | null;
}

export interface KeyRow extends RowDataPacket {
  readonly tableName: string;
  readonly keyName: string;
  readonly columnName: string | null;
}

/** One column of a foreign key. */
export interface ReferenceRow extends RowDataPacket {
  readonly tableSchema: string;
  readonly tableName: string;
  readonly name: string;
  readonly columnName: string;
  readonly referencedSchema: string;
  readonly referencedTable: string;
  readonly referencedColumn: string;
  readonly onUpdate: string;
  readonly onDelete: string;
}

export interface TriggerRow extends RowDataPacket {
  readonly name: string;
  readonly tableName: string;
  readonly timing: string;
  readonly event: string;
  readonly place: number;
}

/** What `information_schema` says of one schema's tables. */
export interface RawCatalogue {
  readonly tables: readonly TableRow[];
  readonly columns: readonly ColumnRow[];
  readonly keys: readonly KeyRow[];
  /** Of the schema's own tables. */
  readonly references: readonly ReferenceRow[];
  /** Of other schemas' tables, to this schema. */
  readonly referring: readonly ReferenceRow[];
  /** SHA-256 of all of it, hex. */
  readonly digest: string;
}

const TABLES = `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, CREATE_OPTIONS AS options
  FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE <> 'TEMPORARY' ORDER BY TABLE_NAME`;

const COLUMNS = `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS name, DATA_TYPE AS dataType,
       COLUMN_TYPE AS columnType, CHARACTER_SET_NAME AS characterSet, IS_NULLABLE AS nullable, EXTRA AS extra,
       GENERATION_EXPRESSION AS expression
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`;

const KEYS = `SELECT TABLE_NAME AS tableName, INDEX_NAME AS keyName, COLUMN_NAME AS columnName
  FROM information_schema.STATISTICS
 WHERE TABLE_SCHEMA = ? AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`;

const references = (
  where: string,
): string => `SELECT k.TABLE_SCHEMA AS tableSchema, k.TABLE_NAME AS tableName, k.CONSTRAINT_NAME AS name,
       k.COLUMN_NAME AS columnName, k.REFERENCED_TABLE_SCHEMA AS referencedSchema,
       k.REFERENCED_TABLE_NAME AS referencedTable, k.REFERENCED_COLUMN_NAME AS referencedColumn,
       r.UPDATE_RULE AS onUpdate, r.DELETE_RULE AS onDelete
  FROM information_schema.KEY_COLUMN_USAGE k
  JOIN information_schema.REFERENTIAL_CONSTRAINTS r
    ON r.CONSTRAINT_SCHEMA = k.TABLE_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
 WHERE ${where} AND k.REFERENCED_TABLE_NAME IS NOT NULL
 ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;

const TRIGGERS = `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tableName, ACTION_TIMING AS timing,
       EVENT_MANIPULATION AS event, ACTION_ORDER AS place
  FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?
 ORDER BY EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER`;

/** The schemas with a table that references this one, where InnoDB's own list may be asked (PROCESS). */
const REFERRING = `SELECT DISTINCT CONVERT(CONVERT(CAST(SUBSTRING_INDEX(FOR_NAME, '/', 1) AS BINARY) USING filename)
       USING utf8mb4) AS name
  FROM information_schema.INNODB_SYS_FOREIGN
 WHERE CONVERT(CONVERT(CAST(SUBSTRING_INDEX(REF_NAME, '/', 1) AS BINARY) USING filename) USING utf8mb4) = ?`;

/**
 * Foreign keys of other schemas to this one. MariaDB opens every table of the server to answer that from
 * KEY_COLUMN_USAGE, so InnoDB is asked first which schemas there are.
 */
async function readReferring(connection: Connection, schema: string): Promise<ReferenceRow[]> {
  const everywhere = references('k.REFERENCED_TABLE_SCHEMA = ? AND k.TABLE_SCHEMA <> ?');
  let schemas: readonly string[];
  try {
    const [rows] = await connection.query<(RowDataPacket & { name: string })[]>(REFERRING, [schema]);
    schemas = rows.map((row) => row.name).filter((name) => name !== schema);
  } catch {
    // MySQL, whose data dictionary answers at once; or no PROCESS privilege.
    const [rows] = await connection.query<ReferenceRow[]>(everywhere, [schema, schema]);
    return rows;
  }
  const found: ReferenceRow[] = [];
  for (const other of schemas.toSorted()) {
    const [rows] = await connection.query<ReferenceRow[]>(
      references('k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_SCHEMA = ?'),
      [other, schema],
    );
    found.push(...rows);
  }
  return found;
}

/** The triggers of a schema. MariaDB parses each to list them: 70 ms for 600. */
export async function readTriggers(connection: Connection, schema: string): Promise<readonly TriggerRow[]> {
  const [rows] = await connection.query<TriggerRow[]>(TRIGGERS, [schema]);
  return rows;
}

/** One reading. Nothing keeps others from changing the schema meanwhile. */
export async function readRaw(connection: Connection, schema: string): Promise<RawCatalogue> {
  const read = async <Row extends RowDataPacket>(sql: string): Promise<readonly Row[]> => {
    const [rows] = await connection.query<Row[]>(sql, [schema]);
    return rows;
  };
  const content = {
    tables: await read<TableRow>(TABLES),
    columns: await read<ColumnRow>(COLUMNS),
    keys: await read<KeyRow>(KEYS),
    references: await read<ReferenceRow>(references('k.TABLE_SCHEMA = ?')),
    referring: await readReferring(connection, schema),
  };
  return { ...content, digest: createHash('sha256').update(JSON.stringify(content)).digest('hex') };
}
