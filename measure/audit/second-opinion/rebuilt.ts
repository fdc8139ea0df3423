import type { ColumnShape, TableShape } from '../workload/shape.ts';
import { type Canonical, type Content, fromAudit, storedColumns } from './content.ts';

/** An audit row as it lies in the table. */
export interface AuditRow {
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

type Values = Map<string, Canonical>;

/** What one table holds, as the audit rows tell it one after the other. */
export class Rebuilt {
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
