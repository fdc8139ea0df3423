import type { Exchange } from '../pipeline/exchange.ts';

/** Bytes of a form of ours. */
export const OWN_FORM_LIMIT = 64 * 1024;
const MAX_FIELDS = 1000;

/** A request's body, whole; in words why there is none. */
export async function readBody(x: Exchange, maxBytes: number): Promise<Buffer | 'overflow' | 'gone'> {
  if (x.facts.body.kind === 'none') return Buffer.alloc(0);
  if (x.facts.body.kind === 'length' && x.facts.body.bytes > maxBytes) return 'overflow';
  const body = x.client.body(x, maxBytes);
  const chunks = await body.whole();
  if (body.state !== 'complete') return body.state === 'overflow' ? 'overflow' : 'gone';
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Fields of a form, each of which may be there once unless `getAll` is meant for it. */
export type Fields = URLSearchParams;

/** The fields of a form of ours; undefined when the body is none. */
export async function readForm(x: Exchange): Promise<Fields | 'too-large' | undefined> {
  if (x.facts.mediaType !== 'application/x-www-form-urlencoded') return undefined;
  const body = await readBody(x, OWN_FORM_LIMIT);
  if (body === 'overflow') return 'too-large';
  if (body === 'gone') return undefined;
  const fields = new URLSearchParams(body.toString('utf8'));
  return fields.size > MAX_FIELDS ? undefined : fields;
}

/** A field that is there exactly once. */
export function only(fields: Fields, name: string): string | undefined {
  const values = fields.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}
