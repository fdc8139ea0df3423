import type { JsonObject } from './json.ts';

/**
 * The signature algorithms that can be allowed, and the kind of key each needs. Only asymmetric ones:
 * `none` and the HMAC family are not here, so no setting can let them in (RFC 8725 §3.1, §2.1).
 */
const KEYS = {
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
  PS256: { kty: 'RSA', crv: undefined },
  PS384: { kty: 'RSA', crv: undefined },
  PS512: { kty: 'RSA', crv: undefined },
  RS256: { kty: 'RSA', crv: undefined },
  RS384: { kty: 'RSA', crv: undefined },
  RS512: { kty: 'RSA', crv: undefined },
} as const;

export type Algorithm = keyof typeof KEYS;

export function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(KEYS, name);
}

/** True when the public JWK may be used to verify signatures of this algorithm (RFC 7517 §4.1–4.4). */
export function keyFits(jwk: JsonObject, algorithm: Algorithm): boolean {
  const { kty, crv } = KEYS[algorithm];
  if (jwk.kty !== kty || (crv !== undefined && jwk.crv !== crv)) return false;
  if (jwk.alg !== undefined && jwk.alg !== algorithm) return false;
  if (jwk.use !== undefined && jwk.use !== 'sig') return false;
  return jwk.key_ops === undefined || (Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify'));
}
