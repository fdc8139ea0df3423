import type { ColumnModel } from '../model.ts';
import type { Encoded } from './entry.ts';

const NUMBERS: ReadonlySet<string> = new Set([
  'tinyint',
  'smallint',
  'mediumint',
  'int',
  'bigint',
  'decimal',
  'float',
  'double',
  'bit',
  'year',
]);
const TIMES: ReadonlySet<string> = new Set(['date', 'time', 'datetime']);

/**
 * What a terminal or a reader could take for something else: controls, escapes, line and paragraph
 * separators, marks that turn the direction of writing, invisible and private characters, tags, and halves
 * of surrogate pairs. Letters of every script, signs and emoji stay.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\u115f\u1160\u3164\uffa0]/gu;
/** White space that looks like the usual one and is not. */
const OTHER_SPACE = /[^\S ]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

function escaped(character: string): string {
  return NAMED[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Text in which nothing hides, on one line. Not reversible by itself; `quotedText` is. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escaped).replace(OTHER_SPACE, escaped);
}

/** The same between quotes, with quotes and backslashes escaped: no two texts look the same. */
export function quotedText(text: string): string {
  return `"${visible(text.replace(/[\\"]/g, (c) => `\\${c}`))}"`;
}

/** A value for a person: numbers, times and bytes bare, text between quotes, NULL as NULL. */
export function displayValue(column: ColumnModel | undefined, value: Encoded): string {
  if (value === null) return 'NULL';
  if (typeof value === 'object') return `0x${visible(value.hex)}`;
  if (typeof value !== 'string') return String(value);
  const type = column?.dataType ?? '';
  if (NUMBERS.has(type) || TIMES.has(type)) return visible(value);
  if (/^0x[0-9A-F]*$/.test(value) && column !== undefined && column.characterSet === undefined) return value;
  const hashed = /^sha256:([0-9a-f]{64}):(\d+)$/.exec(value);
  if (hashed !== null && column !== undefined && column.characterSet === undefined) {
    return `${hashed[2]} bytes, SHA-256 ${hashed[1]}`;
  }
  if (type === 'timestamp') return instant(value);
  return quotedText(value);
}

/** The audit has a TIMESTAMP as seconds since the epoch. */
function instant(value: string): string {
  const parts = /^(\d{1,12})(\.\d{1,6})?$/.exec(value);
  if (parts === null || Number(value) === 0) return visible(value);
  const text = new Date(Number(parts[1]) * 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${parts[2] ?? ''} UTC`;
}

/** Cells of a terminal that a text takes. Marks take none, East Asian wide letters and emoji two. */
export function width(text: string): number {
  let cells = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    cells +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return cells;
}

/** Filled up with spaces to so many cells. */
export function pad(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - width(text)));
}

/** Cut to about so many characters, saying how many there were. A mark never stands without its letter. */
export function cut(text: string, most: number): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  let kept = Math.max(1, most - 12);
  while (kept > 1 && /\p{M}/u.test(characters[kept] ?? '')) kept -= 1;
  return `${characters.slice(0, kept).join('')}… [${characters.length} characters]`;
}
