/** Code systems of FHIR R4 Consent (hl7.org/fhir/R4/consent.html) that a consent here is written in. */
export const SYSTEMS = Object.freeze({
  scope: 'http://terminology.hl7.org/CodeSystem/consentscope',
  action: 'http://terminology.hl7.org/CodeSystem/consentaction',
  actCode: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  participation: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  resourceType: 'http://hl7.org/fhir/resource-types',
  loinc: 'http://loinc.org',
  /** `identifier.system` of an organisation: the id of its tenant. */
  tenant: 'urn:chartgate:tenant',
  /** `identifier.system` of a role is this and the id of the tenant. */
  role: 'urn:chartgate:role:',
  category: 'urn:chartgate:category',
});

/** Systems whose codes stand in `category` of resources. */
export const CATEGORY_SYSTEMS: ReadonlySet<string> = new Set([
  SYSTEMS.category,
  'http://terminology.hl7.org/CodeSystem/observation-category',
  'http://terminology.hl7.org/CodeSystem/condition-category',
  'http://hl7.org/fhir/us/core/CodeSystem/us-core-category',
  'http://terminology.hl7.org/CodeSystem/v2-0074',
]);

/** What kind of document it is; says nothing of what is permitted. */
export const CONSENT_CATEGORIES: readonly (readonly [system: string, code: string])[] = Object.freeze([
  [SYSTEMS.loinc, '59284-0'],
  [SYSTEMS.loinc, '57016-8'],
  [SYSTEMS.actCode, 'INFA'],
  [SYSTEMS.actCode, 'IDSCL'],
]);

/** The codes of `consentaction` that have a meaning here. */
export const ACTION_CODES = Object.freeze({ read: 'access', write: 'correct' } as const);
