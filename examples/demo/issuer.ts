// The demo's OpenID provider, as a process of its own, as in life. It is an example, not a part of the
// product: its keys live as long as the process, and it knows client credentials only.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import { exportJWK, generateKeyPair } from 'jose';
import type { ProviderClient, ProviderContext, ProviderToken } from 'oidc-provider';
import {
  type LoadedClient,
  type LoadedConfiguration,
  loadIssuerConfiguration,
} from './issuer-configuration.ts';
import { replaceToken, TokenStore } from './issuer-tokens.ts';

// The package's advice for production is meant for people who would run it there.
for (const level of ['info', 'warn'] as const) {
  const print = console[level].bind(console);
  console[level] = (...words: unknown[]) => {
    if (!String(words[0]).startsWith('oidc-provider ')) print(...words);
  };
}
const { Provider, errors } = await import('oidc-provider');

const port = Number(process.env.ISSUER_PORT);
const file = process.env.ISSUER_CONFIG;
if (!Number.isInteger(port) || port < 1 || port > 65_535 || file === undefined) {
  console.error('usage: ISSUER_PORT=9443 ISSUER_CONFIG=issuer.json node examples/demo/issuer.ts');
  process.exit(2);
}
const configuration = await loadIssuerConfiguration(file);
const server = createServer(
  { cert: configuration.certificate, key: configuration.key, minVersion: 'TLSv1.3' },
  await createProvider(configuration),
);
server.listen(port, '127.0.0.1', () => console.log('listening'));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}

async function createProvider(settings: LoadedConfiguration) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const store = new TokenStore();
  const clients = new Map(settings.clients.map((client) => [client.id, client]));
  const opaque = new Set(settings.opaqueResources ?? []);
  const of = (id: string): LoadedClient | undefined => clients.get(id);

  const provider = new Provider(settings.issuer, {
    adapter: (model: string) => store.adapter(model),
    jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig', kid: randomBytes(9).toString('base64url') }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clientAuthMethods: ['client_secret_basic'],
    responseTypes: [],
    scopes: [...new Set(settings.clients.flatMap((client) => client.scopes))],
    clients: settings.clients.map((client) => ({
      client_id: client.id,
      client_secret: client.secret,
      client_name: client.id,
      grant_types: client.scopes.length > 0 ? ['client_credentials'] : [],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
      ...(client.scopes.length > 0 ? { scope: client.scopes.join(' ') } : {}),
    })),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_: ProviderContext, client: ProviderClient) =>
          of(client.clientId)?.introspection === true,
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_: ProviderContext, client: ProviderClient, token: ProviderToken) =>
          client.clientId === token.clientId,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_: ProviderContext, client: ProviderClient) => {
          const resources = of(client.clientId)?.resources ?? [];
          if (resources.length !== 1) throw new errors.InvalidTarget('name one resource');
          return resources[0];
        },
        useGrantedResource: () => true,
        getResourceServerInfo: (_: ProviderContext, resource: string, client: ProviderClient) => {
          const known = of(client.clientId);
          if (known === undefined || !known.resources.includes(resource)) {
            throw new errors.InvalidTarget('this client gets no tokens for that resource');
          }
          return {
            audience: resource,
            scope: known.scopes.join(' '),
            accessTokenTTL: known.tokenSeconds ?? settings.tokenSeconds ?? 300,
            ...(opaque.has(resource)
              ? { accessTokenFormat: 'opaque' }
              : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
          };
        },
      },
    },
    // RFC 9068 §2.2: for client credentials the subject is the client; opaque tokens are told it here.
    extraTokenClaims: (_: ProviderContext, token: ProviderToken) => {
      const patient = of(token.clientId)?.patient;
      return { sub: token.clientId, ...(patient === undefined ? {} : { patient }) };
    },
  });

  const tokenEndpoints = new Set([provider.pathFor('introspection'), provider.pathFor('revocation')]);
  provider.use(async (context, next) => {
    if (context.method === 'POST' && tokenEndpoints.has(context.path)) {
      context.req.body = await replaceToken(context.req, (token) =>
        store.handleFor(token, publicKey, settings.issuer),
      );
    }
    await next();
  });
  provider.on('server_error', (_, error) => console.error(`issuer: ${error.name}: ${error.message}`));
  return provider.callback();
}
