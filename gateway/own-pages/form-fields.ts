/** Names to which browsers give values of their own when they send a form (HTML Living Standard, 4.10.22.4). */
const SPECIAL: ReadonlySet<string> = new Set(['_charset_', 'isindex']);
const MAX_FIELDS = 2000;

export interface FormFields {
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** For the form that sends them again. */
  readonly charset: string | undefined;
}

/**
 * The fields of a body of `application/x-www-form-urlencoded`, in order, for a form that sends the same again; the
 * bytes are read as UTF-8 or, where they are none, in the one-byte character set that old pages have. Undefined
 * where a browser would send something else than it sent before.
 */
export function formFieldsOf(body: string): FormFields | undefined {
  const utf8 = decode(body, 'utf-8');
  const fields = utf8 ?? decode(body, 'windows-1252');
  if (fields === undefined || fields.length === 0 || fields.length > MAX_FIELDS) return undefined;
  if (fields.some(([name]) => name === '' || SPECIAL.has(name.toLowerCase()))) return undefined;
  // Browsers send every line break as CR LF, and did so the first time.
  if (fields.some(([name, value]) => /\r(?!\n)|(?<!\r)\n|\0/.test(name + value))) return undefined;
  return { fields, charset: utf8 === undefined ? 'windows-1252' : undefined };
}

function decode(body: string, charset: 'utf-8' | 'windows-1252'): [string, string][] | undefined {
  if (!/^[\x21-\x7e]*$/.test(body)) return undefined;
  const decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
  const text = (part: string): string => {
    const bytes = part
      .replaceAll('+', ' ')
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return decoder.decode(Buffer.from(bytes, 'latin1'));
  };
  try {
    return body
      .split('&')
      .filter((part) => part !== '')
      .map((part) => {
        const equals = part.indexOf('=');
        return equals < 0 ? [text(part), ''] : [text(part.slice(0, equals)), text(part.slice(equals + 1))];
      });
  } catch {
    return undefined;
  }
}
