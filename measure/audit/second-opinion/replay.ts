import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ident } from '../workload/session.ts';
import type { Shape } from '../workload/shape.ts';
import type { Content } from './content.ts';
import { type AuditRow, Rebuilt } from './rebuilt.ts';

/** Where the trail does not say what happened, or contradicts itself. */
export interface Fault {
  readonly table: string;
  readonly what: string;
  readonly auditId?: number;
}

export interface Opinion {
  readonly auditRows: number;
  /** `cascade-*` rows whose cause did not happen. */
  readonly void: number;
  readonly faults: readonly Fault[];
  /** Audit rows that do not fit what came before them: an old value that was another, a row that was not there. */
  readonly contradictions: number;
  /** Tables whose rebuilt content is the live content, to the byte. */
  readonly equal: readonly string[];
  readonly rowsCompared: number;
}

const MAXIMUM_FAULTS = 50;
const PAGE = 20_000;

async function readTrail(
  connection: Connection,
  auditSchema: string,
  after: ReadonlyMap<string, number>,
): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  for (const [name, from] of after) {
    let last = from;
    for (;;) {
      const [page] = await connection.query<(RowDataPacket & AuditRow)[]>(
        `SELECT id, connection, emr_table AS \`table\`, operation, CAST(cascade_id AS CHAR) AS \`cascade\`,
                CAST(row_key AS CHAR) AS \`key\`, CAST(old_values AS CHAR) AS \`old\`,
                CAST(new_values AS CHAR) AS \`new\`, CAST(changes AS CHAR) AS changes
           FROM ${ident(auditSchema)}.${ident(name)} WHERE id > ? ORDER BY id LIMIT ${PAGE}`,
        [last],
      );
      rows.push(...page);
      const end = page.at(-1);
      if (end === undefined) break;
      last = end.id;
    }
  }
  return rows;
}

/** The rule: a cascade counts only if the change that caused it came about, later and on the same connection. */
function split(rows: readonly AuditRow[]): { readonly counted: AuditRow[]; readonly void: number } {
  const causes = new Map<string, number>();
  for (const row of rows) {
    if (row.cascade === null || row.operation.startsWith('cascade-')) continue;
    causes.set(`${row.connection}/${row.cascade}`, row.id);
  }
  const counted = rows.filter(
    (row) =>
      !row.operation.startsWith('cascade-') ||
      (causes.get(`${row.connection}/${row.cascade}`) ?? -1) > row.id,
  );
  return { counted, void: rows.length - counted.length };
}

/** The highest number in each of the audit's tables. */
export async function trailEnds(
  connection: Connection,
  auditSchema: string,
): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>();
  for (const name of ['audit_row', 'audit_row_direct']) {
    const [[there]] = await connection.query<RowDataPacket[]>(
      'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
      [auditSchema, name],
    );
    if (there === undefined) continue;
    const [[row]] = await connection.query<RowDataPacket[]>(
      `SELECT IFNULL(MAX(id), 0) AS id FROM ${ident(auditSchema)}.${ident(name)}`,
    );
    ends.set(name, Number(row?.id));
  }
  return ends;
}

/**
 * Rebuilds every table from a snapshot and the audit rows after it, in memory, and compares with what is
 * live. Independent of the product's own replay: two that agree are a stronger proof than one.
 */
export async function secondOpinion(
  connection: Connection,
  options: {
    readonly shape: Shape;
    readonly auditSchema: string;
    readonly before: Content;
    readonly after: Content;
    readonly trailAfter: ReadonlyMap<string, number>;
  },
): Promise<Opinion> {
  const faults: Fault[] = [];
  const counts = new Map<string, number>();
  const faultOf =
    (table: string) =>
    (what: string, auditId?: number): void => {
      counts.set(table, (counts.get(table) ?? 0) + 1);
      if (faults.length < MAXIMUM_FAULTS)
        faults.push({ table, what, ...(auditId === undefined ? {} : { auditId }) });
    };
  const tables = new Map(options.shape.tables.map((t) => [t.name, new Rebuilt(t, faultOf(t.name))]));
  for (const [name, rows] of options.before) {
    for (const row of rows) tables.get(name)?.add(new Map(row));
  }
  const trail = await readTrail(connection, options.auditSchema, options.trailAfter);
  const { counted, void: ignored } = split(trail);
  for (const row of counted) {
    const table = tables.get(row.table);
    if (table === undefined)
      faultOf(row.table)('the trail names a table that the schema does not have', row.id);
    else table.apply(row);
  }
  const equal: string[] = [];
  const contradictions = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let rowsCompared = 0;
  for (const [name, table] of tables) {
    rowsCompared += options.after.get(name)?.length ?? 0;
    if (table.compare(options.after)) equal.push(name);
  }
  return { auditRows: trail.length, void: ignored, faults, contradictions, equal, rowsCompared };
}
