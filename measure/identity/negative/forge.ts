import { constants, createHmac, type KeyObject, sign as signBytes } from 'node:crypto';

export const b64 = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

/** Whatever header and payload, signed: nothing is too wrong to be made. */
export function forge(
  header: object | string,
  payload: object | string,
  key: KeyObject | string,
  algorithm: string,
): string {
  const text = (part: object | string) => (typeof part === 'string' ? part : JSON.stringify(part));
  const input = `${b64(text(header))}.${b64(text(payload))}`;
  return `${input}.${b64(signature(Buffer.from(input), key, algorithm))}`;
}

function signature(input: Buffer, key: KeyObject | string, algorithm: string): Buffer {
  const digest = `sha${algorithm.slice(2)}`;
  switch (algorithm.slice(0, 2)) {
    case 'no':
      return Buffer.alloc(0);
    case 'HS':
      return createHmac(digest, key).update(input).digest();
    case 'PS':
      return signBytes(digest, input, {
        key: key as KeyObject,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: Number(algorithm.slice(2)) / 8,
      });
    case 'ES':
      return signBytes(digest, input, { key: key as KeyObject, dsaEncoding: 'ieee-p1363' });
    default:
      return signBytes(digest, input, key as KeyObject);
  }
}

/** The parts of a JWT, read. */
export function partsOf(token: string): {
  readonly text: readonly [string, string, string];
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
} {
  const [head = '', body = '', signature_ = ''] = token.split('.');
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  return { text: [head, body, signature_], header: read(head), claims: read(body) };
}
