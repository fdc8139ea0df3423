import { createHash } from 'node:crypto';
import type { Connection } from 'mysql2/promise';
import { ChartgateError } from '../../contracts/errors.ts';
import type { ColumnModel, TableModel } from '../model.ts';
import { ident, literal, printable, qualified } from '../names.ts';
import { MAXIMUM_BINARY_BYTES } from '../writers/triggers.ts';
import type { EncodedRow } from './entry.ts';
import type { ReplayOptions, TableContent } from './replay.ts';
import { holdsBytes, isHashOnly, RESTORE_SESSION, restoreSql } from './restore.ts';
import { readingFailed, streamRows } from './rows.ts';

/** A schema that `restoreSchema` may drop ends with this. */
export const REPLAY_SUFFIX = '_replay';

/** Characters of one INSERT; the server's smallest packet limit by default is 4 MB. */
const BATCH = 500_000;

function written(table: TableModel): readonly ColumnModel[] {
  return table.columns.filter((column) => !column.generated);
}

function* everyRow(content: TableContent): Generator<EncodedRow> {
  for (const { values } of content.rows.values()) yield values;
  for (const { row, count } of content.bag.values()) for (let i = 0; i < count; i += 1) yield row;
}

/**
 * Makes the schema `target` anew and fills it: each table as in the EMR but without foreign keys and
 * triggers, with the rows of `content`. Generated columns are computed by the server again.
 *
 * For proving the trail on a test's own server. Sets the session's SQL mode, time zone and checks.
 * @param target must end with `_replay`; whatever it holds is dropped
 * @returns how many values were put in place as a hash only
 */
export async function restoreSchema(
  connection: Connection,
  options: ReplayOptions,
  content: ReadonlyMap<string, TableContent>,
  target: string,
): Promise<number> {
  if (!target.endsWith(REPLAY_SUFFIX) || target === options.names.emrSchema) {
    throw new ChartgateError('usage', `The schema to restore into must end with ${REPLAY_SUFFIX}.`);
  }
  const run = async (sql: string, what: string): Promise<void> => {
    try {
      await connection.query(sql);
    } catch (error) {
      throw readingFailed(error, what);
    }
  };
  for (const sql of RESTORE_SESSION) await run(sql, 'the session');
  await run('SET SESSION foreign_key_checks = 0, SESSION innodb_strict_mode = OFF', 'the session');
  if (options.server.engine === 'mariadb') {
    // A hash in the place of a value need not satisfy what the value did.
    await run('SET SESSION check_constraint_checks = 0', 'the session');
  }
  await run(`DROP DATABASE IF EXISTS ${ident(target)}`, 'the schema to restore into');
  await run(`CREATE DATABASE ${ident(target)}`, 'the schema to restore into');
  let hashes = 0;
  for (const table of options.model.tables) {
    const what = `the restored table ${printable(table.name)}`;
    const name = qualified(target, table.name);
    await run(`CREATE TABLE ${name} LIKE ${qualified(options.names.emrSchema, table.name)}`, what);
    const columns = written(table);
    const into = `INSERT INTO ${name} (${columns.map((c) => ident(c.name)).join(', ')}) VALUES\n`;
    let batch: string[] = [];
    let size = 0;
    await run('START TRANSACTION', what);
    for (const row of everyRow(content.get(table.name) ?? { rows: new Map(), bag: new Map() })) {
      const values = columns.map((column) => {
        const value = row.get(column.name) ?? null;
        if (isHashOnly(column, value)) hashes += 1;
        return restoreSql(column, value);
      });
      const text = `(${values.join(', ')})`;
      if (size + text.length > BATCH && batch.length > 0) {
        await run(into + batch.join(',\n'), what);
        [batch, size] = [[], 0];
      }
      batch.push(text);
      size += text.length;
    }
    if (batch.length > 0) await run(into + batch.join(',\n'), what);
    await run('COMMIT', what);
  }
  return hashes;
}

/** How a restored table compares with the EMR's. */
export interface RestoredDifference {
  readonly table: string;
  readonly equal: number;
  /** Rows, or copies of a row, that only the restored table has. */
  readonly missing: number;
  /** Rows, or copies of a row, that only the EMR's table has. */
  readonly extra: number;
}

/** The column's bytes as they are stored, or as exactly as the protocol can show them. */
function bytes(column: ColumnModel, maximumBinaryBytes: number): string {
  const name = `t.${ident(column.name)}`;
  // Six digits alone; a double shows all of them.
  if (column.dataType === 'float') return `${name} * 1e0`;
  if (column.dataType === 'json') return `CAST(${name} AS CHAR)`;
  if (!holdsBytes(column)) return name;
  const raw = `CAST(${name} AS BINARY)`;
  // NULL is what a spatial value beyond the limit was restored as; compared as hash where the column can hold one.
  const beyond = /blob|binary/.test(column.dataType)
    ? `CONCAT('sha256:', SHA2(${name}, 256), ':', LENGTH(${name}))`
    : 'NULL';
  return `IF(LENGTH(${name}) > ${maximumBinaryBytes}, ${beyond}, ${raw})`;
}

async function digests(
  connection: Connection,
  schema: string,
  table: TableModel,
  maximumBinaryBytes: number,
): Promise<Map<string, number>> {
  const columns = table.columns.filter((c) => c.generation !== 'row-start' && c.generation !== 'row-end');
  const sql = `SELECT ${columns.map((c, i) => `${bytes(c, maximumBinaryBytes)} AS c${i}`).join(', ')} FROM ${qualified(schema, table.name)} AS t`;
  const found = new Map<string, number>();
  for await (const row of streamRows(connection, sql, `the table ${printable(table.name)}`)) {
    const hash = createHash('sha256');
    for (const cell of row) {
      // Length first: no two different rows give the same bytes.
      hash.update(`${cell === null ? -1 : cell.length}:`);
      if (cell !== null) hash.update(cell);
    }
    const digest = hash.digest('latin1');
    found.set(digest, (found.get(digest) ?? 0) + 1);
  }
  return found;
}

/**
 * Compares every table of the EMR with its restored twin, both ways, rows as multisets, by the bytes that
 * the server holds: no character set, collation or encoding of ours is between. Values beyond the binary
 * limit are compared by hash.
 */
export async function compareRestored(
  connection: Connection,
  options: ReplayOptions,
  target: string,
): Promise<RestoredDifference[]> {
  const limit = options.maximumBinaryBytes ?? MAXIMUM_BINARY_BYTES;
  const results: RestoredDifference[] = [];
  try {
    // No conversion on the way here, and one zone for all times.
    await connection.query(
      `SET SESSION character_set_results = NULL, SESSION time_zone = '+00:00', SESSION sql_mode = ${literal('')}`,
    );
    for (const table of options.model.tables) {
      const live = await digests(connection, options.names.emrSchema, table, limit);
      const restored = await digests(connection, target, table, limit);
      let [equal, missing, extra] = [0, 0, 0];
      for (const [digest, times] of restored) {
        const other = live.get(digest) ?? 0;
        equal += Math.min(times, other);
        missing += Math.max(0, times - other);
      }
      for (const [digest, times] of live) extra += Math.max(0, times - (restored.get(digest) ?? 0));
      results.push({ table: table.name, equal, missing, extra });
    }
  } finally {
    await connection.query('SET NAMES utf8mb4 COLLATE utf8mb4_bin').catch(() => {});
  }
  return results;
}
