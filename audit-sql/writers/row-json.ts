import type { Dialect } from '../dialect.ts';
import type { ColumnModel, TableModel } from '../model.ts';
import { ident } from '../names.ts';
import { concatenated, type ValueWriter, valueWriter } from './values.ts';

/**
 * Where a column's value is read from, as SQL: `OLD`.`c`, `NEW`.`c`, a column of an aliased table, or any
 * expression of the column's own type.
 */
export type RowReference = (column: ColumnModel) => string;

/** The row called `OLD`, `NEW` or by the alias of a table; the alias is written as it is. */
export function rowOf(alias: string): RowReference {
  return (column) => `${alias}.${ident(column.name)}`;
}

/** A column and how its value is written. */
export interface Writing {
  readonly column: ColumnModel;
  readonly value: ValueWriter;
}

/** The columns of a table as the audit writes them. */
export interface RowWritings {
  /** What names the row, in the order of the key; empty for a table without one. */
  readonly key: readonly Writing[];
  /** What is recorded of a row. Generated columns follow from the others; only a key may hold them. */
  readonly stored: readonly Writing[];
}

/** @param maximumBinaryBytes binary values longer than this are recorded as length and SHA-256 */
export function rowWritings(table: TableModel, dialect: Dialect, maximumBinaryBytes: number): RowWritings {
  const all = table.columns.map((column) => ({
    column,
    value: valueWriter(column, dialect, maximumBinaryBytes),
  }));
  return {
    key: table.key.flatMap((name) => all.filter(({ column }) => column.name === name)),
    stored: all.filter(({ column }) => !column.generated),
  };
}

/**
 * Ends the statement when `text` is NULL: text functions give NULL and no error beyond `max_allowed_packet`,
 * and a change that cannot be recorded must not happen. No DOUBLE holds that power, nor is the text a number in
 * strict mode; the error quotes it either way, and so says what to raise. Not the variable itself: an engine
 * looks that up for every row, under its locks, whether the text is NULL or not.
 */
function orFail(text: string): string {
  return `IFNULL(${text}, EXP('9e9: raise max_allowed_packet'))`;
}

/**
 * JSON text `{"column":value,…}`, without white space, in the order given, on either engine. Never NULL.
 * Made by CONCAT of few parts: what an engine takes for a trigger grows with the number of its parts, and
 * JSON_OBJECT would escape every name for every row.
 */
export function jsonObject(writings: readonly Writing[], row: RowReference, indent: string): string {
  const pieces = writings.flatMap(({ column, value }, index) => [
    { text: `${index === 0 ? '{' : ','}${JSON.stringify(column.name)}:` },
    ...value.pieces(row(column)),
  ]);
  const args = concatenated([...pieces, { text: writings.length === 0 ? '{}' : '}' }]);
  const text = concat(args, indent);
  return mostBytes(writings) <= SMALLEST_PACKET ? text : orFail(text);
}

/** Bytes; no server's `max_allowed_packet` is less. */
const SMALLEST_PACKET = 1_024;

/** The most bytes that the JSON text of these columns can have, braces, names and commas included. */
function mostBytes(writings: readonly Writing[]): number {
  return writings.reduce(
    (bytes, { column, value }) =>
      bytes +
      Buffer.byteLength(JSON.stringify(column.name)) +
      2 +
      (value.mostBytes ?? Number.POSITIVE_INFINITY),
    2,
  );
}

/** Columns that are compared at once: only where one of them changed are they looked at one by one. */
const COMPARED_AT_ONCE = 7;

/**
 * Statements that append `,"column":[old,new]` to a text variable for every column whose values differ by
 * a single byte. An engine prepares each expression that it comes to anew, row by row, so the cost lies in
 * how many it comes to.
 */
export function collectChanges(
  writings: readonly Writing[],
  before: RowReference,
  after: RowReference,
  variable: string,
): string {
  const groups: string[] = [];
  for (let at = 0; at < writings.length; at += COMPARED_AT_ONCE) {
    const group = writings.slice(at, at + COMPARED_AT_ONCE);
    const steps = group.map(({ column, value }) => {
      const [old, now] = [before(column), after(column)];
      return [
        `    IF ${value.unchanged(old, now)} THEN BEGIN END;`,
        `    ELSE SET ${variable} = CONCAT(${[variable, ...member(column, value, old, now, ',')].join(', ')}); END IF;`,
      ].join('\n');
    });
    const unchanged = group.map(({ column, value }) => value.unchanged(before(column), after(column)));
    groups.push(
      group.length === 1
        ? steps.join('\n')
        : `  IF ${unchanged.join('\n    AND ')} THEN BEGIN END;\n  ELSE\n${steps.join('\n')}\n  END IF;`,
    );
  }
  return groups.join('\n');
}

/** The text of what `collectChanges` collected, never NULL. */
export function collectedChanges(variable: string): string {
  return orFail(`CONCAT('{', SUBSTR(${variable}, 2), '}')`);
}

/** JSON text `{"column":[old,new],…}` of the same in one expression, for use in a SELECT. Never NULL. */
export function changes(
  writings: readonly Writing[],
  before: RowReference,
  after: RowReference,
  indent: string,
): string {
  if (writings.length === 0) return "'{}'";
  const members = writings.map(({ column, value }) => {
    const [old, now] = [before(column), after(column)];
    const changed = orFail(`CONCAT(${member(column, value, old, now, '').join(', ')})`);
    return `IF(${value.unchanged(old, now)}, NULL, ${changed})`;
  });
  return orFail(`CONCAT('{', CONCAT_WS(',',\n${indent}  ${members.join(`,\n${indent}  `)}\n${indent}), '}')`);
}

/** Arguments of CONCAT for `"column":[old,new]`. */
function member(
  column: ColumnModel,
  value: ValueWriter,
  old: string,
  now: string,
  before: ',' | '',
): readonly string[] {
  return concatenated([
    { text: `${before}${JSON.stringify(column.name)}:[` },
    ...value.pieces(old),
    { text: ',' },
    ...value.pieces(now),
    { text: ']' },
  ]);
}

/** A CONCAT with a column a line, for a reader. */
function concat(args: readonly string[], indent: string): string {
  if (args.length <= 4) return `CONCAT(${args.join(', ')})`;
  const lines: string[] = [];
  for (let at = 0; at < args.length; at += 2) lines.push(args.slice(at, at + 2).join(', '));
  return `CONCAT(\n${indent}  ${lines.join(`,\n${indent}  `)}\n${indent})`;
}
