import type { ContentLimits } from './content.ts';
import type { GuardSettings, LimitSettings } from './limits.ts';
import type { PolicyDocument } from './policy-document.ts';
import type { Secret } from './secret.ts';
import type { StateSettings } from './state.ts';
import type { ClientCertificateSettings, TenantSettings } from './tenant-settings.ts';

export type { BaselineTrust, CheckedDatabase, CheckerSettings, SealSettings } from './checker-settings.ts';
export type { InspectDocument, PolicyDocument, RouteDocument, RouteOverride } from './policy-document.ts';
export type {
  BackendSettings,
  CertificatePrincipalSettings,
  ClientCertificateSettings,
  EmergencySettings,
  MaintenanceSettings,
  OwnRowsSettings,
  PartnerSettings,
  RowMark,
  SharingSettings,
  TellBackendSettings,
  TenantSettings,
} from './tenant-settings.ts';
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
