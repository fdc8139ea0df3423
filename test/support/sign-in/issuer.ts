import { type KeyObject, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { exportJWK, generateKeyPair } from 'jose';
import { Agent, fetch } from 'undici';

/** Who signs in next, and what the issuer says of how. */
export interface Person {
  readonly sub: string;
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly groups?: readonly string[];
  /** In the access token: whose record it is, and what they are. */
  readonly patient?: string;
  readonly roles?: readonly string[];
}

export interface SignInIssuer {
  readonly url: string;
  /** Signs in without asking; a form is shown when undefined. */
  person: Person | undefined;
  /** Ends the issuer's own sessions, so that the next sign-in asks again. */
  forget(): void;
  /** Requests that were made, by path. */
  readonly seen: string[];
  readonly errors: string[];
  stop(): Promise<void>;
}

export interface SignInIssuerOptions {
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** PEM of the authority of the gateway, which back-channel logout is sent to. */
  readonly authority: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The client proves itself by this key (private_key_jwt) instead. */
  readonly clientKey?: KeyObject;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly backChannelLogoutUri: string;
  /** Resources (audiences), each with the scopes that everybody gets there. */
  readonly resources: ReadonlyMap<string, readonly string[]>;
  readonly pushed?: boolean;
}

/** A real OpenID provider (npm oidc-provider) over HTTPS, with the least of pages: a name is enough to sign in. */
export async function startSignInIssuer(options: SignInIssuerOptions): Promise<SignInIssuer> {
  for (const level of ['info', 'warn'] as const) {
    const print = console[level].bind(console);
    console[level] = (...words: unknown[]) => {
      if (!String(words[0]).startsWith('oidc-provider ')) print(...words);
    };
  }
  // The provider has no types of its own; what is used of it is plain.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const { Provider } = (await import('oidc-provider')) as any;
  const url = `https://localhost:${options.port}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const clientJwk =
    options.clientKey === undefined
      ? undefined
      : { ...(await exportJWK(options.clientKey)), kid: 'gateway-1', use: 'sig' };
  const people = new Map<string, Person>();
  const agent = new Agent({
    connect: {
      ca: options.authority,
      // `*.localhost` is not resolved everywhere.
      lookup: (_host, wanted, done) =>
        wanted.all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
    },
  });
  const state: { person: Person | undefined } = { person: undefined };
  const seen: string[] = [];
  const errors: string[] = [];

  const provider = new Provider(url, {
    jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig', kid: 'test-1' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: [
      {
        client_id: options.clientId,
        ...(clientJwk === undefined
          ? { client_secret: options.clientSecret }
          : { jwks: { keys: [clientJwk] } }),
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: options.redirectUris,
        post_logout_redirect_uris: options.postLogoutRedirectUris,
        backchannel_logout_uri: options.backChannelLogoutUri,
        backchannel_logout_session_required: true,
        id_token_signed_response_alg: 'ES256',
        token_endpoint_auth_method: clientJwk === undefined ? 'client_secret_basic' : 'private_key_jwt',
      },
    ],
    acrValues: ['urn:test:two'],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time', 'groups'], acr: null, auth_time: null, sid: null },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
      pushedAuthorizationRequests: { enabled: options.pushed !== false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => [...options.resources.keys()][0],
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          audience: resource,
          scope: (options.resources.get(resource) ?? []).join(' '),
          accessTokenTTL: 300,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    extraTokenClaims: (_: unknown, token: { readonly accountId?: string }) => {
      const { patient, roles } = people.get(token.accountId ?? '') ?? {};
      return { ...(patient === undefined ? {} : { patient }), ...(roles === undefined ? {} : { roles }) };
    },
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, groups: people.get(id)?.groups ?? [] }),
    }),
    // biome-ignore lint/suspicious/noExplicitAny: no types
    loadExistingGrant: async (ctx: any) => {
      const grant = new provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope('openid');
      for (const [resource, scopes] of options.resources) grant.addResourceScope(resource, scopes.join(' '));
      await grant.save();
      return grant;
    },
    interactions: { url: (_: unknown, interaction: { uid: string }) => `/interaction/${interaction.uid}` },
    fetch: (target: string, init: object) => fetch(target, { ...init, dispatcher: agent }),
    ttl: {
      Session: 3600,
      Interaction: 600,
      Grant: 3600,
      AccessToken: 300,
      IdToken: 300,
      AuthorizationCode: 60,
    },
  });
  for (const event of [
    'server_error',
    'authorization.error',
    'grant.error',
    'backchannel.error',
    'pushed_authorization_request.error',
  ])
    provider.on(event, (...said: unknown[]) => {
      const error = said.find((each) => each instanceof Error) as
        | (Error & { error_description?: string })
        | undefined;
      errors.push(`${event}: ${error?.message} ${error?.error_description ?? ''}`);
    });
  const handle = provider.callback();

  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const details = await provider.interactionDetails(request, response);
    let person = state.person;
    if (request.method === 'POST') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const fields = new URLSearchParams(Buffer.concat(chunks).toString());
      person = { sub: fields.get('login') ?? 'nobody', acr: 'urn:test:two', amr: ['pwd', 'otp', 'mfa'] };
    }
    if (person === undefined) {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(
        `<!doctype html><title>Provider</title><form method="post" action="/interaction/${details.uid}"><input name="login"><button>Sign in</button></form>`,
      );
      return;
    }
    people.set(person.sub, person);
    const login = {
      accountId: person.sub,
      ...(person.acr === undefined ? {} : { acr: person.acr }),
      ...(person.amr === undefined ? {} : { amr: person.amr }),
    };
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }

  const server: Server = createServer(
    { cert: options.certificate, key: options.key, minVersion: 'TLSv1.3' },
    (request, response) => {
      seen.push(`${request.method} ${(request.url ?? '').split('?', 1)[0]}`);
      if (request.url?.startsWith('/interaction/') === true) {
        interact(request, response).catch((error: Error) => {
          errors.push(`interaction: ${error.message}`);
          response.writeHead(500).end();
        });
      } else handle(request, response);
    },
  );
  await new Promise<void>((done) => server.listen(options.port, '127.0.0.1', done));
  return {
    url,
    seen,
    errors,
    get person() {
      return state.person;
    },
    set person(person) {
      state.person = person;
    },
    forget: () => {},
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await agent.destroy();
    },
  };
}
