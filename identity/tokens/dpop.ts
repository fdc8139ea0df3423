import { hash } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, compactVerify, importJWK, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../contracts/clock.ts';
import type { PresentedFacts } from '../../contracts/principal.ts';
import { type Algorithm, isAlgorithm, keyFits } from '../algorithms.ts';
import { isNumericDate } from '../claims.ts';
import { decodeBase64url, isJsonObject, type JsonObject, member, parseJsonObject } from '../json.ts';
import { PRIVATE_MEMBERS, PUBLIC_MEMBERS } from '../key-set.ts';
import { hashOf } from '../lengths.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { ReplayGuard } from './replay.ts';

/** Seconds for which a proof counts after it was made, and that its maker's clock may be ahead. */
const MAX_AGE_SECONDS = 60;
const MAX_AHEAD_SECONDS = 30;
const MAX_PROOF_LENGTH = 6144;
const MAX_JTI_LENGTH = 256;
/** Imported keys that are kept; a client uses one key for all its proofs. */
const MAX_KEYS = 1000;

/** Header parameters that change what is signed or how it is read; none is understood here (RFC 7515 §4.1.11). */
const FORBIDDEN = ['crit', 'b64', 'zip', 'enc'] as const;

export interface ProofExpectations {
  /** Whose method, authority and path the proof must name, and whose `DPoP` field it is. */
  readonly facts: PresentedFacts | undefined;
  /** The token that is presented with it. */
  readonly token: string;
  /** The thumbprint that the token is bound to. */
  readonly jkt: string;
}

interface ParsedProof {
  readonly algorithm: Algorithm;
  readonly jwk: JsonObject;
  readonly claims: JsonObject;
  readonly id: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
}

/** Judges DPoP proofs (RFC 9449 §4.3, §7.1). */
export class Proofs {
  readonly #clock: Clock;
  readonly #guard: ReplayGuard | undefined;
  readonly #keys = new LRUCache<string, CryptoKey>({ max: MAX_KEYS });

  /** @param guard undefined where nothing can remember what was used: then no proof is accepted */
  constructor(clock: Clock, guard: ReplayGuard | undefined) {
    this.#clock = clock;
    this.#guard = guard;
  }

  /** Undefined when the request proves possession of the key. Never rejects. */
  async refuse(expected: ProofExpectations): Promise<Refusal | undefined> {
    const { facts, jkt } = expected;
    const text = facts?.headers.get('dpop');
    if (facts === undefined || text === undefined) return refuse('proof-missing', 'DPoP');
    const now = this.#clock.wall();
    const parsed = parseProof(text);
    if ('reason' in parsed) return parsed;
    const refused = refuseClaims(parsed, { facts, token: expected.token, nowSeconds: now / 1000 });
    if (refused !== undefined) return refused;
    if (!(await this.#signedBy(text, parsed, jkt))) return refuse('proof-invalid', 'key');
    return this.#refuseUsed(parsed, jkt);
  }

  /** The key in the proof is the one that the token is bound to, and it signed this proof. */
  async #signedBy(text: string, { algorithm, jwk }: ParsedProof, jkt: string): Promise<boolean> {
    try {
      const wanted = PUBLIC_MEMBERS.filter((name) => typeof member(jwk, name) === 'string');
      const plain = Object.fromEntries(wanted.map((name) => [name, jwk[name]])) as JWK;
      if ((await calculateJwkThumbprint(plain, 'sha256')) !== jkt) return false;
      // Equal thumbprints are equal keys, so that what was imported for one is right for the other.
      const name = `${algorithm} ${jkt}`;
      let key = this.#keys.get(name);
      if (key === undefined) {
        const imported = await importJWK(plain, algorithm);
        if (imported instanceof Uint8Array || imported.type !== 'public') return false;
        key = imported;
        this.#keys.set(name, key);
      }
      await compactVerify(text, key, { algorithms: [algorithm] });
      return true;
    } catch {
      return false;
    }
  }

  async #refuseUsed({ id, issuedAt }: ParsedProof, jkt: string): Promise<Refusal | undefined> {
    if (this.#guard === undefined) return refuse('proof-unverifiable', 'nothing remembers proofs');
    try {
      const made = issuedAt * 1000;
      // The same `jti` of another key is another proof.
      const first = await this.#guard.first(
        hashOf('dpop', jkt, id),
        made,
        made + (MAX_AGE_SECONDS + 1) * 1000,
      );
      return first ? undefined : refuse('proof-replayed', 'jti');
    } catch {
      return refuse('proof-unverifiable', 'state');
    }
  }
}

function parseProof(text: string): ParsedProof | Refusal {
  if (text.length > MAX_PROOF_LENGTH) return refuse('proof-invalid', 'oversized');
  const segments = text.split('.');
  const [head, body, signature] = segments.map(decodeBase64url);
  // Two `DPoP` fields arrive joined by a comma, and are no base64url (RFC 9449 §4.3, 1).
  if (segments.length !== 3 || head === undefined || body === undefined || signature === undefined)
    return refuse('proof-invalid', 'form');
  const header = parseJsonObject(head);
  const claims = parseJsonObject(body);
  if (header === undefined || claims === undefined) return refuse('proof-invalid', 'form');
  const type = member(header, 'typ');
  if (typeof type !== 'string' || type.toLowerCase() !== 'dpop+jwt') return refuse('proof-invalid', 'typ');
  if (FORBIDDEN.some((name) => Object.hasOwn(header, name))) return refuse('proof-invalid', 'header');
  const algorithm = member(header, 'alg');
  if (typeof algorithm !== 'string' || !isAlgorithm(algorithm)) return refuse('proof-invalid', 'alg');
  const jwk = member(header, 'jwk');
  if (!isJsonObject(jwk) || PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)))
    return refuse('proof-invalid', 'jwk');
  if (!keyFits(jwk, algorithm)) return refuse('proof-invalid', 'jwk');
  const id = member(claims, 'jti');
  if (typeof id !== 'string' || id === '' || id.length > MAX_JTI_LENGTH)
    return refuse('proof-invalid', 'jti');
  const issuedAt = member(claims, 'iat');
  if (!isNumericDate(issuedAt)) return refuse('proof-invalid', 'iat');
  return { algorithm, jwk, claims, id, issuedAt };
}

function refuseClaims(
  { claims, issuedAt }: ParsedProof,
  expected: { readonly facts: PresentedFacts; readonly token: string; readonly nowSeconds: number },
): Refusal | undefined {
  const { facts, nowSeconds } = expected;
  if (member(claims, 'htm') !== facts.method) return refuse('proof-invalid', 'htm');
  if (!names(member(claims, 'htu'), facts)) return refuse('proof-invalid', 'htu');
  if (issuedAt < nowSeconds - MAX_AGE_SECONDS - 1 || issuedAt > nowSeconds + MAX_AHEAD_SECONDS)
    return refuse('proof-invalid', 'iat');
  const expiry = member(claims, 'exp');
  if (expiry !== undefined && !(isNumericDate(expiry) && expiry > nowSeconds))
    return refuse('proof-invalid', 'exp');
  // RFC 9449 §4.2: the hash of the very token that is presented.
  if (member(claims, 'ath') !== hash('sha256', expected.token, 'base64url'))
    return refuse('proof-invalid', 'ath');
  return undefined;
}

/**
 * Whether `htu` is the request's URL but for query and fragment, after normalisation (RFC 9449 §4.3, 9; RFC
 * 3986 §6.2.2 and §6.2.3). Compared by decoded segments with the one meaning that the request has here.
 */
function names(htu: unknown, facts: PresentedFacts): boolean {
  if (typeof htu !== 'string' || !/^https:\/\//i.test(htu) || !URL.canParse(htu)) return false;
  const url = new URL(htu);
  if (url.username !== '' || url.password !== '' || url.host !== facts.authority) return false;
  const path = url.pathname === '/' ? [] : url.pathname.slice(1).split('/');
  const { segments } = facts.path;
  if (path.length !== segments.length) return false;
  try {
    return path.every((segment, index) => decodeURIComponent(segment) === segments[index]);
  } catch {
    return false;
  }
}
