import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Resource } from './resource.ts';

/** One version of a resource. */
export interface Version {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly updated: string;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Undefined: deleted with this version. */
  readonly resource: Resource | undefined;
}

interface Row {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly updated: string;
  readonly method: Version['method'];
  readonly content: string | null;
}

/** Every version of every resource, in one SQLite file. */
export class Store {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #latest: StatementSync;
  readonly #version: StatementSync;
  readonly #instance: StatementSync;
  readonly #ofType: StatementSync;
  readonly #history: StatementSync;
  /** Of a type, parsed; thrown away when something of it changes. */
  readonly #current = new Map<string, readonly Resource[]>();

  /** @param file a path, or `:memory:` */
  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec(
      'CREATE TABLE IF NOT EXISTS version (type TEXT, id TEXT, version INTEGER, updated TEXT, method TEXT, content TEXT, ' +
        'current INTEGER NOT NULL, PRIMARY KEY (type, id, version)) STRICT; ' +
        'CREATE INDEX IF NOT EXISTS current ON version (type, current)',
    );
    const columns = 'SELECT type, id, version, updated, method, content FROM version';
    this.#insert = this.#database.prepare('INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, 1)');
    this.#latest = this.#database.prepare(`${columns} WHERE type = ? AND id = ? AND current = 1`);
    this.#version = this.#database.prepare(`${columns} WHERE type = ? AND id = ? AND version = ?`);
    this.#instance = this.#database.prepare(`${columns} WHERE type = ? AND id = ? ORDER BY version DESC`);
    this.#ofType = this.#database.prepare(
      `${columns} WHERE type = ? AND current = 1 AND content IS NOT NULL ORDER BY id`,
    );
    this.#history = this.#database.prepare(`${columns} ORDER BY updated DESC, rowid DESC LIMIT 2000`);
  }

  latest(type: string, id: string): Version | undefined {
    return versionOf(this.#latest.get(type, id) as unknown as Row | undefined);
  }

  read(type: string, id: string): Resource | undefined {
    return this.latest(type, id)?.resource;
  }

  version(type: string, id: string, version: number): Version | undefined {
    return versionOf(this.#version.get(type, id, version) as unknown as Row | undefined);
  }

  /** Newest first. */
  history(type?: string, id?: string): readonly Version[] {
    const rows = (type !== undefined && id !== undefined
      ? this.#instance.all(type, id)
      : this.#history.all()) as unknown as Row[];
    return rows
      .filter((row) => type === undefined || row.type === type)
      .map((row) => versionOf(row))
      .filter((version) => version !== undefined);
  }

  types(): readonly string[] {
    const rows = this.#database.prepare('SELECT DISTINCT type FROM version ORDER BY type').all();
    return rows.map((row) => String(row.type));
  }

  all(type: string): readonly Resource[] {
    let known = this.#current.get(type);
    if (known === undefined) {
      known = (this.#ofType.all(type) as unknown as Row[]).map((row) => versionOf(row)?.resource as Resource);
      this.#current.set(type, known);
    }
    return known;
  }

  /** Writes the next version; `undefined` deletes. */
  write(method: Version['method'], type: string, id: string, resource: Resource | undefined): Version {
    const version = (this.latest(type, id)?.version ?? 0) + 1;
    const updated = new Date().toISOString();
    const stored =
      resource === undefined
        ? undefined
        : { ...resource, id, meta: { ...resource.meta, versionId: String(version), lastUpdated: updated } };
    this.#database
      .prepare('UPDATE version SET current = 0 WHERE type = ? AND id = ? AND current = 1')
      .run(type, id);
    this.#insert.run(
      type,
      id,
      version,
      updated,
      method,
      stored === undefined ? null : JSON.stringify(stored),
    );
    this.#current.delete(type);
    return { type, id, version, updated, method, resource: stored };
  }

  /** All of it or nothing. */
  together<T>(work: () => T): T {
    this.#database.exec('SAVEPOINT together');
    try {
      const result = work();
      this.#database.exec('RELEASE together');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK TO together; RELEASE together');
      this.#current.clear();
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function versionOf(row: Row | undefined): Version | undefined {
  if (row === undefined) return undefined;
  const { type, id, version, updated, method, content } = row;
  const resource = content === null ? undefined : (JSON.parse(content) as Resource);
  return { type, id, version, updated, method, resource };
}
