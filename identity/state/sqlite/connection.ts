import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../contracts/clock.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { isBusy, translated } from './errors.ts';
import { migrate, schemaVersion } from './migrate.ts';
import { judgeFile, judgeFolder, makeFile } from './place.ts';
import { MIGRATIONS, type Migration } from './schema.ts';

/** How long somebody waits for the lock of another process, milliseconds. Writes hold it for about one. */
const LONGEST_WAIT_MS = 5_000;
/** How often reads look whether another file was put in the store's place. */
const LOOK_MS = 1_000;

/**
 * - A commit is on the disk before it is confirmed (FULL): a code that was used stays used when the power fails.
 *   `loose` ones are written and not waited for (NORMAL).
 * - The file of changes beside the store does not stay as large as it once had to be.
 * - What was deleted is overwritten: a secret that was removed is not in a copy of the file.
 */
const SETTINGS = `
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA temp_store = MEMORY;
  PRAGMA journal_size_limit = 16777216;
`;

export interface SqliteOptions {
  readonly file: string;
  readonly migrations?: readonly Migration[];
  /** Told of the copy that was made before a migration. */
  readonly copied?: (path: string) => void;
}

/** What became of one of several writes of a commit. */
interface Outcome {
  readonly result?: unknown;
  readonly error?: unknown;
  readonly undone?: boolean;
}

interface Write {
  readonly work: () => unknown;
  readonly loose: boolean;
  settle(outcome: Outcome): void;
}

const NO_OUTCOME: Outcome = { error: new ChartgateError('internal', 'a write without an outcome') };

function settled<T>(outcome: Outcome, resolve: (value: T) => void, reject: (error: unknown) => void): void {
  if ('error' in outcome) reject(outcome.error);
  else resolve(outcome.result as T);
}

/**
 * The file, with the statements that were prepared for it. SQLite works on the calling thread: a transaction is
 * one function without an await in it, so those of one process never meet. Another process's lock is waited
 * for outside, with the event loop free.
 */
export class SqliteConnection {
  readonly file: string;
  readonly #migrations: readonly Migration[];
  #database: DatabaseSync | undefined;
  #statements = new Map<string, StatementSync>();
  #loose = false;
  /** Asked for in this turn of the event loop. */
  #writes: Write[] = [];
  #identity = '';
  #looked = 0;
  #closed = false;

  private constructor(options: SqliteOptions) {
    this.file = options.file;
    this.#migrations = options.migrations ?? MIGRATIONS;
  }

  /** @throws ChartgateError `state-unavailable` */
  static async open(options: SqliteOptions, clock: Clock): Promise<SqliteConnection> {
    const connection = new SqliteConnection(options);
    judgeFolder(options.file);
    makeFile(options.file);
    try {
      const copy = await connection.#patiently(() => {
        const database = connection.#connect();
        // Before anything is written into what may be somebody else's.
        schemaVersion(database, options.file, connection.#migrations.length);
        // Readers and one writer do not wait for each other. The mode stays with the file.
        database.exec('PRAGMA journal_mode = WAL');
        return migrate(database, options.file, clock.wall(), connection.#migrations);
      });
      if (copy !== undefined) options.copied?.(copy);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Only within `read` or `write`. */
  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#connect().prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  /** @throws ChartgateError `state-unavailable`, and what `work` throws of its own */
  async read<T>(work: () => T): Promise<T> {
    return this.#patiently(() => {
      if (performance.now() - this.#looked >= LOOK_MS) this.#look();
      return work();
    });
  }

  /**
   * One transaction: on the disk when this resolves, undone when `work` throws or returns false. What is asked for
   * in one turn of the event loop shares a commit, for each makes the process wait until the disk has it; what is
   * undone is undone alone. `work` may be called again, where another process held the lock.
   *
   * @param loose it survives the end of this process, and perhaps not that of the machine
   */
  write<T>(work: () => T, loose = false): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting: Write = { work, loose, settle: (outcome) => settled(outcome, resolve, reject) };
    if (this.#writes.push(waiting) === 1) setImmediate(() => void this.#commit());
    return promise;
  }

  /** Never rejects: each of the writes is told by itself. */
  async #commit(): Promise<void> {
    const writes = this.#writes;
    if (writes.length === 0) return;
    this.#writes = [];
    try {
      const outcomes = await this.#patiently(() => this.#transaction(writes));
      for (const [at, { settle }] of writes.entries()) settle(outcomes[at] ?? NO_OUTCOME);
    } catch (error) {
      for (const { settle } of writes) settle({ error });
    }
  }

  #transaction(writes: readonly Write[]): readonly Outcome[] {
    this.#look();
    const loose = writes.every((write) => write.loose);
    if (loose !== this.#loose) {
      this.prepare(`PRAGMA synchronous = ${loose ? 'NORMAL' : 'FULL'}`).run();
      this.#loose = loose;
    }
    this.prepare('BEGIN IMMEDIATE').run();
    try {
      const outcomes = writes.map((write) => this.#part(write));
      this.prepare(outcomes.every(({ undone }) => undone) ? 'ROLLBACK' : 'COMMIT').run();
      return outcomes;
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  /** @throws what concerns all of them: the file is locked, or the transaction is gone */
  #part({ work }: Write): Outcome {
    this.prepare('SAVEPOINT part').run();
    let outcome: Outcome;
    try {
      const result = work();
      outcome = { result, undone: result === false };
    } catch (error) {
      if (isBusy(error) || this.#database?.isTransaction !== true) throw error;
      outcome = { error: translated(error, this.file), undone: true };
    }
    if (outcome.undone) this.prepare('ROLLBACK TO part').run();
    this.prepare('RELEASE part').run();
    return outcome;
  }

  /** What was asked for before is written first. */
  close(): void {
    void this.#commit();
    this.#closed = true;
    this.#disconnect();
  }

  async #patiently<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + LONGEST_WAIT_MS;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) {
          // Whatever it was, the next call begins with a new connection.
          if (!(error instanceof ChartgateError) && !isBusy(error)) this.#disconnect();
          throw translated(error, this.file);
        }
      }
      await delay(1 + Math.random() * 4);
    }
  }

  #connect(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    if (this.#closed)
      throw new ChartgateError('state-unavailable', `${this.file}: the state store was closed.`);
    judgeFolder(this.file);
    // A file that is gone is not made anew: an empty store knows no locked account and no used code.
    const identity = judgeFile(this.file);
    // No waiting inside: it would stop every request of this process.
    const database = new DatabaseSync(this.file, { timeout: 0, allowExtension: false });
    try {
      database.exec(SETTINGS);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    this.#identity = identity;
    this.#looked = performance.now();
    return database;
  }

  /** Notices that the file was removed or another one put in its place, as when a backup is restored. */
  #look(): void {
    if (this.#database !== undefined) {
      let identity = '';
      try {
        identity = judgeFile(this.file);
      } finally {
        if (identity !== this.#identity) this.#disconnect();
      }
    }
    if (this.#database === undefined) {
      const database = this.#connect();
      if (schemaVersion(database, this.file, this.#migrations.length) !== this.#migrations.length) {
        this.#disconnect();
        throw new ChartgateError(
          'state-unavailable',
          `${this.file}: the state store was replaced by one of another schema; start again.`,
        );
      }
    }
    this.#looked = performance.now();
  }

  #undo(): void {
    try {
      if (this.#database?.isTransaction === true) this.#database.exec('ROLLBACK');
    } catch {
      this.#disconnect();
    }
  }

  #disconnect(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#loose = false;
    this.#statements = new Map();
    try {
      database?.close();
    } catch {
      // Nothing more can be done with it.
    }
  }
}
