import type { Engine } from '../dialect.ts';
import type { TableModel } from '../model.ts';
import { isHistory, type KeyReader, keyReader, rowEnd } from './binlog-keys.ts';
import type { RowChange } from './binlog-text.ts';

/** One table and kind of change, as the log and the trail have it. */
export interface BinlogTable {
  readonly table: string;
  readonly operation: RowChange['operation'];
  readonly rowChanges: number;
  /** Of these, how many have an audit row of their own. */
  readonly audited: number;
  /** `key`: each found by the row's key; `count`: only as many of them as there are audit rows. */
  readonly by: 'key' | 'count';
}

export const BEYOND_REASONS = ['cascade', 'nothing-changed', 'unexplained'] as const;
/**
 * Why an audit row has no row change in the log: a foreign key's cascade, which InnoDB does below the log
 * (or which did not come about, and then no reader counts it); an UPDATE that set what was there already;
 * or no reason known.
 */
export type BeyondReason = (typeof BEYOND_REASONS)[number];

/** Row changes of one table and kind that have no audit row. */
export interface MissingRows {
  readonly table: string;
  readonly operation: RowChange['operation'];
  rows: number;
  /** Where the first of them is in the log. */
  readonly where: string;
}

/** Audit rows of one table that have no row change. */
export interface BeyondRows {
  readonly table: string;
  readonly operation: RowChange['operation'];
  readonly reason: BeyondReason;
  rows: number;
}

/** How it all comes out. */
export interface Matched {
  readonly rowChanges: number;
  readonly audited: number;
  readonly tables: readonly BinlogTable[];
  readonly missing: readonly Readonly<MissingRows>[];
  readonly beyond: readonly Readonly<BeyondRows>[];
}

/** What waits for its other half, of one table, kind and key. */
interface Balance {
  readonly table: string;
  readonly operation: RowChange['operation'];
  readonly key: string | undefined;
  /** Row changes, by their places in the log. */
  readonly changes: string[];
  /** Audit rows that must have a row change. */
  audits: number;
  /** Audit rows that may do without one; they get what is left over when the transaction ends. */
  readonly soft: SoftReason[];
}

type SoftReason = Exclude<BeyondReason, 'unexplained'>;

/** An audit row as the log has it. */
export interface AuditEntry {
  readonly table: string;
  readonly operation: RowChange['operation'];
  readonly key: string | undefined;
  /** What it is if no row change goes with it. */
  readonly otherwise: BeyondReason;
}

interface Sum {
  readonly table: string;
  readonly operation: RowChange['operation'];
  rowChanges: number;
  audited: number;
}

/** Pairs the log's row changes with the trail's rows. */
export class Matcher {
  readonly #tables: ReadonlyMap<string, TableModel>;
  readonly #readers = new Map<string, KeyReader | undefined>();
  /** By table, operation and key; only what is not yet balanced. */
  readonly #open = new Map<string, Balance>();
  readonly #sums = new Map<string, Sum>();
  readonly #beyond = new Map<string, BeyondRows>();
  /** Names of balances that hold soft audit rows. */
  readonly #unsettled = new Set<string>();
  auditRows = 0;

  constructor(tables: readonly TableModel[], engine: Engine) {
    this.#tables = new Map(tables.map((table) => [table.name, table]));
    for (const table of tables) this.#readers.set(table.name, keyReader(table, engine));
  }

  reader(table: string): KeyReader | undefined {
    return this.#readers.get(table);
  }

  /** Columns to be read of a table's rows, by position from 1; undefined for a table that is not audited. */
  columns(table: string): ReadonlySet<number> | undefined {
    const model = this.#tables.get(table);
    if (model === undefined) return undefined;
    const end = rowEnd(model);
    return new Set([...(this.reader(table)?.columns ?? []), ...(end === undefined ? [] : [end])]);
  }

  /** MariaDB marks a versioned row as ended, which the log has as an update. */
  #operation(table: string, operation: RowChange['operation']): RowChange['operation'] {
    return this.#tables.get(table)?.systemVersioned === true && operation === 'delete' ? 'update' : operation;
  }

  #balance(table: string, operation: RowChange['operation'], key: string | undefined): [string, Balance] {
    const name = JSON.stringify([table, operation, key ?? null]);
    const there = this.#open.get(name);
    if (there !== undefined) return [name, there];
    const fresh: Balance = { table, operation, key, changes: [], audits: 0, soft: [] };
    this.#open.set(name, fresh);
    return [name, fresh];
  }

  #sum(table: string, operation: RowChange['operation']): Sum {
    const name = JSON.stringify([table, operation]);
    const sum = this.#sums.get(name) ?? { table, operation, rowChanges: 0, audited: 0 };
    this.#sums.set(name, sum);
    return sum;
  }

  change(entry: RowChange): void {
    const model = this.#tables.get(entry.table);
    const end = model === undefined ? undefined : rowEnd(model);
    // Of an update of a versioned row the log has the row as it was once more, as an insert.
    if (end !== undefined && entry.operation === 'insert' && isHistory(entry.values.get(end))) return;
    const operation = this.#operation(entry.table, entry.operation);
    const key = this.reader(entry.table)?.fromLog(entry.values);
    const [name, balance] = this.#balance(entry.table, operation, key);
    const sum = this.#sum(entry.table, operation);
    sum.rowChanges += 1;
    if (balance.audits === 0) {
      balance.changes.push(entry.where);
      return;
    }
    balance.audits -= 1;
    sum.audited += 1;
    this.#forget(name, balance);
  }

  audit(entry: AuditEntry): void {
    this.auditRows += 1;
    const operation = this.#operation(entry.table, entry.operation);
    const [name, balance] = this.#balance(entry.table, operation, entry.key);
    if (entry.otherwise !== 'unexplained') {
      balance.soft.push(entry.otherwise);
      this.#unsettled.add(name);
    } else if (balance.changes.pop() === undefined) balance.audits += 1;
    else {
      this.#sum(entry.table, operation).audited += 1;
      this.#forget(name, balance);
    }
  }

  /** A transaction has ended: whether a cascade is in the log is known now. */
  settle(): void {
    for (const name of this.#unsettled) {
      const balance = this.#open.get(name);
      if (balance === undefined) continue;
      for (const reason of balance.soft.splice(0)) {
        if (balance.changes.pop() === undefined) this.#count(balance, reason, 1);
        else this.#sum(balance.table, balance.operation).audited += 1;
        if (reason === 'cascade' && balance.operation === 'delete') this.#steps(balance);
      }
      this.#forget(name, balance);
    }
    this.#unsettled.clear();
  }

  /**
   * A row that one foreign key of a deleted row nulls and another deletes: the log has both steps, the
   * trail the row's end.
   */
  #steps({ table, key }: Balance): void {
    const update = this.#open.get(JSON.stringify([table, 'update', key ?? null]));
    if (key === undefined || update?.changes.pop() === undefined) return;
    this.#sum(table, 'update').audited += 1;
  }

  #forget(name: string, { changes, audits, soft }: Balance): void {
    if (changes.length === 0 && audits === 0 && soft.length === 0) this.#open.delete(name);
  }

  #count({ table, operation }: Balance, reason: BeyondReason, rows: number): void {
    const name = JSON.stringify([table, operation, reason]);
    const entry = this.#beyond.get(name) ?? { table, operation, reason, rows: 0 };
    entry.rows += rows;
    this.#beyond.set(name, entry);
  }

  result(): Matched {
    const missing = new Map<string, MissingRows>();
    this.settle();
    for (const balance of this.#open.values()) {
      const { table, operation, changes, audits } = balance;
      if (audits > 0) this.#count(balance, 'unexplained', audits);
      if (changes.length === 0) continue;
      const name = JSON.stringify([table, operation]);
      const entry = missing.get(name) ?? { table, operation, rows: 0, where: changes[0] ?? '' };
      entry.rows += changes.length;
      missing.set(name, entry);
    }
    const order = (a: { table: string }, b: { table: string }): number =>
      a.table < b.table ? -1 : a.table > b.table ? 1 : 0;
    const sums = [...this.#sums.values()].sort(order);
    return {
      rowChanges: sums.reduce((sum, { rowChanges }) => sum + rowChanges, 0),
      audited: sums.reduce((sum, { audited }) => sum + audited, 0),
      tables: sums.map((sum) => ({ ...sum, by: this.reader(sum.table) === undefined ? 'count' : 'key' })),
      missing: [...missing.values()].sort(order),
      beyond: [...this.#beyond.values()].sort(order),
    };
  }
}
