import type { IncomingMessage } from 'node:http';

/** Bytes of a form: the largest is a passkey's answer. */
const LARGEST_FORM = 64 * 1024;

/** Undefined for one that is too large or of another type. */
export async function formOf(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_FORM) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/** A form of another site brings another origin (Fetch standard, "Origin"); old browsers may leave it out. */
export function isForeign(request: IncomingMessage, issuer: string): boolean {
  const { origin } = request.headers;
  return origin !== undefined && origin !== new URL(issuer).origin;
}
