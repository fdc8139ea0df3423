import type { Dialect } from '../dialect.ts';
import type { ColumnModel, TableModel } from '../model.ts';
import { ident, literal } from '../names.ts';
import { memberStart, type ValueWriter, valueWriter } from './values.ts';

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
 * and a change that cannot be recorded must not happen. The number is no DOUBLE in any SQL mode; the error
 * quotes the expression, and so says what to raise.
 */
function orFail(text: string): string {
  return `IFNULL(${text}, EXP(@@max_allowed_packet))`;
}

/**
 * JSON text `{"column":value,…}` with exactly these characters on either engine, in the order given: for
 * keys, which are looked up by their text. Never NULL.
 */
export function jsonObject(writings: readonly Writing[], row: RowReference, indent: string): string {
  if (writings.length === 0) return "'{}'";
  const members = writings.map(
    ({ column, value }, index) =>
      `${memberStart(column, index === 0 ? '{' : ',')}, ${value.token(row(column))}`,
  );
  return orFail(call('CONCAT', [...members, "'}'"], indent));
}

/**
 * The same members in what is the cheapest text to make, for whole rows: their order and the white space
 * are the engine's. Never NULL.
 */
export function wholeRow(writings: readonly Writing[], row: RowReference, indent: string): string {
  const cheap = writings.flatMap(({ column, value }) =>
    value.argument === undefined ? [] : [`${literal(column.name)}, ${value.argument(row(column))}`],
  );
  const others = writings.filter(({ value }) => value.argument === undefined);
  if (cheap.length === 0) return jsonObject(writings, row, indent);
  if (others.length === 0) return orFail(call('JSON_OBJECT', cheap, indent));
  const members = others.map(
    ({ column, value }, index) =>
      `${memberStart(column, index === 0 ? '{' : ',')}, ${value.token(row(column))}`,
  );
  const rest = `SUBSTR(${call('JSON_OBJECT', cheap, `${indent}  `)}, 2)`;
  return orFail(call('CONCAT', [...members, "','", rest], indent));
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
        `    ELSE SET ${variable} = CONCAT(${variable}, ${memberStart(column, ',')}, ${pair(value, old, now)}); END IF;`,
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
    const member = orFail(`CONCAT(${memberStart(column, '')}, ${pair(value, old, now)})`);
    return `IF(${value.unchanged(old, now)}, NULL, ${member})`;
  });
  return orFail(`CONCAT('{', ${call('CONCAT_WS', ["','", ...members], indent)}, '}')`);
}

function pair(value: ValueWriter, old: string, now: string): string {
  return value.argument === undefined
    ? `'[', ${value.token(old)}, ',', ${value.token(now)}, ']'`
    : `JSON_ARRAY(${value.argument(old)}, ${value.argument(now)})`;
}

function call(name: string, args: readonly string[], indent: string): string {
  return args.length <= 2
    ? `${name}(${args.join(', ')})`
    : `${name}(\n${indent}  ${args.join(`,\n${indent}  `)}\n${indent})`;
}
