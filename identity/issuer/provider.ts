/// <reference path="./oidc-provider.d.ts" />
import {
  errors,
  Provider,
  type ProviderClient,
  type ProviderContext,
  type ProviderToken,
} from 'oidc-provider';
import { ACR_ORDER } from '../../contracts/issuer-link.ts';
import { createAdapter } from './adapter.ts';
import type { BackChannelFetch } from './back-channel.ts';
import { certificateOf, isOf, isVerified } from './certificates.ts';
import { accountFinder, grantIdOf, tokenClaims, tokenRecorder } from './claims.ts';
import { grantLoader, resourceServers } from './grants.ts';
import type { KeySet } from './keys.ts';
import { contextOf } from './launch-context.ts';
import { type IssuerParts, secondsOf } from './parts.ts';
import { policyOf } from './policy.ts';
import { equalRefusals } from './refused-clients.ts';
import { requestRewriter } from './requests.ts';
import { bindToSessions, keepBeforeLeaving, revokeGrant } from './sessions.ts';
import { SESSION_COOKIE, signOutAnnouncer, signOutPages } from './sign-out.ts';
import { PLAIN_SCOPES } from './smart/scopes.ts';

/** Every one asymmetric: a client's secret signs nothing. */
const ALGORITHMS = ['ES256', 'ES384', 'PS256', 'PS384', 'EdDSA', 'Ed25519', 'RS256'] as const;
const INTERACTION_SECONDS = 900;
const UNKNOWN_SESSION_SECONDS = 900;

export const ROUTES = Object.freeze({
  authorization: '/authorize',
  pushed_authorization_request: '/authorize/pushed',
  token: '/token',
  introspection: '/token/introspection',
  revocation: '/token/revocation',
  jwks: '/jwks',
  end_session: '/session/end',
  userinfo: '/userinfo',
});

/** The OpenID provider as it is for one set of keys; another set takes another one. */
export function createProvider(parts: IssuerParts, keys: KeySet, fetch: BackChannelFetch): Provider {
  const { settings, models, clients, clock } = parts;
  const seconds = (milliseconds: number) => Math.max(1, Math.floor(milliseconds / 1000));
  const access = seconds(settings.tokens.accessMs);
  const signOut = signOutPages(parts);
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure: true, overwrite: true };
  const provider = new Provider(settings.issuer, {
    adapter: (model: string) =>
      createAdapter(model, {
        models,
        client: async (id) => (await clients.find(id))?.metadata,
        revoked: (kind, value, until) =>
          parts.revoke(kind, kind === 'grant' ? grantIdOf(value) : value, until),
        // Somebody else has it too (RFC 9700 §4.14.2).
        reused: async (grant) => {
          parts.log('token-reused');
          await revokeGrant(provider, grant);
        },
      }),
    jwks: { keys: keys.signing },
    cookies: {
      keys: keys.cookies,
      names: {
        session: '__Host-chartgate-id',
        interaction: '__Secure-chartgate-step',
        resume: '__Secure-chartgate-resume',
      },
      long: SESSION_COOKIE,
      short: cookie,
    },
    routes: ROUTES,
    acrValues: ACR_ORDER,
    scopes: PLAIN_SCOPES,
    claims: {
      openid: ['sub', 'amr', 'acr', 'auth_time', 'factor_at', 'sid'],
      profile: ['name', 'fhirUser'],
      fhirUser: ['fhirUser'],
    },
    responseTypes: ['code'],
    pkce: { required: () => true },
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'none',
      'tls_client_auth',
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256'],
      clientAuthSigningAlgValues: ALGORITHMS,
      dPoPSigningAlgValues: ALGORITHMS,
    },
    extraParams: ['launch'],
    clockTolerance: 5,
    // SMART and OpenID relying parties read them from the ID token; there is no userinfo endpoint.
    conformIdTokenClaims: false,
    allowOmittingSingleRegisteredRedirectUri: false,
    subjectTypes: ['public'],
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      deviceFlow: { enabled: false },
      registration: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, ...signOut },
      introspection: { enabled: true, allowedPolicy: introspectionAllowed(parts) },
      revocation: {
        enabled: true,
        allowedPolicy: (_: ProviderContext, client: ProviderClient, token: ProviderToken) =>
          client.clientId === token.clientId,
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        getCertificate: (context: ProviderContext) => certificateOf(context)?.toString(),
        certificateAuthorized: isVerified,
        certificateSubjectMatches: (context: ProviderContext, _: string, expected: string) =>
          isOf(certificateOf(context), expected),
      },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: resourceServers(parts, (message) => new errors.InvalidTarget(message)),
        defaultResource: async (_: ProviderContext, client: ProviderClient, oneOf?: readonly string[]) => {
          if (oneOf !== undefined) return oneOf;
          const known = await clients.find(client.clientId);
          // The pages of one's own account want no token.
          if (known?.kind === 'account') return undefined;
          const audience = known?.tenants[0]?.audience;
          if (audience === undefined) throw new errors.InvalidTarget('this client has no tenant');
          return audience;
        },
      },
    },
    formats: {
      bitsOfOpaqueRandomness: 256,
      customizers: {
        jwt: async (context: ProviderContext, token: ProviderToken, _structured: unknown) =>
          tokenRecorder(parts)(context, token),
      },
    },
    extraTokenClaims: tokenClaims(parts),
    findAccount: accountFinder(parts),
    loadExistingGrant: grantLoader(parts),
    // RFC 9700 §4.14.2
    rotateRefreshToken: true,
    issueRefreshToken: (_: ProviderContext, client: ProviderClient, source: ProviderToken) =>
      client.grantTypeAllowed('refresh_token') &&
      (source.scopes.has('offline_access') || source.scopes.has('online_access')),
    expiresWithSession: (_: ProviderContext, source: ProviderToken) => !source.scopes.has('offline_access'),
    revokeGrantPolicy: (context: ProviderContext) =>
      !(context.oidc.route === 'revocation' && context.oidc.entities.AccessToken !== undefined),
    interactions: {
      policy: policyOf(() => 0),
      url: (_: ProviderContext, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}`,
    },
    clientBasedCORS: (_: ProviderContext, origin: string, client: ProviderClient) =>
      client.redirectUris.some((uri) => URL.parse(uri)?.origin === origin),
    renderError: async (context: ProviderContext) => {
      const page = parts.pages.error({
        kind: context.status >= 500 ? 'failed' : 'bad-request',
        requestId: context.get('x-request-id'),
      });
      for (const [name, value] of Object.entries(page.headers)) context.set(name, value);
      context.body = page.html;
    },
    ttl: {
      AccessToken: access,
      ClientCredentials: access,
      IdToken: access,
      AuthorizationCode: 60,
      Interaction: INTERACTION_SECONDS,
      Grant: seconds(settings.tokens.refreshMs),
      RefreshToken: (_: ProviderContext, token: ProviderToken) =>
        Math.max(
          1,
          Math.min(
            seconds(settings.tokens.refreshIdleMs),
            seconds(settings.tokens.refreshMs) - token.totalLifetime(),
          ),
        ),
      // From the sign-in on, however often the session is used.
      Session: (_: ProviderContext, session: { readonly loginTs?: number }) =>
        session.loginTs === undefined
          ? UNKNOWN_SESSION_SECONDS
          : Math.max(1, session.loginTs + seconds(settings.tokens.sessionMs) - secondsOf(clock)),
    },
    fetch,
  });
  // X-Forwarded-* is the gateway's: nobody else reaches the socket with the key (server.ts).
  provider.proxy = true;
  const refusals = equalRefusals(clients);
  provider.Client.prototype.compareClientSecret = async function (this: ProviderClient, actual: string) {
    const known = await clients.find(this.clientId);
    const context = Provider.ctx;
    if (context !== undefined && !clients.isConfigured(this.clientId)) refusals.compared(context);
    return (await known?.secretMatches(actual, context?.ip)) === true;
  };
  provider.use(refusals.middleware);
  bindToSessions(provider);
  keepBeforeLeaving(parts, provider);
  // Every gateway and app can be told which sign-in ended, not only those that registered a back channel.
  provider.Client.prototype.includeSid = () => true;
  provider.use(
    requestRewriter(parts, keys.signing, {
      authorization: provider.pathFor('authorization'),
      pushed: provider.pathFor('pushed_authorization_request'),
      introspection: provider.pathFor('introspection'),
      revocation: provider.pathFor('revocation'),
    }),
  );
  provider.use(signOutAnnouncer(parts, provider));
  provider.use(launchInAnswer(parts, provider.pathFor('token')));
  return provider;
}

/** SMART App Launch 2.2: context parameters stand beside the access token. */
function launchInAnswer(parts: IssuerParts, path: string) {
  return async (context: ProviderContext, next: () => Promise<void>): Promise<void> => {
    await next();
    if (context.path !== path || context.status !== 200) return;
    const grant = context.oidc.entities.AccessToken?.grantId;
    const { patient, encounter, needPatientBanner, intent } = await contextOf(parts.models, grant);
    if (patient === undefined) return;
    context.body = {
      ...(context.body as Readonly<Record<string, unknown>>),
      patient,
      need_patient_banner: needPatientBanner,
      ...(encounter === undefined ? {} : { encounter }),
      ...(intent === undefined ? {} : { intent }),
    };
  };
}

/** The tenant's own gateway may ask about every token of the tenant, and nobody else about anything. */
function introspectionAllowed(parts: IssuerParts) {
  return async (_: ProviderContext, client: ProviderClient, token: ProviderToken): Promise<boolean> => {
    const known = await parts.clients.find(client.clientId);
    // What a client was given ends with the client, as far as this issuer is asked.
    if ((await parts.clients.find(token.clientId)) === undefined) return false;
    return known?.kind === 'gateway' && known.tenants.some(({ audience }) => audience === token.aud);
  };
}
