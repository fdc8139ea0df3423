import type { Json } from '../../contracts/content.ts';
import type { Spans } from './json.ts';

/**
 * Writes a value as JSON. Whatever in it was read from `source` and is the same array or object still is written as it
 * stood there, to the byte: a decimal keeps its digits (FHIR R4, "decimal": 1.0 and 1.00 are not the same), and a
 * signature over a part stays good.
 */
export function writeJson(value: Json, source?: { readonly text: string; readonly spans: Spans }): Buffer {
  if (source === undefined || source.spans.size === 0) return Buffer.from(JSON.stringify(value));
  const pieces: string[] = [];
  write(value, source.text, source.spans, pieces);
  return Buffer.from(pieces.join(''));
}

function write(value: Json, text: string, spans: Spans, pieces: string[]): void {
  if (typeof value !== 'object' || value === null) {
    pieces.push(JSON.stringify(value));
    return;
  }
  const span = spans.get(value);
  if (span !== undefined) {
    pieces.push(text.slice(span[0], span[1]));
    return;
  }
  if (Array.isArray(value)) {
    pieces.push('[');
    (value as readonly Json[]).forEach((item, index) => {
      if (index > 0) pieces.push(',');
      write(item, text, spans, pieces);
    });
    pieces.push(']');
    return;
  }
  pieces.push('{');
  let first = true;
  for (const [name, member] of Object.entries(value) as [string, Json | undefined][]) {
    if (member === undefined) continue;
    pieces.push(first ? '' : ',', JSON.stringify(name), ':');
    first = false;
    write(member, text, spans, pieces);
  }
  pieces.push('}');
}
