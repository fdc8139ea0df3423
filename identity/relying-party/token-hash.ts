import { hash } from 'node:crypto';

/** The hash that goes with an algorithm of a signature (RFC 7518 §3.1; RFC 8032 for the Edwards curve). */
function hashNameOf(algorithm: string): 'sha256' | 'sha384' | 'sha512' | undefined {
  if (algorithm === 'EdDSA' || algorithm === 'Ed25519') return 'sha512';
  switch (algorithm.slice(-3)) {
    case '256':
      return 'sha256';
    case '384':
      return 'sha384';
    case '512':
      return 'sha512';
    default:
      return undefined;
  }
}

/**
 * Whether an ID token's `at_hash` is of this access token (OpenID Connect Core 1.0 §3.1.3.8): the left half of its
 * hash. The claim may be left out where both came together; where it is there it must be right.
 * @param algorithm of the ID token's signature
 */
export function isHashOf(atHash: unknown, accessToken: string, algorithm: string): boolean {
  if (atHash === undefined) return true;
  const name = hashNameOf(algorithm);
  if (name === undefined) return false;
  const digest = hash(name, accessToken, 'buffer');
  return atHash === digest.subarray(0, digest.length / 2).toString('base64url');
}
