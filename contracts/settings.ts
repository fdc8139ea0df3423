import type { AnswerRulesDocument } from './answer-rules.ts';
import type { BackendRole, BalancingSettings } from './balancing.ts';
import type { BrandSettings } from './brand.ts';
import type { ConditionDocument, HoursDocument } from './conditions.ts';
import type { ContentLimits } from './content.ts';
import type { DatabaseId, TenantId } from './identifiers.ts';
import type { GuardSettings, LimitSettings, TenantLimitSettings } from './limits.ts';
import type { PayloadDemand } from './payload.ts';
import type { Credential, LimitDemand } from './policy.ts';
import type { PackReference } from './policy-packs.ts';
import type { Secret } from './secret.ts';
import type { StateSettings } from './state.ts';

export type { Secret };

/** Frozen settings of the gateway process: paths absolute, durations in ms, sizes in bytes. No checker credential in it. */
export interface GatewaySettings {
  readonly file: string;
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly minimumTls: 'TLSv1.3' | 'TLSv1.2';
    /** PEM chain. */
    readonly certificate: Buffer;
    readonly key: Secret;
    /** For tenants without their own, and for an embedded issuer's host. */
    readonly clientCertificates?: ClientCertificateSettings | undefined;
    /** Networks (CIDR) of proxies in front, whose word counts for where a client is; undefined: nobody's. */
    readonly trustedProxies?: readonly string[] | undefined;
    /**
     * `required`: every connection comes from one of them and begins with a PROXY protocol header, version 2.
     * Undefined: they say it in `X-Forwarded-For`.
     */
    readonly proxyProtocol?: 'required' | undefined;
  };
  /** Prometheus, readiness and liveness; loopback only unless the setting with the warning name is used. */
  readonly operations: {
    readonly host: string;
    readonly port: number;
    /** Where balancers may ask whether it is ready, and learn nothing else. */
    readonly balancer?: { readonly host: string; readonly port: number } | undefined;
  };
  readonly workers: number;
  readonly activityLog: { readonly directory: string };
  readonly integrity: { readonly socket: string; readonly secret: Secret; readonly timeoutMs: number };
  readonly issuers: readonly IssuerSettings[];
  readonly limits: LimitSettings;
  readonly guard: GuardSettings;
  /** `learned`: the deadline of each route follows its back end, beginning with `deadlineMs`. */
  readonly hiding: { readonly deadlineMs: number; readonly learned?: true };
  readonly timeouts: {
    readonly headersMs: number;
    readonly requestMs: number;
    /** In each such time a body has to bring at least 1 KiB; undefined: 20 s. */
    readonly bodyMs?: number | undefined;
    readonly idleMs: number;
    readonly drainMs: number;
    /** For so long it still serves after it was told to end, while it says that it is not ready. */
    readonly leaveMs?: number | undefined;
  };
  /** Bounds of what is read whole; undefined: the usual ones. */
  readonly content?: ContentLimits | undefined;
  /** Where sessions and second factors are kept; undefined: nobody can sign in. */
  readonly state?: StateSettings | undefined;
  /** What the state is sealed with; the first one seals, every one opens. */
  readonly stateKeys?: readonly Secret[] | undefined;
  readonly sessions?: SessionSettings | undefined;
  /** Where answers of the EMR are kept that a client did not get; undefined: nowhere. */
  readonly incidents?: IncidentSettings | undefined;
  readonly policies: ReadonlyMap<string, PolicyDocument>;
  /** Who has to sign the policies before they serve; undefined: nobody. */
  readonly policyApproval?: PolicyApproval | undefined;
  readonly tenants: readonly TenantSettings[];
}

/** Answers of the EMR that a client did not get, sealed. */
export interface IncidentSettings {
  readonly directory: string;
  /** The first one seals, every one opens. */
  readonly keys: readonly Secret[];
  readonly keepMs: number;
  readonly maxBytes: number;
  /** Roles whose people may look at incidents of their own tenant, on a page; undefined: nobody. */
  readonly readers?: readonly string[] | undefined;
}

export interface IssuerSettings {
  readonly id: string;
  /** The `iss` value, an https URL. */
  readonly issuer: string;
  /** PEM of the authority of the issuer's own certificate; the system's when undefined. */
  readonly authority: Buffer | undefined;
  /** JWS algorithms accepted (RFC 8725 §3.1); never `none`, never HMAC. */
  readonly algorithms: readonly string[];
  /** Allowed clock difference, seconds. */
  readonly skewSeconds: number;
  /** Bounds of the caches. */
  readonly cache: { readonly maxTokens: number; readonly maxSeconds: number };
  readonly introspection: { readonly clientId: string; readonly clientSecret: Secret } | undefined;
  readonly relyingParty?: RelyingPartySettings | undefined;
  /** Undefined: nothing that this issuer says counts as a second factor. */
  readonly secondFactor?: SecondFactorSettings | undefined;
  /** The issuer is this installation's own, and is reached by its socket and nothing else. */
  readonly embedded?: { readonly socket: string; readonly secret: Secret } | undefined;
}

/** Limits of a session (NIST SP 800-63B-4 §2.2.3: AAL2, at most 24 h, and 1 h without activity). */
export interface SessionSettings {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/** The gateway as a client of the issuer, for browsers (OpenID Connect Core 1.0 §3.1). */
export interface RelyingPartySettings {
  readonly clientId: string;
  /** What people choose it by, where there are several. */
  readonly name: string;
  readonly authentication:
    | { readonly method: 'secret'; readonly secret: Secret }
    /** RFC 7523: a PEM private key, whose public half the issuer knows under `keyId`. */
    | {
        readonly method: 'key';
        readonly key: Secret;
        readonly keyId: string | undefined;
        readonly algorithm: string;
      };
  /** Asked for besides `openid`. */
  readonly scopes: readonly string[];
  /** Whether the tenant's audience is asked for by `resource` (RFC 8707). */
  readonly resourceIndicator: boolean;
  /** Scopes by the values of one claim of the ID token; undefined: the access token's scopes count. */
  readonly grants: GrantSettings | undefined;
  /** Claim of the ID token that lists roles; undefined: those of the access token, where that one counts. */
  readonly rolesClaim?: string | undefined;
}

export interface GrantSettings {
  /** A claim whose value is a text or a list of texts, such as `groups`. */
  readonly claim: string;
  readonly values: Readonly<Record<string, readonly string[]>>;
}

/** Who gives the second factor to those who sign in at this issuer. */
export type SecondFactorSettings =
  /** The issuer: one of these `acr`, or one of these `amr`, in what it signs. */
  | { readonly by: 'issuer'; readonly acr: readonly string[]; readonly amr: readonly string[] }
  /** The gateway asks for it itself. `administrators`: subjects who, two together, may reset anybody's. */
  | { readonly by: 'gateway'; readonly administrators?: readonly string[] }
  /** Nobody: the settings say so in so many words. */
  | { readonly by: 'nobody' };

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

/** Policies take effect only with the signatures of so many different ones of these keys. */
export interface PolicyApproval {
  /** File of signatures, absolute, and what it held when the settings were read; undefined: it was not there. */
  readonly file: string;
  readonly content: Buffer | undefined;
  /** Ed25519 public keys, PEM. A signature of any other makes all of them worthless. */
  readonly keys: readonly Buffer[];
  /** Two or more. */
  readonly required: number;
}

/** The route table as written, checked against its JSON Schema. `policies` compiles it. */
export interface PolicyDocument {
  readonly file: string;
  /** Own routes, besides those of the packs. */
  readonly routes: readonly RouteDocument[];
  /** Packs whose routes are part of the policy. */
  readonly extends?: readonly PackReference[];
  /** Keys that take the place of the same keys of the pack's route with that id. */
  readonly override?: readonly RouteOverride[];
  /** Ids of routes of the packs that are left out. */
  readonly remove?: readonly string[];
  /** Roles that the policy knows, and the scopes that each gives whoever holds it. */
  readonly roles?: Readonly<Record<string, readonly string[]>>;
  /** Roles of which nobody may hold two together. */
  readonly separate?: readonly (readonly string[])[];
  /** What answers mean on every route that does not say it itself. */
  readonly answers?: AnswerRulesDocument;
}

export type RouteOverride = Pick<RouteDocument, 'id'> & Partial<RouteDocument>;

export interface RouteDocument {
  readonly id: string;
  /** `deny`: whatever it matches, while `when` holds, is denied, whoever permits it. `permit` when left out. */
  readonly effect?: 'permit' | 'deny';
  readonly methods: readonly string[];
  /** `/fhir/{resourceType}/{id}`; a last `{name*}` takes the rest of the path. */
  readonly path: string;
  /** Allowed values of a captured segment, by name. */
  readonly where?: Readonly<Record<string, readonly string[]>>;
  readonly credential?: Credential;
  /** Seconds since the second factor was given, at most. */
  readonly factorMaxAgeSeconds?: number;
  /** What a token must be bound to; nothing when it is left out. */
  readonly senderConstrained?: 'any' | 'dpop' | 'certificate';
  /** Name of the tenant's further audience that a token must carry, in place of the tenant's own. */
  readonly audience?: string;
  /** Only over a connection with a client certificate that the tenant accepts. */
  readonly clientCertificate?: 'required';
  /** One of these roles of the policy is required; of a deny rule: it is for them alone. */
  readonly roles?: readonly string[];
  /** What must hold besides; of a deny rule: when it denies. */
  readonly when?: ConditionDocument;
  /** Plain scopes, every one required. */
  readonly scopes?: readonly string[];
  /** SMART App Launch 2.2 resource scope: who may hold it, on which resource, for which interactions. */
  readonly smart?: {
    /** `patient/` scopes count only where `patient` below says how the patient is known. */
    readonly contexts: readonly ('patient' | 'user' | 'system')[];
    /** A resource type, or `{resourceType}` to take it from the path. */
    readonly resource: string;
    /** Letters of `cruds` (SMART v2); v1 `read` grants `rs`, `write` grants `cud`. */
    readonly permission: string;
  };
  /** What the route means in FHIR; with it the patient compartment and restricted scopes are enforced. */
  readonly fhir?: { readonly version: 'R4' | 'STU3' | 'DSTU2'; readonly interaction: string };
  /** Where the request names the patient: a captured segment, or a query parameter that must be there exactly once. */
  readonly patient?: { readonly capture?: string; readonly parameter?: string };
  readonly introspection?: 'always' | 'never';
  readonly integrity?: { readonly mode: 'strict' | 'bounded' | 'off'; readonly maxAgeMs?: number };
  readonly hide?: 'none' | 'record' | 'collection';
  readonly hideDeadlineMs?: number;
  readonly hideLearned?: boolean;
  readonly lookFirst?: boolean;
  readonly limit?: LimitDemand | readonly LimitDemand[];
  readonly limits?: {
    readonly perPrincipal?: readonly LimitDemand[];
    readonly perClient?: readonly LimitDemand[];
    readonly perRoute?: readonly LimitDemand[];
  };
  readonly concurrency?: {
    readonly perPrincipal?: number;
    readonly perClient?: number;
    readonly perRoute?: number;
  };
  readonly maxBodyBytes?: number;
  readonly mediaTypes?: readonly string[];
  readonly backendTimeoutMs?: number;
  readonly upgrade?: 'websocket';
  /** Spellings of the path that are refused elsewhere (`PATH_ODDITIES`). */
  readonly allow?: readonly string[];
  /** Methods that the field `_method` of a POST's body may name. */
  readonly methodOverride?: readonly string[];
  readonly query?: { readonly duplicates?: 'refuse' | 'allow'; readonly brackets?: 'refuse' | 'allow' };
  /** What is reached by it may be shared: others' people, and people of other patients, get at it with consent in force. */
  readonly sharing?: 'consent';
  /** The EMR itself keeps tenants apart that share a database (`ownRows`); what it answers here cannot be looked at. */
  readonly rows?: 'unchecked';
  /** The route changes something although its methods are safe ones. */
  readonly writes?: boolean;
  readonly contentSecurityPolicy?: { readonly value: string; readonly reportOnly?: boolean };
  /** What answers mean besides what their status says. */
  readonly answers?: AnswerRulesDocument;
  /** How requests are looked into. */
  readonly inspect?: InspectDocument;
}

export interface InspectDocument {
  readonly injection?: {
    readonly mode?: 'block' | 'report';
    readonly except?: readonly { readonly place: string; readonly rule: string }[];
    readonly prose?: readonly string[];
  };
  readonly payload?: PayloadDemand;
}

/** Frozen settings of the checker process. */
export interface CheckerSettings {
  readonly file: string;
  readonly socket: string;
  readonly secret: Secret;
  /** Undefined only where the settings say in so many words that audit rows are not sealed. */
  readonly seal: SealSettings | undefined;
  readonly databases: readonly CheckedDatabase[];
}

/** How audit rows are sealed against quiet changes. */
export interface SealSettings {
  /** Ed25519 private key, PEM, that signs the checkpoints. */
  readonly key: Secret;
  /** Folder of the checker's own; each database has one of its name below it. */
  readonly directory: string;
}

/** Who may approve a baseline: signatures of so many different ones of these keys. */
export interface BaselineTrust {
  /** Ed25519 public keys, PEM. A signature of any other makes a baseline invalid. */
  readonly keys: readonly Buffer[];
  /** Two or more, unless the settings say in so many words that one administrator is enough. */
  readonly required: number;
}

export interface CheckedDatabase {
  readonly id: DatabaseId;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Unix socket of the database server; excludes host and port. */
  readonly socketPath: string | undefined;
  /** PEM of the server certificate's authority; required over TCP beyond loopback. */
  readonly authority: Buffer | undefined;
  readonly user: string;
  readonly password: Secret;
  /** The schema that holds the EMR's tables. */
  readonly emrSchema: string;
  /** The schema that holds the audit tables and guard procedures. */
  readonly auditSchema: string;
  /** Signed baseline file. */
  readonly baseline: string;
  readonly baselineTrust: BaselineTrust;
  /** Interval between full comparisons. */
  readonly fullCheckMs: number;
  /** A probe or comparison that takes longer is a failure. */
  readonly timeoutMs: number;
  /** How far the database server's clock may be from this machine's, whichever way. */
  readonly clockDifferenceMs: number;
}
