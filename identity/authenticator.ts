import type { Clock } from '../contracts/clock.ts';
import { ChartgateError } from '../contracts/errors.ts';
import type {
  AuthenticationRequest,
  AuthenticationResult,
  Authenticator,
  BearerPrincipal,
} from '../contracts/principal.ts';
import type { IssuerSettings } from '../contracts/settings.ts';
import { isAlgorithm } from './algorithms.ts';
import { parseBearer } from './bearer.ts';
import { type ClaimExpectations, checkClaims } from './claims.ts';
import { parseCompactToken } from './compact-token.ts';
import { judgeIntrospection } from './introspection.ts';
import { Issuer } from './issuer.ts';
import { member } from './json.ts';
import { hashOf } from './lengths.ts';
import { ANONYMOUS, bearerPrincipal } from './principal.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { Accepted } from './token-cache.ts';

export interface AuthenticatorOptions {
  readonly issuers: readonly IssuerSettings[];
  readonly clock: Clock;
}

/** Whether an issuer's keys are at hand. */
export interface IssuerReadiness {
  readonly issuer: string;
  readonly available: boolean;
}

export interface TokenAuthenticator extends Authenticator {
  /** Fetches what is missing of every issuer and says which have usable keys. Never rejects. */
  ready(): Promise<readonly IssuerReadiness[]>;
  /** Ends every connection to an issuer. */
  close(): void;
}

const NOBODY: AuthenticationResult = Object.freeze({ ok: true, principal: ANONYMOUS });

/**
 * Bearer tokens → principals. The answer is synchronous for a token that was accepted a moment ago for
 * the same tenant and audience. Never throws and never rejects for whatever a client sends.
 *
 * @throws ChartgateError `configuration-invalid` for two issuers with one id, or an algorithm that is not allowed
 */
export function createAuthenticator(options: AuthenticatorOptions): TokenAuthenticator {
  const issuers = new Map<string, Issuer>();
  for (const settings of options.issuers) {
    if (issuers.has(settings.id)) {
      throw new ChartgateError('configuration-invalid', `two issuers have the id ${settings.id}`);
    }
    issuers.set(settings.id, new Issuer(settings, options.clock));
  }
  return new BearerAuthenticator(issuers, options.clock);
}

class BearerAuthenticator implements TokenAuthenticator {
  readonly #issuers: ReadonlyMap<string, Issuer>;
  readonly #clock: Clock;
  /** Judgements under way, so that a hundred requests with one new token cost one. */
  readonly #judging = new Map<string, Promise<AuthenticationResult>>();

  constructor(issuers: ReadonlyMap<string, Issuer>, clock: Clock) {
    this.#issuers = issuers;
    this.#clock = clock;
  }

  authenticate(request: AuthenticationRequest): AuthenticationResult | Promise<AuthenticationResult> {
    if (request.authorization === undefined) return NOBODY;
    const parsed = parseBearer(request.authorization);
    if (!parsed.ok) return refuse('token-malformed', parsed.detail);
    const { token } = parsed;
    const cacheKey = hashOf(request.tenant, request.audience, token);
    // Whatever has a dot must be a JWT; an opaque token says nothing here and is always asked about.
    const structured = token.includes('.');
    const ask = request.introspection !== 'never' || !structured;
    // Only the caches of issuers that this tenant trusts are looked into.
    for (const id of request.issuers) {
      const issuer = this.#issuers.get(id);
      const hit = ask ? issuer?.confirmed.get(cacheKey) : issuer?.verified.get(cacheKey);
      if (hit !== undefined) return hit;
    }
    const sharedKey = hashOf(cacheKey, ask ? 'ask' : 'verify', ...request.issuers);
    const judging =
      this.#judging.get(sharedKey) ?? this.#judge(request, token, cacheKey, structured, ask, sharedKey);
    return judging;
  }

  async ready(): Promise<readonly IssuerReadiness[]> {
    const issuers = [...this.#issuers.values()];
    return Promise.all(
      issuers.map(async (issuer) => ({ issuer: issuer.settings.id, available: await issuer.ready() })),
    );
  }

  close(): void {
    for (const issuer of this.#issuers.values()) issuer.close();
  }

  #judge(
    request: AuthenticationRequest,
    token: string,
    cacheKey: string,
    structured: boolean,
    ask: boolean,
    sharedKey: string,
  ): Promise<AuthenticationResult> {
    const judging = (
      structured ? this.#judgeJwt(request, token, cacheKey, ask) : this.#judgeOpaque(request, token, cacheKey)
    )
      // Nothing above is known to throw; should it, the credential was not verified.
      .catch((): AuthenticationResult => refuse('internal', 'authentication'))
      .finally(() => this.#judging.delete(sharedKey));
    this.#judging.set(sharedKey, judging);
    return judging;
  }

  async #judgeJwt(
    request: AuthenticationRequest,
    token: string,
    cacheKey: string,
    ask: boolean,
  ): Promise<AuthenticationResult> {
    const begun = this.#clock.monotonic();
    const compact = parseCompactToken(token);
    if ('reason' in compact) return compact;
    // The claim only chooses whose keys are tried; a token of another's making then fails by its signature.
    const named = member(compact.unverified, 'iss');
    const issuer = this.#trusted(request).find((trusted) => trusted.settings.issuer === named);
    if (issuer === undefined) return refuse('token-issuer', 'iss');
    let accepted = issuer.verified.get(cacheKey);
    if (accepted === undefined) {
      const { algorithm, keyId } = compact;
      if (!isAlgorithm(algorithm) || !issuer.algorithms.has(algorithm))
        return refuse('token-algorithm', 'alg');
      const key = await issuer.key(keyId, algorithm);
      if (key === 'unavailable') return refuse('issuer-unavailable', 'keys');
      if (key === 'unknown') return refuse('token-signature', 'kid');
      if (!(await issuer.signed(token, key, algorithm))) return refuse('token-signature', 'signature');
      // These are the claims of the very text whose signature was just verified.
      const claims = checkClaims(compact.unverified, this.#expectations(request, issuer));
      if ('reason' in claims) return claims;
      accepted = accept(
        bearerPrincipal({ tenant: request.tenant, issuer: issuer.settings.issuer, ...claims }),
      );
      issuer.verified.set(cacheKey, accepted, begun);
    }
    return ask ? this.#confirm(request, issuer, token, cacheKey, accepted.principal) : accepted;
  }

  /** An opaque token does not say whose it is, and must not be shown to an issuer whose it may not be. */
  async #judgeOpaque(
    request: AuthenticationRequest,
    token: string,
    cacheKey: string,
  ): Promise<AuthenticationResult> {
    const [issuer, ...others] = this.#trusted(request).filter(
      (trusted) => trusted.settings.introspection !== undefined,
    );
    if (issuer === undefined) return refuse('token-malformed', 'opaque token');
    if (others.length > 0) return refuse('token-issuer', 'opaque token, several issuers');
    return this.#confirm(request, issuer, token, cacheKey, undefined);
  }

  async #confirm(
    request: AuthenticationRequest,
    issuer: Issuer,
    token: string,
    cacheKey: string,
    verified: BearerPrincipal | undefined,
  ): Promise<AuthenticationResult> {
    const begun = this.#clock.monotonic();
    const answer = await issuer.introspect(token, cacheKey);
    if (answer === 'unavailable') return refuse('issuer-unavailable', 'introspection');
    const expected = { ...this.#expectations(request, issuer), tenant: request.tenant, verified };
    const judged: BearerPrincipal | Refusal = judgeIntrospection(answer, expected);
    if ('reason' in judged) return judged;
    const accepted = accept(judged);
    issuer.confirmed.set(cacheKey, accepted, begun);
    return accepted;
  }

  #trusted(request: AuthenticationRequest): Issuer[] {
    return request.issuers.flatMap((id) => this.#issuers.get(id) ?? []);
  }

  #expectations(request: AuthenticationRequest, issuer: Issuer): ClaimExpectations {
    return {
      issuer: issuer.settings.issuer,
      audience: request.audience,
      now: this.#clock.wall() / 1000,
      skewSeconds: issuer.settings.skewSeconds,
    };
  }
}

function accept(principal: BearerPrincipal): Accepted {
  return Object.freeze({ ok: true, principal });
}
