import type { AnswerRules } from './answer-rules.ts';
import type { ConsentView } from './consent.ts';
import type { Content, Json } from './content.ts';
import type { PathOddity, RequestFacts } from './facts.ts';
import type { RouteId } from './identifiers.ts';
import type { Principal } from './principal.ts';
import type { Reason } from './reasons.ts';
import type { RouteInspection } from './route-inspection.ts';

/** What an answer must not reveal. See docs/existence-hiding.md. */
export const HIDE_CLASSES = ['none', 'record', 'collection'] as const;
/**
 * `record`: absent, forbidden, deleted and refused are one 404 at the route's deadline.
 * `collection`: the same for creating and searching, as one 422. `none`: nothing to hide.
 */
export type HideClass = (typeof HIDE_CLASSES)[number];

/** How fresh the integrity verdict must be. */
export type IntegrityDemand =
  | { readonly mode: 'strict' }
  | { readonly mode: 'bounded'; readonly maxAgeMs: number }
  /** Only for named static assets. */
  | { readonly mode: 'off' };

/** What a route wants to be shown. */
export const CREDENTIALS = ['anonymous', 'bearer', 'session', 'bearer-or-session'] as const;
export type Credential = (typeof CREDENTIALS)[number];

/** A number of requests per window. */
export interface LimitDemand {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** Limits of one route, besides those of the gateway and the tenant. All of a list hold: a burst and a sustained one. */
export interface RouteLimits {
  /** For each principal, or peer where nobody is authenticated. */
  readonly perPrincipal: readonly LimitDemand[];
  /** For each client of an issuer. */
  readonly perClient: readonly LimitDemand[];
  /** For all requests of the tenant to this route together. */
  readonly perRoute: readonly LimitDemand[];
  /** Requests under way at once; undefined: any number. */
  readonly concurrency: {
    readonly perPrincipal: number | undefined;
    readonly perClient: number | undefined;
    readonly perRoute: number | undefined;
  };
}

export const FHIR_VERSIONS = ['R4', 'STU3', 'DSTU2'] as const;
export type FhirVersion = (typeof FHIR_VERSIONS)[number];

export interface RouteFhir {
  readonly version: FhirVersion;
  /** `read`, `search-type`, … or `operation:NAME`. */
  readonly interaction: string;
}

/** One thing that a policy lets somebody do with FHIR resources, for capability statements. */
export interface FhirOffer extends RouteFhir {
  /** The path before the resource type, without a trailing slash, such as `/fhir`. */
  readonly base: string;
  /** Undefined: every type. Empty: of the whole system. */
  readonly types: readonly string[] | undefined;
}

/** How query parameters may be written on a route. */
export interface QueryRules {
  /** `refuse`: no name twice. */
  readonly duplicates: 'refuse' | 'allow';
  /** `allow`: names with brackets, which PHP and others read as lists. */
  readonly brackets: 'refuse' | 'allow';
}

/** A route's fixed demands, known before anybody is authenticated. Frozen at load. */
export interface Route {
  readonly id: RouteId;
  /** `bearer-or-session`: either will do. */
  readonly credential: Credential;
  /** Seconds that may have passed since the second factor was given; undefined: any time. */
  readonly factorMaxAge: number | undefined;
  /** What a token must be bound to (RFC 9449, RFC 8705): `any` of the two, one of them, or `none` is asked for. */
  readonly senderConstrained: 'none' | 'any' | 'dpop' | 'certificate';
  /** Which of the tenant's further audiences a token must carry, and no other; undefined: the tenant's own. */
  readonly audience: string | undefined;
  /** `required`: only over a connection whose client showed a certificate that the tenant accepts. */
  readonly clientCertificate: 'none' | 'required';
  readonly introspection: 'always' | 'never';
  readonly integrity: IntegrityDemand;
  readonly hide: HideClass;
  /** Milliseconds from arrival at which a hidden answer is released; where it is learned, what it begins with. */
  readonly hideDeadlineMs: number;
  /** Whether the deadline follows the back end's own times; undefined: as the gateway's settings say. */
  readonly hideLearned?: boolean | undefined;
  /**
   * What a PUT, PATCH or DELETE is about is asked for by GET first; what is not answered with 200 is hidden, and nothing
   * is sent: for back ends whose answer to a change of what is absent is no refusal.
   */
  readonly lookFirst?: true | undefined;
  /** Extra limit per principal (or peer, when anonymous) on this route. */
  readonly limit: LimitDemand | undefined;
  /** Where its address names the patient: a segment, counted from 0, or a query parameter; undefined: nowhere. */
  readonly patientAt?: { readonly segment: number } | { readonly parameter: string } | undefined;
  /** Every limit of this route, `limit` among them; undefined: none. */
  readonly limits?: RouteLimits | undefined;
  /** Bytes; a larger body is refused. 0: no body. */
  readonly maxBodyBytes: number;
  /** Allowed body media types; a body without one of these is refused. */
  readonly mediaTypes: ReadonlySet<string>;
  /** Milliseconds until the back end's answer must have begun. */
  readonly backendTimeoutMs: number;
  readonly upgrade: 'websocket' | undefined;
  /** Spellings of the path that are read here as they are written; undefined: none. */
  readonly allow?: ReadonlySet<PathOddity> | undefined;
  /** Methods that the field `_method` of a POST's body may name, as some frameworks want it; undefined: it may not be there. */
  readonly methodOverride?: ReadonlySet<string> | undefined;
  /** Undefined: neither duplicates nor brackets. */
  readonly query?: QueryRules | undefined;
  /** Whatever its method says, a request of this route may change records, and is attested again afterwards. */
  readonly writes: boolean;
  readonly contentSecurityPolicy: { readonly value: string; readonly reportOnly: boolean } | undefined;
  /** `consent`: what it reaches may be shared by the patient; undefined: with nobody. */
  readonly sharing?: 'consent' | undefined;
  /** `unchecked`: answers of tenants that share a database are not looked at row by row. Undefined: they are. */
  readonly rows?: 'unchecked' | undefined;
  /** What the route means in FHIR; undefined: it is no FHIR route. */
  readonly fhir?: RouteFhir | undefined;
  /** What its answers mean besides what their status says; undefined: the policy's, or nothing. */
  readonly answers?: AnswerRules | undefined;
  /** How its requests are looked into; undefined: by default, which blocks. */
  readonly inspect?: RouteInspection | undefined;
}

/** A route together with what its pattern captured from the path. */
export interface RouteMatch {
  readonly route: Route;
  /** Position of the rule in its set; only the policy set that made it can use it. */
  readonly index: number;
  readonly captures: readonly string[];
}

/** What denied, in the terms the edge needs to answer honestly or hide. */
export const DENIALS = [
  'unauthenticated',
  'insufficient-scope',
  'factor-stale',
  'certificate-required',
  'sender-unconstrained',
  'forbidden',
  'route-unknown',
  'record-hidden',
] as const;
export type Denial = (typeof DENIALS)[number];

/** What a back end answered, when a policy has to judge it before anything of it is released. */
export interface JudgedAnswer {
  readonly status: number;
  /** Lower-case names; single-valued ones only. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of the back end, `http://127.0.0.1:9001`: absolute references may name it. URLs in `headers` do not any more. */
  readonly origin?: string;
  /** What the gateway puts into every URL that the back end sees, so that the back end may write it into its own. */
  readonly told?: { readonly prefix: string; readonly parameter: string | undefined } | undefined;
  /** Undefined when there is no body. A body that is no JSON of one meaning is never given to a judge: it is hidden. */
  readonly content: Json | undefined;
}

export type AnswerJudgement =
  | { readonly release: 'unchanged'; readonly reasons: readonly Reason[] }
  /** The content is sent in place of the back end's, without its validators and length. */
  | { readonly release: 'replaced'; readonly content: Json; readonly reasons: readonly Reason[] }
  /** The client gets the hidden answer of the route. */
  | { readonly release: 'hidden'; readonly reasons: readonly Reason[] };

export type AnswerJudge = (answer: JudgedAnswer) => AnswerJudgement;

export type ContentJudgement =
  | {
      readonly effect: 'permit';
      readonly reasons: readonly Reason[];
      /** Sent in place of the client's body. */
      readonly replacement?: Json;
      /** The same for a form: `application/x-www-form-urlencoded`, encoded. Never together with `replacement`. */
      readonly form?: string;
      /** Takes the place of the answer's judge that the obligations name. */
      readonly answer?: AnswerJudge;
    }
  | Extract<Decision, { readonly effect: 'deny' }>;

export type ContentJudge = (content: Content) => ContentJudgement;

/**
 * What a permit asks of the gateway; a gateway that cannot do all of it refuses. Closures over this one request,
 * pure like the policy itself.
 */
export interface Obligations {
  /** Sent in place of the request's query: encoded, without `?`. */
  readonly query?: string;
  /** Request headers sent with these values instead; undefined: not sent. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The body is read whole and judged before anything is forwarded. */
  readonly content?: ContentJudge;
  /** The answer is read whole and judged before anything of it is released. */
  readonly answer?: AnswerJudge;
  /**
   * For a request that changes one resource: what is there now is fetched first, by GET of the same path without a
   * query, and judged. Hidden, or not there: the request ends hidden and nothing is forwarded. Released: its strong or
   * weak `ETag`, when it has one, is sent as `If-Match` with the change, so that nothing else can be changed
   * (RFC 9110 §13.1.1).
   */
  readonly existing?: AnswerJudge;
}

/** What a decision may depend on besides the request, the principal and the time. */
export interface DecisionContext {
  /** Undefined where patients cannot share anything. */
  readonly consents: ConsentView | undefined;
}

export type Decision =
  | {
      readonly effect: 'permit';
      readonly reasons: readonly Reason[];
      readonly obligations?: Obligations | undefined;
    }
  | {
      readonly effect: 'deny';
      readonly denial: Denial;
      readonly reasons: readonly Reason[];
      /** For `insufficient-scope`: a scope that would do, for the challenge (RFC 6750 §3.1). */
      readonly scopeNeeded?: string;
    };

/** A compiled policy. Pure: same arguments, same answer; no clock, no I/O, nothing kept between calls. */
export interface PolicySet {
  readonly name: string;
  /** SHA-256 of the canonical source, hex. */
  readonly digest: string;
  /** Every route, in order, for listings. */
  readonly routes: readonly Route[];
  /** What answers mean on routes that do not say it themselves; undefined: nothing besides their status. */
  readonly answers?: AnswerRules | undefined;
  /** What its FHIR routes let be done; undefined or empty without any. */
  readonly fhir?: readonly FhirOffer[];
  match(facts: Pick<RequestFacts, 'method' | 'path' | 'upgrade'>): RouteMatch | undefined;
  /** @param nowSeconds wall clock, seconds since the epoch */
  decide(
    facts: RequestFacts,
    match: RouteMatch | undefined,
    principal: Principal,
    nowSeconds: number,
    context?: DecisionContext,
  ): Decision;
}
