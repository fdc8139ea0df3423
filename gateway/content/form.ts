import { decodeComponent } from '../canonical/path.ts';
import { aliased } from '../canonical/query-rules.ts';
import { type ContentFault, plainName } from './fault.ts';

/**
 * What may not stand in an encoded form: all but the characters that the URL standard's serializer leaves as they are,
 * escapes, and what other clients leave plain. Not `;`, at which some back ends separate fields, and no white space.
 * It looks for what is wrong: a pattern of the whole text would use up the stack on a form of some megabytes.
 */
const NOT_PERMITTED = /[^A-Za-z0-9*._~!$'()+,:@/?|[\]{}^`&=%-]|%(?![0-9A-Fa-f]{2})/;
/** No form has a longer name; what is longer is not compared with the others. */
const LONGEST_NAME = 512;
/** Controls but those of a text area: tab and line ends. */
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufff0-\ufffb\ufffe\uffff]/;
const FORBIDDEN_IN_NAME = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufff0-\uffff]/;

/**
 * An `application/x-www-form-urlencoded` body (URL Standard §5.1) with one meaning: `&` alone separates, `+` is a
 * space, escapes are decoded once and are valid UTF-8. Every value of a repeated name is kept, in order.
 */
export function readForm(
  bytes: Buffer,
  limits: { readonly formFields: number },
):
  | { readonly ok: true; readonly fields: ReadonlyMap<string, readonly string[]> }
  | (ContentFault & { ok: false }) {
  const text = bytes.toString('latin1');
  if (NOT_PERMITTED.test(text)) return fault('form-character');
  const fields = new Map<string, string[]>();
  let count = 0;
  // Nothing between two separators is no field, but a body can be made of them.
  const most = 2 * limits.formFields + 1;
  const parts = text.split('&', most + 1);
  if (parts.length > most) return fault('form-fields', '', 'too-large');
  for (const part of parts) {
    if (part === '') continue;
    count += 1;
    if (count > limits.formFields) return fault('form-fields', '', 'too-large');
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    if (name === undefined) return fault('form-encoding');
    if (name === '' || name.length > LONGEST_NAME || FORBIDDEN_IN_NAME.test(name)) return fault('form-name');
    const value = equals < 0 ? '' : decode(part.slice(equals + 1));
    if (value === undefined) return fault('form-encoding', name);
    if (FORBIDDEN.test(value)) return fault('form-control', name);
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  // `a` and `a[]`, `a.b` and `a_b`: which of them counts differs from server to server.
  if (aliased(fields.keys(), true)) return fault('form-alias');
  return { ok: true, fields };
}

function decode(text: string): string | undefined {
  return decodeComponent(text.includes('+') ? spaced(text) : text);
}

/** A plus is a space. Of a long text byte by byte: millions of replacements take ten times as long. */
function spaced(text: string): string {
  if (text.length < 1024) return text.replaceAll('+', ' ');
  const bytes = Buffer.from(text, 'latin1');
  for (let at = bytes.indexOf(0x2b); at >= 0 && at < bytes.length; at += 1)
    if (bytes[at] === 0x2b) bytes[at] = 0x20;
  return bytes.toString('latin1');
}

function fault(
  rule: string,
  name = '',
  status: ContentFault['status'] = 'bad-request',
): ContentFault & { ok: false } {
  return { ok: false, status, rule, place: name === '' ? '' : `field:${plainName(name)}` };
}
