import { type Clock, systemClock } from '../../../contracts/clock.ts';
import type {
  MysqlStateSettings,
  NewDocument,
  StateKind,
  StateOperation,
  StateStore,
  StoredDocument,
} from '../../../contracts/state.ts';
import { documentOf, judgeIndex, judgeKey, judgeKind, judgeOperations, judgePage } from '../rows.ts';
import { type MysqlMigration, migrate } from './migrate.ts';
import { MysqlPool } from './pool.ts';
import { apply, bytes, COLUMNS, erase, readRow } from './write.ts';

/** Documents that one call of `purge` removes at most. */
const PURGED_AT_ONCE = 500;

/** Opens the database and makes its tables where there are none. @throws ChartgateError */
export async function openMysql(
  settings: MysqlStateSettings,
  clock: Clock = systemClock,
  options: MysqlMigration = {},
): Promise<StateStore> {
  const pool = new MysqlPool(settings);
  try {
    await migrate(pool, settings.database, options);
  } catch (error) {
    await pool.close();
    throw error;
  }
  return new MysqlStore(pool, clock);
}

class MysqlStore implements StateStore {
  readonly #pool: MysqlPool;
  readonly #clock: Clock;

  constructor(pool: MysqlPool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  async get(kind: StateKind, id: string): Promise<StoredDocument | undefined> {
    judgeKey(kind, id);
    const [row] = await this.#pool.read(
      `SELECT ${COLUMNS} FROM chartgate_document d WHERE d.kind = ? AND d.id = ? AND d.expires_at > ?`,
      [bytes(kind), bytes(id), this.#now()],
    );
    return row === undefined ? undefined : documentOf(readRow(row));
  }

  async find(
    kind: StateKind,
    index: string,
    value: string,
    options?: { readonly limit?: number; readonly after?: string },
  ): Promise<readonly StoredDocument[]> {
    const table = tableOf(judgeIndex(kind, index, value));
    const { limit, after } = judgePage(options);
    const rows = await this.#pool.read(
      `SELECT ${COLUMNS} FROM ${table} e JOIN chartgate_document d ON d.kind = e.kind AND d.id = e.id
       WHERE e.kind = ? AND e.name = ? AND e.value = ? AND e.id > ? AND d.expires_at > ?
       ORDER BY e.id LIMIT ${limit}`,
      [bytes(kind), bytes(index), bytes(value), bytes(after), this.#now()],
    );
    return rows.map((row) => documentOf(readRow(row)));
  }

  async list(
    kind: StateKind,
    options?: { readonly limit?: number; readonly after?: string },
  ): Promise<readonly StoredDocument[]> {
    judgeKind(kind);
    const { limit, after } = judgePage(options);
    const rows = await this.#pool.read(
      `SELECT ${COLUMNS} FROM chartgate_document d WHERE d.kind = ? AND d.id > ? AND d.expires_at > ?
       ORDER BY d.id LIMIT ${limit}`,
      [bytes(kind), bytes(after), this.#now()],
    );
    return rows.map((row) => documentOf(readRow(row)));
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
    return this.#pool.transaction(async (session) => {
      const [row] = await session.rows(
        `SELECT ${COLUMNS} FROM chartgate_document d WHERE d.kind = ? AND d.id = ? AND d.expires_at > ? FOR UPDATE`,
        [bytes(kind), bytes(id), this.#now()],
      );
      if (row === undefined) return undefined;
      await erase(session, bytes(kind), bytes(id));
      return documentOf(readRow(row));
    });
  }

  async removeAll(kind: StateKind, index: string, value: string): Promise<number> {
    const table = tableOf(judgeIndex(kind, index, value));
    return this.#pool.transaction(async (session) => {
      const rows = await session.rows(
        `SELECT d.id, d.expires_at AS expiresAt FROM ${table} e JOIN chartgate_document d ON d.kind = e.kind AND d.id = e.id
         WHERE e.kind = ? AND e.name = ? AND e.value = ? ORDER BY e.id FOR UPDATE`,
        [bytes(kind), bytes(index), bytes(value)],
      );
      const now = this.#now();
      for (const { id } of rows) await erase(session, bytes(kind), id as Buffer);
      return rows.filter(({ expiresAt }) => Number(expiresAt) > now).length;
    });
  }

  async commit(operations: readonly StateOperation[]): Promise<boolean> {
    const judged = judgeOperations(operations);
    if (judged.length === 0) return true;
    return this.#pool.transaction(async (session) => {
      const now = this.#now();
      for (const operation of judged) {
        if (!(await apply(session, operation, now))) return false;
      }
      return true;
    });
  }

  async purge(): Promise<number> {
    return this.#pool.transaction(async (session) => {
      // Whoever else purges, or has one of them locked, is not waited for.
      const rows = await session.rows(
        `SELECT kind, id FROM chartgate_document WHERE expires_at <= ? ORDER BY expires_at LIMIT ${PURGED_AT_ONCE} FOR UPDATE SKIP LOCKED`,
        [this.#now()],
      );
      for (const { kind, id } of rows) await erase(session, kind as Buffer, id as Buffer);
      return rows.length;
    });
  }

  async healthy(): Promise<boolean> {
    try {
      await this.#pool.transaction((session) =>
        session.run(
          "INSERT INTO chartgate_meta (name, value) VALUES ('probe', ?) ON DUPLICATE KEY UPDATE value = VALUES(value)",
          [this.#now()],
        ),
      );
      return true;
    } catch {
      return false;
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #now(): number {
    return Math.floor(this.#clock.wall());
  }
}

function tableOf(unique: boolean): string {
  return unique ? 'chartgate_claim' : 'chartgate_entry';
}
