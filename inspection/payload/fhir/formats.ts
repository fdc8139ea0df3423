/**
 * Lexical forms of FHIR's primitive types (R4 §2.24.0.1), each a function of the text alone. Written by hand where a
 * pattern could not tell (days of a month) or would cost more.
 */

const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/;
const DATE_TIME =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T([01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)))?)?)?$/;
const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))$/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?$/;
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/;
const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;

/** Characters of a `string`, at most. */
const LONGEST = 1_048_576;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether year, month and day, as far as they are given, are a date of the calendar. */
function isDate(year: string | undefined, month: string | undefined, day: string | undefined): boolean {
  if (year === undefined || year === '0000') return false;
  if (month === undefined) return true;
  const longest = DAYS[Number(month) - 1];
  if (longest === undefined) return false;
  if (day === undefined) return true;
  const number = Number(day);
  if (number < 1 || number > longest) return false;
  return month !== '02' || number < 29 || isLeap(Number(year));
}

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const dated = (pattern: RegExp) => (text: string) => {
  const match = pattern.exec(text);
  return match !== null && isDate(match[1], match[2], match[3]);
};

/** Printable, and not only white space; of controls, tab and line ends (R4 §2.24.0.1, `string`). */
export function isText(text: string): boolean {
  if (text.length === 0 || text.length > LONGEST) return false;
  let solid = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x20) {
      if (code === 0x7f) return false;
      solid = true;
    } else if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return false;
  }
  return solid;
}

/** No white space and no controls anywhere. */
function isUri(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f || (code >= 0x80 && /[\s\p{Cc}]/u.test(text.charAt(at)))) return false;
  }
  return text.length > 0 && text.length <= 8192;
}

/** Words with single spaces between them. */
function isCode(text: string): boolean {
  let spaced = true;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x20) {
      if (spaced) return false;
      spaced = true;
    } else if (code < 0x20 || code === 0x7f || (code >= 0x80 && /[\s\p{Cc}]/u.test(text.charAt(at))))
      return false;
    else spaced = false;
  }
  return !spaced && text.length <= 1024;
}

/** RFC 4648 §4, white space allowed between. */
function isBase64(text: string): boolean {
  let count = 0;
  let padding = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) continue;
    count += 1;
    if (code === 0x3d) padding += 1;
    else if (padding > 0) return false;
    else if (
      !(
        (code >= 0x41 && code <= 0x5a) ||
        (code >= 0x61 && code <= 0x7a) ||
        (code >= 0x30 && code <= 0x39) ||
        code === 0x2b ||
        code === 0x2f
      )
    )
      return false;
  }
  return count > 0 && padding <= 2 && count % 4 === 0;
}

/** By primitive type. The numbers and `boolean` are JSON's, `xhtml` is the narrative's. */
export const TEXT_FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  base64Binary: isBase64,
  canonical: isUri,
  code: isCode,
  date: dated(DATE),
  dateTime: dated(DATE_TIME),
  id: (text) => ID.test(text),
  instant: dated(INSTANT),
  markdown: isText,
  oid: (text) => OID.test(text),
  string: isText,
  time: (text) => TIME.test(text),
  uri: isUri,
  url: isUri,
  uuid: (text) => UUID.test(text),
};

export const INTEGERS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  integer: [-2_147_483_648, 2_147_483_647],
  positiveInt: [1, 2_147_483_647],
  unsignedInt: [0, 2_147_483_647],
};
