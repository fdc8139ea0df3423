import { type CryptoKey, compactVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import {
  ClientSecretBasic,
  type Configuration,
  customFetch,
  discovery,
  None,
  tokenIntrospection,
} from 'openid-client';
import type { Clock } from '../contracts/clock.ts';
import { ChartgateError } from '../contracts/errors.ts';
import type { IssuerEndpoints } from '../contracts/principal.ts';
import type { IssuerSettings } from '../contracts/settings.ts';
import { type Algorithm, isAlgorithm } from './algorithms.ts';
import { createIssuerHttp, ISSUER_TIMEOUT_MS, type IssuerHttp } from './issuer-http.ts';
import type { JsonObject } from './json.ts';
import { importKeySet, type KeySet } from './key-set.ts';
import { LIFETIMES, Refreshed } from './refreshed.ts';
import { TokenCache } from './token-cache.ts';
import { RevocationFeed, type RevocationListener } from './tokens/revocation-feed.ts';

/** Introspections that may be under way at once; more means the issuer does not keep up. */
const MAX_PENDING = 256;
/** Milliseconds for which an issuer that did not answer an introspection is not asked again. */
const HOLD_OFF_MS = 1000;
/** Milliseconds for which a token found inactive is not asked about again; never longer, it may yet become valid. */
const INACTIVE_MS = 1000;

/** One trusted issuer: its keys, its introspection endpoint, and the tokens of it that were accepted. */
export class Issuer {
  readonly settings: IssuerSettings;
  readonly algorithms: ReadonlySet<Algorithm>;
  /** Tokens accepted by signature. */
  readonly verified: TokenCache;
  /** Tokens that the issuer itself confirmed. */
  readonly confirmed: TokenCache;
  /** Of the embedded issuer: what it revokes, told at once. */
  readonly feed: RevocationFeed | undefined;
  readonly #inactive = new LRUCache<string, number>({ max: 1024 });
  readonly #clock: Clock;
  readonly #http: IssuerHttp;
  readonly #metadata: Refreshed<Configuration>;
  readonly #keys: Refreshed<KeySet>;
  #pending = 0;
  #heldOffUntil = Number.NEGATIVE_INFINITY;

  /** @throws ChartgateError `configuration-invalid` for an algorithm that must never be allowed */
  constructor(settings: IssuerSettings, clock: Clock, revoked?: RevocationListener) {
    this.settings = settings;
    this.algorithms = new Set(settings.algorithms.map((name) => allowed(name, settings.id)));
    this.verified = new TokenCache(clock, settings.cache);
    this.confirmed = new TokenCache(clock, settings.cache);
    this.#clock = clock;
    const { embedded, issuer } = settings;
    const here = embedded === undefined ? undefined : { issuer, ...embedded };
    this.feed = here === undefined ? undefined : new RevocationFeed(here, clock, revoked, () => this.#anew());
    this.#http = createIssuerHttp(settings.id, settings.authority, here);
    // Shorter than the key set's interval, or a key set's every second try would find the metadata's still closed.
    const lifetimes = { ...LIFETIMES, firstIntervalMs: LIFETIMES.firstIntervalMs / 2 };
    this.#metadata = new Refreshed(() => this.#discover(), clock, lifetimes);
    this.#keys = new Refreshed(() => this.#fetchKeys(), clock);
  }

  /** True when a usable key set is at hand, fetched now if need be. */
  async ready(): Promise<boolean> {
    return (await this.#keys.get()) !== undefined;
  }

  /** Whether a token that was found good may be so now without asking: what the issuer revoked is known, or of no concern. */
  get informed(): boolean {
    return this.feed === undefined || this.feed.up;
  }

  /**
   * The key for a token's signature. An unknown id is looked for in a newer key set, which is how keys are
   * rotated; `unavailable` when the issuer could not be asked for one.
   */
  async key(keyId: string, algorithm: Algorithm): Promise<CryptoKey | 'unknown' | 'unavailable'> {
    let keys = await this.#keys.get();
    if (keys !== undefined && !keys.has(keyId)) keys = await this.#keys.reload();
    const key = keys?.get(keyId)?.get(algorithm);
    if (key !== undefined) return key;
    return keys === undefined || (this.#keys.failed && !keys.has(keyId)) ? 'unavailable' : 'unknown';
  }

  /** True when the token's signature was made with this key and algorithm. */
  async signed(token: string, key: CryptoKey, algorithm: Algorithm): Promise<boolean> {
    try {
      await compactVerify(token, key, { algorithms: [algorithm] });
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Asks the issuer about a token (RFC 7662). Never rejects.
   * @param cacheKey under which an inactive token is remembered for a moment
   */
  async introspect(token: string, cacheKey: string): Promise<JsonObject | 'unavailable'> {
    if ((this.#inactive.get(cacheKey) ?? Number.NEGATIVE_INFINITY) > this.#clock.monotonic()) return INACTIVE;
    if (this.settings.introspection === undefined || this.#pending >= MAX_PENDING) return 'unavailable';
    if (this.#clock.monotonic() < this.#heldOffUntil) return 'unavailable';
    this.#pending++;
    try {
      const configuration = await this.#metadata.get();
      if (configuration === undefined) return 'unavailable';
      const answer: JsonObject = await tokenIntrospection(configuration, token, {
        token_type_hint: 'access_token',
      });
      if (answer.active !== true) this.#inactive.set(cacheKey, this.#clock.monotonic() + INACTIVE_MS);
      return answer;
    } catch {
      // Unreachable, too slow, refusing our own credential, or answering nonsense: no answer in any case.
      this.#heldOffUntil = this.#clock.monotonic() + HOLD_OFF_MS;
      return 'unavailable';
    } finally {
      this.#pending--;
    }
  }

  /** By its metadata; undefined when that could not be had. Never rejects. */
  async endpoints(): Promise<IssuerEndpoints | undefined> {
    const metadata = (await this.#metadata.get())?.serverMetadata();
    if (metadata === undefined) return undefined;
    const endpoints = {
      authorize: metadata.authorization_endpoint,
      token: metadata.token_endpoint,
      introspect: metadata.introspection_endpoint,
      revoke: metadata.revocation_endpoint,
      register: metadata.registration_endpoint,
    };
    return Object.fromEntries(
      Object.entries(endpoints).filter(([, url]) => typeof url === 'string' && url.startsWith('https://')),
    );
  }

  close(): void {
    this.feed?.close();
    this.#http.close();
  }

  /** What was signed by a key that the issuer has given up since counts no more. */
  #anew(): void {
    this.#keys.expire();
    this.verified.clear();
    this.confirmed.clear();
  }

  /** OpenID Connect Discovery 1.0 §4, else RFC 8414 §3; both want the issuer named in it to be the one asked. */
  async #discover(): Promise<Configuration> {
    try {
      return await this.#discoverBy('oidc');
    } catch {
      return await this.#discoverBy('oauth2');
    }
  }

  async #discoverBy(algorithm: 'oidc' | 'oauth2'): Promise<Configuration> {
    const { issuer, introspection } = this.settings;
    const configuration = await discovery(
      new URL(issuer),
      introspection?.clientId ?? 'none',
      undefined,
      introspection === undefined
        ? None()
        : ClientSecretBasic(introspection.clientSecret.reveal().toString('utf8')),
      {
        algorithm,
        timeout: ISSUER_TIMEOUT_MS / 1000,
        [customFetch]: (url, options) => this.#http.fetch(url, options),
      },
    );
    // The library compares normalised URLs and makes exceptions for two products; an issuer is one exact string.
    if (configuration.serverMetadata().issuer !== issuer) {
      throw new ChartgateError(
        'backend-unavailable',
        `issuer ${this.settings.id}: its metadata names another issuer`,
      );
    }
    return configuration;
  }

  async #fetchKeys(): Promise<KeySet> {
    const uri = (await this.#metadata.get())?.serverMetadata().jwks_uri;
    if (uri === undefined)
      throw new ChartgateError('backend-unavailable', `issuer ${this.settings.id}: no key set`);
    return importKeySet(await this.#http.getJson(uri), this.algorithms);
  }
}

const INACTIVE: JsonObject = Object.freeze({ active: false });

function allowed(name: string, issuer: string): Algorithm {
  if (isAlgorithm(name)) return name;
  throw new ChartgateError(
    'configuration-invalid',
    `issuer ${issuer}: ${name} is not an asymmetric signature algorithm`,
  );
}
