import type { Reading } from './rule.ts';

/**
 * What a text may become on its way through an old application: decoded once more, stripped of comments, read by a
 * shell. Every variant is judged beside the text itself, so that a decoding can only add findings.
 */

const PERCENT = /%(?:[0-9a-f]{2}|u[0-9a-f]{4})/i;
const ENTITY = /&(?:#|[a-z]{2,})/i;
const ESCAPE = /\\(?:u|x|[0-7]{2}|[nrtbf"'/\\])/i;
const BASE64 = /^[A-Za-z0-9+/_-]{8,}={0,2}$/;
const COMMENT = /\/\*/;
const SHELL = /["'\\^`$]/;
const NOT_ASCII = /[^\x00-\x7f]/;
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  colon: ':',
  semi: ';',
  lpar: '(',
  rpar: ')',
  sol: '/',
  bsol: '\\',
  newline: '\n',
  tab: '\t',
  nbsp: ' ',
  lcub: '{',
  rcub: '}',
  lbrace: '{',
  rbrace: '}',
  lsqb: '[',
  rsqb: ']',
  dollar: '$',
  grave: '`',
  vert: '|',
  equals: '=',
  comma: ',',
  period: '.',
  excl: '!',
  num: '#',
  percnt: '%',
  commat: '@',
  lowbar: '_',
  hyphen: '-',
  plus: '+',
  ast: '*',
  quest: '?',
  hat: '^',
};

/** How often a text is decoded anew: what was encoded three times is caught by the rules that know encodings. */
const ROUNDS = 2;
/** Longer texts are judged as they are and decoded once, so that the work stays in proportion. */
const LONG = 16_384;

/** The text, then everything else that it may become, each once. */
export function variantsOf(text: string, reading: Reading): readonly string[] {
  const seen = new Set([text]);
  const rounds = text.length > LONG ? 1 : ROUNDS;
  let front = [text];
  for (let round = 0; round < rounds && front.length > 0; round += 1) {
    const next: string[] = [];
    for (const each of front) {
      for (const decoded of decodings(each, reading)) {
        if (decoded === '' || seen.has(decoded)) continue;
        seen.add(decoded);
        next.push(decoded);
      }
    }
    front = next;
  }
  for (const each of [...seen]) for (const plain of rewritings(each)) if (plain !== '') seen.add(plain);
  return [...seen];
}

function* decodings(text: string, reading: Reading): Generator<string> {
  const prose = reading === 'clinical' || reading === 'narrative';
  if (PERCENT.test(text)) yield percentDecoded(text);
  // Entities are how a narrative writes its text, which is judged by itself.
  if (reading !== 'narrative' && ENTITY.test(text)) yield entityDecoded(text);
  if (ESCAPE.test(text)) yield escapeDecoded(text);
  if (!prose && BASE64.test(text)) {
    const decoded = base64Decoded(text);
    if (decoded !== undefined) yield decoded;
  }
  if (NOT_ASCII.test(text)) {
    yield text.normalize('NFKC');
    // US-ASCII in eight bits: the highest one ignored.
    if (!prose && /[\u00a0-\u00ff]/.test(text)) {
      yield text.replace(/[\u0080-\u00ff]/g, (char) => String.fromCharCode(char.charCodeAt(0) & 0x7f));
    }
  }
  if (/\+A[A-Za-z0-9+/]{2,}-/.test(text)) yield utf7Decoded(text);
}

function* rewritings(text: string): Generator<string> {
  const bare = text.replace(CONTROL, '');
  if (bare !== text) yield bare;
  if (COMMENT.test(bare)) {
    yield withoutComments(bare, ' ');
    yield withoutComments(bare, '');
    // MySQL runs what stands in a comment that begins so.
    yield bare.replace(/\/\*!\d*|\*\//g, ' ');
  }
  if (/\s{2,}/.test(bare)) yield bare.replace(/\s+/g, ' ');
  // Markup that was pulled apart by white space.
  if (/<(?:\s*[a-z]){4}/i.test(bare) && /<\s*(?:[a-z]\s+){2}/i.test(bare)) yield bare.replace(/\s+/g, '');
  if (/script/i.test(bare.replace(/[\s\\]/g, '')) && !/script/i.test(bare)) yield bare.replace(/\s+/g, '');
  if (SHELL.test(bare) || /\{[^{}\s]*,/.test(bare)) {
    const unquoted = unquotedByShell(bare);
    if (unquoted !== bare) yield unquoted;
  }
}

function percentDecoded(text: string): string {
  const plain = text.replace(/%u([0-9a-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return plain.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
    const decoded = bytes.toString('utf8');
    // Bytes that are no UTF-8 are taken one by one, as a reader of Latin-1 would.
    return decoded.includes('\ufffd') ? bytes.toString('latin1') : decoded;
  });
}

function entityDecoded(text: string): string {
  return text.replace(
    /&(?:#0*(\d{1,7})|#x0*([0-9a-f]{1,6})|([a-z]{2,8}));?/gi,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return ENTITIES[(name as string).toLowerCase()] ?? whole;
      const code = Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '', f: '' };

function escapeDecoded(text: string): string {
  return text.replace(
    /\\(?:u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|x([0-9a-f]{2})|([0-7]{2,3})|([nrtbf"'/\\]))/gi,
    (whole, braced, unicode, hex, octal, single) => {
      if (single !== undefined) return ESCAPED[single] ?? single;
      const code =
        octal === undefined ? Number.parseInt(braced ?? unicode ?? hex, 16) : Number.parseInt(octal, 8);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** Only what decodes to text: a random word that happens to be base64 becomes bytes that are none. */
function base64Decoded(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < 6) return undefined;
  for (const byte of bytes)
    if ((byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) || byte > 0x7e) return undefined;
  return bytes.toString('latin1');
}

function utf7Decoded(text: string): string {
  return text.replace(/\+([A-Za-z0-9+/]{3,})-/g, (_, coded: string) => {
    const bytes = Buffer.from(coded, 'base64');
    return bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le');
  });
}

/** What a Unix shell or cmd.exe makes of quotes, escapes, empty expansions and braces. */
function unquotedByShell(text: string): string {
  return text
    .replace(/\$\{?IFS\}?(?:\$\d)?/g, ' ')
    .replace(/\$(?:\(\s*\)|\{\s*\}|[!$?@*#-])/g, '')
    .replace(/``/g, '')
    .replace(
      /\{,?([^{},\s]+),([^{}\s]*)\}/g,
      (_, first: string, rest: string) => `${first} ${rest.replaceAll(',', ' ')}`,
    )
    .replace(/["'\\^]/g, '');
}

/** Comments from mark to mark, in one pass; one that does not end goes on to the end. */
function withoutComments(text: string, instead: string): string {
  const kept: string[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('/*', at);
    if (open < 0) {
      kept.push(text.slice(at));
      return kept.join(instead);
    }
    kept.push(text.slice(at, open));
    const close = text.indexOf('*/', open + 2);
    if (close < 0) return kept.join(instead);
    at = close + 2;
  }
}
