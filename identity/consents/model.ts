import type { Grantee } from '../../contracts/consent.ts';
import {
  CONSENT_ACTIONS,
  CONSENT_BASES,
  type Consent,
  type ConsentAct,
  type ConsentParts,
} from '../../contracts/consent-record.ts';
import { parseTenantId } from '../../contracts/identifiers.ts';
import type { JsonBody, JsonValue, NewDocument, StoredDocument } from '../../contracts/state.ts';
import { hashOf } from '../lengths.ts';

/** What a patient's consents are found by: no two patients of any two tenants have the same. */
export function recordKey(tenant: string, patient: string): string {
  return hashOf('record', tenant, patient);
}

export function consentDocument(consent: Consent): NewDocument {
  const { id: _, grantee, parts, actions, granted, withdrawn, ...rest } = consent;
  return {
    body: {
      ...rest,
      grantee: { ...grantee },
      parts: { resourceTypes: parts.resourceTypes, categories: parts.categories },
      actions,
      granted: { ...granted },
      withdrawn: withdrawn === undefined ? null : { ...withdrawn },
    },
    indexes: { tenant: consent.tenant, record: recordKey(consent.tenant, consent.patient) },
  };
}

/** Undefined for what is not as it was written: it permits nothing. */
export function consentOf({ id, body }: StoredDocument): Consent | undefined {
  const tenant = tenantOf(body.tenant);
  const { patient, from, until } = body;
  const grantee = granteeOf(body.grantee);
  const parts = partsOf(body.parts);
  const given = textsOf(body.actions);
  const granted = actOf(body.granted);
  const withdrawn = body.withdrawn === null ? null : actOf(body.withdrawn);
  if (tenant === undefined || typeof patient !== 'string' || patient === '') return undefined;
  if (grantee === undefined || parts === undefined || granted === undefined || withdrawn === undefined)
    return undefined;
  if (!isSeconds(from) || !isSeconds(until) || given === undefined) return undefined;
  return Object.freeze({
    id,
    tenant,
    patient,
    grantee,
    parts,
    actions: Object.freeze(CONSENT_ACTIONS.filter((action) => given.includes(action))),
    from,
    until,
    granted,
    withdrawn: withdrawn ?? undefined,
  });
}

const isSeconds = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

const tenantOf = (value: JsonValue | undefined) =>
  typeof value === 'string' ? parseTenantId(value) : undefined;

function isBody(value: JsonValue | undefined): value is JsonBody {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textsOf(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) return undefined;
  return Object.freeze([...value]);
}

function granteeOf(value: JsonValue | undefined): Grantee | undefined {
  if (!isBody(value)) return undefined;
  if (value.kind === 'person') {
    const { issuer, subject } = value;
    if (typeof issuer !== 'string' || typeof subject !== 'string') return undefined;
    return Object.freeze({ kind: 'person', issuer, subject });
  }
  const tenant = tenantOf(value.tenant);
  if (tenant === undefined) return undefined;
  if (value.kind === 'organisation') return Object.freeze({ kind: 'organisation', tenant });
  if (value.kind !== 'role' || typeof value.role !== 'string' || value.role === '') return undefined;
  return Object.freeze({ kind: 'role', tenant, role: value.role });
}

/** A list that cannot be read must not become "all of them": an empty list of categories is one that was written so. */
function partsOf(value: JsonValue | undefined): ConsentParts | undefined {
  if (!isBody(value)) return undefined;
  const [resourceTypes, categories] = [textsOf(value.resourceTypes), textsOf(value.categories)];
  if (resourceTypes === undefined || categories === undefined) return undefined;
  return Object.freeze({ resourceTypes, categories });
}

function actOf(value: JsonValue | undefined): ConsentAct | undefined {
  if (!isBody(value)) return undefined;
  const { issuer, subject, at } = value;
  const basis = CONSENT_BASES.find((each) => each === value.basis);
  if (basis === undefined || typeof issuer !== 'string' || typeof subject !== 'string' || !isSeconds(at))
    return undefined;
  return Object.freeze({ basis, issuer, subject, at });
}
