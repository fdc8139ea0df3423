import type { Session } from './session.ts';

/** One step forwards. Each statement can be made again: DDL commits by itself and a server may stop between two. */
export type Migration = readonly string[];

const TABLE = 'ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
const KIND = 'kind VARBINARY(32) NOT NULL';
const ID = 'id VARBINARY(191) NOT NULL';
/** 255 UTF-16 units are at most 765 bytes. */
const VALUE = 'name VARBINARY(32) NOT NULL, value VARBINARY(765) NOT NULL';

/**
 * As on SQLite: documents; values by which they are found; values that no two share. Ids and values are bytes,
 * which no collation compares: not without case, and not without trailing spaces (PAD SPACE).
 */
const first: Migration = [
  `CREATE TABLE IF NOT EXISTS chartgate_document (
     ${KIND}, ${ID}, version BIGINT NOT NULL, body MEDIUMTEXT NOT NULL, indexes TEXT NOT NULL,
     created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
     PRIMARY KEY (kind, id), KEY expiry (expires_at)
   ) ${TABLE}`,
  `CREATE TABLE IF NOT EXISTS chartgate_entry (
     ${KIND}, ${VALUE}, ${ID}, PRIMARY KEY (kind, name, value, id), KEY owner (kind, id)
   ) ${TABLE}`,
  `CREATE TABLE IF NOT EXISTS chartgate_claim (
     ${KIND}, ${VALUE}, ${ID}, PRIMARY KEY (kind, name, value), KEY owner (kind, id)
   ) ${TABLE}`,
];

/** The schema's version is how many of these a database has behind it (`chartgate_meta`, `schema`). */
export const MIGRATIONS: readonly Migration[] = Object.freeze([first]);

/** Numbers by name: `schema`, the version; `probe`, written to see that the store can be. */
export async function makeMeta(session: Session): Promise<void> {
  await session.run(
    `CREATE TABLE IF NOT EXISTS chartgate_meta (name VARBINARY(32) NOT NULL PRIMARY KEY, value BIGINT NOT NULL) ${TABLE}`,
  );
}
