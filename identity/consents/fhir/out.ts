import type { Grantee } from '../../../contracts/consent.ts';
import { type Consent, consentStateAt } from '../../../contracts/consent-record.ts';
import type { JsonObject } from '../../../contracts/content.ts';
import { ACTION_CODES, SYSTEMS } from './codes.ts';

/** Seconds as FHIR `dateTime`. */
export function dateTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

const coded = (system: string, code: string): JsonObject => ({ coding: [{ system, code }] });

/**
 * A consent as FHIR R4 Consent: what `consentFromFhir` reads back as the same. What it was withdrawn with is not told.
 * @param at seconds since the epoch
 */
export function consentToFhir(consent: Consent, at: number): JsonObject {
  const { resourceTypes, categories } = consent.parts;
  const state = consentStateAt(consent, at);
  return {
    resourceType: 'Consent',
    id: consent.id,
    status: state === 'in-force' || state === 'not-yet' ? 'active' : 'inactive',
    scope: coded(SYSTEMS.scope, 'patient-privacy'),
    category: [coded(SYSTEMS.loinc, '59284-0')],
    patient: { reference: `Patient/${consent.patient}` },
    dateTime: dateTime(consent.granted.at),
    policyRule: coded(SYSTEMS.actCode, 'OPTIN'),
    provision: {
      type: 'permit',
      period: { start: dateTime(consent.from), end: dateTime(consent.until) },
      actor: [{ role: coded(SYSTEMS.participation, 'IRCP'), reference: referenceOf(consent.grantee) }],
      action: consent.actions.map((action) => coded(SYSTEMS.action, ACTION_CODES[action])),
      ...(resourceTypes.includes('*')
        ? {}
        : { class: resourceTypes.map((code) => ({ system: SYSTEMS.resourceType, code })) }),
      ...(categories.length === 0 ? {} : { code: categories.map((code) => coded(SYSTEMS.category, code)) }),
    },
  };
}

function referenceOf(grantee: Grantee): JsonObject {
  switch (grantee.kind) {
    case 'person':
      return { type: 'Person', identifier: { system: grantee.issuer, value: grantee.subject } };
    case 'role':
      return {
        type: 'PractitionerRole',
        identifier: { system: `${SYSTEMS.role}${grantee.tenant}`, value: grantee.role },
      };
    case 'organisation':
      return { type: 'Organization', identifier: { system: SYSTEMS.tenant, value: grantee.tenant } };
  }
}

/** A searchset of consents. */
export function consentBundle(consents: readonly Consent[], at: number, base: string): JsonObject {
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total: consents.length,
    ...(consents.length === 0
      ? {}
      : {
          entry: consents.map((consent) => ({
            fullUrl: `${base}/Consent/${consent.id}`,
            resource: consentToFhir(consent, at),
            search: { mode: 'match' },
          })),
        }),
  };
}
