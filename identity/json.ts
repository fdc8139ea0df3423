/** A JSON object as it was read, before anything is known of its members. */
export type JsonObject = Readonly<Record<string, unknown>>;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Every string of a JSON text, and whether a colon follows it: then it names a member. */
const STRINGS = /"(?:[^"\\]|\\.)*"([ \t\r\n]*:)?/g;

/** Members of every object in the value. With a list of its own, since a token may nest deeper than calls can. */
function countMembers(value: object): number {
  const waiting: object[] = [value];
  let count = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const values: unknown[] = Object.values(next);
    if (!Array.isArray(next)) count += values.length;
    for (const inner of values) if (typeof inner === 'object' && inner !== null) waiting.push(inner);
  }
  return count;
}

/**
 * Reads one JSON object. `undefined` when the bytes are not UTF-8, not JSON, not an object, or name a
 * member twice anywhere: two readers of such a text may each see another value (RFC 7515 §4, RFC 7519
 * §4, RFC 8725 §2.4).
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  let text: string;
  let value: unknown;
  try {
    text = UTF8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  let named = 0;
  for (const match of text.matchAll(STRINGS)) if (match[1] !== undefined) named++;
  return named === countMembers(value) ? value : undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that the object itself has; never one that it inherits, such as `constructor`. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Base64url in its one form: no padding, no white space, no stray bits in the last character (RFC 7515 §2). */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
