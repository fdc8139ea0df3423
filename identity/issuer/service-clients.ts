import type { Clock } from '../../contracts/clock.ts';
import type { IssuerTenant } from '../../contracts/issuer-settings.ts';
import type { StateStore } from '../../contracts/state.ts';
import { type Client, ClientVerifier } from '../clients/index.ts';
import type { ClientDirectory, KnownClient } from './clients.ts';
import type { Payload } from './models.ts';

/** Stands where `oidc-provider` wants a secret; it is never compared with anything. */
const NO_SECRET = 'kept-as-a-hash-and-compared-elsewhere';

/** API clients (`chartgate client`) at the token endpoint: client credentials only, for their one tenant. */
export function serviceClients(
  store: StateStore,
  clock: Clock,
  tenants: readonly IssuerTenant[],
): ClientDirectory {
  const verifier = new ClientVerifier(store, clock);
  return {
    find: async (id) => {
      const client = await verifier.find(id);
      const metadata = client === undefined ? undefined : metadataOf(client);
      if (client === undefined || metadata === undefined) return undefined;
      return {
        id: client.clientId,
        name: client.name,
        kind: 'service',
        tenants: tenants.filter((tenant) => tenant.id === client.tenant),
        scopes: client.scopes,
        metadata,
        addresses: client.addresses,
        secretMatches: async (secret, source) =>
          (await verifier.verifySecret(client.clientId, secret, source ?? '')).ok,
      } satisfies KnownClient;
    },
    pretend: async (id, secret, source) => {
      // What cannot be looked up has been refused already.
      await verifier.verifySecret(id, secret, source).catch(() => {});
    },
  };
}

/** Undefined for one that has nothing to prove itself with. */
function metadataOf(client: Client): Payload | undefined {
  const common = {
    client_id: client.clientId,
    client_name: client.name,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
  };
  switch (client.method) {
    case 'secret':
      return { ...common, token_endpoint_auth_method: 'client_secret_basic', client_secret: NO_SECRET };
    case 'private-key':
      return { ...common, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: client.keys } };
    case 'certificate':
      if (client.certificate === undefined) return undefined;
      return {
        ...common,
        token_endpoint_auth_method: 'tls_client_auth',
        // In our own words, which `certificates.ts` compares: more than RFC 8705's names can be meant.
        tls_client_auth_subject_dn: `${client.certificate.by}:${client.certificate.value}`,
        tls_client_certificate_bound_access_tokens: true,
      };
  }
}
