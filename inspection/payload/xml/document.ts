import { ParseOption, XmlDocument, XmlElement, type XmlNode } from 'libxml2-wasm';
import { fault, type PayloadFault } from '../finding.ts';
import { safeName } from '../place.ts';

/** Elements open at once, at most. */
const DEEPEST = 100;
const XINCLUDE = 'http://www.w3.org/2001/XInclude';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';
/** Characters of a document, at most. */
const LONGEST = 4 * 1_048_576;
/** Tags, comments and the like of a document, at most: what takes time is their number. */
const MOST_MARKUP = 100_000;
const PLAIN_NAME = /^[A-Za-z0-9._-]{1,256}$/;

/** No external entities, no network, no limits lifted, no DTD: each by itself, though the first alone would do. */
const OPTIONS: ParseOption =
  ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_SYS_CATALOG;

/**
 * A document, given to `judge` and put away afterwards: well-formed, with one meaning for every reader. Refused before
 * it is parsed: a document type, which is where entities come from. Refused after: inclusions, processing instructions,
 * schema locations that a reader would fetch.
 */
export function withXml(
  text: string,
  judge: (document: XmlDocument) => PayloadFault | undefined,
): PayloadFault | undefined {
  const marked = sizeFault(text) ?? markupFault(text);
  if (marked !== undefined) return marked;
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(text, { option: OPTIONS });
  } catch {
    return fault('', 'xml-syntax');
  }
  try {
    if (document.dtd !== null) return fault('', 'xml-doctype');
    return treeFault(document.root, 1) ?? judge(document);
  } finally {
    document.dispose();
  }
}

function sizeFault(text: string): PayloadFault | undefined {
  if (text.length > LONGEST) return fault('', 'xml-size', 'too-large');
  let count = 0;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    count += 1;
    if (count > MOST_MARKUP) return fault('', 'xml-size', 'too-large');
  }
  return undefined;
}

/** `<!` begins a comment or character data, and `<?` the declaration at the very beginning, and nothing else. */
function markupFault(text: string): PayloadFault | undefined {
  let from = 0;
  for (;;) {
    const at = text.indexOf('<!', from);
    if (at < 0) break;
    const end = text.startsWith('<!--', at)
      ? text.indexOf('-->', at + 4)
      : text.startsWith('<![CDATA[', at)
        ? text.indexOf(']]>', at + 9)
        : -1;
    if (end < 0) return fault('', 'xml-doctype');
    from = end + 3;
  }
  const declared = /^<\?xml\s[^?>]*\?>/.exec(text)?.[0].length ?? 0;
  const instruction = text.indexOf('<?', declared);
  // In a comment or character data it is no instruction, and no loss either.
  return instruction < 0 ? undefined : fault('', 'xml-instruction');
}

function treeFault(element: XmlElement, depth: number): PayloadFault | undefined {
  if (depth > DEEPEST) return fault('', 'xml-depth');
  if (element.namespaceUri === XINCLUDE) return fault(pointerTo(element), 'xml-inclusion');
  for (const attribute of element.attrs) {
    if (attribute.namespaceUri !== INSTANCE) continue;
    if (!attribute.name.toLowerCase().endsWith('schemalocation')) continue;
    if (!isHarmless(attribute.value, attribute.name === 'schemaLocation')) {
      return fault(pointerTo(element), 'xml-schema-location');
    }
  }
  for (const child of childrenOf(element)) {
    if (!(child instanceof XmlElement)) continue;
    const found = treeFault(child, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Pairs of a namespace and a plain file name; anything else a reader of the document could be made to fetch. */
function isHarmless(value: string, pairs: boolean): boolean {
  const words = value.split(/\s+/).filter((word) => word !== '');
  if (pairs && words.length % 2 !== 0) return false;
  return words.every((word, index) => (pairs && index % 2 === 0) || PLAIN_NAME.test(word));
}

export function* childrenOf(element: XmlElement): Generator<XmlNode> {
  for (let child = element.firstChild; child !== null; child = child.next) yield child;
}

/** Where an element is: names from the root, each of several with its number. */
export function pointerTo(element: XmlElement): string {
  const steps: string[] = [];
  for (let at: XmlElement | null = element; at !== null; at = at.parent) {
    let before = 0;
    let alone = true;
    for (const sibling of at.parent === null ? [] : childrenOf(at.parent)) {
      if (!(sibling instanceof XmlElement) || sibling.name !== at.name) continue;
      if (sibling.isSameNode(at)) break;
      before += 1;
    }
    for (let next = at.next; next !== null; next = next.next) {
      if (next instanceof XmlElement && next.name === at.name) alone = false;
    }
    const name = safeName(at.name);
    steps.unshift(before === 0 && alone ? name : `${name}/${before}`);
    if (steps.length >= 32) break;
  }
  return `/${steps.join('/')}`;
}
