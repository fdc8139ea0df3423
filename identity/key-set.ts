import { type CryptoKey, importJWK, type JWK } from 'jose';
import { type Algorithm, keyFits } from './algorithms.ts';
import { isJsonObject, type JsonObject, member } from './json.ts';

/** Verification keys by key id, then by the algorithm they were made for. */
export type KeySet = ReadonlyMap<string, ReadonlyMap<Algorithm, CryptoKey>>;

/** A longer key set is not an issuer's; each key costs an import. */
const MAX_KEYS = 64;
export const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;
export const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

/**
 * Imports an issuer's key set (RFC 7517 §5). A key counts only when it has a key id of its own, is public,
 * and fits an allowed algorithm. Two keys with one id: neither counts, since which is meant cannot be
 * told. A key that was published together with its private half is everybody's, and does not count.
 */
export async function importKeySet(
  document: JsonObject,
  algorithms: ReadonlySet<Algorithm>,
): Promise<KeySet> {
  const listed = member(document, 'keys');
  if (!Array.isArray(listed) || listed.length > MAX_KEYS) throw new TypeError('not a key set');
  const byId = new Map<string, JsonObject | undefined>();
  for (const jwk of listed as readonly unknown[]) {
    const keyId = isJsonObject(jwk) ? member(jwk, 'kid') : undefined;
    if (!isJsonObject(jwk) || typeof keyId !== 'string') continue;
    byId.set(keyId, byId.has(keyId) ? undefined : jwk);
  }
  const keys = new Map<string, ReadonlyMap<Algorithm, CryptoKey>>();
  for (const [keyId, jwk] of byId) {
    if (jwk === undefined || PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) continue;
    const forAlgorithm = new Map<Algorithm, CryptoKey>();
    for (const algorithm of algorithms) {
      const key = keyFits(jwk, algorithm) ? await importPublic(jwk, algorithm) : undefined;
      if (key !== undefined) forAlgorithm.set(algorithm, key);
    }
    if (forAlgorithm.size > 0) keys.set(keyId, forAlgorithm);
  }
  return keys;
}

async function importPublic(jwk: JsonObject, algorithm: Algorithm): Promise<CryptoKey | undefined> {
  const wanted = PUBLIC_MEMBERS.filter((name) => typeof member(jwk, name) === 'string');
  try {
    const key = await importJWK(
      Object.fromEntries(wanted.map((name) => [name, jwk[name]])) as JWK,
      algorithm,
    );
    // RSA keys under 2048 bits (RFC 7518 §3.3) are refused by the library when they are used.
    return key instanceof Uint8Array || key.type !== 'public' ? undefined : key;
  } catch {
    // One key that cannot be read must not cost the others.
    return undefined;
  }
}
