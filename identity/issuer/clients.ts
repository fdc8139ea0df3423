import { timingSafeEqual } from 'node:crypto';
import type { IssuerClient, IssuerProcessSettings, IssuerTenant } from '../../contracts/issuer-settings.ts';
import { hashOf } from '../lengths.ts';
import { ACCOUNT_CLIENT, accountClient } from './account/entrance.ts';
import type { Payload } from './models.ts';
import { coveredBy, isPlainScope } from './smart/scopes.ts';

/** A client as the issuer judges it, wherever it is written down. */
export interface KnownClient {
  readonly id: string;
  readonly name: string;
  readonly kind: IssuerClient['kind'] | 'service' | 'account';
  readonly tenants: readonly IssuerTenant[];
  readonly scopes: readonly string[];
  /** Addresses and networks that it may call from; from everywhere when empty or undefined. */
  readonly addresses?: readonly string[];
  /** What `oidc-provider` is told of it. */
  readonly metadata: Payload;
  /** Whether the text is its secret now. The same time whatever the answer. */
  secretMatches(secret: string, source: string | undefined): boolean | Promise<boolean>;
}

/** Clients that administrators make while the issuer runs (`chartgate client`). */
export interface ClientDirectory {
  find(id: string): Promise<KnownClient | undefined>;
  /** Does for a secret that is not going to count what is done for one that may. Never rejects. */
  pretend(id: string, secret: string, source: string): Promise<void>;
}

/** Stands where `oidc-provider` wants a secret: it is never compared with anything (see `provider.ts`). */
const NO_SECRET = 'kept-as-a-hash-and-compared-elsewhere';

export class Clients {
  readonly #configured: ReadonlyMap<string, KnownClient>;
  readonly #directory: ClientDirectory | undefined;
  readonly #issuer: string;
  readonly #account: KnownClient;

  constructor(settings: IssuerProcessSettings, directory: ClientDirectory | undefined) {
    this.#issuer = settings.issuer;
    this.#directory = directory;
    this.#account = accountClient(settings);
    this.#configured = new Map(
      settings.clients.map((client) => [client.id, configured(client, settings.tenants)]),
    );
  }

  /** Configured ones first: no administrator can put another in their place. */
  async find(id: string): Promise<KnownClient | undefined> {
    if (id === ACCOUNT_CLIENT) return this.#account;
    return this.#configured.get(id) ?? (await this.#directory?.find(id));
  }

  /** See `ClientDirectory`. */
  async pretend(id: string, secret: string, source: string): Promise<void> {
    await this.#directory?.pretend(id, secret, source);
  }

  /** Whether a client is of the settings, and its secret compared without what `pretend` does. */
  isConfigured(id: string): boolean {
    return this.#configured.has(id) || id === ACCOUNT_CLIENT;
  }

  /** The tenant whose tokens a resource indicator or a SMART `aud` means; undefined when the client has none such. */
  tenantFor(client: KnownClient, resource: string): IssuerTenant | undefined {
    const plain = resource.replace(/\/+$/, '');
    if (plain === this.#issuer && client.scopes.some((scope) => scope.startsWith('admin/'))) {
      // The administration of accounts is an interface of the issuer itself.
      return { id: 'issuer', name: 'Administration', audience: this.#issuer, fhir: undefined };
    }
    return client.tenants.find(
      ({ audience, fhir }) =>
        audience === resource || (fhir !== undefined && fhir.replace(/\/+$/, '') === plain),
    );
  }

  mayAsk(client: KnownClient, scope: string): boolean {
    return isPlainScope(scope) || coveredBy(client.scopes, scope);
  }
}

function configured(client: IssuerClient, tenants: readonly IssuerTenant[]): KnownClient {
  const { id, name, kind, authentication, scopes } = client;
  const known = authentication.method === 'secret' ? hashOf(authentication.secret.reveal().toString()) : '';
  return Object.freeze({
    id,
    name,
    kind,
    tenants: client.tenants.flatMap((tenant) => tenants.filter((each) => each.id === tenant)),
    scopes,
    metadata: metadataOf(client),
    secretMatches: (secret: string) =>
      timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(known.padEnd(43))) && known !== '',
  });
}

const METHODS = Object.freeze({ none: 'none', secret: 'client_secret_basic', key: 'private_key_jwt' });

function metadataOf(client: IssuerClient): Payload {
  const { authentication } = client;
  return Object.freeze({
    client_id: client.id,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris: client.postLogoutRedirectUris,
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    // RFC 8252 §7: only public apps may have redirect URIs of their own scheme or of loopback.
    application_type: client.redirectUris.every((uri) => uri.startsWith('https:')) ? 'web' : 'native',
    token_endpoint_auth_method: METHODS[authentication.method],
    ...(authentication.method === 'secret' ? { client_secret: NO_SECRET } : {}),
    ...(authentication.method === 'key' ? { jwks: { keys: authentication.keys } } : {}),
    ...(client.backChannelLogoutUri === undefined
      ? {}
      : { backchannel_logout_uri: client.backChannelLogoutUri, backchannel_logout_session_required: true }),
    ...(client.dpop ? { dpop_bound_access_tokens: true } : {}),
    require_auth_time: true,
  });
}
