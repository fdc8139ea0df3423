import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ident } from '../workload/session.ts';
import type { ColumnShape, Shape, TableShape } from '../workload/shape.ts';
import { type Canonical, type Content, fromAudit, storedColumns } from './content.ts';

/** An audit row as it lies in the table. */
interface AuditRow {
  readonly id: number;
  readonly connection: number;
  readonly table: string;
  readonly operation: string;
  readonly cascade: string | null;
  readonly key: string | null;
  readonly old: string | null;
  readonly new: string | null;
  readonly changes: string | null;
}

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

type Values = Map<string, Canonical>;

class Rebuilt {
  readonly table: TableShape;
  readonly #columns: ReadonlyMap<string, ColumnShape>;
  readonly #stored: readonly string[];
  /** By name of the row; of a table without a key by content, with how many there are. */
  readonly rows = new Map<string, { values: Values; count: number }>();
  readonly #fault: (what: string, id?: number) => void;

  constructor(table: TableShape, fault: (what: string, id?: number) => void) {
    this.table = table;
    this.#columns = new Map(table.columns.map((c) => [c.name, c]));
    this.#stored = storedColumns(table).map((c) => c.name);
    this.#fault = fault;
  }

  get keyed(): boolean {
    return this.table.key.length > 0;
  }

  name(values: Values): string {
    const names = this.keyed ? this.table.key : this.#stored;
    return JSON.stringify(names.map((n) => values.get(n) ?? null));
  }

  add(values: Values, id?: number): void {
    const name = this.name(values);
    const there = this.rows.get(name);
    if (there === undefined) this.rows.set(name, { values, count: 1 });
    else if (this.keyed) {
      this.#fault(`a row is inserted where one is: ${name}`, id);
      this.rows.set(name, { values, count: 1 });
    } else there.count += 1;
  }

  #remove(name: string, id: number): Values | undefined {
    const there = this.rows.get(name);
    if (there === undefined) {
      this.#fault(`a row is changed or deleted that is not there: ${name}`, id);
      return undefined;
    }
    there.count -= 1;
    if (there.count === 0) this.rows.delete(name);
    return there.values;
  }

  #parse(json: string | null, id: number): Values {
    if (json === null) {
      this.#fault('values are missing', id);
      return new Map();
    }
    return new Map(
      Object.entries(JSON.parse(json) as Record<string, unknown>).map(([name, value]) => [
        name,
        this.#value(name, value, id),
      ]),
    );
  }

  #value(name: string, value: unknown, id: number): Canonical {
    const column = this.#columns.get(name);
    if (column === undefined) {
      this.#fault(`a column that the table does not have: ${name}`, id);
      return null;
    }
    return fromAudit(column, value);
  }

  apply(row: AuditRow): void {
    const key = row.key === null ? undefined : this.#parse(row.key, row.id);
    switch (row.operation) {
      case 'insert': {
        const values = this.#parse(row.new, row.id);
        for (const [name, value] of key ?? []) {
          if (values.has(name) && values.get(name) !== value)
            this.#fault(`key and values differ in ${name}`, row.id);
          values.set(name, value);
        }
        this.add(values, row.id);
        return;
      }
      case 'delete':
      case 'cascade-delete': {
        const old = this.#parse(row.old, row.id);
        const was = this.#remove(this.name(key ?? old), row.id);
        if (was !== undefined) this.#same(was, old, row.id);
        return;
      }
      default:
        this.#update(row, key);
    }
  }

  #update(row: AuditRow, key: Values | undefined): void {
    if (!this.keyed) {
      this.#remove(this.name(this.#parse(row.old, row.id)), row.id);
      this.add(this.#parse(row.new, row.id), row.id);
      return;
    }
    const was = this.#remove(this.name(key ?? new Map()), row.id);
    if (was === undefined) return;
    const now: Values = new Map(was);
    const changes = JSON.parse(row.changes ?? '{}') as Record<string, [unknown, unknown]>;
    for (const [name, [old, fresh]] of Object.entries(changes)) {
      if (was.get(name) !== this.#value(name, old, row.id)) {
        this.#fault(
          `${name} was ${show(was.get(name))}, not ${show(this.#value(name, old, row.id))}`,
          row.id,
        );
      }
      now.set(name, this.#value(name, fresh, row.id));
    }
    this.add(now, row.id);
  }

  #same(was: Values, old: Values, id: number): void {
    for (const name of this.#stored) {
      if (was.get(name) !== old.get(name)) {
        this.#fault(`deleted with ${name} = ${show(old.get(name))}, but it was ${show(was.get(name))}`, id);
      }
    }
  }

  /** Compares with the live rows, as a multiset. @returns whether they are the same */
  compare(live: Content): boolean {
    const left = new Map([...this.rows].map(([name, { count }]) => [name, count]));
    let same = true;
    const differs = (what: string): void => {
      same = false;
      this.#fault(what);
    };
    for (const row of live.get(this.table.name) ?? []) {
      const name = this.name(row as Values);
      const count = left.get(name);
      if (count === undefined) {
        differs(`the live row ${name} was not rebuilt`);
        continue;
      }
      if (count === 1) left.delete(name);
      else left.set(name, count - 1);
      const values = this.rows.get(name)?.values;
      for (const column of this.#stored) {
        const [a, b] = [values?.get(column), row.get(column)];
        if (a !== b) differs(`row ${name}: ${column} is ${show(b)}, rebuilt ${show(a)}`);
      }
    }
    for (const name of left.keys()) differs(`the row ${name} was rebuilt but is not live`);
    return same;
  }
}

function show(value: Canonical | undefined): string {
  const text = value === undefined ? 'missing' : value === null ? 'NULL' : value;
  return text.length > 80 ? `${text.slice(0, 80)}… (${text.length})` : text;
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
