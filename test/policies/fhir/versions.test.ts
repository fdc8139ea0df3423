import { describe, expect, it } from 'vitest';
import type { FhirVersion } from '../../../contracts/policy.ts';
import { obligationsOf, outcomeOf, packPolicy, patientA, releaseOf, sentQuery, staff } from './support.ts';

const ALL = patientA('patient/*.cruds');
const POLICIES = { R4: packPolicy('R4'), STU3: packPolicy('STU3'), DSTU2: packPolicy('DSTU2') } as const;
const subject = (reference: string) => ({ subject: { reference } });
const patient = (reference: string) => ({ patient: { reference } });

describe('each version has its own types, parameters and compartment', () => {
  it.each<[FhirVersion, string, string]>([
    ['R4', 'GET /fhir/MedicationRequest', 'patient=a'],
    ['STU3', 'GET /fhir/MedicationRequest', 'patient=a'],
    ['DSTU2', 'GET /fhir/MedicationOrder', 'patient=a'],
    ['STU3', 'GET /fhir/Coverage', 'beneficiary=Patient/a'],
    ['STU3', 'GET /fhir/ProcedureRequest', 'patient=a'],
    ['DSTU2', 'GET /fhir/DiagnosticOrder?status=completed', 'patient=a&status=completed'],
    ['DSTU2', 'GET /fhir/Observation?_sort:desc=date', 'patient=a&_sort:desc=date'],
    ['DSTU2', 'GET /fhir/Patient?family=Smith', '_id=a&family=Smith'],
  ])('%s: %s becomes %s', (version, line, sent) => {
    expect(sentQuery(line, ALL, { policy: POLICIES[version] })).toBe(sent);
  });

  it.each<[FhirVersion, string]>([
    ['R4', 'GET /fhir/MedicationOrder/1'],
    ['STU3', 'GET /fhir/MedicationOrder/1'],
    ['STU3', 'GET /fhir/ServiceRequest/1'],
    ['DSTU2', 'GET /fhir/MedicationRequest/1'],
    ['DSTU2', 'GET /fhir/Consent/1'],
    ['DSTU2', 'PATCH /fhir/Observation/1'],
  ])('%s has no %s', (version, line) => {
    expect(outcomeOf(line, staff('system/*.cruds'), { policy: POLICIES[version] })).toBe(
      'route-unknown route-unknown',
    );
  });

  it.each<[FhirVersion, string, object, string]>([
    ['STU3', 'Encounter', subject('Patient/a'), 'unchanged'],
    ['STU3', 'Encounter', subject('Patient/b'), 'hidden'],
    ['DSTU2', 'Encounter', patient('Patient/a'), 'unchanged'],
    ['DSTU2', 'Encounter', patient('Patient/b'), 'hidden'],
    // Elements of another version link to nobody.
    ['DSTU2', 'Encounter', subject('Patient/a'), 'hidden'],
    ['STU3', 'Encounter', patient('Patient/a'), 'hidden'],
    [
      'STU3',
      'AuditEvent',
      {
        agent: [{ reference: { reference: 'Patient/a' } }],
        entity: [{ reference: { reference: 'Patient/b' } }],
      },
      'hidden',
    ],
    [
      'DSTU2',
      'AuditEvent',
      {
        participant: [{ reference: { reference: 'Patient/a' } }],
        object: [{ reference: { reference: 'Patient/b' } }],
      },
      'hidden',
    ],
    [
      'DSTU2',
      'MedicationStatement',
      { ...patient('Patient/a'), informationSource: { reference: 'Patient/b' } },
      'hidden',
    ],
    ['STU3', 'Provenance', { target: [{ reference: 'Patient/a' }] }, 'unchanged'],
    ['STU3', 'Provenance', { target: [{ reference: 'Observation/1' }] }, 'hidden'],
  ])('%s: %s with %j is %s', (version, type, more, release) => {
    const resource = { resourceType: type, id: '1', ...more };
    expect(releaseOf(`GET /fhir/${type}/1`, ALL, resource, { policy: POLICIES[version] })).toBe(release);
  });

  it('asks for the media type of its version', () => {
    const accept = (version: FhirVersion) =>
      obligationsOf('GET /fhir/Observation/1', ALL, { policy: POLICIES[version] }).headers?.accept;
    expect([accept('R4'), accept('STU3'), accept('DSTU2')]).toEqual([
      'application/fhir+json',
      'application/fhir+json',
      'application/json+fhir',
    ]);
  });
});
