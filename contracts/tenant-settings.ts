import type { BackendRole, BalancingSettings } from './balancing.ts';
import type { BrandSettings } from './brand.ts';
import type { HoursDocument } from './conditions.ts';
import type { DatabaseId, TenantId } from './identifiers.ts';
import type { TenantLimitSettings } from './limits.ts';
import type { Secret } from './secret.ts';

/** Certificates by which clients prove who they are in the handshake. */
export interface ClientCertificateSettings {
  /** PEM of the authorities whose certificates count; no other does. */
  readonly authority: Buffer;
  /** PEM of revocation lists, one of each authority in a chain; when given, one that is missing or outdated lets nobody through. */
  readonly revocationList: Buffer | undefined;
  /** `required`: nothing of the tenant is reached without one. `optional`: routes and tokens may want one. */
  readonly demand: 'required' | 'optional';
  /** Who certificates stand for, on a request without another credential. */
  readonly principals: readonly CertificatePrincipalSettings[];
}

export interface CertificatePrincipalSettings {
  /** Exactly one certificate by its SHA-256 (base64url), or those with this name or subject. */
  readonly match: { readonly by: 'thumbprint' | 'name' | 'subject'; readonly value: string };
  /** Whom the policy and the records see. */
  readonly subject: string;
  readonly scopes: readonly string[];
}

export interface TenantSettings {
  readonly id: TenantId;
  /** Whoever asks is told that it is closed. Undefined: it is served. */
  readonly paused?: true | undefined;
  /** Exact authorities (`host` or `host:port`), canonical. */
  readonly hosts: readonly string[];
  /** The audience a token must carry, usually `https://` and the first host. */
  readonly audience: string;
  /** Further audiences by the names that policies have for them: tokens for these are good for their routes alone. */
  readonly audiences?: ReadonlyMap<string, string> | undefined;
  readonly issuers: readonly string[];
  readonly database: DatabaseId;
  readonly policy: string;
  /** Name of the header that tells the EMR who is asking; nothing is told when undefined. */
  readonly identityHeader: string | undefined;
  /** What the EMR's own interface wants in `Authorization`, whole; sent with requests of somebody. Undefined: nothing. */
  readonly backendAuthorization?: Secret | undefined;
  /** Issuers at which people at browsers sign in; undefined: nobody does. */
  readonly signIn?: { readonly issuers: readonly string[] } | undefined;
  /** How its pages look; its id stands for a name when undefined. */
  readonly brand?: BrandSettings | undefined;
  /** The tenant's own, else the listener's; undefined: nobody is asked for one. */
  readonly clientCertificates?: ClientCertificateSettings | undefined;
  /** API clients that send their id and secret with each request are let in; undefined: they are not. */
  readonly apiClients?: { readonly secretPerRequest: true } | undefined;
  /** In place of the gateway's own of the same name. */
  readonly limits?: TenantLimitSettings | undefined;
  /** What patients may share; undefined: nothing. */
  readonly sharing?: SharingSettings | undefined;
  /** Emergency access; undefined: there is none. */
  readonly emergency?: EmergencySettings | undefined;
  /** What tells an EMR that serves several tenants which one is meant; undefined: nothing but the `Host`. */
  readonly tellBackend?: TellBackendSettings | undefined;
  /** How records of this tenant are known in answers; undefined: answers are not looked at for it. */
  readonly ownRows?: OwnRowsSettings | undefined;
  /** When it is open; undefined: always. One of these has to hold. */
  readonly open?: readonly HoursDocument[] | undefined;
  /** Instead of its EMR, whoever asks is told this; undefined: it is not being maintained. */
  readonly maintenance?: MaintenanceSettings | undefined;
  /** How requests are spread over the back ends; undefined: as usual (contracts/balancing.ts). */
  readonly balancing?: BalancingSettings | undefined;
  readonly backends: readonly BackendSettings[];
}

/** Set by the gateway alone: what a client sends in its place is dropped or refused. At least one of them. */
export interface TellBackendSettings {
  readonly header?: { readonly name: string; readonly value: string } | undefined;
  readonly query?: { readonly name: string; readonly value: string } | undefined;
  /** Before every path: `/riverside`, encoded as it is sent, without a trailing slash. */
  readonly pathPrefix?: string | undefined;
}

/** What every record in a JSON answer has to bear, or the answer is hidden. */
export interface OwnRowsSettings {
  /** Any one of them marks a record as the tenant's. */
  readonly marks: readonly RowMark[];
  /** FHIR resource types that belong to nobody. */
  readonly shared: readonly string[];
}

export type RowMark =
  /** FHIR: `meta.tag` has it (FHIR R4 §2.26.3.4). */
  | { readonly by: 'tag'; readonly system: string; readonly code: string }
  /** The value at that pointer (RFC 6901) of the record is this one, as text or number. */
  | { readonly by: 'pointer'; readonly path: readonly string[]; readonly value: string };

export interface MaintenanceSettings {
  /** Plain text for people. */
  readonly message: string;
  /** A whole HTML page in its place, for browsers. */
  readonly page: Buffer | undefined;
  /** Seconds after which it is worth asking again. */
  readonly retryAfterSeconds: number;
}

/** Patients let others at parts of their record (contracts/consent.ts). */
export interface SharingSettings {
  /** Tenants whose people get what patients here let them have, and nothing else. */
  readonly partners: readonly PartnerSettings[];
  /** The longest that a consent may last. */
  readonly longestMs: number;
}

export interface PartnerSettings {
  readonly tenant: TenantId;
  /** Ids of the issuers whose tokens its people come with; none of them is one of the tenant's own. */
  readonly issuers: readonly string[];
}

/** Who may break the glass, what it gives and for how long (45 CFR 164.312(a)(2)(ii)). */
export interface EmergencySettings {
  /** Whoever has one of these roles, or one of these scopes, may. */
  readonly roles: readonly string[];
  readonly holders: readonly string[];
  /** What it gives besides. */
  readonly scopes: readonly string[];
  /** At most an hour. */
  readonly durationMs: number;
  /** Seconds since the second factor was given, at most; undefined: any time. */
  readonly factorMaxAge: number | undefined;
}

export interface BackendSettings {
  /** Origin only: `http://127.0.0.1:9001`. Plain HTTP only over loopback or a socket, unless the settings say otherwise. */
  readonly origin: string;
  /** PEM of the authority for https origins. */
  readonly authority: Buffer | undefined;
  /**
   * SHA-256 of the public keys (SubjectPublicKeyInfo) that count, base64. Without an authority they are all that counts;
   * with one, its certificate has to have one of these keys.
   */
  readonly pinnedKeys?: readonly string[] | undefined;
  /** How the gateway proves who it is: PEM chain and key. */
  readonly clientCertificate?: { readonly certificate: Buffer; readonly key: Secret } | undefined;
  /** HTTP/2 is spoken where the back end can. */
  readonly http2?: true | undefined;
  /** Absolute path of the Unix socket at which it listens; the origin then only names it. */
  readonly unixSocket?: string | undefined;
  /** Plain HTTP goes over a network, where others can read and change it. */
  readonly plainHttpBeyondLoopback?: true | undefined;
  readonly connections: number;
  /** Undefined: a primary. Nothing but reads goes to a replica. */
  readonly role?: BackendRole | undefined;
}
