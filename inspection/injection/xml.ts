import type { Reading } from './rule.ts';
import { type Sink, step } from './sample.ts';

const REFERENCE = /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot|apos));/g;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** References of XML without a document type; there are no others (XML 1.0 §4.6). */
export function dereferenced(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(REFERENCE, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

const NAME = /[^\s=/>"'<]+/y;

/**
 * Every text between tags and every attribute's value, and comments and instructions as they stand. Not a parser of
 * XML: whether the document is well-formed is judged elsewhere. What this cannot make sense of is one text, judged
 * whole and strictly, so that nothing escapes by being malformed.
 */
export function xmlSamples(text: string, reading: Reading, sink: Sink): void {
  const path: string[] = [''];
  let at = 0;
  let words = '';
  const flush = (): void => {
    if (words.trim() !== '') sink(path.at(-1) || '/', reading, words);
    words = '';
  };
  while (at < text.length) {
    const open = text.indexOf('<', at);
    if (open < 0) break;
    words += dereferenced(text.slice(at, open));
    if (text.startsWith('<![CDATA[', open)) {
      const end = text.indexOf(']]>', open);
      if (end < 0) return void sink('/', 'parameter', text.slice(open));
      words += text.slice(open + 9, end);
      at = end + 3;
      continue;
    }
    flush();
    const mark = text.startsWith('<!--', open) ? '-->' : text.startsWith('<?', open) ? '?>' : undefined;
    if (mark !== undefined) {
      const end = text.indexOf(mark, open + 2);
      if (end < 0) return void sink('/', 'parameter', text.slice(open));
      const inside = text.slice(open + (mark === '-->' ? 4 : 2), end);
      if (!/^xml\s+version="1\.0"/.test(inside)) sink(path.at(-1) || '/', 'plain', inside);
      at = end + mark.length;
      continue;
    }
    if (text.charCodeAt(open + 1) === 0x2f) {
      const end = text.indexOf('>', open);
      if (end < 0) return void sink('/', 'parameter', text.slice(open));
      if (path.length > 1) path.pop();
      at = end + 1;
      continue;
    }
    const end = tag(text, open + 1, path, reading, sink);
    if (end < 0) return void sink('/', 'parameter', text.slice(open));
    at = end;
  }
  words += dereferenced(text.slice(at));
  flush();
}

/** One start tag from its name on. @returns where it ends, or -1 when it makes no sense */
function tag(text: string, from: number, path: string[], reading: Reading, sink: Sink): number {
  NAME.lastIndex = from;
  const name = NAME.exec(text)?.[0];
  if (name === undefined) return -1;
  const here = step(path.at(-1) ?? '', name);
  let at = from + name.length;
  for (;;) {
    while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
    if (text.startsWith('/>', at)) return at + 2;
    if (text.charCodeAt(at) === 0x3e) {
      path.push(here);
      return at + 1;
    }
    NAME.lastIndex = at;
    const attribute = NAME.exec(text)?.[0];
    if (attribute === undefined) return -1;
    at += attribute.length;
    while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
    if (text.charCodeAt(at) !== 0x3d) return -1;
    at += 1;
    while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
    const quote = text[at];
    if (quote !== '"' && quote !== "'") return -1;
    const end = text.indexOf(quote, at + 1);
    if (end < 0) return -1;
    const value = dereferenced(text.slice(at + 1, end));
    if (/^xmlns(?::|$)/.test(attribute)) {
      if (!/^[A-Za-z0-9:/._-]{0,256}$/.test(value)) sink(step(here, attribute), reading, value);
    } else sink(step(here, attribute), reading, value);
    at = end + 1;
  }
}
