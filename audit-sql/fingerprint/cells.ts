import type { Connection } from 'mysql2/promise';

/** What a driver makes of a value. */
export type Cell = string | number | bigint | Buffer | Date | null | undefined;
export type Row = readonly Cell[];

export function text(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (Buffer.isBuffer(cell)) return cell.toString('utf8');
  if (cell instanceof Date) return cell.toISOString();
  return String(cell);
}

export function integer(cell: Cell): number {
  return Number(text(cell));
}

export function optional(cell: Cell): string | null {
  return cell === null || cell === undefined ? null : text(cell);
}

/** Rows are told apart by position: names of columns are a server's to choose. */
export async function rows(connection: Connection, sql: string): Promise<unknown[]> {
  const [result] = await connection.query({ sql, rowsAsArray: true });
  return result as unknown as unknown[];
}

/** The result sets of a procedure, without its summary. */
export async function resultSets(connection: Connection, sql: string): Promise<(readonly Row[])[]> {
  const answer = await rows(connection, sql);
  return answer.filter((part): part is Row[] => Array.isArray(part));
}
