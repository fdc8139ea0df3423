import type { BodyFraming } from '../../contracts/facts.ts';

const NONE: BodyFraming = Object.freeze({ kind: 'none' });
const CHUNKED: BodyFraming = Object.freeze({ kind: 'chunked' });
const DIGITS = /^(?:0|[1-9][0-9]{0,14})$/;

/**
 * How an HTTP/1.1 request is delimited (RFC 9112 §6), or `undefined` where it could be read in two ways: a
 * length and a transfer coding together, any coding but exactly `chunked`, a length that is not plain digits.
 */
export function framingOf(
  contentLength: string | undefined,
  transferEncoding: string | undefined,
): BodyFraming | undefined {
  if (transferEncoding !== undefined) {
    return contentLength === undefined && transferEncoding === 'chunked' ? CHUNKED : undefined;
  }
  if (contentLength === undefined) return NONE;
  if (!DIGITS.test(contentLength)) return undefined;
  return contentLength === '0' ? NONE : { kind: 'length', bytes: Number(contentLength) };
}

/** The same for HTTP/2, where frames delimit: `endStream` says that nothing follows the head (RFC 9113 §8.1.1). */
export function framingOfStream(
  contentLength: string | undefined,
  endStream: boolean,
): BodyFraming | undefined {
  if (contentLength === undefined) return endStream ? NONE : CHUNKED;
  if (!DIGITS.test(contentLength)) return undefined;
  const bytes = Number(contentLength);
  if (endStream) return bytes === 0 ? NONE : undefined;
  return { kind: 'length', bytes };
}
