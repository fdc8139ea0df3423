import type { Connection, RowDataPacket } from 'mysql2/promise';
import { byCodeUnit } from '../catalogue/schema.ts';
import type { ServerDescription } from '../dialect.ts';
import type { DefinedObject, GrantObjects, GrantRoutine, GrantTable, TellingKey } from './types.ts';

type Row = RowDataPacket & Readonly<Record<string, string>>;

/** What of a schema can be granted: tables, views and routines by name, and what runs as another account. */
export async function readGrantObjects(
  connection: Connection,
  server: ServerDescription,
  schema: string,
): Promise<GrantObjects> {
  const rows = async (sql: string): Promise<Row[]> => (await connection.query<Row[]>(sql, [schema]))[0];
  const columns = new Map<string, string[]>();
  for (const row of await rows(
    `SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  )) {
    const list = columns.get(row.t ?? '');
    if (list === undefined) columns.set(row.t ?? '', [row.c ?? '']);
    else list.push(row.c ?? '');
  }
  const tables = (
    await rows(
      `SELECT TABLE_NAME AS name, TABLE_TYPE AS type FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = ? AND TABLE_TYPE <> 'TEMPORARY'`,
    )
  ).map(
    (row): GrantTable => ({
      name: row.name ?? '',
      kind: /VIEW/.test(row.type ?? '') ? 'view' : 'table',
      columns: columns.get(row.name ?? '') ?? [],
    }),
  );
  const found = await rows(
    `SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS kind, DEFINER AS definer, SECURITY_TYPE AS security
       FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION')`,
  );
  const routines = found.map(
    (row): GrantRoutine => ({
      name: row.name ?? '',
      kind: row.kind === 'FUNCTION' ? 'FUNCTION' : 'PROCEDURE',
    }),
  );
  const definers: DefinedObject[] = [
    ...found
      .filter((row) => row.security === 'DEFINER')
      .map((row) => defined(row.kind === 'FUNCTION' ? 'function' : 'procedure', row)),
    ...(
      await rows(
        `SELECT TABLE_NAME AS name, DEFINER AS definer FROM information_schema.VIEWS
          WHERE TABLE_SCHEMA = ? AND SECURITY_TYPE = 'DEFINER'`,
      )
    ).map((row) => defined('view', row)),
    ...(
      await rows(
        'SELECT TRIGGER_NAME AS name, DEFINER AS definer FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?',
      )
    ).map((row) => defined('trigger', row)),
    ...(
      await rows(
        'SELECT EVENT_NAME AS name, DEFINER AS definer FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?',
      )
    ).map((row) => defined('event', row)),
  ];
  const histograms =
    server.engine === 'mysql' && server.major >= 8
      ? await rows(
          'SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME = ? ORDER BY 1, 2',
        )
      : [];
  return {
    keys: await readKeys(connection, schema),
    histograms: histograms.map((row) => ({ table: row.t ?? '', column: row.c ?? '' })),
    tables: tables.sort((a, b) => byCodeUnit(a.name, b.name)),
    routines: routines.sort((a, b) => byCodeUnit(a.kind + a.name, b.kind + b.name)),
    definers: definers.sort((a, b) => byCodeUnit(a.kind + a.name, b.kind + b.name)),
  };
}

/** Keys in order of table and name. A key that the server fills by itself tells nothing. */
async function readKeys(connection: Connection, schema: string): Promise<TellingKey[]> {
  const [unique] = await connection.query<Row[]>(
    `SELECT s.TABLE_NAME AS t, s.INDEX_NAME AS name, s.COLUMN_NAME AS c
       FROM information_schema.STATISTICS s
      WHERE s.TABLE_SCHEMA = ? AND s.NON_UNIQUE = 0 ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX`,
    [schema],
  );
  const [filled] = await connection.query<Row[]>(
    "SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND EXTRA LIKE '%auto_increment%'",
    [schema],
  );
  const [foreign] = await connection.query<Row[]>(
    `SELECT TABLE_NAME AS t, CONSTRAINT_NAME AS name, COLUMN_NAME AS c, REFERENCED_TABLE_NAME AS r
       FROM information_schema.KEY_COLUMN_USAGE
      WHERE TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME IS NOT NULL
      ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`,
    [schema],
  );
  const group = (rows: readonly Row[], kind: TellingKey['kind']): TellingKey[] => {
    type Growing = Omit<TellingKey, 'columns'> & { readonly columns: string[] };
    const keys = new Map<string, Growing>();
    for (const row of rows) {
      const id = JSON.stringify([row.t, row.name]);
      const key: Growing = keys.get(id) ?? { table: row.t ?? '', kind, columns: [], references: row.r };
      // A part that is an expression has no column's name.
      key.columns.push(row.c ?? '(expression)');
      keys.set(id, key);
    }
    return [...keys.values()];
  };
  const auto = new Set(filled.map((row) => JSON.stringify([row.t, [row.c]])));
  return [
    ...group(unique, 'unique').filter((key) => !auto.has(JSON.stringify([key.table, key.columns]))),
    ...group(foreign, 'foreign'),
  ];
}

function defined(kind: DefinedObject['kind'], row: Row): DefinedObject {
  return { kind, name: row.name ?? '', definer: row.definer ?? '' };
}
