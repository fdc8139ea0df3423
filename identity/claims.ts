import { type JsonObject, member } from './json.ts';
import { type Refusal, refuse } from './refusal.ts';
import { type Confirmation, parseConfirmation } from './tokens/confirmation.ts';

/** What the claims of an access token say, once each was found to be of its form. */
export interface TokenClaims {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  /** RFC 9068 §2.2.3.1; empty when the token says nothing. */
  readonly roles: ReadonlySet<string>;
  readonly patient: string | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly tokenId: string;
  /** The embedded issuer's name for what the token was granted under. */
  readonly grantId: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** What the token is bound to; undefined: nothing. */
  readonly confirmation: Confirmation | undefined;
}

export interface ClaimExpectations {
  readonly issuer: string;
  readonly audience: string;
  /** Wall clock, seconds since the epoch. */
  readonly now: number;
  /** Allowed difference of the clocks for `iat` and `nbf`, seconds. */
  readonly skewSeconds: number;
}

/** FHIR R4 `id`. */
const FHIR_ID = /^[A-Za-z0-9.-]{1,64}$/;
/** RFC 6749 §3.3: scope tokens, one space between two. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
const MAX_SCOPE_LENGTH = 4096;

/** OpenID Connect Core §2 bounds a subject at 255; control characters would reach logs and headers. */
export function isIdentifier(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= 255 &&
    !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value)
  );
}

/** A NumericDate (RFC 7519 §2) that a clock can reach. */
export function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= Number.MAX_SAFE_INTEGER / 1000;
}

/** The scopes of a `scope` claim; none when it is absent or empty; `undefined` when it is not of its form. */
export function parseScope(value: unknown): ReadonlySet<string> | undefined {
  if (value === undefined || value === '') return new Set();
  if (typeof value !== 'string' || value.length > MAX_SCOPE_LENGTH || !SCOPE.test(value)) return undefined;
  return new Set(value.split(' '));
}

const MOST_ROLES = 256;

/**
 * The values of a claim that lists roles (RFC 9068 §2.2.3.1, RFC 7643 §4.1.2: texts, or objects with a `value`); one
 * text is one role. None when it is absent; `undefined` when it is not of its form.
 */
export function parseRoles(claim: unknown): ReadonlySet<string> | undefined {
  if (claim === undefined) return new Set();
  const list = typeof claim === 'string' ? [claim] : claim;
  if (!Array.isArray(list) || list.length > MOST_ROLES) return undefined;
  const roles = new Set<string>();
  for (const each of list as readonly unknown[]) {
    const value = typeof each === 'object' && each !== null ? member(each as JsonObject, 'value') : each;
    if (!isIdentifier(value)) return undefined;
    roles.add(value);
  }
  return roles;
}

/** Absent, or a FHIR id; `null` when it is neither. */
export function parsePatient(value: unknown): string | undefined | null {
  if (value === undefined) return undefined;
  return typeof value === 'string' && FHIR_ID.test(value) ? value : null;
}

/**
 * The tenant's audience and no other. RFC 9068 §4 would accept a list that contains it. But a token that
 * is also good elsewhere can be sent here by whoever runs the other place, and between tenants that is
 * exactly what must not be; RFC 9700 §2.3 wants tokens restricted to one resource server.
 */
export function isOnlyAudience(value: unknown, audience: string): boolean {
  return value === audience || (Array.isArray(value) && value.length === 1 && value[0] === audience);
}

/**
 * Judges the claims of a JWT access token whose signature was verified (RFC 9068 §2.2, §4). The clocks may
 * differ for what lies in the past (`iat`, `nbf`), but nothing is accepted at or after `exp`.
 */
export function checkClaims(claims: JsonObject, expected: ClaimExpectations): TokenClaims | Refusal {
  if (member(claims, 'iss') !== expected.issuer) return refuse('token-issuer', 'iss');
  if (!isOnlyAudience(member(claims, 'aud'), expected.audience)) return refuse('token-audience', 'aud');

  const exp = member(claims, 'exp');
  const iat = member(claims, 'iat');
  const nbf = member(claims, 'nbf');
  if (!isNumericDate(exp)) return refuse('token-claims', 'exp');
  if (!isNumericDate(iat) || iat >= exp) return refuse('token-claims', 'iat');
  if (nbf !== undefined && !isNumericDate(nbf)) return refuse('token-claims', 'nbf');
  if (exp <= expected.now) return refuse('token-expired', 'exp');
  const latest = expected.now + expected.skewSeconds;
  if (iat > latest) return refuse('token-not-yet-valid', 'iat');
  if (nbf !== undefined && nbf > latest) return refuse('token-not-yet-valid', 'nbf');

  const subject = member(claims, 'sub');
  const clientId = member(claims, 'client_id');
  const tokenId = member(claims, 'jti');
  if (!isIdentifier(subject)) return refuse('token-claims', 'sub');
  if (!isIdentifier(clientId)) return refuse('token-claims', 'client_id');
  if (!isIdentifier(tokenId)) return refuse('token-claims', 'jti');
  const confirmation = parseConfirmation(member(claims, 'cnf'));
  if (confirmation === null) return refuse('token-claims', 'cnf');
  const scopes = parseScope(member(claims, 'scope'));
  if (scopes === undefined) return refuse('token-claims', 'scope');
  const roles = parseRoles(member(claims, 'roles'));
  if (roles === undefined) return refuse('token-claims', 'roles');
  const patient = parsePatient(member(claims, 'patient'));
  if (patient === null) return refuse('token-claims', 'patient');
  return {
    subject,
    clientId,
    scopes,
    roles,
    patient,
    expiresAt: exp,
    tokenId,
    grantId: grantOf(claims),
    issuedAt: iat,
    confirmation,
  };
}

/** Only for looking it up among what was revoked; one that is none is found by the token's id or subject. */
export function grantOf(claims: JsonObject): string | undefined {
  const grantId = member(claims, 'grant_id');
  return isIdentifier(grantId) ? grantId : undefined;
}
