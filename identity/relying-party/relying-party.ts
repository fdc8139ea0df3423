import { decodeProtectedHeader } from 'jose';
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildAuthorizationUrlWithPAR,
  buildEndSessionUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Clock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import type { Authenticator } from '../../contracts/principal.ts';
import type { IssuerSettings, RelyingPartySettings } from '../../contracts/settings.ts';
import { type Algorithm, isAlgorithm } from '../algorithms.ts';
import { isIdentifier, isNumericDate } from '../claims.ts';
import { createIssuerHttp, type IssuerHttp } from '../issuer-http.ts';
import { type JsonObject, member } from '../json.ts';
import { importKeySet, type KeySet } from '../key-set.ts';
import { LIFETIMES, Refreshed } from '../refreshed.ts';
import { authenticationOf, hasSecondFactor } from '../second-factor.ts';
import { discoverClient } from './client.ts';
import { refusalOf } from './errors.ts';
import { type Granted, grantedByClaim, grantedByToken, withRolesOf } from './granted.ts';
import { judgeLogoutToken, type LogoutOrder } from './logout-token.ts';
import { isHashOf } from './token-hash.ts';
import {
  type Begun,
  type PendingSignIn,
  refuseSignIn,
  type SignedIn,
  type SignInRefusal,
  type SignInRequest,
} from './types.ts';

/** Characters of an authorization response's query. */
const MAX_RESPONSE = 8192;

/**
 * The gateway as an OpenID relying party of one issuer: code flow with PKCE, state, nonce and `iss` (OpenID
 * Connect Core 1.0 §3.1, RFC 7636, RFC 9207, RFC 9700), pushed requests where the issuer takes them (RFC 9126).
 * No method rejects.
 */
export class RelyingParty {
  readonly settings: IssuerSettings;
  readonly party: RelyingPartySettings;
  readonly #algorithms: ReadonlySet<Algorithm>;
  readonly #clock: Clock;
  readonly #http: IssuerHttp;
  readonly #metadata: Refreshed<Configuration>;
  readonly #keys: Refreshed<KeySet>;

  /** @throws ChartgateError `configuration-invalid` when the settings say nothing of sign-in */
  constructor(settings: IssuerSettings, clock: Clock) {
    const { relyingParty, embedded } = settings;
    if (relyingParty === undefined)
      throw new ChartgateError(
        'configuration-invalid',
        `issuer ${settings.id}: the gateway is no client of it`,
      );
    this.settings = settings;
    this.party = relyingParty;
    this.#algorithms = new Set(settings.algorithms.filter(isAlgorithm));
    this.#clock = clock;
    this.#http = createIssuerHttp(
      settings.id,
      settings.authority,
      embedded === undefined ? undefined : { issuer: settings.issuer, ...embedded },
    );
    const lifetimes = { ...LIFETIMES, firstIntervalMs: LIFETIMES.firstIntervalMs / 2 };
    this.#metadata = new Refreshed(
      () => discoverClient(settings, relyingParty, this.#http),
      clock,
      lifetimes,
    );
    this.#keys = new Refreshed(() => this.#fetchKeys(), clock);
  }

  async begin(request: SignInRequest): Promise<Begun | SignInRefusal> {
    const configuration = await this.#metadata.get();
    if (configuration === undefined) return refuseSignIn('unavailable', 'issuer');
    const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
    const { secondFactor } = this.settings;
    const parameters = new URLSearchParams({
      response_type: 'code',
      redirect_uri: request.redirectUri,
      scope: ['openid', ...this.party.scopes].join(' '),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    if (this.party.resourceIndicator) parameters.set('resource', request.audience);
    if (request.maxAge !== undefined) parameters.set('max_age', String(request.maxAge));
    if (secondFactor?.by === 'issuer' && secondFactor.acr.length > 0)
      parameters.set('acr_values', secondFactor.acr.join(' '));
    try {
      const pushed = configuration.serverMetadata().pushed_authorization_request_endpoint !== undefined;
      const url = pushed
        ? await buildAuthorizationUrlWithPAR(configuration, parameters)
        : buildAuthorizationUrl(configuration, parameters);
      return { url: url.href, state, nonce, verifier };
    } catch (error) {
      return refusalOf(error);
    }
  }

  /**
   * @param response the query with which the browser came back to `redirectUri`
   * @param tenant for which the access token must be good
   * @param authenticator judges it
   */
  async finish(
    pending: PendingSignIn,
    response: string,
    tenant: TenantId,
    authenticator: Authenticator,
  ): Promise<({ readonly ok: true } & SignedIn) | SignInRefusal> {
    if (response.length > MAX_RESPONSE) return refuseSignIn('refused', 'length');
    const configuration = await this.#metadata.get();
    if (configuration === undefined) return refuseSignIn('unavailable', 'issuer');
    let tokens: Awaited<ReturnType<typeof authorizationCodeGrant>>;
    try {
      const url = new URL(pending.redirectUri);
      url.search = response;
      tokens = await authorizationCodeGrant(
        configuration,
        url,
        {
          expectedState: pending.state,
          expectedNonce: pending.nonce,
          pkceCodeVerifier: pending.verifier,
          idTokenExpected: true,
          ...(pending.maxAge === undefined ? {} : { maxAge: pending.maxAge }),
        },
        this.party.resourceIndicator ? { resource: pending.audience } : {},
      );
    } catch (error) {
      return refusalOf(error);
    }
    const idToken = tokens.id_token;
    const claims: JsonObject | undefined = tokens.claims();
    if (idToken === undefined || claims === undefined) return refuseSignIn('refused', 'id token');
    return this.#judge(claims, idToken, tokens.access_token, pending, tenant, authenticator);
  }

  /** The origin that browsers are sent to, for the policies of pages that send them; undefined: not known now. */
  async authorizationOrigin(): Promise<string | undefined> {
    const endpoint = (await this.#metadata.get())?.serverMetadata().authorization_endpoint;
    return endpoint === undefined ? undefined : URL.parse(endpoint)?.origin;
  }

  /** Where a browser signs out at the issuer too (OpenID Connect RP-Initiated Logout 1.0 §2); undefined: nowhere. */
  async endSessionUrl(options: {
    idToken: string | undefined;
    returnTo: string;
  }): Promise<string | undefined> {
    const configuration = await this.#metadata.get();
    if (configuration?.serverMetadata().end_session_endpoint === undefined) return undefined;
    try {
      return buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: options.returnTo,
        ...(options.idToken === undefined ? {} : { id_token_hint: options.idToken }),
      }).href;
    } catch {
      return undefined;
    }
  }

  /** Judges a logout token of this issuer. @returns in fixed words what is wrong with it, or what it orders */
  async judgeLogout(token: string): Promise<LogoutOrder | string> {
    return judgeLogoutToken(token, {
      issuer: this.settings.issuer,
      clientId: this.party.clientId,
      algorithms: this.#algorithms,
      now: this.#clock.wall() / 1000,
      skewSeconds: this.settings.skewSeconds,
      key: async (keyId, algorithm) => {
        let keys = await this.#keys.get();
        if (keys !== undefined && !keys.has(keyId)) keys = await this.#keys.reload();
        if (keys === undefined) return 'unavailable';
        return keys.get(keyId)?.get(algorithm) ?? 'unknown';
      },
    });
  }

  close(): void {
    this.#http.close();
  }

  async #judge(
    claims: JsonObject,
    idToken: string,
    accessToken: string,
    pending: PendingSignIn,
    tenant: TenantId,
    authenticator: Authenticator,
  ): Promise<({ readonly ok: true } & SignedIn) | SignInRefusal> {
    const { id, algorithms, secondFactor, skewSeconds } = this.settings;
    // The library takes any algorithm that the issuer's metadata lists; the settings list which are believed.
    const { alg = '' } = decodeProtectedHeader(idToken);
    if (!algorithms.includes(alg)) return refuseSignIn('refused', 'id token alg');
    if (!isHashOf(member(claims, 'at_hash'), accessToken, alg)) return refuseSignIn('refused', 'at_hash');
    const [subject, sid, iat] = [member(claims, 'sub'), member(claims, 'sid'), member(claims, 'iat')];
    if (!isIdentifier(subject)) return refuseSignIn('refused', 'sub');
    if (sid !== undefined && !isIdentifier(sid)) return refuseSignIn('refused', 'sid');
    const now = this.#clock.wall() / 1000;
    if (!isNumericDate(iat) || iat > now + skewSeconds) return refuseSignIn('refused', 'iat');
    const authentication = authenticationOf(claims, secondFactor) ?? {
      // Whoever does not say when is taken at their word that it was now, but no second factor follows from it.
      at: Math.floor(now),
      methods: [],
      acr: undefined,
      factorAt: undefined,
    };
    if (authentication.at > now + skewSeconds) return refuseSignIn('refused', 'auth_time');
    const { grants } = this.party;
    const granted: Granted | SignInRefusal =
      grants === undefined
        ? await grantedByToken(authenticator, accessToken, {
            tenant,
            audience: pending.audience,
            issuerId: id,
            subject,
          })
        : grantedByClaim(claims, grants);
    if ('reason' in granted) return granted;
    const known = withRolesOf(claims, this.party.rolesClaim, granted);
    if ('reason' in known) return known;
    return {
      ok: true,
      subject,
      scopes: known.scopes,
      roles: known.roles,
      patient: granted.patient,
      authentication,
      secondFactor: hasSecondFactor(claims, secondFactor),
      sid: sid as string | undefined,
      idToken,
    };
  }

  async #fetchKeys(): Promise<KeySet> {
    const uri = (await this.#metadata.get())?.serverMetadata().jwks_uri;
    if (uri === undefined)
      throw new ChartgateError('backend-unavailable', `issuer ${this.settings.id}: no key set`);
    return importKeySet(await this.#http.getJson(uri), this.#algorithms);
  }
}
