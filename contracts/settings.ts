import type { DatabaseId, TenantId } from './identifiers.ts';
import type { LimitDemand } from './policy.ts';

/** A secret that was read from a file. Printing it, or turning it into JSON, shows nothing. */
export interface Secret {
  /** The bytes, without a trailing line break. */
  reveal(): Buffer;
  toString(): '[secret]';
  toJSON(): '[secret]';
}

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
  };
  /** Prometheus, readiness and liveness; loopback only unless the setting with the warning name is used. */
  readonly operations: { readonly host: string; readonly port: number };
  readonly workers: number;
  readonly activityLog: { readonly directory: string };
  readonly integrity: { readonly socket: string; readonly secret: Secret; readonly timeoutMs: number };
  readonly issuers: readonly IssuerSettings[];
  readonly limits: { readonly perPeer: LimitDemand; readonly perPrincipal: LimitDemand };
  readonly hiding: { readonly deadlineMs: number };
  readonly timeouts: {
    readonly headersMs: number;
    readonly requestMs: number;
    readonly idleMs: number;
    readonly drainMs: number;
  };
  readonly policies: ReadonlyMap<string, PolicyDocument>;
  readonly tenants: readonly TenantSettings[];
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
}

export interface TenantSettings {
  readonly id: TenantId;
  /** Exact authorities (`host` or `host:port`), canonical. */
  readonly hosts: readonly string[];
  /** The audience a token must carry, usually `https://` and the first host. */
  readonly audience: string;
  readonly issuers: readonly string[];
  readonly database: DatabaseId;
  readonly policy: string;
  /** Name of the header that tells the EMR who is asking; nothing is told when undefined. */
  readonly identityHeader: string | undefined;
  readonly backends: readonly BackendSettings[];
}

export interface BackendSettings {
  /** Origin only: `http://127.0.0.1:9001`. Plain HTTP only over loopback. */
  readonly origin: string;
  /** PEM of the authority for https origins. */
  readonly authority: Buffer | undefined;
  readonly connections: number;
}

/** The route table as written, checked against its JSON Schema. `policies` compiles it. */
export interface PolicyDocument {
  readonly file: string;
  readonly routes: readonly RouteDocument[];
}

export interface RouteDocument {
  readonly id: string;
  readonly methods: readonly string[];
  /** `/fhir/{resourceType}/{id}`; a last `{name*}` takes the rest of the path. */
  readonly path: string;
  /** Allowed values of a captured segment, by name. */
  readonly where?: Readonly<Record<string, readonly string[]>>;
  readonly credential?: 'anonymous' | 'bearer';
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
  /** Where the request names the patient: a captured segment, or a query parameter that must be there exactly once. */
  readonly patient?: { readonly capture?: string; readonly parameter?: string };
  readonly introspection?: 'always' | 'never';
  readonly integrity?: { readonly mode: 'strict' | 'bounded' | 'off'; readonly maxAgeMs?: number };
  readonly hide?: 'none' | 'record' | 'collection';
  readonly hideDeadlineMs?: number;
  readonly limit?: LimitDemand;
  readonly maxBodyBytes?: number;
  readonly mediaTypes?: readonly string[];
  readonly backendTimeoutMs?: number;
  readonly upgrade?: 'websocket';
  readonly contentSecurityPolicy?: { readonly value: string; readonly reportOnly?: boolean };
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
