import { createHash } from 'node:crypto';
import { type Row, text } from './cells.ts';
import { TRIGGER_COLUMNS } from './result-sets.ts';

/**
 * Where SHOW CREATE has the text, by kind: it follows the name, and for some the SQL mode and, of an event, the
 * time zone.
 */
const TEXT_COLUMN: Readonly<Record<string, number>> = {
  TRIGGER: 2,
  PROCEDURE: 2,
  FUNCTION: 2,
  EVENT: 3,
  TABLE: 1,
};

/** Something that has a text, with the digest of what the catalogue shows of it. */
export interface Shown {
  readonly kind: string;
  readonly schema: string;
  readonly name: string;
  readonly digest: string;
}

/** Texts of triggers, routines, events and the audit's own tables, as they were written. */
export interface Texts {
  /** SHA-256 of the text, hex; empty when the server did not show it. */
  digest(kind: string, schema: string, name: string): string;
  /** True if it was read when the catalogue showed just these. */
  isOf(shown: readonly Shown[]): boolean;
}

const key = (kind: string, schema: string, name: string): string =>
  JSON.stringify([kind.toUpperCase(), schema, name]);

/** What of a text says what it does, and stays when names in front of it are written otherwise. */
function essence(kind: string, written: string): string {
  // The next free number is no part of a table's definition, nor is the order of its indexes. The columns' order
  // and character sets, which a server spells out or not, are among their facts.
  if (kind === 'TABLE') {
    return written
      .replace(/ AUTO_INCREMENT=\d+/, '')
      .replace(/ (CHARACTER SET|COLLATE) \w+/g, '')
      .split('\n')
      .map((line) => line.replace(/,$/, ''))
      .sort()
      .join('\n');
  }
  if (kind !== 'TRIGGER') return written;
  // MariaDB writes the table's name anew when the table is renamed. The facts have all that comes before.
  const start = written.search(/\bFOR\s+EACH\s+ROW\b/i);
  return start < 0 ? written : written.slice(start);
}

/**
 * Reads what the snapshot procedure returns with texts: for each object a row that names it and, when the guard may see it,
 * a row with its text. What is not shown has no digest, and so never equals what is expected.
 */
export function readTexts(sets: readonly (readonly Row[])[], shown: readonly Shown[]): Texts {
  const digests = new Map<string, string>();
  let named: { readonly kind: string; readonly schema: string; readonly name: string } | undefined;
  for (const [row] of sets) {
    if (row === undefined) continue;
    // SHOW CREATE has two columns of a table, and six or seven of anything else.
    if (row.length === 3 || row.length === TRIGGER_COLUMNS.length + 1) {
      named = { kind: text(row[0]).toUpperCase(), schema: text(row[1]), name: text(row[2]) };
      continue;
    }
    const column = named === undefined ? undefined : TEXT_COLUMN[named.kind];
    if (named !== undefined && column !== undefined && text(row[0]) === named.name) {
      const written = text(row[column]);
      if (written !== '') {
        const what = essence(named.kind, written);
        digests.set(
          key(named.kind, named.schema, named.name),
          createHash('sha256').update(what).digest('hex'),
        );
      }
    }
    named = undefined;
  }
  const then = new Map(shown.map((one) => [key(one.kind, one.schema, one.name), one.digest]));
  return {
    digest: (kind, schema, name) => digests.get(key(kind, schema, name)) ?? '',
    isOf: (now) =>
      now.length === then.size &&
      now.every((one) => then.get(key(one.kind, one.schema, one.name)) === one.digest),
  };
}
