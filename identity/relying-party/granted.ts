import type { TenantId } from '../../contracts/identifiers.ts';
import type { Authenticator } from '../../contracts/principal.ts';
import type { GrantSettings } from '../../contracts/settings.ts';
import { parsePatient, parseRoles } from '../claims.ts';
import { type JsonObject, member } from '../json.ts';
import { refuseSignIn, type SignInRefusal } from './types.ts';

export interface Granted {
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly patient: string | undefined;
}

const MAX_VALUES = 1024;

/** Scopes by the values of one claim of the ID token. A value that the settings do not list grants nothing. */
export function grantedByClaim(claims: JsonObject, grants: GrantSettings): Granted | SignInRefusal {
  const claim = member(claims, grants.claim);
  const values = typeof claim === 'string' ? [claim] : Array.isArray(claim) ? claim.slice(0, MAX_VALUES) : [];
  const scopes = new Set<string>();
  for (const value of values) {
    if (typeof value !== 'string' || !Object.hasOwn(grants.values, value)) continue;
    for (const scope of grants.values[value] ?? []) scopes.add(scope);
  }
  const patient = parsePatient(member(claims, 'patient'));
  if (patient === null) return refuseSignIn('refused', 'patient');
  return { scopes: [...scopes], roles: [], patient };
}

/** Roles by a claim of the ID token; those that were granted otherwise when the settings name none. */
export function withRolesOf(
  claims: JsonObject,
  rolesClaim: string | undefined,
  granted: Granted,
): Granted | SignInRefusal {
  if (rolesClaim === undefined) return granted;
  const roles = parseRoles(member(claims, rolesClaim));
  return roles === undefined ? refuseSignIn('refused', 'roles') : { ...granted, roles: [...roles] };
}

/**
 * The scopes of the access token, which must be one for this tenant and of the same person: an ID token and an
 * access token of two people would make a third (OpenID Connect Core 1.0 §5.3.2 says the same of UserInfo).
 */
export async function grantedByToken(
  authenticator: Authenticator,
  token: string,
  expected: { tenant: TenantId; audience: string; issuerId: string; subject: string },
): Promise<Granted | SignInRefusal> {
  const result = await authenticator.authenticate({
    tenant: expected.tenant,
    audience: expected.audience,
    issuers: [expected.issuerId],
    authorization: `Bearer ${token}`,
    introspection: 'never',
  });
  if (!result.ok) {
    return refuseSignIn(
      result.reason === 'issuer-unavailable' ? 'unavailable' : 'refused',
      `access token: ${result.reason}`,
    );
  }
  const { principal } = result;
  if (principal.kind !== 'bearer') return refuseSignIn('refused', 'access token');
  if (principal.subject !== expected.subject)
    return refuseSignIn('refused', 'access token of another subject');
  return {
    scopes: [...principal.scopes],
    roles: [...(principal.roles ?? [])],
    patient: principal.patient,
  };
}
