import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ProviderContext } from 'oidc-provider';
import { Agent, fetch } from 'undici';
import { createAuthority } from '../../../examples/support/local-authority.ts';

// The package's advice for production is meant for people who would run it there.
for (const level of ['info', 'warn'] as const) {
  const print = console[level].bind(console);
  console[level] = (...words: unknown[]) => {
    if (!String(words[0]).includes('oidc-provider')) print(...words);
  };
}
const { Provider } = await import('oidc-provider');

export const AUDIENCE = 'https://clinic-a.localhost';
export const OTHER_AUDIENCE = 'https://clinic-b.localhost';
export const CLIENT = 'gateway';
export const PERSON = 'person-7';
export const SCOPE = 'patient/Patient.rs';
export const REDIRECT = `${AUDIENCE}/.chartgate/callback/main`;

/** Something the provider is about to answer, as JSON, and what is answered instead. */
export type Tamper = (answer: Record<string, unknown>) => Record<string, unknown>;

/**
 * npm `oidc-provider` over HTTPS, whose signing keys the bench holds: so there is a genuine answer to everything,
 * and whatever the provider would not sign or say can be put in its place, on its own port.
 */
export interface BenchProvider {
  readonly issuer: string;
  readonly authority: Buffer;
  readonly clientSecret: string;
  /** The provider's own keys. */
  readonly keys: Readonly<
    Record<'ES256' | 'RS256', { readonly kid: string; readonly privateKey: KeyObject }>
  >;
  /** By path. */
  readonly tampers: Map<string, Tamper>;
  /** A genuine access token for an audience. */
  accessToken(audience: string): Promise<string>;
  /** Goes through the provider as a browser does, and gives the query with which it comes back. */
  visit(url: string): Promise<string>;
  stop(): Promise<void>;
}

function keyOf(algorithm: 'ES256' | 'RS256') {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(9).toString('base64url');
  return {
    kid,
    privateKey,
    jwk: { ...privateKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' },
  };
}

export async function startProvider(): Promise<BenchProvider> {
  const authority = await createAuthority('Bench authority');
  const leaf = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  const tampers = new Map<string, Tamper>();
  let handle: RequestListener = (_, response) => void response.writeHead(503).end();
  const server = createServer({ cert: leaf.certificatePem, key: leaf.keyPem }, (request, response) => {
    tamperWith(request, response, tampers);
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const keys = { ES256: keyOf('ES256'), RS256: keyOf('RS256') };
  const clientSecret = randomBytes(24).toString('base64url');
  handle = providerFor(issuer, clientSecret, [keys.ES256.jwk, keys.RS256.jwk]);
  const dispatcher = new Agent({ connect: { ca: authority.certificatePem } });

  return {
    issuer,
    authority: Buffer.from(authority.certificatePem),
    clientSecret,
    keys,
    tampers,
    async accessToken(audience) {
      const credential = Buffer.from(`${CLIENT}:${clientSecret}`).toString('base64');
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        dispatcher,
        headers: { authorization: `Basic ${credential}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: SCOPE, resource: audience }),
      });
      const { access_token: token } = (await response.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`the provider gave no token: ${response.status}`);
      return token;
    },
    async visit(url) {
      const cookies = new Map<string, string>();
      let next = url;
      for (let hops = 0; hops < 8; hops += 1) {
        const response = await fetch(next, {
          dispatcher,
          redirect: 'manual',
          headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        });
        await response.arrayBuffer();
        for (const cookie of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
          cookies.set(name, value);
        }
        const location = response.headers.get('location');
        if (location === null) throw new Error(`the provider stopped at ${response.status}`);
        next = new URL(location, next).href;
        if (next.startsWith(REDIRECT)) return new URL(next).search.slice(1);
      }
      throw new Error('the provider sends in circles');
    },
    async stop() {
      await dispatcher.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** oidc-provider hands its whole answer to `end`; nothing is on the wire before. */
function tamperWith(
  request: IncomingMessage,
  response: ServerResponse,
  tampers: ReadonlyMap<string, Tamper>,
): void {
  const tamper = tampers.get(new URL(request.url ?? '/', 'https://localhost').pathname);
  if (tamper === undefined) return;
  const end = response.end.bind(response) as (body: string) => ServerResponse;
  response.end = ((body?: unknown) => {
    if (typeof body !== 'string' && !Buffer.isBuffer(body)) return end('');
    const changed = JSON.stringify(tamper(JSON.parse(String(body)) as Record<string, unknown>));
    response.setHeader('content-length', Buffer.byteLength(changed));
    return end(changed);
  }) as typeof response.end;
}

function providerFor(issuer: string, clientSecret: string, keys: readonly object[]): RequestListener {
  const provider = new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [
      {
        client_id: CLIENT,
        client_secret: clientSecret,
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code', 'client_credentials'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    scopes: ['openid'],
    findAccount: (_: ProviderContext, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_: ProviderContext, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }: ProviderContext) {
      const grant = new provider.Grant({ accountId: PERSON, clientId: oidc.client?.clientId ?? '' });
      grant.addOIDCScope('openid');
      for (const audience of [AUDIENCE, OTHER_AUDIENCE]) grant.addResourceScope(audience, SCOPE);
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: ProviderContext, audience: string) => ({
          audience,
          scope: SCOPE,
          accessTokenTTL: 300,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    extraTokenClaims: (
      _: ProviderContext,
      token: { readonly clientId: string; readonly accountId?: string },
    ) => (token.accountId === undefined ? { sub: token.clientId } : {}),
  });
  // Whoever comes is signed in: what is looked at here is what the gateway takes for a sign-in.
  provider.use(async (context, next) => {
    if (!context.path.startsWith('/interaction/')) return next();
    const to = await provider.interactionResult(context.req, context.res, { login: { accountId: PERSON } });
    context.status = 303;
    context.set('location', to);
  });
  return provider.callback();
}
