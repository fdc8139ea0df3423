/** How an answer's body is looked through. */
export type Reading =
  | 'text'
  /** Script and style sheets: looked through only where they are pages in disguise. */
  | 'program'
  /** Not looked through unless it turns out to be text. */
  | 'binary'
  /** In a character set in which nothing would be found. */
  | 'unreadable';

const PROGRAM = /^(?:text|application)\/(?:(?:x-)?(?:java|ecma)script|css|wasm)$/;
const TEXT =
  /^(?:text\/.+|message\/.+|multipart\/.+|application\/(?:.*[+./-])?(?:json|ndjson|xml|xhtml|html|yaml|graphql|sql|rtf|csv|x-www-form-urlencoded|problem)(?:[+.;-].*)?)$/;
/** Character sets that do not write ASCII as single bytes of its own. */
const STRANGE = /charset\s*=\s*"?\s*(?:utf-?(?:16|32|7)|ucs|iso-10646|ibm|cp?0?37|ebcdic|hz-|iso-2022)/i;

const known = new Map<string, Reading>();
const MOST_KNOWN = 512;

/** @param contentType as the back end wrote it; undefined or empty: it says nothing, and browsers would guess */
export function readingOf(contentType: string | undefined): Reading {
  const text = contentType ?? '';
  const before = known.get(text);
  if (before !== undefined) return before;
  const type = (text.split(';', 1)[0] ?? '').trim().toLowerCase();
  let reading: Reading = 'binary';
  if (PROGRAM.test(type)) reading = 'program';
  else if (type === '' || !type.includes('/') || TEXT.test(type))
    reading = STRANGE.test(text) ? 'unreadable' : 'text';
  if (text.length <= 256) {
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, reading);
  }
  return reading;
}

/** Bytes from the beginning by which text is told from what is none (as https://mimesniff.spec.whatwg.org/#binary-data-byte). */
const SNIFFED = 512;

/** Whether bytes that are said to be no text are text all the same: an error page that is called an image. */
export function looksLikeText(bytes: Buffer): boolean {
  const end = Math.min(bytes.length, SNIFFED);
  if (end < 16 || bytes.toString('latin1', 0, 5) === '%PDF-') return false;
  for (let i = 0; i < end; i += 1) {
    const byte = bytes[i] as number;
    if (byte < 0x09 || byte === 0x0b || (byte > 0x0d && byte < 0x20 && byte !== 0x1b) || byte === 0x7f)
      return false;
  }
  return true;
}

/** Whether it begins as UTF-16 does. */
export function isWide(bytes: Buffer): boolean {
  const [first, second] = bytes;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** Whether the first thing in it is markup. */
export function beginsAsMarkup(bytes: Buffer): boolean {
  return /^(?:\xef\xbb\xbf)?\s*</.test(bytes.toString('latin1', 0, 64));
}

const RESOURCE = /^\s{0,8}\{\s{0,8}"resourceType"\s{0,8}:\s{0,8}"([A-Z][A-Za-z]{1,60})"/;
const AFTER_END = /\}\s{0,8}$/;
/** Resources in which a server speaks for itself, or which may hold anything. */
const SPEAKING: ReadonlySet<string> = new Set(['OperationOutcome', 'Parameters', 'Binary']);

/**
 * `record`: a FHIR resource from its first byte to its last, and none that reports errors. What stands in it is a
 * record's content, in which a word of a clinician's must not look like an error; what a broken system prints before or
 * after it is not in it. `records`: a bundle of such, and maybe of others.
 */
export function resourceIn(parts: readonly Buffer[]): 'record' | 'records' | undefined {
  const first = parts[0];
  const last = parts[parts.length - 1];
  if (first === undefined || last === undefined) return undefined;
  const type = RESOURCE.exec(first.toString('latin1', 0, 160))?.[1];
  if (type === undefined || SPEAKING.has(type)) return undefined;
  if (!AFTER_END.test(last.toString('latin1', Math.max(0, last.length - 12)))) return undefined;
  return type === 'Bundle' ? 'records' : 'record';
}

/** Whether it begins as a resource that reports no errors, or a bundle; how it ends is not known yet. */
export function beginsAsContent(part: Buffer): boolean {
  const type = RESOURCE.exec(part.toString('latin1', 0, 160))?.[1];
  return type !== undefined && !SPEAKING.has(type);
}
