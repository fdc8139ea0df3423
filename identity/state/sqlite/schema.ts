import type { DatabaseSync } from 'node:sqlite';

/** Marks the file as ours among SQLite files: "Cgst". */
export const APPLICATION_ID = 0x43_67_73_74;

/** One step forwards. Steps are never changed once released and never undone. */
export type Migration = (database: DatabaseSync) => void;

/**
 * Documents; values by which they are found (`entry`); values that no two share (`claim`). Kinds are not
 * tables, so that a new kind, or index, needs no migration. Text is compared byte by byte (BINARY).
 */
const first: Migration = (database) => {
  database.exec(`
    CREATE TABLE document (
      kind TEXT NOT NULL,
      id TEXT NOT NULL,
      version INTEGER NOT NULL,
      body TEXT NOT NULL,
      indexes TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      PRIMARY KEY (kind, id)
    ) STRICT;
    CREATE INDEX document_expiry ON document (expires_at) WHERE expires_at < 9007199254740991;
    CREATE TABLE entry (
      kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
      PRIMARY KEY (kind, name, value, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX entry_owner ON entry (kind, id);
    CREATE TABLE claim (
      kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
      PRIMARY KEY (kind, name, value)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX claim_owner ON claim (kind, id);
    CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;
    INSERT INTO probe VALUES (1, 0);
  `);
};

/** The schema's version is how many of these a file has behind it (`PRAGMA user_version`). */
export const MIGRATIONS: readonly Migration[] = Object.freeze([first]);
