import { decodeBase64url, type JsonObject, member, parseJsonObject } from './json.ts';
import { type Refusal, refuse } from './refusal.ts';

/** A JWT whose form is right. Nothing in it is believed yet. */
export interface CompactToken {
  readonly algorithm: string;
  readonly keyId: string;
  /** The claims as they stand in the text whose signature is yet to be verified. */
  readonly unverified: JsonObject;
}

/**
 * Header parameters that change what is signed, or bring a key along. An issuer whose key set is known
 * needs none of them; a token that has one is refused, not merely read without it (RFC 8725 §3.10;
 * RFC 7515 §4.1.11 for `crit`, of which nothing is understood here).
 */
const FORBIDDEN = ['crit', 'b64', 'zip', 'enc', 'jwk', 'jku', 'x5u', 'x5c'] as const;

/** RFC 9068 §4 and RFC 7515 §4.1.9: `application/` may be left out; media types ignore case. */
const ACCESS_TOKEN_TYPES: ReadonlySet<string> = new Set(['at+jwt', 'application/at+jwt']);

/** Checks everything about a JWT access token that can be checked without any key. */
export function parseCompactToken(token: string): CompactToken | Refusal {
  const segments = token.split('.');
  if (segments.length === 5) return refuse('token-type', 'encrypted token');
  const [head, body, signature] = segments;
  if (segments.length !== 3 || head === undefined || body === undefined || signature === undefined) {
    return refuse('token-malformed', 'segments');
  }
  const headBytes = decodeBase64url(head);
  const bodyBytes = decodeBase64url(body);
  if (headBytes === undefined || bodyBytes === undefined) return refuse('token-malformed', 'base64url');
  const header = parseJsonObject(headBytes);
  if (header === undefined) return refuse('token-malformed', 'header');

  const algorithm = member(header, 'alg');
  if (typeof algorithm !== 'string') return refuse('token-malformed', 'header alg');
  if (algorithm.toLowerCase() === 'none') return refuse('token-algorithm', 'none');
  if (decodeBase64url(signature) === undefined) return refuse('token-malformed', 'base64url');
  const forbidden = FORBIDDEN.find((name) => Object.hasOwn(header, name));
  if (forbidden !== undefined) return refuse('token-malformed', `header ${forbidden}`);
  const type = member(header, 'typ');
  if (typeof type !== 'string' || !ACCESS_TOKEN_TYPES.has(type.toLowerCase()))
    return refuse('token-type', 'typ');
  const keyId = member(header, 'kid');
  if (typeof keyId !== 'string' || keyId === '' || keyId.length > 256)
    return refuse('token-malformed', 'header kid');

  const unverified = parseJsonObject(bodyBytes);
  if (unverified === undefined) return refuse('token-malformed', 'claims set');
  return { algorithm, keyId, unverified };
}
