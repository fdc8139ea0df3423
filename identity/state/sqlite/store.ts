import type { SQLOutputValue } from 'node:sqlite';
import { type Clock, systemClock } from '../../../contracts/clock.ts';
import {
  LOOSE_KINDS,
  type NewDocument,
  type SqliteStateSettings,
  type StateKind,
  type StateOperation,
  type StateStore,
  type StoredDocument,
} from '../../../contracts/state.ts';
import {
  documentOf,
  firstVersion,
  type JudgedOperation,
  judgeIndex,
  judgeKey,
  judgeKind,
  judgeOperations,
  judgePage,
  type ReadRow,
  type WritableRow,
} from '../rows.ts';
import { SqliteConnection, type SqliteOptions } from './connection.ts';

/** Documents that one call of `purge` removes at most; it holds the write lock meanwhile. */
const PURGED_AT_ONCE = 500;

const COLUMNS = 'd.id, d.version, d.body, d.indexes, d.created_at AS createdAt, d.expires_at AS expiresAt';

function rowOf(found: Record<string, SQLOutputValue>): ReadRow {
  return found as unknown as ReadRow;
}

/** Opens, makes or migrates the file. @throws ChartgateError `state-unavailable` */
export async function openSqlite(
  settings: SqliteStateSettings,
  clock: Clock = systemClock,
  options: Omit<SqliteOptions, 'file'> = {},
): Promise<StateStore> {
  return new SqliteStore(await SqliteConnection.open({ ...options, file: settings.file }, clock), clock);
}

class SqliteStore implements StateStore {
  readonly #connection: SqliteConnection;
  readonly #clock: Clock;

  constructor(connection: SqliteConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  async get(kind: StateKind, id: string): Promise<StoredDocument | undefined> {
    judgeKey(kind, id);
    return this.#connection.read(() => this.#live(kind, id));
  }

  async find(
    kind: StateKind,
    index: string,
    value: string,
    options?: { readonly limit?: number; readonly after?: string },
  ): Promise<readonly StoredDocument[]> {
    const table = judgeIndex(kind, index, value) ? 'claim' : 'entry';
    const { limit, after } = judgePage(options);
    return this.#connection.read(() =>
      this.#connection
        .prepare(
          `SELECT ${COLUMNS} FROM ${table} e JOIN document d ON d.kind = e.kind AND d.id = e.id
           WHERE e.kind = ? AND e.name = ? AND e.value = ? AND e.id > ? AND d.expires_at > ?
           ORDER BY e.id LIMIT ?`,
        )
        .all(kind, index, value, after, this.#now(), limit)
        .map((row) => documentOf(rowOf(row))),
    );
  }

  async list(
    kind: StateKind,
    options?: { readonly limit?: number; readonly after?: string },
  ): Promise<readonly StoredDocument[]> {
    judgeKind(kind);
    const { limit, after } = judgePage(options);
    return this.#connection.read(() =>
      this.#connection
        .prepare(
          `SELECT ${COLUMNS} FROM document d WHERE d.kind = ? AND d.id > ? AND d.expires_at > ? ORDER BY d.id LIMIT ?`,
        )
        .all(kind, after, this.#now(), limit)
        .map((row) => documentOf(rowOf(row))),
    );
  }

  insert(kind: StateKind, id: string, document: NewDocument): Promise<boolean> {
    return this.commit([{ do: 'insert', kind, id, document }]);
  }

  replace(kind: StateKind, id: string, version: number, document: NewDocument): Promise<boolean> {
    return this.commit([{ do: 'replace', kind, id, version, document }]);
  }

  async remove(kind: StateKind, id: string): Promise<boolean> {
    return (await this.take(kind, id)) !== undefined;
  }

  async take(kind: StateKind, id: string): Promise<StoredDocument | undefined> {
    judgeKey(kind, id);
    // Most that is to be taken is not there: that needs no lock, and nobody can make others wait for one.
    if ((await this.#connection.read(() => this.#live(kind, id))) === undefined) return undefined;
    return this.#connection.write(() => {
      const found = this.#live(kind, id);
      if (found !== undefined) this.#delete(kind, id);
      return found;
    }, LOOSE_KINDS.has(kind));
  }

  async removeAll(kind: StateKind, index: string, value: string): Promise<number> {
    const table = judgeIndex(kind, index, value) ? 'claim' : 'entry';
    return this.#connection.write(() => {
      const now = this.#now();
      const found = this.#connection
        .prepare(
          `SELECT d.id, d.expires_at AS expiresAt FROM ${table} e JOIN document d ON d.kind = e.kind AND d.id = e.id
           WHERE e.kind = ? AND e.name = ? AND e.value = ?`,
        )
        .all(kind, index, value)
        .map(rowOf);
      for (const { id } of found) this.#delete(kind, id);
      return found.filter(({ expiresAt }) => expiresAt > now).length;
    });
  }

  async commit(operations: readonly StateOperation[]): Promise<boolean> {
    const judged = judgeOperations(operations);
    if (judged.length === 0) return true;
    return this.#connection.write(
      () => {
        const now = this.#now();
        return judged.every((operation) => this.#apply(operation, now));
      },
      judged.every(({ kind }) => LOOSE_KINDS.has(kind)),
    );
  }

  async purge(): Promise<number> {
    return this.#connection.write(() => {
      const found = this.#connection
        .prepare('SELECT kind, id FROM document WHERE expires_at <= ? ORDER BY expires_at LIMIT ?')
        .all(this.#now(), PURGED_AT_ONCE);
      for (const { kind, id } of found) this.#delete(kind as StateKind, id as string);
      return found.length;
    });
  }

  async healthy(): Promise<boolean> {
    try {
      // Written for good, because a full disk lets one begin.
      await this.#connection.write(() =>
        this.#connection.prepare('UPDATE probe SET at = ? WHERE one = 1').run(this.#now()),
      );
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #now(): number {
    return Math.floor(this.#clock.wall());
  }

  #live(kind: StateKind, id: string): StoredDocument | undefined {
    const found = this.#connection
      .prepare(`SELECT ${COLUMNS} FROM document d WHERE d.kind = ? AND d.id = ? AND d.expires_at > ?`)
      .get(kind, id, this.#now());
    return found === undefined ? undefined : documentOf(rowOf(found));
  }

  /** Within a transaction. @returns false when it cannot be; nothing of the commit is kept then */
  #apply(operation: JudgedOperation, now: number): boolean {
    const { kind, id } = operation;
    const found = this.#connection
      .prepare(
        'SELECT version, indexes, created_at AS createdAt, expires_at AS expiresAt FROM document WHERE kind = ? AND id = ?',
      )
      .get(kind, id) as unknown as
      | Pick<ReadRow, 'version' | 'indexes' | 'createdAt' | 'expiresAt'>
      | undefined;
    const live = found !== undefined && found.expiresAt > now;
    if (operation.do === 'insert') {
      if (live) return false;
      if (found !== undefined) this.#delete(kind, id);
      return this.#put(operation, operation.row, { version: firstVersion(), createdAt: now }, now);
    }
    if (!live || found.version !== operation.version) return false;
    const version = found.version + 1;
    // As most are replaced: nothing that it is found by changes.
    if (operation.do === 'replace' && operation.row.indexes === found.indexes) {
      this.#connection
        .prepare('UPDATE document SET version = ?, body = ?, expires_at = ? WHERE kind = ? AND id = ?')
        .run(version, operation.row.body, operation.row.expiresAt, kind, id);
      return true;
    }
    this.#delete(kind, id);
    if (operation.do === 'remove') return true;
    return this.#put(operation, operation.row, { version, createdAt: found.createdAt }, now);
  }

  #put(
    { kind, id }: { readonly kind: StateKind; readonly id: string },
    row: WritableRow,
    { version, createdAt }: { readonly version: number; readonly createdAt: number },
    now: number,
  ): boolean {
    for (const { name, value, unique } of row.values) {
      if (unique && !this.#claim(kind, name, value, id, now)) return false;
      if (unique) continue;
      this.#connection
        .prepare('INSERT INTO entry (kind, name, value, id) VALUES (?, ?, ?, ?)')
        .run(kind, name, value, id);
    }
    this.#connection
      .prepare(
        'INSERT INTO document (kind, id, version, body, indexes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run(kind, id, version, row.body, row.indexes, createdAt, row.expiresAt);
    return true;
  }

  /** A value whose document has expired is free, with all that is left of that document. */
  #claim(kind: StateKind, name: string, value: string, id: string, now: number): boolean {
    const holder = this.#connection
      .prepare(
        `SELECT c.id, d.expires_at AS expiresAt FROM claim c LEFT JOIN document d ON d.kind = c.kind AND d.id = c.id
         WHERE c.kind = ? AND c.name = ? AND c.value = ?`,
      )
      .get(kind, name, value);
    if (holder !== undefined) {
      if (typeof holder.expiresAt === 'number' && holder.expiresAt > now) return false;
      this.#delete(kind, holder.id as string);
    }
    this.#connection
      .prepare('INSERT INTO claim (kind, name, value, id) VALUES (?, ?, ?, ?)')
      .run(kind, name, value, id);
    return true;
  }

  #delete(kind: StateKind, id: string): void {
    this.#connection.prepare('DELETE FROM entry WHERE kind = ? AND id = ?').run(kind, id);
    this.#connection.prepare('DELETE FROM claim WHERE kind = ? AND id = ?').run(kind, id);
    this.#connection.prepare('DELETE FROM document WHERE kind = ? AND id = ?').run(kind, id);
  }
}
