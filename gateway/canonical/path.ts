import type { CanonicalPath, PathOddity } from '../../contracts/facts.ts';

/** Bytes of a request target's path that are read at most. */
export const MAX_PATH_BYTES = 2048;

/** Most paths need no decoding at all: plain segments that neither start nor end with a dot and hold nothing special. */
const PLAIN = /^(?:\/[A-Za-z0-9_~$@,:-](?:[A-Za-z0-9._~$@,:-]*[A-Za-z0-9_~$@,:-])?)+\/?$/;

/** Characters of RFC 3986 `pchar` and `%`; anything else may not stand in a path at all. */
const PERMITTED = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/;

/**
 * What no segment may hold once it is decoded, on whatever route: controls, and characters that nobody sees or that turn
 * the text round.
 */
const NEVER = /[\u0000-\u001f\u007f-\u009f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]/;

/** White space other than the plain one. */
const UNUSUAL_SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/;

/** Whether anything in a decoded segment needs a closer look. */
const SUSPECT = /[/\\%?#;\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]|^\s|\s$|\.$/;

/** A mark of the byte order is a character like others: left out here, it would still be sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Values of hexadecimal digits by their code; -1: none. */
const HEX = new Int8Array(128).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

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
      const high = HEX[text.charCodeAt(at + 1)] ?? -1;
      const low = HEX[text.charCodeAt(at + 2)] ?? -1;
      if (high < 0 || low < 0) return undefined;
      bytes[length++] = high * 16 + low;
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

function made(
  text: string,
  segments: readonly string[],
  odd?: ReadonlySet<PathOddity> | undefined,
): CanonicalPath {
  const path = odd === undefined ? { text, segments } : { text, segments, odd };
  Object.freeze(segments);
  return Object.freeze(path) as unknown as CanonicalPath;
}

/**
 * The path's one meaning, or `undefined` where two parsers could read it differently: encoded separators,
 * dot segments however spelt, empty segments, backslashes, path parameters, double encoding, control
 * characters, unusual white space, invalid UTF-8. Nothing is repaired; what is ambiguous is refused.
 *
 * The result is a fixed point: `canonicalPath(result.text)` gives the same path.
 */
export function canonicalPath(raw: string): CanonicalPath | undefined {
  const path = readPath(raw);
  return path?.odd === undefined ? path : undefined;
}

/**
 * The same, but a path with spellings that some route may allow comes back, with their names in `odd`; whoever takes it
 * has to see that its route allows them. Dot segments, controls, invalid UTF-8 and double encoding are never allowed:
 * nor is anything that would become one of these when a server cuts off path parameters, decodes or trims.
 */
export function readPath(raw: string): CanonicalPath | undefined {
  if (raw.length > MAX_PATH_BYTES) return undefined;
  if (raw === '/') return made('/', []);
  if (PLAIN.test(raw)) return made(raw, raw.slice(1).split('/'));
  if (!PERMITTED.test(raw)) return undefined;
  const segments: string[] = [];
  const odd = new Set<PathOddity>();
  const parts = raw.slice(1).split('/');
  for (const [position, part] of parts.entries()) {
    const segment = decodeComponent(part);
    if (segment === undefined || NEVER.test(segment)) return undefined;
    if (segment === '') {
      if (position === parts.length - 1) segments.push(segment);
      else if (position === 0) return undefined;
      else {
        odd.add('empty-segment');
        segments.push(segment);
      }
      continue;
    }
    if (SUSPECT.test(segment) && !note(part, segment, odd)) return undefined;
    segments.push(segment);
  }
  // Sent in one spelling for the whole path: with both, one of them would be changed.
  if (odd.has('semicolon') && odd.has('encoded-semicolon')) return undefined;
  const text = `/${segments.map(odd.has('semicolon') ? encodeWithSemicolon : encodeComponent).join('/')}`;
  // Written anew it may be longer; what is sent has to be a path that we would take ourselves.
  if (text.length > MAX_PATH_BYTES) return undefined;
  return made(text, segments, odd.size === 0 ? undefined : odd);
}

/** Adds what is odd about a segment. @returns false when no route may allow it */
function note(part: string, segment: string, odd: Set<PathOddity>): boolean {
  if (segment.includes('/')) odd.add('encoded-slash');
  if (segment.includes('\\')) odd.add('encoded-backslash');
  if (segment.includes('?') || segment.includes('#')) odd.add('encoded-delimiter');
  if (segment.includes('%')) {
    if (/%[0-9A-Fa-f]{2}|%u/i.test(segment)) return false;
    odd.add('encoded-percent');
  }
  if (segment.includes(';')) {
    if (part.includes(';')) {
      odd.add('semicolon');
      // Sent bare among parameters, where it would separate a name from a value.
      if (/%3d/i.test(part)) return false;
    }
    if (/%3b/i.test(part)) odd.add('encoded-semicolon');
  }
  if (UNUSUAL_SPACE.test(segment) || segment !== segment.trim()) odd.add('unusual-space');
  // However a server splits, cuts and trims it: what is left must be a name, and no dots alone.
  for (const piece of segment.split(/[/\\?#]/)) {
    for (const [index, cut] of piece.split(';').entries()) {
      const name = cut.trim();
      if (name.endsWith('.')) odd.add('trailing-dot');
      if (/^[.\s]+$/.test(name) || (name === '' && index === 0)) return false;
    }
  }
  return true;
}

function encodeWithSemicolon(segment: string): string {
  return encodeComponent(segment).replaceAll('%3B', ';').replaceAll('%3D', '=');
}
