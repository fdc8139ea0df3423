import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../contracts/content.ts';
import {
  answerTo,
  observation,
  outcomeOf,
  patientA,
  releasedIds,
  releaseOf,
  searchset,
  sentQuery,
} from './support.ts';

const ALL = patientA('patient/*.cruds');
const own = (): JsonObject => observation('1', 'Patient/a');

describe('a history', () => {
  const HISTORY = 'GET /fhir/Observation/1/_history';
  const version = (resource: JsonObject | undefined, method: string): JsonObject => ({
    request: { method, url: 'Observation/1' },
    ...(resource === undefined ? {} : { resource }),
  });
  const history = (...entry: JsonObject[]): JsonObject => ({
    resourceType: 'Bundle',
    type: 'history',
    entry,
  });
  it('shows versions in reach, and deletions with them', () => {
    const bundle = history(
      version(undefined, 'DELETE'),
      version(own(), 'PUT'),
      version(observation('1', 'Patient/b'), 'POST'),
    );
    expect(releasedIds(answerTo(HISTORY, ALL, bundle))).toEqual(['deleted', '1']);
  });
  it('is hidden when no version is in reach', () => {
    expect(
      releaseOf(
        HISTORY,
        ALL,
        history(version(undefined, 'DELETE'), version(observation('1', 'Patient/b'), 'POST')),
      ),
    ).toBe('hidden');
    expect(releaseOf(HISTORY, ALL, history())).toBe('hidden');
  });
  it('leaves out versions of other resources', () => {
    const bundle = history(version(own(), 'PUT'), version(observation('7', 'Patient/a'), 'PUT'));
    expect(releasedIds(answerTo(HISTORY, ALL, bundle))).toEqual(['1']);
  });
});

describe('$everything', () => {
  it('is for the own patient, each resource by its own scope', () => {
    const line = 'GET /fhir/Patient/a/$everything?_count=50';
    const token = patientA('patient/Patient.rs', 'patient/Observation.r');
    expect(sentQuery(line, token)).toBe('_count=50');
    const condition = { resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/a' } };
    const bundle = searchset(
      { resourceType: 'Patient', id: 'a' },
      own(),
      condition,
      observation('2', 'Patient/b'),
    );
    expect(releasedIds(answerTo(line, token, bundle))).toEqual(['a', '1']);
    expect(outcomeOf('GET /fhir/Patient/b/$everything', token)).toBe('record-hidden patient-mismatch');
  });
});
