import { isAscii } from 'node:buffer';
import type { Json, JsonObject } from '../../contracts/content.ts';
import type { ContentFault } from './fault.ts';
import { type JsonOptions, JsonReader, type ReadJson, type Spans } from './json-reader.ts';

export type { JsonOptions, ReadJson, Spans } from './json-reader.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 without a byte order mark, or which rule it breaks. */
export function decodeText(bytes: Buffer): { readonly text: string } | { readonly rule: 'utf8' | 'bom' } {
  if (isAscii(bytes)) return { text: bytes.toString('latin1') };
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { rule: 'bom' };
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    return { rule: 'utf8' };
  }
}

/**
 * JSON (RFC 8259) with one meaning, in one pass, or the first rule that it breaks and where: no name twice in an object
 * (after its escapes), valid UTF-8, no lone surrogate, no byte order mark, nothing after it, bounded depth and values.
 * Never throws.
 */
export function readJson(bytes: Buffer, options: JsonOptions): ReadJson | (ContentFault & { ok: false }) {
  const decoded = decodeText(bytes);
  if ('rule' in decoded) return { ok: false, status: 'bad-request', rule: `json-${decoded.rule}`, place: '' };
  const read = new JsonReader(decoded.text, options, false).read();
  return read.ok && options.spans === true ? new LocatedLater(read, options) : read;
}

/** Where its values stood is found out by reading it again, and only where somebody wants to know: hardly ever. */
class LocatedLater implements ReadJson {
  readonly ok = true;
  readonly value: Json;
  readonly text: string;
  readonly #options: JsonOptions;
  #spans: Spans | undefined;

  constructor({ value, text }: ReadJson, options: JsonOptions) {
    this.value = value;
    this.text = text;
    this.#options = options;
  }

  get spans(): Spans {
    this.#spans ??= this.#find();
    return this.#spans;
  }

  #find(): Spans {
    const again = new JsonReader(this.text, this.#options, true).read();
    const spans = new Map<object, readonly [number, number]>();
    if (again.ok) transfer(again.value, this.value, again.spans, spans);
    return spans;
  }
}

/** Of two equal values, what is known of the parts of one is noted of those of the other. */
function transfer(from: Json, to: Json, known: Spans, spans: Map<object, readonly [number, number]>): void {
  if (typeof from !== 'object' || from === null || typeof to !== 'object' || to === null) return;
  const span = known.get(from);
  if (span !== undefined) spans.set(to, span);
  for (const name of Object.keys(from))
    transfer((from as JsonObject)[name] as Json, (to as JsonObject)[name] as Json, known, spans);
}
