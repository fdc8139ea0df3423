import type { AccountSettings } from './account-settings.ts';
import type { BrandSettings } from './brand.ts';
import type { Secret } from './settings.ts';
import type { StateSettings } from './state.ts';

/** Frozen settings of the embedded issuer's process, `chartgate issuer`. Durations in milliseconds, paths absolute. */
export interface IssuerProcessSettings {
  readonly file: string;
  /** The `iss` value: an https origin, under which the gateway makes it reachable. */
  readonly issuer: string;
  /** Unix socket to listen on. Nothing else is listened on, ever. */
  readonly socket: string;
  /** Shared with the gateway. */
  readonly secret: Secret;
  readonly state: StateSettings;
  /** The first seals, all open. */
  readonly stateKeys: readonly Secret[];
  readonly brand: BrandSettings | undefined;
  readonly accounts: AccountSettings;
  readonly secondFactor: SecondFactorDemand;
  readonly tokens: IssuerTokenSettings;
  readonly tenants: readonly IssuerTenant[];
  readonly clients: readonly IssuerClient[];
  /** PEM of the authority of those to whom sign-outs are told; the system's when undefined. */
  readonly backChannelAuthority: Buffer | undefined;
}

export interface SecondFactorDemand {
  /** False only where the settings ask for one factor by its warning name. */
  readonly required: boolean;
  /** Roles whose accounts need none. */
  readonly exemptRoles: readonly string[];
}

export interface IssuerTokenSettings {
  /** Access and ID tokens; at most 5 minutes. */
  readonly accessMs: number;
  /** A refresh token that nobody used for so long is dead. */
  readonly refreshIdleMs: number;
  /** However often it was refreshed. */
  readonly refreshMs: number;
  /** A sign-in at the issuer, whoever it was for. */
  readonly sessionMs: number;
}

/** What tokens are for: a tenant of the gateway. */
export interface IssuerTenant {
  readonly id: string;
  /** What people know it as. */
  readonly name: string;
  /** `aud` of its tokens, as in the gateway's settings. */
  readonly audience: string;
  /** SMART App Launch: base URL of its FHIR interface, which apps send as `aud`; none when undefined. */
  readonly fhir: string | undefined;
}

/** How a client proves who it is (RFC 6749 §2.3, RFC 7523, RFC 8705). */
export type IssuerClientAuthentication =
  /** A public client: PKCE and the exact redirect URI are all there is. */
  | { readonly method: 'none' }
  | { readonly method: 'secret'; readonly secret: Secret }
  /** Public keys as JWK. */
  | { readonly method: 'key'; readonly keys: readonly Readonly<Record<string, unknown>>[] };

export interface IssuerClient {
  readonly id: string;
  readonly name: string;
  /** `gateway`: the relying party of the tenant's own gateway, which asks for no consent. `app`: asks. */
  readonly kind: 'gateway' | 'app';
  /** Ids of tenants. The first is meant where a request names none. */
  readonly tenants: readonly string[];
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly backChannelLogoutUri: string | undefined;
  readonly authentication: IssuerClientAuthentication;
  /** What it may ask for; a SMART scope covers the narrower ones. */
  readonly scopes: readonly string[];
  /** Tokens only with a DPoP proof (RFC 9449). */
  readonly dpop: boolean;
}
