import { hash } from 'node:crypto';
import type { ProviderContext, ProviderToken } from 'oidc-provider';
import { ACR } from '../../contracts/issuer-link.ts';
import { contextOf } from './launch-context.ts';
import type { IssuerParts } from './parts.ts';
import { activePerson } from './people.ts';

/** `grant_id`: says which tokens belong together without saying the grant's own id. */
export function grantIdOf(grant: string): string {
  return hash('sha256', `chartgate grant ${grant}`, 'base64url');
}

/** What is in an access token besides RFC 9068's own claims. */
export function tokenClaims(parts: IssuerParts) {
  return async (
    context: ProviderContext,
    token: ProviderToken,
  ): Promise<Record<string, unknown> | undefined> => {
    if (token.accountId === undefined) return undefined;
    const source = context.oidc.entities.AuthorizationCode ?? context.oidc.entities.RefreshToken;
    const { patient, encounter } = await contextOf(parts.models, token.grantId);
    const person = await activePerson(parts.people, token.accountId);
    return defined({
      // RFC 9068 §2.2.1
      auth_time: source?.authTime,
      acr: source?.acr,
      amr: source?.amr,
      factor_at: factorAt(source),
      sid: token.sid,
      grant_id: token.grantId === undefined ? undefined : grantIdOf(token.grantId),
      patient,
      encounter,
      fhirUser: token.scopes.has('fhirUser') ? person?.fhirUser : undefined,
      // RFC 9068 §2.2.3.1; what they let a client do is bounded by what the tenant's policy gives them.
      roles: person === undefined || person.roles.length === 0 ? undefined : person.roles,
    });
  };
}

/** `findAccount`: an account that is disabled is not there. */
export function accountFinder(parts: IssuerParts) {
  return async (context: ProviderContext, id: string) => {
    const person = await activePerson(parts.people, id);
    if (person === undefined) return undefined;
    return {
      accountId: person.id,
      claims: async () => {
        const { session, entities } = context.oidc;
        const source = entities.AuthorizationCode ?? entities.RefreshToken;
        return defined({
          sub: person.id,
          name: person.name,
          fhirUser: person.fhirUser,
          factor_at:
            source === undefined ? factorAt({ ...session, authTime: session?.loginTs }) : factorAt(source),
        });
      },
    };
  };
}

/**
 * RFC 9068 access tokens leave no trace in `oidc-provider`. One is kept here, so that they can be introspected,
 * revoked one by one, and end with their session.
 */
export function tokenRecorder(parts: IssuerParts) {
  return async (_context: ProviderContext, token: ProviderToken): Promise<void> => {
    const { jti, iat, exp, accountId, clientId, grantId, scope, aud, sid, sessionUid, expiresWithSession } =
      token;
    const { extra, kind } = token;
    const bound = token as unknown as { readonly jkt?: string; readonly 'x5t#S256'?: string };
    const now = Math.floor(parts.clock.wall() / 1000);
    const end = exp ?? now + Math.floor(parts.settings.tokens.accessMs / 1000);
    const payload = defined({
      kind,
      jti,
      iat: iat ?? now,
      exp: end,
      accountId,
      clientId,
      grantId,
      scope,
      aud,
      sid,
      sessionUid,
      expiresWithSession,
      extra,
      jkt: bound.jkt,
      'x5t#S256': bound['x5t#S256'],
      structured: true,
    });
    await parts.models.put(kind, jti, payload, Math.max(1, end - now), {
      grant: grantId,
      account: accountId,
      uid: sessionUid,
    });
  };
}

function factorAt(
  source: { readonly acr?: string; readonly authTime?: number | undefined } | undefined,
): number | undefined {
  return source?.acr === ACR.two || source?.acr === ACR.resistant ? source.authTime : undefined;
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
