import { type CryptoKey, jwtVerify } from 'jose';
import { type Algorithm, isAlgorithm } from '../algorithms.ts';
import { isIdentifier, isNumericDate } from '../claims.ts';
import { isJsonObject, type JsonObject, member } from '../json.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds after `iat` for which a logout token is taken: it is an order for now. */
const MAX_AGE = 300;
/** Characters. */
const MAX_LENGTH = 16_384;
/** OpenID Connect Back-Channel Logout 1.0 §2.4; plain `JWT`, or nothing, is what older issuers write. */
const TYPES: ReadonlySet<string> = new Set(['logout+jwt', 'application/logout+jwt', 'jwt']);

/** What an issuer says has ended. At least one of `sid` and `subject` is there. */
export interface LogoutOrder {
  readonly tokenId: string;
  /** Seconds since the epoch until which the same token could be shown again. */
  readonly until: number;
  readonly sid: string | undefined;
  readonly subject: string | undefined;
}

export interface LogoutExpectations {
  readonly issuer: string;
  readonly clientId: string;
  readonly algorithms: ReadonlySet<Algorithm>;
  /** Wall clock, seconds. */
  readonly now: number;
  readonly skewSeconds: number;
  key(keyId: string, algorithm: Algorithm): Promise<CryptoKey | 'unknown' | 'unavailable'>;
}

/**
 * Judges a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6). Whether it was used before is for the
 * caller. @returns in fixed words what is wrong with it, or what it orders
 */
export async function judgeLogoutToken(
  token: string,
  expected: LogoutExpectations,
): Promise<LogoutOrder | string> {
  if (token.length > MAX_LENGTH) return 'length';
  let claims: JsonObject;
  try {
    const verified = await jwtVerify(
      token,
      async (header) => {
        if (header.crit !== undefined || header.b64 !== undefined) throw new TypeError('header');
        if (typeof header.typ === 'string' && !TYPES.has(header.typ.toLowerCase()))
          throw new TypeError('typ');
        if (typeof header.kid !== 'string' || !isAlgorithm(header.alg)) throw new TypeError('kid');
        if (!expected.algorithms.has(header.alg)) throw new TypeError('alg');
        const key = await expected.key(header.kid, header.alg);
        if (typeof key === 'string') throw new TypeError(key);
        return key;
      },
      {
        algorithms: [...expected.algorithms],
        issuer: expected.issuer,
        audience: expected.clientId,
        currentDate: new Date(expected.now * 1000),
        clockTolerance: expected.skewSeconds,
      },
    );
    claims = verified.payload;
  } catch {
    return 'signature or claims';
  }
  const [iat, exp, jti] = [member(claims, 'iat'), member(claims, 'exp'), member(claims, 'jti')];
  if (!isNumericDate(iat) || Math.abs(expected.now - iat) > MAX_AGE + expected.skewSeconds) return 'iat';
  if (exp !== undefined && !isNumericDate(exp)) return 'exp';
  if (!isIdentifier(jti)) return 'jti';
  // An ID token has a nonce and no event: neither must pass for the other (§2.4, §3).
  if (member(claims, 'nonce') !== undefined) return 'nonce';
  const events = member(claims, 'events');
  if (!isJsonObject(events) || !isJsonObject(member(events, EVENT))) return 'events';
  const [sid, subject] = [member(claims, 'sid'), member(claims, 'sub')];
  if (sid !== undefined && !isIdentifier(sid)) return 'sid';
  if (subject !== undefined && !isIdentifier(subject)) return 'sub';
  if (sid === undefined && subject === undefined) return 'sid or sub';
  return {
    tokenId: jti,
    until: iat + 2 * (MAX_AGE + expected.skewSeconds),
    sid: sid as string | undefined,
    subject: subject as string | undefined,
  };
}
