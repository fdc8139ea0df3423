import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A value that `JSON.stringify` shows as it is. */
export type Json =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  /** Printed below, one a line. */
  readonly footnotes: readonly string[];
}

/** Something the project promises. `measured` is undefined when it could not be measured. */
export interface Floor {
  readonly name: string;
  readonly bound: 'at-least' | 'at-most';
  readonly limit: number;
  readonly unit: string;
  readonly measured: number | undefined;
  /** A floor against a program that is not installed is named and passed over; any other must be measured to be met. */
  readonly optional: boolean;
}

export interface MeasureOptions {
  /** Under 45 s, with fewer and shorter rounds. */
  readonly short: boolean;
  /** Names of subjects to measure; all when undefined. */
  readonly only: ReadonlySet<string> | undefined;
  /** How long what has no end of its own goes on, such as each parser's fuzzing; undefined: as long as it does by itself. */
  readonly minutes?: number | undefined;
  /** Says what is going on, for a person who waits. */
  readonly progress: (line: string) => void;
}

export interface MeasureResult {
  readonly tables: readonly Table[];
  readonly floors: readonly Floor[];
  /** Why the figures cannot be trusted; any makes the run a failure. */
  readonly problems: readonly string[];
  /** What a reader should know of how the figures came about. */
  readonly notes: readonly string[];
  /** Every figure. */
  readonly figures: { readonly [name: string]: Json };
}

export interface Measurement {
  readonly title: string;
  run(options: MeasureOptions): Promise<MeasureResult>;
}

export type FloorState = 'met' | 'missed' | 'not measured' | 'passed over';

export function floorState(floor: Floor): FloorState {
  const { measured } = floor;
  if (measured === undefined || Number.isNaN(measured))
    return floor.optional ? 'passed over' : 'not measured';
  const met = floor.bound === 'at-least' ? measured >= floor.limit : measured <= floor.limit;
  return met ? 'met' : 'missed';
}

/** True only when every floor is met (or rightly passed over) and nothing makes the figures doubtful. */
export function isOk(result: MeasureResult): boolean {
  return (
    result.problems.length === 0 &&
    result.floors.every((floor) => {
      const state = floorState(floor);
      return state === 'met' || state === 'passed over';
    })
  );
}

/** The table as lines of text, columns aligned. */
export function formatTable(table: Table): string {
  const widths = table.columns.map((column, index) =>
    Math.max(column.title.length, ...table.rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    table.columns
      .map((column, index) => {
        const cell = cells[index] ?? '';
        const width = widths[index] ?? 0;
        return column.align === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [
    table.title,
    '',
    line(table.columns.map((column) => column.title)),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...table.rows.map(line),
    ...(table.footnotes.length > 0 ? [''] : []),
    ...table.footnotes,
  ].join('\n');
}

export function formatFloor(floor: Floor): string {
  const bound = floor.bound === 'at-least' ? 'at least' : 'at most';
  const measured =
    floor.measured === undefined || Number.isNaN(floor.measured)
      ? 'no figure'
      : `${floor.measured.toFixed(2)}${floor.unit}`;
  return `${floorState(floor).toUpperCase()}: ${floor.name}: ${measured}, promised ${bound} ${floor.limit}${floor.unit}`;
}

/** Everything a person reads, in order: tables, notes, floors, problems. */
export function formatResult(result: MeasureResult): string {
  const parts = result.tables.map(formatTable);
  if (result.notes.length > 0) parts.push(result.notes.map((note) => `- ${note}`).join('\n'));
  if (result.floors.length > 0) parts.push(result.floors.map(formatFloor).join('\n'));
  if (result.problems.length > 0)
    parts.push(result.problems.map((problem) => `INVALID: ${problem}`).join('\n'));
  return parts.join('\n\n');
}

/** The one object that `--json` prints and that is kept in `.work/measure/NAME.json`. */
export function toJson(
  name: string,
  options: Pick<MeasureOptions, 'short' | 'only'>,
  startedAt: Date,
  result: MeasureResult,
): { readonly [name: string]: Json } {
  return {
    measurement: name,
    startedAt: startedAt.toISOString(),
    short: options.short,
    only: options.only === undefined ? null : [...options.only],
    ...result.figures,
    floors: result.floors.map((floor) => ({
      ...floor,
      measured: floor.measured ?? null,
      state: floorState(floor),
    })),
    notes: result.notes,
    problems: result.problems,
    ok: isOk(result),
  };
}

/** Written whole or not at all. @returns the file's path */
export async function writeJson(directory: string, name: string, value: Json): Promise<string> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${name}.json`);
  const making = `${file}.${process.pid}`;
  await writeFile(making, `${JSON.stringify(value, null, 2)}\n`);
  await rename(making, file);
  return file;
}
