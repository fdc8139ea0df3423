import { createPublicKey, type webcrypto } from 'node:crypto';
import type { Judged } from './pem.ts';

type PublicJwk = Readonly<Record<string, unknown>>;

/** Members of a JWK that are nobody's business but its owner's (RFC 7518 §6.2.2, §6.3.2, §6.4, RFC 8037 §2). */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
const MOST = 8;

/** The public keys in a JWK set, or in one JWK by itself (RFC 7517 §4, §5). */
export function publicKeysOf(content: Buffer): Judged<readonly PublicJwk[]> {
  let data: unknown;
  try {
    data = JSON.parse(content.toString('utf8'));
  } catch {
    return { ok: false, message: 'the file is not JSON' };
  }
  const keys = isObject(data) && Array.isArray(data.keys) ? (data.keys as readonly unknown[]) : [data];
  if (keys.length === 0 || keys.length > MOST) {
    return { ok: false, message: `the file must hold 1 to ${MOST} keys` };
  }
  for (const key of keys) {
    if (!isObject(key)) return { ok: false, message: 'the file holds something that is no key' };
    if (PRIVATE.some((member) => Object.hasOwn(key, member))) {
      return { ok: false, message: 'the file holds a private or shared key; give the public part alone' };
    }
    try {
      createPublicKey({ key: key as webcrypto.JsonWebKey, format: 'jwk' });
    } catch {
      return { ok: false, message: 'the file holds a key that cannot be read' };
    }
  }
  return { ok: true, value: keys as readonly PublicJwk[] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
