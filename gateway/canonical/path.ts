import type { CanonicalPath } from '../../contracts/facts.ts';

/** Bytes of a request target's path that are read at most. */
export const MAX_PATH_BYTES = 2048;

/** Most paths need no decoding at all: plain segments that neither start nor end with a dot and hold nothing special. */
const PLAIN = /^(?:\/[A-Za-z0-9_~$@,:-](?:[A-Za-z0-9._~$@,:-]*[A-Za-z0-9_~$@,:-])?)+\/?$/;

/** Characters of RFC 3986 `pchar` and `%`; anything else may not stand in a path at all. */
const PERMITTED = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/;

/**
 * What no segment may hold once it is decoded: separators of one system or another, characters that a
 * second decoding would turn into one (`%`), those that end a path elsewhere (`?`, `#`, `;`, NUL), controls,
 * and white space other than a plain space.
 */
const FORBIDDEN =
  /[/\\%?#;\u0000-\u001f\u007f-\u00a0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff0-\uffff]/;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Percent-encodes for a path or query so that what `pchar` allows and back ends expect (`$everything`, `a:b`) stays readable. */
export function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|2C|3A|40)/g, (code) => decodeURIComponent(code));
}

/** Decodes percent escapes once. `undefined` where the bytes are not valid UTF-8 (overlong forms and surrogates included). */
export function decodeComponent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x25) {
      const value = Number.parseInt(text.slice(at + 1, at + 3), 16);
      if (Number.isNaN(value) || at + 3 > text.length) return undefined;
      bytes[length++] = value;
      at += 2;
    } else {
      bytes[length++] = unit;
    }
  }
  try {
    return utf8.decode(bytes.subarray(0, length));
  } catch {
    return undefined;
  }
}

function made(text: string, segments: readonly string[]): CanonicalPath {
  return Object.freeze({ text, segments: Object.freeze(segments) }) as unknown as CanonicalPath;
}

/**
 * The path's one meaning, or `undefined` where two parsers could read it differently: encoded separators,
 * dot segments however spelt, empty segments, backslashes, path parameters, double encoding, control
 * characters, unusual white space, invalid UTF-8. Nothing is repaired; what is ambiguous is refused.
 *
 * The result is a fixed point: `canonicalPath(result.text)` gives the same path.
 */
export function canonicalPath(raw: string): CanonicalPath | undefined {
  if (raw.length > MAX_PATH_BYTES) return undefined;
  if (raw === '/') return made('/', []);
  if (PLAIN.test(raw)) return made(raw, raw.slice(1).split('/'));
  if (!PERMITTED.test(raw)) return undefined;
  const segments: string[] = [];
  const parts = raw.slice(1).split('/');
  for (const [position, part] of parts.entries()) {
    const segment = decodeComponent(part);
    if (segment === undefined || FORBIDDEN.test(segment)) return undefined;
    if (segment === '.' || segment === '..') return undefined;
    if (segment === '' && position !== parts.length - 1) return undefined;
    // Trailing dots and spaces are dropped by some file systems: `secret.` would reach `secret`.
    if (segment !== segment.trim() || (segment.endsWith('.') && segment !== '')) return undefined;
    segments.push(segment);
  }
  return made(`/${segments.map(encodeComponent).join('/')}`, segments);
}
