import { createHash } from 'node:crypto';

type Cell = string | number | bigint | Buffer | Date | null | undefined;
type Row = readonly Cell[];

/** Where SHOW CREATE has the text, by kind: it follows the name, the SQL mode and, of an event, the time zone. */
const TEXT_COLUMN: Readonly<Record<string, number>> = { TRIGGER: 2, PROCEDURE: 2, FUNCTION: 2, EVENT: 3 };

function text(cell: Cell): string {
  return Buffer.isBuffer(cell) ? cell.toString('utf8') : String(cell ?? '');
}

/** Texts of triggers, routines and events as they were written, by kind, schema and name. */
export interface Originals {
  /** SHA-256 of the text, hex; empty when the server did not show it. */
  digest(kind: string, schema: string, name: string): string;
}

/**
 * Reads what follows the fixed result sets on MySQL: for each object one that names it and, when the guard
 * may see it, one with its text. What is not shown has no digest, and so never equals what is expected.
 */
export function readOriginals(sets: readonly (readonly Row[])[]): Originals {
  const digests = new Map<string, string>();
  const key = (kind: string, schema: string, name: string): string => JSON.stringify([kind, schema, name]);
  let named: { readonly kind: string; readonly schema: string; readonly name: string } | undefined;
  for (const [row] of sets) {
    if (row === undefined) continue;
    // SHOW CREATE has six columns or more.
    if (row.length === 3) {
      named = { kind: text(row[0]).toUpperCase(), schema: text(row[1]), name: text(row[2]) };
      continue;
    }
    const column = named === undefined ? undefined : TEXT_COLUMN[named.kind];
    if (named !== undefined && column !== undefined && text(row[0]) === named.name) {
      const written = text(row[column]);
      if (written !== '') {
        digests.set(
          key(named.kind, named.schema, named.name),
          createHash('sha256').update(written).digest('hex'),
        );
      }
    }
    named = undefined;
  }
  return { digest: (kind, schema, name) => digests.get(key(kind.toUpperCase(), schema, name)) ?? '' };
}
