import type { ConsentAnswer } from '../../contracts/consent.ts';
import type { JsonObject } from '../../contracts/content.ts';
import type { DecisionContext, FhirVersion } from '../../contracts/policy.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import type { Context } from '../scopes.ts';
import { definitionsOf, type TypeDefinition } from './definitions/index.ts';
import { text } from './elements.ts';
import { categoriesOf, membershipOf } from './membership.ts';
import { ID, type ReferenceBase } from './references.ts';
import { satisfies } from './restriction.ts';
import { type Grant, scopesOf } from './scopes.ts';

export type Action = 'read' | 'write';

/** Letters of `cruds` as bits. */
export const LETTER = Object.freeze({ c: 1, r: 2, u: 4, d: 8, s: 16 });

/** What one principal reaches of a tenant's FHIR resources, for one request. */
export interface Reach {
  readonly version: FhirVersion;
  readonly types: ReadonlyMap<string, TypeDefinition>;
  readonly base: ReferenceBase;
  /** The grants of the contexts that the route counts. */
  readonly grants: readonly Grant[];
  /** Another tenant's, who reaches nothing here but with a patient's consent. */
  readonly foreign: boolean;
  /** The patient of the launch context. */
  readonly own: string | undefined;
  /** Whether patients may share what the route reaches. */
  readonly shared: boolean;
  readonly principal: AuthenticatedPrincipal;
  readonly context: DecisionContext | undefined;
  readonly at: number;
}

/** Whether another tenant vouches for somebody. */
export function isPartner({ home, tenant }: AuthenticatedPrincipal): boolean {
  return home !== undefined && home !== tenant;
}

export function reachOf(
  principal: AuthenticatedPrincipal,
  route: { readonly version: FhirVersion; readonly contexts: readonly Context[]; readonly shared: boolean },
  base: ReferenceBase,
  context: DecisionContext | undefined,
  at: number,
): Reach {
  const { grants } = scopesOf(principal, route.version);
  const foreign = isPartner(principal);
  const { patient } = principal;
  return {
    version: route.version,
    types: definitionsOf(route.version),
    base,
    grants: grants.filter((grant) => route.contexts.includes(grant.context)),
    foreign,
    // A partner's patient context would name a patient of the partner's.
    // What is no id could be read as several (`a,b`).
    own: !foreign && typeof patient === 'string' && ID.test(patient) ? patient : undefined,
    shared: route.shared,
    principal,
    context,
    at,
  };
}

/** Whether a grant is about the record of certain patients only. */
export function isLimited(grant: Grant, reach: Reach): boolean {
  return grant.context === 'patient' || reach.foreign;
}

/** The grants that hold every interaction of `mask` for a type (`*`: for every type). */
export function grantsFor(reach: Reach, type: string, mask: number): readonly Grant[] {
  return reach.grants.filter(
    (grant) => (grant.type === type || grant.type === '*') && mask !== 0 && (grant.mask & mask) === mask,
  );
}

/** Whether one of the grants reaches every resource of its type. */
export function isOpen(grants: readonly Grant[], reach: Reach): boolean {
  return grants.some((grant) => grant.restriction === undefined && !isLimited(grant, reach));
}

/** Whether every resource of every type may be found and read, so that no search finds out more. */
export function searchesAll(reach: Reach): boolean {
  return isOpen(grantsFor(reach, '*', LETTER.r | LETTER.s), reach);
}

/**
 * Whether a patient's record may be touched: the own one, or one that its patient shares.
 * @param categories undefined: nothing was read yet; then every resource is asked for again
 */
export function mayTouch(
  reach: Reach,
  patient: string,
  resourceType: string,
  action: Action,
  categories: readonly string[] | undefined,
): ConsentAnswer | 'own' {
  if (reach.own === patient) return 'own';
  if (!reach.shared) return 'none';
  const consents = reach.context?.consents;
  if (consents === undefined) return 'unavailable';
  const { principal, at } = reach;
  const question = { tenant: principal.tenant, patient, principal, resourceType, action, at };
  return categories === undefined ? consents.possible(question) : consents.check({ ...question, categories });
}

/** Why a patient's record may not be touched, in a word for records. */
export function refusedBy(reach: Reach, answer: ConsentAnswer | 'own'): ReasonCode {
  if (answer === 'unavailable') return 'consent-unavailable';
  return reach.shared ? 'consent-missing' : 'patient-mismatch';
}

export type ResourceVerdict =
  | {
      readonly ok: true;
      readonly consent: boolean;
      /** Only as part of certain patients' records. */
      readonly limited: boolean;
    }
  | { readonly ok: false; readonly reason: ReasonCode };

const PLAIN: ResourceVerdict = Object.freeze({ ok: true, consent: false, limited: false });
const OWN: ResourceVerdict = Object.freeze({ ok: true, consent: false, limited: true });
const BY_CONSENT: ResourceVerdict = Object.freeze({ ok: true, consent: true, limited: true });
const no = (reason: ReasonCode): ResourceVerdict => Object.freeze({ ok: false, reason });
const SCOPE_MISSING = no('scope-missing');
const OUTSIDE = no('patient-mismatch');

/** Whether one resource may be read, written or found, whatever the request looked like. */
export function judgeResource(
  reach: Reach,
  resource: JsonObject,
  mask: number,
  action: Action,
  base: ReferenceBase,
): ResourceVerdict {
  const type = text(resource, 'resourceType');
  if (type === undefined || !reach.types.has(type)) return SCOPE_MISSING;
  const matching = grantsFor(reach, type, mask).filter(
    ({ restriction }) => restriction === undefined || satisfies(resource, restriction),
  );
  if (matching.length === 0) return SCOPE_MISSING;
  if (matching.some((grant) => !isLimited(grant, reach))) return PLAIN;
  const membership = membershipOf(resource, reach.types, base);
  if (membership.kind !== 'patients') return OUTSIDE;
  let consent = false;
  const categories = reach.shared ? categoriesOf(resource) : [];
  for (const patient of membership.patients) {
    const answer = mayTouch(reach, patient, type, action, categories);
    if (answer === 'own') continue;
    if (answer !== 'in-force') return no(refusedBy(reach, answer));
    consent = true;
  }
  return consent ? BY_CONSENT : OWN;
}
