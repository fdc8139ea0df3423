import type { Connection } from 'mysql2/promise';
import type { TableModel } from '../model.ts';
import { type AuditNames, literal } from '../names.ts';
import { type AuditEntry, decodeEntry, type EncodedRow, keyAfter, rowText } from './entry.ts';
import { readParent, selectEntries, TRAIL_TABLES } from './read.ts';
import { streamText, textRows } from './rows.ts';

const WHAT = 'the audit trail';

/** Finds the audit rows of single records. Call it within `inSnapshot`; what was read is kept. */
export interface RecordLookup {
  /** The rows whose key before the change is this one, in order of number, without cascades that did not happen. */
  rowsOf(key: EncodedRow): Promise<readonly AuditEntry[]>;
  /** The last change of key to this one, with a number between the two. */
  moveTo(key: EncodedRow, after: bigint, before: bigint | undefined): Promise<AuditEntry | undefined>;
  /** The change that caused a cascade. */
  parentOf(cascade: AuditEntry): Promise<AuditEntry | undefined>;
}

/**
 * Every text that a trigger may have written for a key: of this generator, and of the first, which left it
 * to the server's JSON functions. Escapes are the server's own.
 */
async function keyTexts(connection: Connection, key: EncodedRow): Promise<string[]> {
  const answer = await textRows(
    connection,
    `SELECT ${[...key].map(([, value]) => (typeof value === 'string' ? `JSON_QUOTE(_utf8mb4${literal(value)})` : literal(JSON.stringify(value)))).join(', ')}`,
    WHAT,
  );
  const tokens = answer[0] ?? [];
  const members = [...key.keys()].map((name, i) => ({
    name,
    quoted: JSON.stringify(name),
    token: tokens[i],
  }));
  const spaced = (list: typeof members): string =>
    `{${list.map(({ quoted, token }) => `${quoted}: ${token}`).join(', ')}}`;
  // MySQL orders the members of a JSON value by length, then by bytes.
  const ordered = members.toSorted(
    (a, b) =>
      Buffer.byteLength(a.name) - Buffer.byteLength(b.name) ||
      Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const compact = `{${members.map(({ quoted, token }) => `${quoted}:${token}`).join(',')}}`;
  return [...new Set([compact, spaced(members), spaced(ordered)])];
}

export function recordLookup(connection: Connection, names: AuditNames, table: TableModel): RecordLookup {
  const rows = new Map<string, readonly AuditEntry[]>();
  const parents = new Map<bigint, AuditEntry | undefined>();
  let moves: readonly AuditEntry[] | undefined;

  const parentOf = async (cascade: AuditEntry): Promise<AuditEntry | undefined> => {
    if (!parents.has(cascade.id)) parents.set(cascade.id, await readParent(connection, names, cascade));
    return parents.get(cascade.id);
  };

  /** Only what happened. */
  const real = async (entries: readonly AuditEntry[]): Promise<AuditEntry[]> => {
    const kept: AuditEntry[] = [];
    for (const entry of entries) {
      if (!entry.operation.startsWith('cascade-') || (await parentOf(entry)) !== undefined) kept.push(entry);
    }
    return kept;
  };

  const rowsOf = async (key: EncodedRow): Promise<readonly AuditEntry[]> => {
    const text = rowText(key);
    const known = rows.get(text);
    if (known !== undefined) return known;
    const texts = (await keyTexts(connection, key)).map(literal).join(', ');
    const found: AuditEntry[] = [];
    for (const trail of TRAIL_TABLES) {
      const where = ` WHERE emr_table = ${literal(table.name)} AND row_key IN (${texts}) ORDER BY id`;
      for (const cells of await textRows(connection, selectEntries(names, trail, where), WHAT)) {
        found.push(decodeEntry(cells));
      }
    }
    const kept = await real(found);
    rows.set(text, kept);
    return kept;
  };

  /** One pass over the table's updates, made only when a record came from nowhere; changes of a key are rare. */
  const allMoves = async (): Promise<readonly AuditEntry[]> => {
    if (moves !== undefined) return moves;
    const touched = table.key
      .map((name) => `LOCATE(${literal(`${JSON.stringify(name)}:[`)}, changes) > 0`)
      .concat(table.key.map((name) => `LOCATE(${literal(`${JSON.stringify(name)}: [`)}, changes) > 0`));
    const found: AuditEntry[] = [];
    for (const trail of TRAIL_TABLES) {
      const where = ` WHERE emr_table = ${literal(table.name)} AND operation IN ('update', 'cascade-update')
          AND (${touched.join(' OR ')}) ORDER BY id`;
      for await (const cells of streamText(connection, selectEntries(names, trail, where), WHAT)) {
        const entry = decodeEntry(cells);
        if (keyAfter(entry) !== entry.key) found.push(entry);
      }
    }
    moves = await real(found);
    return moves;
  };

  const moveTo = async (
    key: EncodedRow,
    after: bigint,
    before: bigint | undefined,
  ): Promise<AuditEntry | undefined> => {
    const wanted = rowText(key);
    return (await allMoves()).findLast((entry) => {
      const now = keyAfter(entry);
      return (
        entry.id > after &&
        (before === undefined || entry.id < before) &&
        now !== undefined &&
        rowText(now) === wanted
      );
    });
  };

  return { rowsOf, moveTo, parentOf };
}
