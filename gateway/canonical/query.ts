import { decodeComponent, encodeComponent } from './path.ts';

export const MAX_QUERY_BYTES = 8192;
export const MAX_PARAMETERS = 256;

export interface CanonicalQuery {
  /** Re-encoded, without `?`. */
  readonly text: string;
  readonly parameters: ReadonlyMap<string, readonly string[]>;
}

const NONE: CanonicalQuery = Object.freeze({ text: '', parameters: new Map() });

/** RFC 3986 `query` characters, and those that browsers leave as they are (`|`, `"`, `<`, `>`, `[`, `]`, `{`, `}`, `^`, backquote). */
const PERMITTED = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?|"<>[\]{}^`-]|%[0-9A-Fa-f]{2})*$/;

const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufff0-\uffff]/;

/**
 * The query's one meaning, or `undefined`. `&` alone separates (a `;` that some back ends would take for
 * a separator is sent encoded, so that they cannot); `+` is a space; escapes are decoded once; names and
 * values must be valid UTF-8 without control characters. Every value of a repeated name is kept, in order.
 */
export function canonicalQuery(raw: string): CanonicalQuery | undefined {
  if (raw === '') return NONE;
  if (raw.length > MAX_QUERY_BYTES || !PERMITTED.test(raw)) return undefined;
  const parameters = new Map<string, string[]>();
  const parts: string[] = [];
  let count = 0;
  for (const part of raw.split('&')) {
    if (part === '') continue;
    count += 1;
    if (count > MAX_PARAMETERS) return undefined;
    const equals = part.indexOf('=');
    const name = decodeForm(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : decodeForm(part.slice(equals + 1));
    if (name === undefined || value === undefined || name === '') return undefined;
    if (FORBIDDEN.test(name) || FORBIDDEN.test(value)) return undefined;
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
    parts.push(equals < 0 ? encodeComponent(name) : `${encodeComponent(name)}=${encodeComponent(value)}`);
  }
  const text = parts.join('&');
  // Written anew it may be longer; what is sent has to be a query that we would take ourselves.
  return text.length > MAX_QUERY_BYTES ? undefined : { text, parameters };
}

function decodeForm(text: string): string | undefined {
  return decodeComponent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}
