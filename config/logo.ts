import { LOGO_LIMIT } from '../contracts/brand.ts';

export type LogoType = 'image/png' | 'image/svg+xml';

/** What a logo's bytes are, or why they are refused: a sentence that names what is allowed. */
export type LogoJudgement =
  | { readonly ok: true; readonly type: LogoType }
  | { readonly ok: false; readonly why: string };

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * An SVG is shown only by `<img>`, where browsers run no script of it and load nothing; and it is served with a
 * policy that forbids both, for who opens its address by itself. What could do either is refused all the same:
 * the file is the operator's, but operators get files from others.
 */
const ACTIVE: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/<\s*(?:[a-z]+:)?script/i, 'a script'],
  [/\son[a-z]+\s*=/i, 'an event handler'],
  [/<\s*(?:[a-z]+:)?(?:foreignobject|iframe|object|embed)\b/i, 'embedded HTML'],
  [/<!(?:doctype|entity)/i, 'a document type'],
  [/<\?xml-stylesheet/i, 'a style sheet from elsewhere'],
  [/\bhref\s*=\s*["']?\s*(?!#|["'\s]|data:image\/(?:png|jpeg);)/i, 'a link'],
  [/javascript:/i, 'a script'],
  [/url\(\s*["']?\s*(?!#)/i, 'a reference to something elsewhere'],
  [/@import/i, 'a style sheet from elsewhere'],
];

/** Judges by the bytes alone; a file's name says nothing. */
export function judgeLogo(bytes: Uint8Array): LogoJudgement {
  if (bytes.length === 0) return refused('The logo is empty.');
  if (bytes.length > LOGO_LIMIT) {
    return refused(`The logo has ${bytes.length} bytes; at most ${LOGO_LIMIT} are allowed.`);
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.subarray(0, PNG.length).equals(PNG)) return judgePng(buffer);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(buffer);
  } catch {
    return refused('The logo is neither a PNG nor an SVG; those two are allowed.');
  }
  return judgeSvg(text);
}

function judgePng(bytes: Buffer): LogoJudgement {
  // The header chunk comes first (PNG specification, 11.2.1): length, "IHDR", width, height.
  if (bytes.length < 24 || bytes.toString('latin1', 12, 16) !== 'IHDR') {
    return refused('The logo is a PNG without its header; save it anew.');
  }
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width === 0 || height === 0 || width > 2048 || height > 2048) {
    return refused(`The logo has ${width} × ${height} pixels; 1 to 2048 each way are allowed.`);
  }
  return { ok: true, type: 'image/png' };
}

function judgeSvg(text: string): LogoJudgement {
  const start = text
    .replace(/^\ufeff/, '')
    .replace(/^(?:\s|<\?xml\s[^>]*\?>|<!--[\s\S]*?-->)+/, '')
    .slice(0, 200);
  if (!/^<(?:svg:)?svg[\s>]/.test(start)) {
    return refused('The logo is neither a PNG nor an SVG; those two are allowed.');
  }
  // Character references could spell what the patterns look for.
  const plain = text.replace(/&#x?[0-9a-f]+;?/gi, '').replace(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '');
  if (plain.length !== text.length && /&#/.test(text)) {
    return refused('The logo is an SVG with numeric character references; write the characters themselves.');
  }
  for (const [pattern, what] of ACTIVE) {
    if (pattern.test(plain))
      return refused(`The logo is an SVG with ${what} in it; only drawing is allowed.`);
  }
  return { ok: true, type: 'image/svg+xml' };
}

const refused = (why: string): LogoJudgement => ({ ok: false, why });
