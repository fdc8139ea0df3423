import type { Json } from '../../contracts/content.ts';
import { sameButForCase } from './json-names.ts';
import { type JsonOptions, NUMBER_LENGTH } from './json-options.ts';

/** Bytes up to which the engine's own parser may build a value before anything of it is counted. */
const NATIVE_BYTES = 64 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The value of a text that has nothing unusual in it, by the engine's own parser, at half of the reader's cost; undefined
 * where it is for the reader to say what is wrong, or to read it all the same. Without a backslash every string stands in
 * the text between two quotes of its own: where the value has fewer names and strings than that, a name was there twice,
 * and the parser kept the last.
 * @param text of `bytes`, valid UTF-8
 */
export function readNatively(bytes: Buffer, text: string, options: JsonOptions): { value: Json } | undefined {
  if (bytes.length > NATIVE_BYTES || bytes.includes(BACKSLASH)) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  const survey: Survey = { options, left: options.values, strings: 0 };
  if (!isUsual(value, 0, survey)) return undefined;
  return quotesOf(bytes) === survey.strings * 2 ? { value } : undefined;
}

/** How many quotes there are; -1 where so many figures follow each other that they may be a number for the reader. */
function quotesOf(bytes: Buffer): number {
  let quotes = 0;
  let figures = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) quotes += 1;
    // Figures, signs and points, and an `e` before an exponent.
    if ((byte >= 0x2b && byte <= 0x39) || byte === 0x65 || byte === 0x45) {
      figures += 1;
      if (figures > NUMBER_LENGTH) return -1;
    } else figures = 0;
  }
  return quotes;
}

interface Survey {
  readonly options: JsonOptions;
  /** Values that may still come. */
  left: number;
  /** Names and strings seen. */
  strings: number;
}

function isUsual(value: Json, depth: number, survey: Survey): boolean {
  survey.left -= 1;
  if (survey.left < 0) return false;
  switch (typeof value) {
    case 'string':
      survey.strings += 1;
      return true;
    case 'number':
      // Where it is none, it was written too large.
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return true;
  }
  if (value === null) return true;
  if (depth >= survey.options.depth) return false;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1)
      if (!isUsual(value[at] as Json, depth + 1, survey)) return false;
    return true;
  }
  const names = Object.keys(value);
  survey.strings += names.length;
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at] as string;
    if (name === '__proto__') return false;
    if (!isUsual((value as Record<string, Json>)[name] as Json, depth + 1, survey)) return false;
  }
  return !survey.options.strict || sameButForCase(names) === undefined;
}
