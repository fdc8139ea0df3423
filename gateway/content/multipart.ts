import type { FormPart } from '../../contracts/content.ts';
import { aliased } from '../canonical/query-rules.ts';
import type { ContentFault } from './fault.ts';
import { decodeText } from './json.ts';

/** RFC 2046 §5.1.1 `bchars` but the space and those that need quoting somewhere; what browsers and libraries make. */
const BOUNDARY =
  /^multipart\/form-data[\t ]*;[\t ]*boundary=(?:"([A-Za-z0-9'()+_,./:=?-]{1,70})"|([A-Za-z0-9'+_.-]{1,70}))$/i;
/** One `name="…"` and perhaps one `filename="…"`, in this order, both quoted, as browsers write them (RFC 7578 §4.2). */
const DISPOSITION = /^form-data; ?name="([^"\r\n\\]*)"(?:; ?filename="([^"\r\n\\]*)")?$/i;
const HEADER = /^(content-disposition|content-type|content-length):[\t ]*([^\r\n]*?)[\t ]*$/i;
const MEDIA_TYPE =
  /^([a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126})(?:[\t ]*;[\t ]*charset="?utf-8"?)?$/i;
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufff0-\uffff]/;

type Reading = { readonly ok: true; readonly parts: readonly FormPart[] } | (ContentFault & { ok: false });

/**
 * A `multipart/form-data` body (RFC 7578) with one meaning, or the rule that it breaks. Read from the whole body by its
 * delimiters: nothing before the first and after the last, every part with exactly one plain `Content-Disposition`.
 * Refused is what readers understand differently: `filename*` (RFC 7578 §4.2 forbids it), escapes in names, a parameter
 * twice or unquoted, folded lines, other headers such as `Content-Transfer-Encoding` (§4.7), bare line feeds, a
 * delimiter inside a line.
 */
export function readMultipart(
  bytes: Buffer,
  contentType: string,
  limits: { readonly parts: number; readonly partHeaderBytes: number },
): Reading {
  const named = BOUNDARY.exec(contentType);
  const boundary = named?.[1] ?? named?.[2];
  if (boundary === undefined) return fault('multipart-boundary');
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const inner = delimiter.subarray(2);
  if (!bytes.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2)))
    return fault('multipart-preamble');
  const parts: FormPart[] = [];
  // Just behind a delimiter, each time.
  let at = delimiter.length - 2;
  for (;;) {
    const mark = bytes.toString('latin1', at, at + 2);
    if (mark === '--') {
      const rest = bytes.toString('latin1', at + 2, at + 8);
      if (rest !== '' && rest !== '\r\n') return fault('multipart-epilogue');
      return aliased(new Set(parts.map(({ name }) => name)), true)
        ? fault('multipart-alias')
        : { ok: true, parts };
    }
    if (mark !== '\r\n') return fault('multipart-delimiter', parts.length);
    if (parts.length >= limits.parts) return fault('multipart-parts', undefined, 'too-large');
    const head = at + 2;
    const blank = bytes.indexOf('\r\n\r\n', head, 'latin1');
    if (blank < 0 || blank - head > limits.partHeaderBytes) return fault('multipart-header', parts.length);
    const end = bytes.indexOf(delimiter, blank + 2);
    if (end < blank + 4) return fault('multipart-delimiter', parts.length);
    // What looks like a delimiter to a reader who does not mind line ends.
    if (bytes.subarray(head, end).includes(inner)) return fault('multipart-delimiter', parts.length);
    const part = partOf(bytes.subarray(head, blank), bytes.subarray(blank + 4, end));
    if (typeof part === 'string') return fault(part, parts.length);
    parts.push(part);
    at = end + delimiter.length;
  }
}

function partOf(head: Buffer, content: Buffer): FormPart | string {
  const decoded = decodeText(head);
  if ('rule' in decoded) return `multipart-${decoded.rule}`;
  const headers = new Map<string, string>();
  for (const line of decoded.text.split('\r\n')) {
    const header = HEADER.exec(line);
    const name = header?.[1]?.toLowerCase();
    if (header === null || name === undefined || headers.has(name)) return 'multipart-header';
    headers.set(name, header[2] ?? '');
  }
  const length = headers.get('content-length');
  if (length !== undefined && length !== String(content.length)) return 'multipart-header';
  const disposition = DISPOSITION.exec(headers.get('content-disposition') ?? '');
  if (disposition === null) return 'multipart-disposition';
  // WHATWG: browsers write a quote and a line end in a name as escapes; nothing else is encoded.
  const name = plain(disposition[1] ?? '');
  const fileName = disposition[2] === undefined ? undefined : plain(disposition[2]);
  if (name === '' || FORBIDDEN.test(name)) return 'multipart-name';
  if (fileName !== undefined && FORBIDDEN.test(fileName)) return 'multipart-file-name';
  const type = headers.get('content-type');
  const mediaType = type === undefined ? undefined : MEDIA_TYPE.exec(type)?.[1]?.toLowerCase();
  if (type !== undefined && mediaType === undefined) return 'multipart-type';
  return Object.freeze({ name, fileName, mediaType, bytes: content });
}

/** HTML "multipart/form-data encoding algorithm": only these three are written as escapes, and `%` itself is not. */
function plain(text: string): string {
  return text.replaceAll(/%(22|0D|0A)/gi, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

function fault(
  rule: string,
  part?: number,
  status: ContentFault['status'] = 'bad-request',
): ContentFault & { ok: false } {
  return { ok: false, status, rule, place: part === undefined ? '' : `part:${part}` };
}
