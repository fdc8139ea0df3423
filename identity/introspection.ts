import type { TenantId } from '../contracts/identifiers.ts';
import type { BearerPrincipal } from '../contracts/principal.ts';
import {
  type ClaimExpectations,
  isIdentifier,
  isNumericDate,
  isOnlyAudience,
  parsePatient,
  parseScope,
} from './claims.ts';
import { type JsonObject, member } from './json.ts';
import { type BearerFields, bearerPrincipal } from './principal.ts';
import { type Refusal, refuse } from './refusal.ts';

export interface IntrospectionExpectations extends ClaimExpectations {
  readonly tenant: TenantId;
  /** What the token itself said, when it is a JWT that was verified; an opaque token says nothing. */
  readonly verified: BearerPrincipal | undefined;
}

/**
 * Judges the answer to an introspection (RFC 7662 §2.2). It can only narrow what a verified JWT said:
 * where it speaks of the same thing it must say the same, its scopes are intersected, its expiry counts
 * when it is earlier. A member that was left out never widens: no `scope` is no scopes, and an opaque
 * token without audience, subject or expiry is not accepted.
 */
export function judgeIntrospection(
  answer: JsonObject,
  expected: IntrospectionExpectations,
): BearerPrincipal | Refusal {
  if (member(answer, 'active') !== true) return refuse('token-inactive', 'introspection');
  const refused = refuseForm(answer) ?? refuseTimes(answer, expected) ?? refuseOther(answer, expected);
  if (refused !== undefined) return refused;

  const scopes = parseScope(member(answer, 'scope'));
  if (scopes === undefined) return refuse('token-claims', 'introspection scope');
  const patient = parsePatient(member(answer, 'patient'));
  if (patient === null) return refuse('token-claims', 'introspection patient');
  const exp = member(answer, 'exp') as number | undefined;

  const { verified } = expected;
  if (verified === undefined) return opaque(answer, expected, { scopes, patient });
  if (patient !== undefined && patient !== verified.patient)
    return refuse('token-claims', 'introspection patient');
  return bearerPrincipal({
    tenant: verified.tenant,
    issuer: verified.issuer,
    subject: verified.subject,
    clientId: verified.clientId,
    patient: verified.patient,
    scopes: new Set([...scopes].filter((scope) => verified.scopes.has(scope))),
    expiresAt: Math.min(verified.expiresAt, exp ?? verified.expiresAt),
  });
}

function refuseForm(answer: JsonObject): Refusal | undefined {
  const type = member(answer, 'token_type');
  if (type !== undefined && (typeof type !== 'string' || type.toLowerCase() !== 'bearer')) {
    return refuse('token-type', 'introspection token_type');
  }
  // RFC 9449 §6.2, RFC 8705 §3.2: bound to a key, so not a bearer token.
  if (member(answer, 'cnf') !== undefined) return refuse('token-claims', 'introspection cnf');
  return undefined;
}

function refuseTimes(answer: JsonObject, expected: IntrospectionExpectations): Refusal | undefined {
  for (const name of ['exp', 'iat', 'nbf'] as const) {
    const value = member(answer, name);
    if (value === undefined) continue;
    if (!isNumericDate(value)) return refuse('token-claims', `introspection ${name}`);
    if (name === 'exp' && value <= expected.now) return refuse('token-expired', 'introspection exp');
    if (name !== 'exp' && value > expected.now + expected.skewSeconds) {
      return refuse('token-not-yet-valid', `introspection ${name}`);
    }
  }
  return undefined;
}

function refuseOther(answer: JsonObject, expected: IntrospectionExpectations): Refusal | undefined {
  const { verified } = expected;
  const issuer = member(answer, 'iss');
  if (issuer !== undefined && issuer !== expected.issuer) return refuse('token-issuer', 'introspection iss');
  const audience = member(answer, 'aud');
  if (!(audience === undefined && verified !== undefined) && !isOnlyAudience(audience, expected.audience)) {
    return refuse('token-audience', 'introspection aud');
  }
  const subject = member(answer, 'sub');
  if (verified !== undefined && subject !== undefined && subject !== verified.subject) {
    return refuse('token-claims', 'introspection sub');
  }
  const client = member(answer, 'client_id');
  if (
    client !== undefined &&
    (!isIdentifier(client) || (verified !== undefined && client !== verified.clientId))
  ) {
    return refuse('token-claims', 'introspection client_id');
  }
  return undefined;
}

function opaque(
  answer: JsonObject,
  expected: IntrospectionExpectations,
  said: Pick<BearerFields, 'scopes' | 'patient'>,
): BearerPrincipal | Refusal {
  const subject = member(answer, 'sub');
  const exp = member(answer, 'exp');
  if (!isIdentifier(subject)) return refuse('token-claims', 'introspection sub');
  if (!isNumericDate(exp)) return refuse('token-claims', 'introspection exp');
  return bearerPrincipal({
    tenant: expected.tenant,
    issuer: expected.issuer,
    subject,
    clientId: member(answer, 'client_id') as string | undefined,
    expiresAt: exp,
    ...said,
  });
}
