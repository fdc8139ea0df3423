import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../contracts/content.ts';
import {
  answerTo,
  consents,
  LAB,
  obligationsOf,
  observation,
  outcomeOf,
  partner,
  patientA,
  releasedIds,
  releaseOf,
  SHARED,
  searchset,
  staff,
} from './support.ts';

const ALL = patientA('patient/*.cruds');
const READ = 'GET /fhir/Observation/1';
const own = (more: JsonObject = {}): JsonObject => observation('1', 'Patient/a', more);

describe('a read with a patient/ scope', () => {
  it.each<[string, Json | undefined, string]>([
    ['the own record', own(), 'unchanged'],
    [
      'with an absolute reference below this base',
      observation('1', 'https://clinic.example/fhir/Patient/a'),
      'unchanged',
    ],
    ['with a versioned reference', observation('1', 'Patient/a/_history/3'), 'unchanged'],
    [
      'with a type that says the same',
      observation('1', { reference: 'Patient/a', type: 'Patient' }),
      'unchanged',
    ],
    [
      'performed by somebody else',
      own({ performer: [{ reference: 'Practitioner/p' }, { display: 'Dr P' }] }),
      'unchanged',
    ],
    [
      'with a contained device',
      own({ contained: [{ resourceType: 'Device', id: 'd' }], device: { reference: '#d' } }),
      'unchanged',
    ],
    [
      'with a contained specimen of the same patient',
      own({ contained: [{ resourceType: 'Specimen', id: 's', subject: { reference: 'Patient/a' } }] }),
      'unchanged',
    ],
    ["another patient's", observation('1', 'Patient/b'), 'hidden'],
    ["another patient's, in another spelling", observation('1', 'Patient/A'), 'hidden'],
    [
      "another patient's, performed by the own one",
      observation('1', 'Patient/b', { performer: [{ reference: 'Patient/a' }] }),
      'hidden',
    ],
    [
      "the own one's, which another patient performed",
      own({ performer: [{ reference: 'Patient/b' }] }),
      'hidden',
    ],
    ['of two subjects', own({ subject: [{ reference: 'Patient/a' }, { reference: 'Patient/b' }] }), 'hidden'],
    ['of nobody', { resourceType: 'Observation', id: '1', status: 'final' }, 'hidden'],
    ['of a group alone', observation('1', 'Group/g'), 'hidden'],
    [
      'of somebody who is only displayed',
      observation('1', { display: 'Patient A' }, { performer: [{ reference: 'Patient/a' }] }),
      'hidden',
    ],
    ['of a logical reference', observation('1', { identifier: { value: 'a' } }), 'hidden'],
    [
      'of a patient of another server',
      observation('1', 'https://elsewhere.example/fhir/Patient/a'),
      'hidden',
    ],
    ['of a patient below another base', observation('1', 'https://clinic.example/other/Patient/a'), 'hidden'],
    ['of a conditional reference', observation('1', 'Patient?identifier=a'), 'hidden'],
    [
      'of a contained patient',
      observation('1', '#p', { contained: [{ resourceType: 'Patient', id: 'p' }] }),
      'hidden',
    ],
    ['of a fragment that is not there', observation('1', '#p'), 'hidden'],
    [
      'of a unique name outside a bundle',
      observation('1', 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'),
      'hidden',
    ],
    ['of a path that leads out', observation('1', 'Patient/a/../b'), 'hidden'],
    ['with a type that contradicts', observation('1', { reference: 'Patient/a', type: 'Group' }), 'hidden'],
    [
      'with a contained resource of somebody else',
      own({ contained: [{ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/b' } }] }),
      'hidden',
    ],
    ['with a contained patient', own({ contained: [{ resourceType: 'Patient', id: 'p' }] }), 'hidden'],
    ['with a contained bundle', own({ contained: [{ resourceType: 'Bundle', id: 'x' }] }), 'hidden'],
    [
      'with contained resources of the same id',
      own({
        contained: [
          { resourceType: 'Device', id: 'd' },
          { resourceType: 'Device', id: 'd' },
        ],
      }),
      'hidden',
    ],
    ['of another id than was asked for', observation('2', 'Patient/a'), 'hidden'],
    [
      'of another type',
      { resourceType: 'Condition', id: '1', subject: { reference: 'Patient/a' } },
      'hidden',
    ],
    [
      'of no known type',
      { resourceType: 'Observation2', id: '1', subject: { reference: 'Patient/a' } },
      'hidden',
    ],
    ['a bundle in its place', searchset(own()), 'hidden'],
    ['an outcome in its place', { resourceType: 'OperationOutcome', issue: [] }, 'hidden'],
    ['a list', [own()], 'hidden'],
    ['nothing', undefined, 'hidden'],
  ])('%s: %s', (_name, content, release) => {
    expect(releaseOf(READ, ALL, content)).toBe(release);
  });

  it('judges versions and histories like reads', () => {
    expect(releaseOf('GET /fhir/Observation/1/_history/2', ALL, observation('1', 'Patient/b'))).toBe(
      'hidden',
    );
    expect(releaseOf('GET /fhir/Observation/1/_history/2', ALL, own())).toBe('unchanged');
  });

  it('accepts references by which the EMR names itself', () => {
    const resource = observation('1', 'http://127.0.0.1:9001/fhir/Patient/a');
    expect(releaseOf(READ, ALL, resource, { origin: 'http://127.0.0.1:9001' })).toBe('unchanged');
    expect(releaseOf(READ, ALL, resource)).toBe('hidden');
  });

  it('hides every status that is no success', () => {
    for (const status of [301, 304, 404, 410, 500])
      expect(releaseOf(READ, ALL, own(), { status })).toBe('hidden');
  });

  it('reaches the own Patient and no other', () => {
    expect(releaseOf('GET /fhir/Patient/a', ALL, { resourceType: 'Patient', id: 'a' })).toBe('unchanged');
    expect(outcomeOf('GET /fhir/Patient/b', ALL)).toBe('record-hidden patient-mismatch');
  });

  it('asks for JSON that was not cut, without what it does not understand', () => {
    const { headers, query } = obligationsOf(`${READ}?_elements=status&_summary=text&_format=xml`, ALL);
    expect({ headers, query }).toEqual({ headers: { accept: 'application/fhir+json' }, query: '' });
    expect(outcomeOf(`${READ}?mode=raw`, ALL)).toBe('forbidden search-unsupported');
  });

  it('wants no answer that comes later', () => {
    const headers = { prefer: 'respond-async, return=representation' };
    expect(obligationsOf(READ, ALL, { headers }).headers).toEqual({
      accept: 'application/fhir+json',
      prefer: undefined,
    });
  });

  it.each(['$lookup', '_search', 'a,b', 'a b', 'x'.repeat(65)])('takes %s for no id, whoever asks', (id) => {
    const line = `GET /fhir/Basic/${encodeURIComponent(id)}`;
    expect(outcomeOf(line, staff('user/Basic.r'))).toBe('record-hidden resource-mismatch');
  });

  it('streams what a user scope may see whole', () => {
    expect(obligationsOf(READ, staff('user/Observation.r'))).toEqual({});
    expect(obligationsOf(READ, staff('system/*.rs'))).toEqual({});
  });

  it('is released by consent, for categories that it is about', () => {
    const other = observation('1', 'Patient/b', LAB);
    const shared = (category?: string) => ({
      policy: SHARED,
      context: consents({ b: 'in-force' }, category),
    });
    expect(releaseOf(READ, ALL, other, shared())).toBe('unchanged');
    expect(releaseOf(READ, ALL, other, shared('laboratory'))).toBe('unchanged');
    expect(releaseOf(READ, ALL, other, shared('vital-signs'))).toBe('hidden');
    expect(releaseOf(READ, partner('user/*.rs'), other, shared())).toBe('unchanged');
    expect(releaseOf(READ, partner('user/*.rs'), own(), shared())).toBe('hidden');
    const unavailable = { policy: SHARED, context: consents({ b: 'unavailable' }) };
    expect(releaseOf(READ, ALL, other, unavailable)).toBe('hidden');
  });
});

describe('a search set', () => {
  const SEARCH = 'GET /fhir/Observation';
  it('keeps what is in reach and says nothing of the rest', () => {
    const bundle = searchset(own(), observation('2', 'Patient/b'), { resourceType: 'Practitioner', id: 'p' });
    const judged = answerTo(SEARCH, ALL, bundle);
    expect(releasedIds(judged)).toEqual(['1']);
    expect(judged).toMatchObject({ content: { total: 1 } });
    expect(JSON.stringify(judged)).not.toContain('Patient/b');
  });

  it('releases includes that another scope covers', () => {
    const include = 'GET /fhir/Observation?_include=Observation:performer';
    const bundle = searchset(
      own(),
      { resourceType: 'Practitioner', id: 'p' },
      { resourceType: 'Location', id: 'l' },
    );
    expect(releasedIds(answerTo(include, patientA('patient/*.rs', 'user/Practitioner.r'), bundle))).toEqual([
      '1',
      'p',
    ]);
  });

  it('takes out includes of a type without scope, for staff too', () => {
    const include = 'GET /fhir/Observation?_include=Observation:subject';
    const bundle = searchset(own(), { resourceType: 'Patient', id: 'a' });
    expect(releasedIds(answerTo(include, staff('user/Observation.rs'), bundle))).toEqual(['1']);
  });

  it('drops outcomes, entries without resource, and what is no entry', () => {
    const bundle = {
      ...searchset(own()),
      entry: [
        {
          resource: { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'Patient/b has 3' }] },
          search: { mode: 'outcome' },
        },
        { fullUrl: 'https://clinic.example/fhir/Observation/9' },
        'Observation/8',
        { resource: { resourceType: 'Observation', subject: { reference: 'Patient/a' } } },
      ],
    };
    expect(releasedIds(answerTo(SEARCH, ALL, bundle))).toEqual([]);
  });

  it('has links and full URLs as clients know them, and no total over several pages', () => {
    const bundle = {
      ...searchset(own()),
      total: 812,
      link: [
        { relation: 'self', url: 'http://127.0.0.1:9001/fhir/Observation?patient=a' },
        { relation: 'next', url: 'http://127.0.0.1:9001/fhir?_getpages=xyz' },
        { relation: 'last', url: 'http://127.0.0.1:9001/fhir?_getpages=xyz&_offset=800' },
        { relation: 'prev', url: 'http://other.example/fhir?_getpages=xyz' },
      ],
    };
    const judged = answerTo(SEARCH, ALL, bundle, { origin: 'http://127.0.0.1:9001' });
    expect(judged).toMatchObject({
      content: {
        link: [
          { relation: 'self', url: 'https://clinic.example/fhir/Observation?patient=a' },
          { relation: 'next', url: 'https://clinic.example/fhir?_getpages=xyz' },
        ],
      },
    });
    expect(judged).not.toHaveProperty('content.total');
  });

  it('is hidden when it is no search set', () => {
    expect(releaseOf(SEARCH, ALL, own())).toBe('hidden');
    expect(releaseOf(SEARCH, ALL, { ...searchset(own()), type: 'history' })).toBe('hidden');
    expect(releaseOf(SEARCH, ALL, undefined)).toBe('hidden');
  });

  it('is hidden whole when consents cannot be asked: a part would look like all of it', () => {
    const asking = { policy: SHARED, context: consents({ c: 'unavailable' }) };
    const bundle = searchset(own(), observation('2', 'Patient/c'));
    expect(releaseOf(SEARCH, ALL, bundle, asking)).toBe('hidden');
  });
});
