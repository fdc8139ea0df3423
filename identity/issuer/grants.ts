import {
  Provider,
  type ProviderClient,
  type ProviderContext,
  type ProviderGrant,
  type ProviderToken,
} from 'oidc-provider';
import { isAllowedAddress } from '../clients/inputs.ts';
import type { KnownClient } from './clients.ts';
import type { IssuerParts } from './parts.ts';
import { activePerson, type Person } from './people.ts';
import { coveredBy, isPlainScope, permitted } from './smart/scopes.ts';

/** What an account allows a client for one resource. */
export interface Allowance {
  readonly resource: string | undefined;
  readonly requested: readonly string[];
  readonly granted: readonly string[];
}

/** Scopes that are for the client and the account both. */
export async function allowedScopes(
  parts: IssuerParts,
  client: KnownClient,
  person: Person,
): Promise<readonly string[]> {
  const roles = await parts.people.scopesOf(person);
  return [...new Set([...roles, ...client.scopes])].filter(
    (scope) => coveredBy(roles, scope) && coveredBy(client.scopes, scope),
  );
}

/** Writes an answer to every scope that was asked for into the grant: none is left open. */
export function fillGrant(grant: ProviderGrant, { resource, requested, granted }: Allowance): void {
  for (const scope of requested) {
    const given = granted.includes(scope);
    if (isPlainScope(scope)) {
      if (given) grant.addOIDCScope(scope);
      else grant.rejectOIDCScope(scope);
    }
    if (resource === undefined) continue;
    if (given) grant.addResourceScope(resource, scope);
    else grant.rejectResourceScope(resource, scope);
  }
}

/**
 * The grant that an authorization goes on with. Each authorization has one of its own: what it was launched for and
 * what the account's roles were then belong to it alone.
 */
export function grantLoader(parts: IssuerParts) {
  return async (context: ProviderContext): Promise<ProviderGrant | undefined> => {
    const { oidc } = context;
    const provider = (oidc as unknown as { readonly provider: Provider }).provider;
    const consented = oidc.result?.consent?.grantId;
    if (consented !== undefined) return provider.Grant.find(consented);
    const { client, session } = oidc;
    const known = client === undefined ? undefined : await parts.clients.find(client.clientId);
    const own = known?.kind === 'gateway' || known?.kind === 'account';
    if (!own || client === undefined || session?.accountId === undefined) return undefined;
    const person = await activePerson(parts.people, session.accountId);
    if (person === undefined) return undefined;
    const grant = new provider.Grant({ accountId: person.id, clientId: client.clientId });
    const requested = [...oidc.requestParamScopes];
    const granted = permitted(requested, await allowedScopes(parts, known, person));
    fillGrant(grant, { resource: resourceOf(oidc.params.resource), requested, granted });
    await grant.save();
    return grant;
  };
}

/** `getResourceServerInfo`: a tenant's audience, and of the requested scopes those that may be in a token for it. */
export function resourceServers(parts: IssuerParts, refuse: (message: string) => Error) {
  return async (context: ProviderContext, resource: string, client: ProviderClient) => {
    const known = await parts.clients.find(client.clientId);
    const tenant = known === undefined ? undefined : parts.clients.tenantFor(known, resource);
    if (known === undefined || tenant === undefined || tenant.audience !== resource) {
      throw refuse('this client gets no tokens for that resource');
    }
    const { addresses = [] } = known;
    if (addresses.length > 0 && !isAllowedAddress(addresses, Provider.ctx?.ip ?? '')) {
      throw refuse('this client gets no tokens here');
    }
    const { params, entities } = context.oidc;
    const source: ProviderToken | undefined = entities.AuthorizationCode ?? entities.RefreshToken;
    const wanted = `${params.scope ?? ''} ${source?.scope ?? ''}`.split(' ').filter((scope) => scope !== '');
    let allowed = known.scopes;
    // A token that is made later than its grant holds no more than the account may have now.
    if (source?.accountId !== undefined) {
      const person = await activePerson(parts.people, source.accountId);
      allowed = person === undefined ? [] : await allowedScopes(parts, known, person);
    }
    return {
      audience: tenant.audience,
      scope: [...new Set(wanted)]
        .filter((scope) => isPlainScope(scope) || coveredBy(allowed, scope))
        .join(' '),
      accessTokenTTL: Math.floor(parts.settings.tokens.accessMs / 1000),
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'ES256' } },
    };
  };
}

/** `resource` as one text; a list of several is nobody's. */
export function resourceOf(value: unknown): string | undefined {
  const [first, ...more] = Array.isArray(value) ? value : [value];
  return typeof first === 'string' && more.length === 0 ? first : undefined;
}
