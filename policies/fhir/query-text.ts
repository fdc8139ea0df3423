/** A URL, or a search in a header or a bundle, that is longer is not read at all. */
export const LONGEST_QUERY = 8_192;
/** As many as a request's own query may have. */
const MOST_PARAMETERS = 256;
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

type Parameters = ReadonlyMap<string, readonly string[]>;

/**
 * The query of a URL inside a bundle. Each of them costs no more than a request's own query would, since a bundle has
 * room for a thousand, and one body for millions of separators.
 * @returns undefined: too long, too many parameters, or not in the plain form that everybody reads alike
 */
export function readQuery(query: string): Parameters | undefined {
  return parametersOf(query, decodePlain);
}

/**
 * The search of `If-None-Exist` (R4 §3.1.0.8.1), which some clients write as a whole URL. Servers that take one (HAPI)
 * read whatever comes behind a question mark, so what stands in front of it must lead to the search of the type.
 * @param type the type that is created
 * @returns undefined: too long, too many parameters, or not understood
 */
export function readCondition(condition: string, type: string): Parameters | undefined {
  const mark = condition.indexOf('?');
  const equals = condition.indexOf('=');
  if (mark < 0 || (equals >= 0 && equals < mark)) return parametersOf(condition, decodeForm);
  const before = condition.slice(0, mark);
  const leads = before === '' || before === type || before.endsWith(`/${type}`);
  return leads ? parametersOf(condition.slice(mark + 1), decodeForm) : undefined;
}

function parametersOf(query: string, decode: (text: string) => string | undefined): Parameters | undefined {
  if (query.length > LONGEST_QUERY) return undefined;
  const parameters = new Map<string, string[]>();
  if (query === '') return parameters;
  const parts = query.split('&', MOST_PARAMETERS + 1);
  if (parts.length > MOST_PARAMETERS) return undefined;
  for (const part of parts) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : decode(part.slice(equals + 1));
    if (name === undefined || name === '' || value === undefined) return undefined;
    const values = parameters.get(name);
    if (values === undefined) parameters.set(name, [value]);
    else values.push(value);
  }
  return parameters;
}

function decodePlain(text: string): string | undefined {
  return /[^\x21-\x7e]|[;#]/.test(text) ? undefined : decodeForm(text);
}

function decodeForm(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '));
    return CONTROL.test(decoded) || !decoded.isWellFormed() ? undefined : decoded;
  } catch {
    return undefined;
  }
}
