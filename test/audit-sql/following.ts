import type { Connection, RowDataPacket } from 'mysql2/promise';
import { dialectOf } from '../../audit-sql/dialect.ts';
import { apply, auditNames, describeServer, readModel, type SchemaModel } from '../../audit-sql/index.ts';
import { startScript } from '../../audit-sql/writers/start.ts';

/**
 * Follows the audit by the simplest means there is: a copy of every row in memory, to which audit rows are
 * done one by one. It shares no code with the product's own replay.
 */

type Row = Readonly<Record<string, unknown>>;
/** Rows of each table, as JSON text in a sorted list. */
export type Content = Readonly<Record<string, readonly string[]>>;

export interface TrailRow {
  readonly id: number;
  readonly connection: number;
  readonly emr_table: string;
  readonly operation: string;
  readonly cascade_id: string | null;
  readonly row_key: string | null;
  readonly old_values: string | null;
  readonly new_values: string | null;
  readonly changes: string | null;
}

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** Reads the schema and starts its audit. */
export async function startAudit(connection: Connection, schema: string): Promise<SchemaModel> {
  const server = await describeServer(connection);
  const model = await readModel(connection, schema);
  const [[before]] = await connection.query<RowDataPacket[]>('SELECT @@SESSION.sql_mode AS mode');
  await apply(connection, startScript(model, auditNames({ emrSchema: schema }), dialectOf(server)));
  await connection.query('SET SESSION sql_mode = ?', [before?.mode]);
  return model;
}

/** Every stored value of every table. Tables hold integers up to INT and text only. */
export async function contentOf(connection: Connection, model: SchemaModel): Promise<Content> {
  const content: Record<string, readonly string[]> = {};
  for (const table of model.tables) {
    const stored = table.columns
      .filter((column) => !column.generated)
      .map(({ name, columnType }) =>
        // The driver would drop the zeros.
        /zerofill/i.test(columnType) ? `CONCAT(${quoted(name)}) AS ${quoted(name)}` : quoted(name),
      );
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT ${stored.join(', ')} FROM ${quoted(model.schema)}.${quoted(table.name)}`,
    );
    content[table.name] = rows.map((row) => JSON.stringify(row)).sort();
  }
  return content;
}

/** Audit rows after `after`, in order of id. */
export async function trailRows(
  connection: Connection,
  schema: string,
  after = 0,
  from = 'audit_row',
): Promise<readonly TrailRow[]> {
  const [rows] = await connection.query<(RowDataPacket & TrailRow)[]>(
    `SELECT id, connection, emr_table, operation, CAST(cascade_id AS CHAR) AS cascade_id,
            CAST(row_key AS CHAR) AS row_key, CAST(old_values AS CHAR) AS old_values,
            CAST(new_values AS CHAR) AS new_values, CAST(changes AS CHAR) AS changes
       FROM ${quoted(`${schema}_audit`)}.${from} WHERE id > ? ORDER BY id`,
    [after],
  );
  return rows;
}

/** The rule for readers: a cascade counts if the row it started from was changed in the end. */
export function counting(rows: readonly TrailRow[]): readonly TrailRow[] {
  return rows.filter(
    (row) =>
      !row.operation.startsWith('cascade-') ||
      rows.some(
        (other) =>
          !other.operation.startsWith('cascade-') &&
          other.cascade_id === row.cascade_id &&
          other.connection === row.connection &&
          other.id > row.id,
      ),
  );
}

/** @throws Error when an audit row is about a row that is not there, or not as it says */
export function replayed(content: Content, rows: readonly TrailRow[], model: SchemaModel): Content {
  const tables = new Map(
    Object.entries(content).map(([name, list]) => [name, list.map((text) => JSON.parse(text) as Row)]),
  );
  const gone = new Set<string | null>();
  const parse = (text: string | null): Row => JSON.parse(text ?? 'null') as Row;
  for (const row of rows) {
    const live = tables.get(row.emr_table);
    const key = model.tables.find((table) => table.name === row.emr_table)?.key ?? [];
    if (live === undefined) throw new Error(`audit row ${row.id} is about an unknown table`);
    if (row.operation === 'insert') {
      live.push(parse(row.new_values));
      continue;
    }
    const wanted = key.length > 0 ? parse(row.row_key) : parse(row.old_values);
    const at = live.findIndex((candidate) =>
      Object.entries(wanted).every(([name, value]) => candidate[name] === value),
    );
    const found = live[at];
    // MySQL's multi-table DELETE fires the trigger of a row that the same statement's cascade deleted.
    if (found === undefined && row.operation === 'delete' && gone.has(row.row_key)) continue;
    if (found === undefined) throw new Error(`no such row: ${JSON.stringify(row)}`);
    if (row.operation.endsWith('delete')) {
      if (JSON.stringify(found) !== JSON.stringify(parse(row.old_values))) {
        throw new Error(`deleted in another state: ${JSON.stringify(row)} ${JSON.stringify(found)}`);
      }
      live.splice(at, 1);
      gone.add(row.row_key);
    } else if (row.changes === null) {
      live[at] = parse(row.new_values);
    } else {
      const next: Record<string, unknown> = { ...found };
      for (const [name, pair] of Object.entries(parse(row.changes))) {
        const [old, now] = pair as [unknown, unknown];
        if (found[name] !== old) throw new Error(`changed from another value: ${JSON.stringify(row)}`);
        next[name] = now;
      }
      live[at] = next;
    }
  }
  return Object.fromEntries(
    [...tables].map(([name, list]) => [name, list.map((row) => JSON.stringify(row)).sort()]),
  );
}

export async function lastTrailId(connection: Connection, schema: string): Promise<number> {
  const [[row]] = await connection.query<RowDataPacket[]>(
    `SELECT IFNULL(MAX(id), 0) AS id FROM ${quoted(`${schema}_audit`)}.audit_row`,
  );
  return Number(row?.id);
}
