import type { ConsentAnswer, ConsentView } from '../../../contracts/consent.ts';
import type { Content, Json, JsonObject } from '../../../contracts/content.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import type {
  AnswerJudgement,
  ContentJudgement,
  Decision,
  DecisionContext,
  FhirVersion,
  Obligations,
  PolicySet,
} from '../../../contracts/policy.ts';
import type { BearerPrincipal, Principal } from '../../../contracts/principal.ts';
import type { RouteDocument } from '../../../contracts/settings.ts';
import { compilePolicy } from '../../../policies/index.ts';
import { FHIR_DSTU2, FHIR_R4, FHIR_STU3 } from '../../../policies/packs/fhir.ts';
import { bearer, DEFAULTS, facts } from '../support.ts';

export const NOW = 1_800_000_000;
export const PACK_OF = { R4: FHIR_R4, STU3: FHIR_STU3, DSTU2: FHIR_DSTU2 } as const;

/** The pack of a version as a whole policy. */
export function packPolicy(version: FhirVersion = 'R4', more: Partial<RouteDocument> = {}): PolicySet {
  const routes = PACK_OF[version].routes.map((route) =>
    route.credential === 'anonymous' ? route : { ...route, ...more },
  );
  const compiled = compilePolicy('fhir', { file: 'policy.yaml', routes }, DEFAULTS);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults, null, 1));
  return compiled.policy;
}

export const R4 = packPolicy();
/** The same, where patients can share their records. */
export const SHARED = packPolicy('R4', { sharing: 'consent' });

/** A token of patient `a` with these scopes. */
export const patientA = (...scopes: string[]): BearerPrincipal => bearer(scopes, 'a');
export const staff = (...scopes: string[]): BearerPrincipal => bearer(scopes);
/** Somebody whom another tenant vouches for. */
export const partner = (...scopes: string[]): BearerPrincipal =>
  Object.freeze({ ...bearer(scopes), home: 'elsewhere' }) as BearerPrincipal;

/** Consents by patient: what the store answers. */
export function consents(
  answers: Readonly<Record<string, ConsentAnswer>>,
  category?: string,
): DecisionContext {
  const view: ConsentView = {
    check: ({ patient, categories }) => {
      const answer = answers[patient] ?? 'none';
      return category !== undefined && categories?.includes(category) !== true && answer === 'in-force'
        ? 'none'
        : answer;
    },
    possible: ({ patient }) => answers[patient] ?? 'none',
  };
  return { consents: view };
}

export interface Asking {
  readonly policy?: PolicySet;
  readonly context?: DecisionContext;
  readonly headers?: Readonly<Record<string, string>>;
}

export function requestOf(line: string, headers: Readonly<Record<string, string>> = {}): RequestFacts {
  return facts(line, { headers: new Map(Object.entries(headers)) });
}

export function decide(line: string, principal: Principal, asking: Asking = {}): Decision {
  const { policy = R4, context, headers } = asking;
  const request = requestOf(line, headers);
  return policy.decide(request, policy.match(request), principal, NOW, context);
}

/** `permit`, or the denial and the reason that decided. */
export function outcomeOf(line: string, principal: Principal, asking: Asking = {}): string {
  const decision = decide(line, principal, asking);
  if (decision.effect === 'permit') return 'permit';
  return `${decision.denial} ${decision.reasons.findLast(({ held }) => !held)?.code}`;
}

export function obligationsOf(line: string, principal: Principal, asking: Asking = {}): Obligations {
  const decision = decide(line, principal, asking);
  if (decision.effect !== 'permit') throw new Error(`${line}: ${JSON.stringify(decision)}`);
  return decision.obligations ?? {};
}

/** The query that reaches the EMR, decoded. */
export function sentQuery(line: string, principal: Principal, asking: Asking = {}): string {
  return decodeURIComponent(obligationsOf(line, principal, asking).query ?? 'as it is');
}

export function jsonContent(value: Json, mediaType = 'application/fhir+json'): Content {
  return { kind: 'json', value, mediaType, bytes: Buffer.from(JSON.stringify(value)) };
}

export function formContent(form: string): Content {
  const fields = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(form))
    fields.set(name, [...(fields.get(name) ?? []), value]);
  return { kind: 'form', fields, mediaType: 'application/x-www-form-urlencoded', bytes: Buffer.from(form) };
}

/** What becomes of a body; `as it is` when nobody looks at it. */
export function bodyOf(
  line: string,
  principal: Principal,
  content: Content,
  asking: Asking = {},
): ContentJudgement | undefined {
  return obligationsOf(line, principal, asking).content?.(content);
}

/** What becomes of the EMR's answer. */
export function answerTo(
  line: string,
  principal: Principal,
  content: Json | undefined,
  asking: Asking & { readonly status?: number; readonly origin?: string } = {},
): AnswerJudgement | 'as it is' {
  const { answer } = obligationsOf(line, principal, asking);
  const { status = 200, origin } = asking;
  return (
    answer?.({ status, headers: {}, content, ...(origin === undefined ? {} : { origin }) }) ?? 'as it is'
  );
}

/** The release word of an answer. */
export function releaseOf(...args: Parameters<typeof answerTo>): string {
  const judged = answerTo(...args);
  return typeof judged === 'string' ? judged : judged.release;
}

/** Ids of the entries that are released. */
export function releasedIds(judged: AnswerJudgement | 'as it is'): readonly string[] {
  if (typeof judged === 'string' || judged.release !== 'replaced') throw new Error(JSON.stringify(judged));
  const { entry = [] } = judged.content as { entry?: readonly { resource?: { id?: string } }[] };
  return entry.map(({ resource }) => resource?.id ?? 'deleted');
}

export function observation(id: string, subject: string | JsonObject, more: JsonObject = {}): JsonObject {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] },
    subject: typeof subject === 'string' ? { reference: subject } : subject,
    ...more,
  };
}

export const LAB: JsonObject = {
  category: [
    {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }],
    },
  ],
};

export function searchset(...resources: readonly JsonObject[]): JsonObject {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: resources.length,
    entry: resources.map((resource) => ({
      fullUrl: `https://clinic.example/fhir/${resource.resourceType}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    })),
  };
}
