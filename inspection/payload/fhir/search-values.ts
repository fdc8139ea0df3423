import { isText, TEXT_FORMATS } from './formats.ts';

/** Forms of search parameters' values (R4 §3.1.1.4), by the parameter's type. */

const PREFIX = '(?:eq|ne|gt|lt|ge|le|sa|eb|ap)?';
const NUMBER = '[+-]?\\d{1,32}(?:\\.\\d{1,32})?(?:[eE][+-]?\\d{1,3})?';
const NUMBER_VALUE = new RegExp(`^${PREFIX}${NUMBER}$`);
/** Seconds may be missing, as nowhere else. */
const DATE_VALUE = new RegExp(
  `^${PREFIX}\\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\\d|3[01])(?:T(?:[01]\\d|2[0-3]):[0-5]\\d(?::(?:[0-5]\\d|60)(?:\\.\\d{1,9})?)?(?:Z|[+ -](?:0\\d|1[0-4]):[0-5]\\d)?)?)?)?$`,
);
const QUANTITY_VALUE = new RegExp(`^${PREFIX}${NUMBER}(?:\\|[^\\s|]{0,256}\\|[^\\s|]{1,64})?$`);
const ID = '[A-Za-z0-9\\-.]{1,64}';
const REFERENCE_VALUE = new RegExp(
  `^(?:${ID}|(?:https?://[^\\s<>"\\\\^\`{|}]{1,512}/)?[A-Z][A-Za-z]{1,63}/${ID}(?:/_history/${ID})?|https?://[^\\s<>"\\\\^\`{}]{1,1024}|urn:(?:uuid|oid):[0-9A-Za-z.-]{1,128})$`,
);
const isUri = TEXT_FORMATS.uri ?? (() => false);

const each =
  (test: (value: string) => boolean) =>
  (text: string): boolean =>
    alternatives(text).every(test);

/** Whether a value has the form of its type. What is no type known here is judged as text. */
export const VALUE_FORMS: Readonly<Record<string, (text: string) => boolean>> = {
  number: each((value) => NUMBER_VALUE.test(value)),
  date: each((value) => DATE_VALUE.test(value)),
  quantity: each((value) => QUANTITY_VALUE.test(value)),
  reference: each((value) => REFERENCE_VALUE.test(value)),
  uri: each(isUri),
  token: each(isToken),
  string: isText,
  composite: isText,
  special: isText,
};

/** `code`, `system|code`, `|code` or `system|`; a code has no line ends. */
function isToken(value: string): boolean {
  if (value.length > 1024 || /[\x00-\x1f\x7f]/.test(value)) return false;
  const bar = value.indexOf('|');
  if (bar < 0) return value.length > 0;
  return value.length > 1 && (bar === 0 || isUri(value.slice(0, bar))) && !/(?<!\\)\|.*(?<!\\)\|/.test(value);
}

/** Values between commas that no backslash escapes (R4 §3.1.1.4.19). */
function alternatives(text: string): readonly string[] {
  if (!text.includes(',')) return [text];
  if (!text.includes('\\')) return text.split(',');
  const found: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) === 0x5c) at += 1;
    else if (text.charCodeAt(at) === 0x2c) {
      found.push(text.slice(from, at));
      from = at + 1;
    }
  }
  found.push(text.slice(from));
  return found;
}

const any = (...types: readonly string[]): ReadonlySet<string> => new Set(types);

/** Types of parameters with which a modifier may stand (R4 §3.1.1.4.5). */
export const MODIFIERS: Readonly<Record<string, ReadonlySet<string>>> = {
  missing: any('number', 'date', 'quantity', 'reference', 'uri', 'token', 'string', 'composite', 'special'),
  exact: any('string'),
  contains: any('string', 'uri'),
  text: any('token', 'string', 'reference'),
  not: any('token'),
  in: any('token'),
  'not-in': any('token'),
  above: any('token', 'uri', 'reference'),
  below: any('token', 'uri', 'reference'),
  'of-type': any('token'),
  ofType: any('token'),
  identifier: any('reference'),
};

const MODIFIED: Readonly<Record<string, (text: string) => boolean>> = {
  missing: (text) => text === 'true' || text === 'false',
  text: isText,
  in: isUri,
  'not-in': isUri,
  identifier: each(isToken),
};

/** The form of a value under a modifier. */
export function formOf(type: string, modifier: string | undefined): (text: string) => boolean {
  const modified = modifier === undefined ? undefined : MODIFIED[modifier];
  return modified ?? VALUE_FORMS[type] ?? isText;
}

const oneOf =
  (...values: readonly string[]) =>
  (text: string): boolean =>
    values.includes(text);
const COUNT = /^\d{1,9}$/;
const NAME = '[A-Za-z_][A-Za-z0-9_.-]{0,63}';
const NAMES = new RegExp(`^-?${NAME}(?:,-?${NAME}){0,63}$`);
const INCLUDE = new RegExp(`^(?:\\*|[A-Z][A-Za-z]{1,63}:(?:\\*|${NAME})(?::[A-Z][A-Za-z]{1,63})?)$`);
const TYPES = /^[A-Z][A-Za-z]{1,63}(?:,[A-Z][A-Za-z]{1,63}){0,199}$/;
const FORMAT =
  /^(?:json|xml|ttl|html|(?:application|text)\/[a-z0-9.+-]{1,64}(?:; ?(?:charset=utf-8|fhirVersion=\d\.\d))?)$/i;
/** What servers put into the links of their pages. */
const PAGE = /^[A-Za-z0-9._~:+/=|-]{1,2048}$/;

/** Parameters that say how to answer, not what to look for (R4 §3.1.1.5), and those of servers' paging. */
export const RESULT_PARAMETERS: Readonly<Record<string, (text: string) => boolean>> = {
  _count: (text) => COUNT.test(text),
  _sort: (text) => NAMES.test(text),
  _include: (text) => INCLUDE.test(text),
  _revinclude: (text) => INCLUDE.test(text),
  _summary: oneOf('true', 'false', 'text', 'data', 'count'),
  _total: oneOf('none', 'estimate', 'accurate'),
  _elements: (text) => NAMES.test(text),
  _contained: oneOf('true', 'false', 'both'),
  _containedType: oneOf('container', 'contained'),
  _format: (text) => FORMAT.test(text.replaceAll(' ', '+')),
  _pretty: oneOf('true', 'false'),
  _score: oneOf('true', 'false'),
  _since: (text) => DATE_VALUE.test(text),
  _at: (text) => DATE_VALUE.test(text),
  _list: (text) => /^(?:\$[a-z-]{1,64}|[A-Za-z0-9\-.,]{1,256})$/.test(text),
  _type: (text) => TYPES.test(text),
  _filter: isText,
  _query: (text) => new RegExp(`^${NAME}$`).test(text),
  _getpages: (text) => PAGE.test(text),
  _getpagesoffset: (text) => COUNT.test(text),
  _bundletype: (text) => /^[a-z-]{1,32}$/.test(text),
  _offset: (text) => COUNT.test(text),
  _skip: (text) => COUNT.test(text),
  _page: (text) => PAGE.test(text),
  page: (text) => PAGE.test(text),
  _cursor: (text) => PAGE.test(text),
  _pageToken: (text) => PAGE.test(text),
};
