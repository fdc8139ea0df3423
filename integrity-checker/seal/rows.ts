import type { Connection } from 'mysql2/promise';
import { rowHashQuery, type SealedTable } from '../../audit-sql/fingerprint/index.ts';
import { qualified, ROW_HASHES_PROCEDURE, TRANSACTIONS_PROCEDURE } from '../../audit-sql/names.ts';
import { ChartgateError } from '../../contracts/errors.ts';

/** A row of an audit table, as little of it as leaves the server. */
export interface HashedRow {
  readonly id: number;
  readonly hash: Buffer;
}

export interface Transactions {
  /** Those that have written something and are not over. */
  readonly writing: ReadonlySet<string>;
  /** When the one that asks began, by the server; undefined when the list does not have it and so is old. */
  readonly own: string | undefined;
}

export interface RowReader {
  /** Rows from one id to another, both included, by id; without `last` up to the highest there is. */
  hashes(
    table: SealedTable,
    first: number,
    last: number | undefined,
    most: number,
  ): Promise<readonly HashedRow[]>;
  transactions(): Promise<Transactions>;
}

type Cell = string | number | bigint | Buffer | Date | null;

const HIGHEST = '18446744073709551615';

function unusable(sentence: string): ChartgateError {
  return new ChartgateError('database-unsupported', sentence);
}

function hashedRow(cells: readonly Cell[]): HashedRow {
  const [rawId, hash] = cells;
  const id = Number(rawId);
  // An id this high was not given out by the table: it would end the numbering of all that follow.
  if (!Number.isSafeInteger(id))
    throw unusable('An audit row has an id beyond 2^53, which no trigger writes.');
  if (!Buffer.isBuffer(hash) || hash.length !== 32) throw unusable('The server computed no SHA-256.');
  return { id, hash };
}

function firstSet(answer: unknown): readonly (readonly Cell[])[] {
  const sets = answer as unknown[];
  if (!Array.isArray(sets) || !Array.isArray(sets[0])) {
    throw unusable('The guard procedure returned nothing; make it anew with the guard script.');
  }
  return sets[0] as readonly (readonly Cell[])[];
}

/** Through the guard procedures: what the checker's own user may do. */
export function guardedRows(connection: Connection, auditSchema: string): RowReader {
  const hashes = `CALL ${qualified(auditSchema, ROW_HASHES_PROCEDURE)}(?, ?, ?, ?)`;
  const transactions = `CALL ${qualified(auditSchema, TRANSACTIONS_PROCEDURE)}()`;
  return {
    async hashes(table, first, last, most) {
      const values = [table, String(first), last === undefined ? HIGHEST : String(last), most];
      const [answer] = await connection.query({ sql: hashes, values, rowsAsArray: true });
      return firstSet(answer).map(hashedRow);
    },
    async transactions() {
      const [answer] = await connection.query({ sql: transactions, rowsAsArray: true });
      const rows = firstSet(answer);
      const own = rows.find((row) => String(row[1]) === '1');
      return {
        writing: new Set(rows.filter((row) => row !== own).map((row) => String(row[0]))),
        own: own === undefined ? undefined : String(own[2]),
      };
    },
  };
}

/**
 * With SELECT on the audit tables: for an auditor, who need not trust the guard procedures to be what they
 * should be.
 */
export function directRows(connection: Connection, auditSchema: string): Pick<RowReader, 'hashes'> {
  return {
    async hashes(table, first, last, most) {
      const id = 'CAST(? AS UNSIGNED)';
      const sql = rowHashQuery(auditSchema, table, { first: id, last: id, most: '?' });
      const values = [String(first), last === undefined ? HIGHEST : String(last), most];
      const [answer] = await connection.query({ sql, values, rowsAsArray: true });
      return (answer as unknown as readonly (readonly Cell[])[]).map(hashedRow);
    },
  };
}
