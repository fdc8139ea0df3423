import { ChartgateError } from '../contracts/errors.ts';
import { type Place, placesOf } from './html-places.ts';
import { SafeUrl } from './url.ts';

let seal: (text: string) => Html;

/** Mark-up that this file made. Nothing else makes one, so whatever is not of this class gets escaped. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
    Object.freeze(this);
  }

  static {
    seal = (text) => new Html(text);
  }

  toString(): string {
    return this.#text;
  }
}

let sealAttributes: (text: string) => Attributes;

/** Attributes to be put between a tag's name and its end; made by `attributes`. */
export class Attributes {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
    Object.freeze(this);
  }

  static {
    sealAttributes = (text) => new Attributes(text);
  }
}

/** What a template takes. `undefined`, `null` and `false` are nothing, so that `condition && html…` works. */
export type HtmlValue =
  | string
  | number
  | Html
  | SafeUrl
  | Attributes
  | undefined
  | null
  | false
  | readonly HtmlValue[];

const REPLACED: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
});

/** Good for text and for a quoted attribute. What HTML cannot carry (NUL, other controls, half a surrogate) becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u{fdd0}-\u{fdef}\u{fffe}\u{ffff}]/gu, '\ufffd')
    .replace(/[&<>"'`]/g, (character) => REPLACED[character] ?? '');
}

/** Attributes whose value a browser runs, loads or reads as a document: URLs go through `SafeUrl`, the others nowhere. */
const URLS: ReadonlySet<string> = new Set(['href', 'src', 'action', 'formaction']);
const NEVER =
  /^(?:on.*|style|srcdoc|srcset|content|http-equiv|poster|data|cite|ping|background|manifest|xlink:href)$/;

const known = new WeakMap<TemplateStringsArray, readonly Place[]>();

/**
 * Tagged template for mark-up. Values are escaped for where they stand; a template with a value where no
 * escaping would be safe (a tag's name, an unquoted attribute, a script, a style, a comment, an event
 * handler) throws `internal` whenever it is rendered, whatever the value.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let places = known.get(strings);
  if (places === undefined) {
    places = placesOf(strings);
    known.set(strings, places);
  }
  let text = strings[0] ?? '';
  for (let index = 0; index < values.length; index++) {
    const place = places[index];
    if (place === undefined) throw misplaced('somewhere');
    text += write(values[index], place) + (strings[index + 1] ?? '');
  }
  return seal(text);
}

function write(value: HtmlValue, place: Place): string {
  if (place.kind === 'tag') {
    if (value === undefined || value === null || value === false) return '';
    if (value instanceof Attributes) return value.text;
    throw misplaced('inside a tag, where only attributes() may stand');
  }
  if (place.kind === 'attribute') return attributeValue(place.name, value, place.whole);
  return textValue(value);
}

function textValue(value: HtmlValue): string {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return escapeHtml(String(value));
  if (isList(value)) return value.map(textValue).join('');
  throw misplaced('in text, where only text and mark-up may stand');
}

function isList(value: HtmlValue): value is readonly HtmlValue[] {
  return Array.isArray(value);
}

function attributeValue(name: string, value: HtmlValue, whole: boolean): string {
  if (NEVER.test(name)) throw misplaced(`in the attribute ${name}`);
  if (URLS.has(name)) {
    if (value instanceof SafeUrl && whole) return escapeHtml(value.toString());
    throw misplaced(`in the attribute ${name}, which takes one SafeUrl and nothing beside it`);
  }
  if (value === undefined || value === null || value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return escapeHtml(String(value));
  throw misplaced(`in the attribute ${name}, which takes text`);
}

/** `undefined`, `null` and `false` leave the attribute out; `true` writes its name alone. Names are in lower case. */
export function attributes(
  values: Readonly<Record<string, string | number | boolean | SafeUrl | undefined | null>>,
): Attributes {
  let text = '';
  for (const [name, value] of Object.entries(values)) {
    if (!/^[a-z][a-z-]*$/.test(name)) throw misplaced('as the name of an attribute');
    if (value === undefined || value === null || value === false) continue;
    if (value === true) {
      if (NEVER.test(name) || URLS.has(name)) throw misplaced(`as the attribute ${name}`);
      text += ` ${name}`;
    } else text += ` ${name}="${attributeValue(name, value, true)}"`;
  }
  return sealAttributes(text.trimStart());
}

function misplaced(where: string): ChartgateError {
  return new ChartgateError('internal', `A template has a value ${where}.`);
}
