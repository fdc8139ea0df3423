/**
 * The XHTML of narratives (R4 §2.4.0): one `div`, the elements and attributes that FHIR allows, nothing that a browser
 * would run or fetch by itself. Well-formed XML without a document type, so that every parser reads the same tree.
 */

const XHTML = 'http://www.w3.org/1999/xhtml';
/** Elements open at once, at most. */
const DEEPEST = 64;
/** Attributes of an element, at most. */
const MOST_ATTRIBUTES = 20;

const ELEMENTS: ReadonlySet<string> = new Set(
  (
    'a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 ' +
    'h6 hr i img kbd li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var'
  ).split(' '),
);
/** Those that are always empty in HTML. With content, a browser would put that elsewhere than an XML parser. */
const VOID: ReadonlySet<string> = new Set(['br', 'col', 'hr', 'img']);
const ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    'abbr accesskey align alt axis border cellpadding cellspacing char charoff charset cite class colspan coords dir ' +
    'frame headers height href hreflang id ismap lang longdesc name rel rev rowspan rules scope shape span src ' +
    'start style summary tabindex title type usemap valign value width xml:lang xmlns bgcolor nowrap'
  ).split(' '),
);
const LINKS: ReadonlySet<string> = new Set(['href', 'src', 'cite', 'longdesc', 'usemap']);
/** What styles could load or run; comments and escapes could hide it. */
const ACTIVE_STYLE = /url\s*\(|expression|javascript|behaviou?r|-moz-binding|@import|\\|\/\*|<|image-set/i;
/** A picture in the text itself, or of a plain name beside the page; as style sheets of published examples have them. */
const PLAIN_URL =
  /url\(\s*['"]?(?:data: ?image\/(?:png|gif|jpe?g);base64,[A-Za-z0-9+/=]*|[A-Za-z0-9_-]+\.(?:png|gif|jpe?g))['"]?\s*\)/gi;
const IMAGE = /^data: ?image\/(?:png|gif|jpe?g);base64,[A-Za-z0-9+/=\s]*$/;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;

/** What is wrong with a narrative: the rule it breaks. */
export type NarrativeFault =
  | 'fhir-narrative-form'
  | 'fhir-narrative-element'
  | 'fhir-narrative-attribute'
  | 'fhir-narrative-link'
  | 'fhir-narrative-style';

/** Undefined: nothing is wrong. */
export function narrativeFault(text: string): NarrativeFault | undefined {
  return new Scanner(text).run();
}

const isName = (code: number) =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39);
const isSpace = (code: number) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

class Scanner {
  readonly #text: string;
  readonly #open: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): NarrativeFault | undefined {
    const text = this.#text;
    this.#spaces();
    if (!text.startsWith('<div', this.#at)) return 'fhir-narrative-form';
    do {
      const fault = text.charCodeAt(this.#at) === 0x3c ? this.#markup() : this.#characters();
      if (fault !== undefined) return fault;
      if (this.#at >= text.length && this.#open.length > 0) return 'fhir-narrative-form';
    } while (this.#open.length > 0);
    this.#spaces();
    if (this.#at !== text.length) return 'fhir-narrative-form';
    return undefined;
  }

  #spaces(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }

  #characters(): NarrativeFault | undefined {
    const text = this.#text;
    const next = text.indexOf('<', this.#at);
    const end = next < 0 ? text.length : next;
    const fault = this.#sound(this.#at, end);
    this.#at = end;
    return fault;
  }

  /** Characters that XML allows, references that need no document type (XML 1.0 §2.2, §4.1). */
  #sound(from: number, to: number): NarrativeFault | undefined {
    const text = this.#text;
    for (let at = from; at < to; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 0x20) {
        if (code === 0x26) {
          const end = text.indexOf(';', at);
          if (end < 0 || end >= to || end - at > 10 || !isReference(text.slice(at + 1, end))) {
            return 'fhir-narrative-form';
          }
          at = end;
        } else if (code === 0x3e && text.startsWith(']]', at - 2)) return 'fhir-narrative-form';
        else if (code === 0x7f || code >= 0xfffe) return 'fhir-narrative-form';
      } else if (!isSpace(code)) return 'fhir-narrative-form';
    }
    return undefined;
  }

  #markup(): NarrativeFault | undefined {
    const text = this.#text;
    const next = text.charCodeAt(this.#at + 1);
    if (next === 0x2f) return this.#close();
    if (next === 0x21) return this.#comment();
    let end = this.#at + 1;
    while (isName(text.charCodeAt(end))) end += 1;
    const name = text.slice(this.#at + 1, end);
    if (name === '') return 'fhir-narrative-form';
    if (!ELEMENTS.has(name)) return 'fhir-narrative-element';
    this.#at = end;
    return this.#attributes(name);
  }

  #close(): NarrativeFault | undefined {
    const name = this.#open.pop() ?? '';
    const text = this.#text;
    if (!text.startsWith(name, this.#at + 2)) return 'fhir-narrative-form';
    this.#at += 2 + name.length;
    this.#spaces();
    if (text.charCodeAt(this.#at) !== 0x3e) return 'fhir-narrative-form';
    this.#at += 1;
    return undefined;
  }

  /** `<!-->` and `--!>` end a comment for HTML and not for XML: neither can stand in one. */
  #comment(): NarrativeFault | undefined {
    const text = this.#text;
    if (!text.startsWith('<!--', this.#at)) return 'fhir-narrative-form';
    const end = text.indexOf('--', this.#at + 4);
    if (end < 0 || text.charCodeAt(end + 2) !== 0x3e) return 'fhir-narrative-form';
    const inside = text.slice(this.#at + 4, end);
    if (/^-?>|<|[\0-\x08\x0b\x0c\x0e-\x1f]/.test(inside)) return 'fhir-narrative-form';
    this.#at = end + 3;
    return undefined;
  }

  #attributes(element: string): NarrativeFault | undefined {
    const text = this.#text;
    let seen: string[] | undefined;
    for (;;) {
      const before = this.#at;
      this.#spaces();
      const code = text.charCodeAt(this.#at);
      if (code === 0x3e || code === 0x2f) {
        const closed = code === 0x2f;
        if (closed && text.charCodeAt(this.#at + 1) !== 0x3e) return 'fhir-narrative-form';
        this.#at += closed ? 2 : 1;
        if (this.#open.length === 0 && seen?.includes('xmlns') !== true) return 'fhir-narrative-form';
        if (closed) return undefined;
        // `<br>…</br>`, but for nothing between: refused by its end, which then does not follow at once.
        if (VOID.has(element) && !text.startsWith(`</${element}`, this.#at)) return 'fhir-narrative-form';
        this.#open.push(element);
        return this.#open.length > DEEPEST ? 'fhir-narrative-form' : undefined;
      }
      if (before === this.#at) return 'fhir-narrative-form';
      let end = this.#at;
      while (isName(text.charCodeAt(end)) || text.charCodeAt(end) === 0x3a) end += 1;
      const name = text.slice(this.#at, end);
      if (name === '') return 'fhir-narrative-form';
      if (!ATTRIBUTES.has(name)) return 'fhir-narrative-attribute';
      seen ??= [];
      if (seen.includes(name) || seen.length >= MOST_ATTRIBUTES) return 'fhir-narrative-form';
      seen.push(name);
      this.#at = end;
      const fault = this.#value(name);
      if (fault !== undefined) return fault;
    }
  }

  #value(name: string): NarrativeFault | undefined {
    const text = this.#text;
    this.#spaces();
    if (text.charCodeAt(this.#at) !== 0x3d) return 'fhir-narrative-form';
    this.#at += 1;
    this.#spaces();
    const quote = text.charAt(this.#at);
    if (quote !== '"' && quote !== "'") return 'fhir-narrative-form';
    const end = text.indexOf(quote, this.#at + 1);
    if (end < 0) return 'fhir-narrative-form';
    const raw = text.slice(this.#at + 1, end);
    if (raw.includes('<')) return 'fhir-narrative-form';
    const fault = this.#sound(this.#at + 1, end);
    this.#at = end + 1;
    if (fault !== undefined) return fault;
    if (name === 'xmlns') return raw === XHTML ? undefined : 'fhir-narrative-form';
    if (name !== 'style' && !LINKS.has(name)) return undefined;
    const plain = decoded(raw);
    if (name === 'style')
      return ACTIVE_STYLE.test(plain.replaceAll(PLAIN_URL, '')) ? 'fhir-narrative-style' : undefined;
    return isHarmless(name, plain) ? undefined : 'fhir-narrative-link';
  }
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function isReference(name: string): boolean {
  if (Object.hasOwn(NAMED, name)) return true;
  const code = codeOf(name);
  if (code === undefined) return false;
  return (
    code === 0x09 ||
    code === 0x0a ||
    code === 0x0d ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}

function codeOf(name: string): number | undefined {
  const hex = /^#x([0-9A-Fa-f]{1,6})$/.exec(name)?.[1];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  const decimal = /^#([0-9]{1,7})$/.exec(name)?.[1];
  return decimal === undefined ? undefined : Number(decimal);
}

/** An attribute's value with its references replaced; they were found sound. */
function decoded(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replaceAll(/&([^;]+);/g, (_, name: string) => {
    const code = codeOf(name);
    return code === undefined ? (NAMED[name] ?? '') : String.fromCodePoint(code);
  });
}

/** Whether what a link leads to is a page or a mail address; of an image, a picture in it or elsewhere. */
function isHarmless(name: string, value: string): boolean {
  // Browsers drop these before they look at the scheme.
  const plain = value.replaceAll(/[\0-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]/g, '');
  const scheme = SCHEME.exec(plain)?.[1]?.toLowerCase();
  if (scheme === undefined) return !plain.startsWith('//') && !plain.startsWith('\\');
  if (name === 'src') return scheme === 'https' || scheme === 'http' || scheme === 'cid' || IMAGE.test(value);
  return ['http', 'https', 'mailto', 'tel', 'urn', 'ftp'].includes(scheme);
}
