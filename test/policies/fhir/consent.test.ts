import { describe, expect, it } from 'vitest';
import { consents, outcomeOf, partner, patientA, SHARED, sentQuery } from './support.ts';

const ALL = patientA('patient/*.cruds');

describe('a search with consent', () => {
  const b = consents({ b: 'in-force' });
  const asking = { policy: SHARED, context: b };
  it('is narrowed to the patient who consented', () => {
    expect(sentQuery('GET /fhir/Observation?patient=b', ALL, asking)).toBe('patient=b');
    expect(sentQuery('GET /fhir/Observation', ALL, asking)).toBe('patient=a');
    expect(outcomeOf('GET /fhir/Observation?patient=c', ALL, asking)).toBe('record-hidden consent-missing');
  });
  it('is denied when the consents cannot be asked', () => {
    const context = consents({ b: 'unavailable' });
    expect(outcomeOf('GET /fhir/Observation?patient=b', ALL, { policy: SHARED, context })).toBe(
      'record-hidden consent-unavailable',
    );
    expect(outcomeOf('GET /fhir/Observation?patient=b', ALL, { policy: SHARED })).toBe(
      'record-hidden consent-unavailable',
    );
  });
  it('is nothing on a route that is not shared', () => {
    expect(outcomeOf('GET /fhir/Observation?patient=b', ALL, { context: b })).toBe(
      'record-hidden patient-mismatch',
    );
  });
  it("is all that a partner's people get, whatever their scopes", () => {
    const other = partner('user/*.cruds', 'system/*.cruds');
    expect(sentQuery('GET /fhir/Observation?patient=b', other, asking)).toBe('patient=b');
    expect(outcomeOf('GET /fhir/Observation?patient=c', other, asking)).toBe('record-hidden consent-missing');
    expect(outcomeOf('GET /fhir/Observation', other, asking)).toBe('forbidden patient-context-missing');
    expect(outcomeOf('GET /fhir/Observation?patient=b', other, { context: b })).toBe(
      'forbidden sharing-none',
    );
    expect(outcomeOf('GET /fhir?_type=Patient', other, asking)).toMatch(/^record-hidden|^forbidden/);
    expect(outcomeOf('GET /fhir/Practitioner', other, asking)).toMatch(/^forbidden|^record-hidden/);
  });
});
