import type { ConsentQuestion } from '../../contracts/consent.ts';
import type { Consent } from '../../contracts/consent-record.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { StoredDocument } from '../../contracts/state.ts';
import type { Kept } from '../sharing/follower.ts';
import { consentOf } from './model.ts';

/** Codes of the resource's categories; `unknown`: not read yet, so strict; `any`: some resource's of the type. */
export type KnownCategories = readonly string[] | 'unknown' | 'any';

/** Consents that were not withdrawn and have not ended, by tenant and patient. */
export class ConsentIndex implements Kept {
  readonly #tenants = new Map<string, Map<string, Map<string, Consent>>>();
  readonly #places = new Map<string, Consent>();

  get size(): number {
    return this.#places.size;
  }

  put(id: string, document: StoredDocument | undefined): void {
    const former = this.#places.get(id);
    if (former !== undefined) this.#drop(former);
    const consent = document === undefined ? undefined : consentOf(document);
    if (consent === undefined || consent.withdrawn !== undefined) return;
    let patients = this.#tenants.get(consent.tenant);
    if (patients === undefined) {
      patients = new Map();
      this.#tenants.set(consent.tenant, patients);
    }
    const consents = patients.get(consent.patient) ?? new Map<string, Consent>();
    patients.set(consent.patient, consents);
    consents.set(id, consent);
    this.#places.set(id, consent);
  }

  sweep(at: number): void {
    for (const consent of [...this.#places.values()]) if (consent.until <= at) this.#drop(consent);
  }

  /** Whether one in force covers what is asked for. */
  covers(question: Omit<ConsentQuestion, 'categories'>, categories: KnownCategories): boolean {
    const consents = this.#tenants.get(question.tenant)?.get(question.patient);
    if (consents === undefined || question.principal.tenant !== question.tenant) return false;
    for (const consent of consents.values()) if (isCovered(consent, question, categories)) return true;
    return false;
  }

  #drop(consent: Consent): void {
    const { id, tenant, patient } = consent;
    this.#places.delete(id);
    const patients = this.#tenants.get(tenant);
    const consents = patients?.get(patient);
    consents?.delete(id);
    if (consents?.size === 0) patients?.delete(patient);
    if (patients?.size === 0) this.#tenants.delete(tenant);
  }
}

function isCovered(
  consent: Consent,
  question: Omit<ConsentQuestion, 'categories'>,
  categories: KnownCategories,
): boolean {
  const { at, action, resourceType, principal } = question;
  if (at < consent.from || at >= consent.until || consent.withdrawn !== undefined) return false;
  if (!consent.actions.includes(action)) return false;
  const { parts } = consent;
  // A whole record is asked for by `*`, which only a consent to all of it covers.
  if (!parts.resourceTypes.includes('*') && !parts.resourceTypes.includes(resourceType)) return false;
  if (parts.categories.length > 0) {
    if (categories === 'unknown' || resourceType === '*') return false;
    if (categories !== 'any' && !categories.some((code) => parts.categories.includes(code))) return false;
  }
  return isGrantee(consent, principal);
}

/**
 * A role or an organisation is its staff: whoever comes with a patient's context is there as a patient, of whom an
 * organisation has many.
 */
function isGrantee({ grantee }: Consent, principal: AuthenticatedPrincipal): boolean {
  if (grantee.kind === 'person')
    return grantee.issuer === principal.issuer && grantee.subject === principal.subject;
  if (principal.patient !== undefined || grantee.tenant !== (principal.home ?? principal.tenant))
    return false;
  return grantee.kind === 'organisation' || principal.roles?.has(grantee.role) === true;
}
