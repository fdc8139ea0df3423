import type { Clock } from '../contracts/clock.ts';
import { ChartgateError } from '../contracts/errors.ts';
import type { Revocation } from '../contracts/issuer-link.ts';
import type {
  AuthenticationRequest,
  AuthenticationResult,
  BearerPrincipal,
  IssuerEndpoints,
  Principal,
} from '../contracts/principal.ts';
import { isAlgorithm } from './algorithms.ts';
import { parseCredential } from './bearer.ts';
import { type ClaimExpectations, checkClaims } from './claims.ts';
import { parseCompactToken } from './compact-token.ts';
import { judgeIntrospection } from './introspection.ts';
import { Issuer } from './issuer.ts';
import { member } from './json.ts';
import { hashOf } from './lengths.ts';
import { ANONYMOUS, bearerPrincipal, originOf } from './principal.ts';
import { type Refusal, refuse } from './refusal.ts';
import { authenticationOf } from './second-factor.ts';
import type { Judged } from './token-cache.ts';
import { refuseOtherCertificate } from './tokens/confirmation.ts';
import { Proofs } from './tokens/dpop.ts';
import type {
  AuthenticatorOptions,
  IssuerReadiness,
  OtherCallers,
  TokenAuthenticator,
} from './tokens/interface.ts';
import { MemoryReplayGuard, type ReplayGuard, StoreReplayGuard } from './tokens/replay.ts';
import type { TokenMarks } from './tokens/revocations.ts';

/** Only while somebody holds the principal, as a request that goes on for long does. */
const marksOf = new WeakMap<BearerPrincipal, TokenMarks>();

const NOBODY: AuthenticationResult = Object.freeze({ ok: true, principal: ANONYMOUS });

/**
 * Tokens → principals. The answer is synchronous for a bearer token that was found good a moment ago for
 * the same tenant and audience. Never throws and never rejects for whatever a client sends.
 *
 * @throws ChartgateError `configuration-invalid` for two issuers with one id, or an algorithm that is not allowed
 */
export function createAuthenticator(options: AuthenticatorOptions): TokenAuthenticator {
  const { clock, onRevocation } = options;
  const issuers = new Map<string, Issuer>();
  for (const settings of options.issuers) {
    const { id, issuer } = settings;
    if (issuers.has(id)) throw new ChartgateError('configuration-invalid', `two issuers have the id ${id}`);
    const listener =
      onRevocation === undefined ? undefined : (revocation: Revocation) => onRevocation(issuer, revocation);
    issuers.set(id, new Issuer(settings, clock, listener));
  }
  return new TokenJudge(issuers, clock, new Proofs(clock, guardOf(options)), options.others);
}

/** Without anything that every worker asks, a proof could be used once in each: then none is accepted. */
function guardOf({ state, alone, clock }: AuthenticatorOptions): ReplayGuard | undefined {
  if (state !== undefined) return new StoreReplayGuard(state, clock);
  return alone === true ? new MemoryReplayGuard(clock) : undefined;
}

/** The tenant's own issuers, then those of its partners. */
function trustedIds({ issuers, partners }: AuthenticationRequest): readonly string[] {
  return partners === undefined || partners.size === 0 ? issuers : [...issuers, ...partners.keys()];
}

class TokenJudge implements TokenAuthenticator {
  readonly #issuers: ReadonlyMap<string, Issuer>;
  readonly #clock: Clock;
  readonly #proofs: Proofs;
  readonly #others: OtherCallers | undefined;
  /** Judgements under way, so that a hundred requests with one new token cost one. */
  readonly #judging = new Map<string, Promise<Judgement>>();

  constructor(
    issuers: ReadonlyMap<string, Issuer>,
    clock: Clock,
    proofs: Proofs,
    others: OtherCallers | undefined,
  ) {
    this.#issuers = issuers;
    this.#clock = clock;
    this.#proofs = proofs;
    this.#others = others;
  }

  authenticate(request: AuthenticationRequest): AuthenticationResult | Promise<AuthenticationResult> {
    if (request.authorization === undefined) return this.#others?.byCertificate(request) ?? NOBODY;
    const parsed = parseCredential(request.authorization);
    if (!parsed.ok) return refuse('token-malformed', parsed.detail);
    const { scheme, token } = parsed;
    if (scheme === 'basic')
      return this.#others?.bySecret(request, token) ?? refuse('token-malformed', 'scheme');
    const { tenant, audience, audienceName } = request;
    const cacheKey =
      audienceName === undefined
        ? hashOf(tenant, audience, token)
        : hashOf(tenant, audience, audienceName, token);
    // Whatever has a dot must be a JWT; an opaque token says nothing here and is always asked about.
    const structured = token.includes('.');
    const ask = request.introspection !== 'never' || !structured;
    // Only the caches of issuers that this tenant trusts are looked into.
    for (const id of trustedIds(request)) {
      const issuer = this.#issuers.get(id);
      if (issuer === undefined || !issuer.informed) continue;
      const hit = ask ? issuer.confirmed.get(cacheKey) : issuer.verified.get(cacheKey);
      if (hit !== undefined) return this.#present(hit, issuer, request, scheme, token);
    }
    const sharedKey = hashOf(cacheKey, ask ? 'ask' : 'verify', ...trustedIds(request));
    const judging =
      this.#judging.get(sharedKey) ?? this.#judge(request, token, cacheKey, structured, ask, sharedKey);
    return judging.then((judgement) =>
      'reason' in judgement
        ? judgement
        : this.#present(judgement.judged, judgement.issuer, request, scheme, token),
    );
  }

  isRevoked(principal: Principal): boolean {
    const origin = originOf(principal);
    if (origin.kind !== 'bearer') return false;
    const marks = marksOf.get(origin);
    if (marks === undefined) return false;
    // By its name: the principal may have been made before the configuration was replaced.
    for (const { settings, feed } of this.#issuers.values())
      if (settings.issuer === origin.issuer && feed?.denies(marks) === true) return true;
    return false;
  }

  async endpoints(issuer: string): Promise<IssuerEndpoints | undefined> {
    return this.#issuers.get(issuer)?.endpoints();
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

  /** What holds for each request anew, however good the token: it is not revoked, and its sender is the one it is bound to. */
  #present(
    { result, confirmation, marks }: Judged,
    issuer: Issuer,
    request: AuthenticationRequest,
    scheme: 'bearer' | 'dpop',
    token: string,
  ): AuthenticationResult | Promise<AuthenticationResult> {
    if (issuer.feed !== undefined) {
      if (issuer.feed.denies(marks)) return refuse('token-revoked', 'feed');
      marksOf.set(result.principal, marks);
    }
    if (confirmation?.by !== 'dpop') {
      // RFC 9449 §7.1: the scheme says that the token is bound to a key, and it is not.
      if (scheme === 'dpop') return refuse('token-unbound', 'scheme DPoP');
      if (confirmation === undefined) return result;
      return refuseOtherCertificate(confirmation.thumbprint, request.facts) ?? result;
    }
    // RFC 9449 §7.2: a token that is bound to a key is no bearer token, whatever else is shown with it.
    if (scheme !== 'dpop') return refuse('proof-missing', 'scheme Bearer');
    const { jkt } = confirmation;
    return this.#proofs
      .refuse({ facts: request.facts, token, jkt })
      .then((refused) => refused ?? result)
      .catch((): AuthenticationResult => refuse('internal', 'authentication'));
  }

  #judge(
    request: AuthenticationRequest,
    token: string,
    cacheKey: string,
    structured: boolean,
    ask: boolean,
    sharedKey: string,
  ): Promise<Judgement> {
    const judging = (
      structured ? this.#judgeJwt(request, token, cacheKey, ask) : this.#judgeOpaque(request, token, cacheKey)
    )
      // Nothing above is known to throw; should it, the credential was not verified.
      .catch((): Judgement => refuse('internal', 'authentication'))
      .finally(() => this.#judging.delete(sharedKey));
    this.#judging.set(sharedKey, judging);
    return judging;
  }

  async #judgeJwt(
    request: AuthenticationRequest,
    token: string,
    cacheKey: string,
    ask: boolean,
  ): Promise<Judgement> {
    const begun = this.#clock.monotonic();
    const compact = parseCompactToken(token);
    if ('reason' in compact) return compact;
    // The claim only chooses whose keys are tried; a token of another's making then fails by its signature.
    const named = member(compact.unverified, 'iss');
    const issuer = this.#trusted(request).find((trusted) => trusted.settings.issuer === named);
    if (issuer === undefined) return refuse('token-issuer', 'iss');
    const home = request.partners?.get(issuer.settings.id);
    let judged = issuer.verified.get(cacheKey);
    if (judged === undefined) {
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
      // A partner's patients are somebody else's records; the id means another one here.
      if (home !== undefined && claims.patient !== undefined)
        return refuse('token-claims', 'patient of a partner');
      const { confirmation, subject, tokenId, grantId, issuedAt } = claims;
      const principal = bearerPrincipal({
        ...claims,
        credential: 'token',
        constraint: confirmation?.by ?? 'none',
        tenant: request.tenant,
        audience: request.audienceName,
        home,
        issuer: issuer.settings.issuer,
        authentication: authenticationOf(compact.unverified, issuer.settings.secondFactor),
      });
      judged = {
        result: Object.freeze({ ok: true, principal }),
        confirmation,
        marks: { subject, tokenId, grantId, issuedAt },
      };
      issuer.verified.set(cacheKey, judged, begun);
    }
    // Nobody has told what the issuer revoked: it is asked, about each token and each time.
    const must = ask || !issuer.informed;
    return must ? this.#confirm(request, issuer, token, cacheKey, judged) : { judged, issuer };
  }

  /** An opaque token does not say whose it is, and must not be shown to an issuer whose it may not be. */
  async #judgeOpaque(request: AuthenticationRequest, token: string, cacheKey: string): Promise<Judgement> {
    const [issuer, ...others] = this.#named(request.issuers).filter(
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
    verified: Judged | undefined,
  ): Promise<Judgement> {
    const begun = this.#clock.monotonic();
    const { informed } = issuer;
    const answer = await issuer.introspect(token, cacheKey);
    if (answer === 'unavailable') return refuse('issuer-unavailable', 'introspection');
    const expected = {
      ...this.#expectations(request, issuer),
      tenant: request.tenant,
      audienceName: request.audienceName,
      verified,
      secondFactor: issuer.settings.secondFactor,
    };
    const judged = judgeIntrospection(answer, expected);
    if ('reason' in judged) return judged;
    // What was revoked between the question and the feed's return would be missed.
    if (informed && issuer.informed) issuer.confirmed.set(cacheKey, judged, begun);
    return { judged, issuer };
  }

  #trusted(request: AuthenticationRequest): Issuer[] {
    return this.#named(trustedIds(request));
  }

  #named(ids: readonly string[]): Issuer[] {
    return ids.flatMap((id) => this.#issuers.get(id) ?? []);
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

type Judgement = { readonly judged: Judged; readonly issuer: Issuer } | Refusal;
