import type { TenantId } from '../contracts/identifiers.ts';
import type { SecondFactorSettings } from '../contracts/settings.ts';
import {
  type ClaimExpectations,
  grantOf,
  isIdentifier,
  isNumericDate,
  isOnlyAudience,
  parsePatient,
  parseRoles,
  parseScope,
} from './claims.ts';
import { type JsonObject, member } from './json.ts';
import { type BearerFields, bearerPrincipal } from './principal.ts';
import { type Refusal, refuse } from './refusal.ts';
import { authenticationOf } from './second-factor.ts';
import type { Judged } from './token-cache.ts';
import { type Confirmation, parseConfirmation, sameConfirmation } from './tokens/confirmation.ts';

export interface IntrospectionExpectations extends ClaimExpectations {
  readonly tenant: TenantId;
  /** What policies call the audience, where it is not the tenant's own. */
  readonly audienceName?: string | undefined;
  /** What the token itself said, when it is a JWT that was verified; an opaque token says nothing. */
  readonly verified: Judged | undefined;
  readonly secondFactor?: SecondFactorSettings | undefined;
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
): Judged | Refusal {
  if (member(answer, 'active') !== true) return refuse('token-inactive', 'introspection');
  const confirmation = parseConfirmation(member(answer, 'cnf'));
  // RFC 9449 §6.2, RFC 8705 §3.2. A token that says nothing of a key is not what the issuer takes it for.
  if (confirmation === null) return refuse('token-claims', 'introspection cnf');
  if (
    confirmation !== undefined &&
    expected.verified !== undefined &&
    !sameConfirmation(confirmation, expected.verified.confirmation)
  )
    return refuse('token-claims', 'introspection cnf');
  const bound = expected.verified?.confirmation ?? confirmation;
  const refused = refuseForm(answer, bound) ?? refuseTimes(answer, expected) ?? refuseOther(answer, expected);
  if (refused !== undefined) return refused;

  const scopes = parseScope(member(answer, 'scope'));
  if (scopes === undefined) return refuse('token-claims', 'introspection scope');
  const roles = parseRoles(member(answer, 'roles'));
  if (roles === undefined) return refuse('token-claims', 'introspection roles');
  const patient = parsePatient(member(answer, 'patient'));
  if (patient === null) return refuse('token-claims', 'introspection patient');
  const exp = member(answer, 'exp') as number | undefined;

  const { verified } = expected;
  if (verified === undefined) return opaque(answer, expected, { scopes, roles, patient, confirmation });
  const said = verified.result.principal;
  if (patient !== undefined && patient !== said.patient)
    return refuse('token-claims', 'introspection patient');
  const principal = bearerPrincipal({
    ...said,
    scopes: new Set([...scopes].filter((scope) => said.scopes.has(scope))),
    // An issuer that says nothing of roles there does not take them away; one that does can only narrow them.
    roles: new Set(
      [...(said.roles ?? [])].filter((role) => member(answer, 'roles') === undefined || roles.has(role)),
    ),
    expiresAt: Math.min(said.expiresAt, exp ?? said.expiresAt),
  });
  return { ...verified, result: Object.freeze({ ok: true, principal }) };
}

function refuseForm(answer: JsonObject, bound: Confirmation | undefined): Refusal | undefined {
  const type = member(answer, 'token_type');
  if (type === undefined) return undefined;
  const known = typeof type === 'string' ? type.toLowerCase() : '';
  // RFC 9449 §6.2: `DPoP` is said of a token that is bound to a key, and of no other.
  if (known === 'bearer' || (known === 'dpop' && bound?.by === 'dpop')) return undefined;
  return refuse('token-type', 'introspection token_type');
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
  const said = verified?.result.principal;
  const subject = member(answer, 'sub');
  if (said !== undefined && subject !== undefined && subject !== said.subject) {
    return refuse('token-claims', 'introspection sub');
  }
  const client = member(answer, 'client_id');
  if (client !== undefined && (!isIdentifier(client) || (said !== undefined && client !== said.clientId))) {
    return refuse('token-claims', 'introspection client_id');
  }
  return undefined;
}

function opaque(
  answer: JsonObject,
  expected: IntrospectionExpectations,
  said: Pick<BearerFields, 'scopes' | 'roles' | 'patient'> & {
    readonly confirmation: Confirmation | undefined;
  },
): Judged | Refusal {
  const subject = member(answer, 'sub');
  const exp = member(answer, 'exp');
  const iat = member(answer, 'iat');
  const tokenId = member(answer, 'jti');
  if (!isIdentifier(subject)) return refuse('token-claims', 'introspection sub');
  if (!isNumericDate(exp)) return refuse('token-claims', 'introspection exp');
  const { confirmation, scopes, roles, patient } = said;
  const principal = bearerPrincipal({
    credential: 'token',
    constraint: confirmation?.by ?? 'none',
    tenant: expected.tenant,
    audience: expected.audienceName,
    issuer: expected.issuer,
    subject,
    clientId: member(answer, 'client_id') as string | undefined,
    expiresAt: exp,
    scopes,
    roles,
    patient,
    authentication: authenticationOf(answer, expected.secondFactor),
  });
  return {
    result: Object.freeze({ ok: true, principal }),
    confirmation,
    marks: {
      subject,
      tokenId: isIdentifier(tokenId) ? tokenId : undefined,
      grantId: grantOf(answer),
      issuedAt: isNumericDate(iat) ? iat : undefined,
    },
  };
}
