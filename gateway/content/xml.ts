import type { ContentFault } from './fault.ts';
import { decodeText } from './json.ts';

const SPACE = /[\t\n\r ]*/y;
/** XML 1.0 §2.8: version, then encoding; a document of another encoding would be read otherwise than it is judged. */
const DECLARATION =
  /<\?xml[\t\n\r ]+version[\t\n\r ]*=[\t\n\r ]*(?:"1\.0"|'1\.0')(?:[\t\n\r ]+encoding[\t\n\r ]*=[\t\n\r ]*(?:"utf-8"|'utf-8'))?(?:[\t\n\r ]+standalone[\t\n\r ]*=[\t\n\r ]*(?:"(?:yes|no)"|'(?:yes|no)'))?[\t\n\r ]*\?>/iy;

/**
 * The text of an XML body: UTF-8 and declared as nothing else, XML 1.0, without a document type (which alone could
 * declare entities or name other documents). Whether it is well-formed is for whoever parses it.
 */
export function readXml(
  bytes: Buffer,
): { readonly ok: true; readonly text: string } | (ContentFault & { ok: false }) {
  const decoded = decodeText(bytes);
  if ('rule' in decoded) return fault(`xml-${decoded.rule}`);
  const { text } = decoded;
  let at = 0;
  if (/^<\?xml[\t\n\r ]/.test(text)) {
    DECLARATION.lastIndex = 0;
    const declaration = DECLARATION.exec(text);
    if (declaration === null) return fault('xml-declaration');
    at = declaration[0].length;
  }
  // The document type stands before the first element (§2.8), where else there are only comments and instructions.
  for (;;) {
    SPACE.lastIndex = at;
    at += SPACE.exec(text)?.[0].length ?? 0;
    const end = text.startsWith('<!--', at)
      ? after(text, '-->', at + 4)
      : text.startsWith('<?', at)
        ? after(text, '?>', at + 2)
        : undefined;
    if (end === undefined) break;
    if (end < 0) return fault('xml-syntax');
    at = end;
  }
  if (text.startsWith('<!', at)) return fault('xml-doctype');
  if (!/^<[A-Za-z_:\u0080-\uffff]/.test(text.slice(at, at + 2))) return fault('xml-syntax');
  return { ok: true, text };
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? -1 : found + mark.length;
}

function fault(rule: string): ContentFault & { ok: false } {
  return { ok: false, status: 'bad-request', rule, place: '' };
}
