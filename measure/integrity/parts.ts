import type { Floor, Json, Table } from '../report.ts';

/** What one part of the measurement found. */
export interface Part {
  readonly tables: readonly Table[];
  readonly floors: readonly Floor[];
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  readonly figures: { readonly [name: string]: Json };
}

export const NOTHING: Part = { tables: [], floors: [], problems: [], notes: [], figures: {} };

export function part(found: Partial<Part>): Part {
  return { ...NOTHING, ...found };
}

/** The parts as one, their figures side by side. */
export function merge(parts: readonly Part[]): Part {
  return {
    tables: parts.flatMap(({ tables }) => tables),
    floors: parts.flatMap(({ floors }) => floors),
    problems: parts.flatMap(({ problems }) => problems),
    notes: parts.flatMap(({ notes }) => notes),
    figures: Object.assign({}, ...parts.map(({ figures }) => figures)) as Part['figures'],
  };
}

/** Something of which there must be at most so much; mostly nothing. */
export function atMost(name: string, measured: number | undefined, limit = 0, unit = ''): Floor {
  return { name, bound: 'at-most', limit, unit, measured, optional: false };
}

export function atLeast(name: string, measured: number | undefined, limit: number, unit = ''): Floor {
  return { name, bound: 'at-least', limit, unit, measured, optional: false };
}

/** A table whose first column is text and whose others are figures, unless `texts` says how many are text. */
export function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  texts = 1,
  footnotes: readonly string[] = [],
): Table {
  return {
    title,
    columns: columns.map((name, index) => ({ title: name, align: index < texts ? 'left' : 'right' })),
    rows,
    footnotes,
  };
}

/** The value that `share` (0…1) of the sorted values do not exceed. NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
