import type { AnswerRulesDocument } from './answer-rules.ts';
import type { ConditionDocument } from './conditions.ts';
import type { PayloadDemand } from './payload.ts';
import type { Credential, LimitDemand } from './policy.ts';
import type { PackReference } from './policy-packs.ts';

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
