import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../contracts/content.ts';
import { parseScopes } from '../../../policies/fhir/scopes.ts';
import {
  answerTo,
  bodyOf,
  decide,
  jsonContent,
  LAB,
  obligationsOf,
  observation,
  outcomeOf,
  patientA,
  releasedIds,
  releaseOf,
  searchset,
  sentQuery,
  staff,
} from './support.ts';

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
const LABS = `patient/Observation.rs?category=${CATEGORY}|laboratory`;
const VITALS = `patient/Observation.rs?category=${CATEGORY}|vital-signs`;
const lab = observation('1', 'Patient/a', LAB);
const plain = observation('2', 'Patient/a');

describe('a resource scope', () => {
  it.each([
    ['patient/Observation.read', 18],
    ['patient/Observation.write', 13],
    ['patient/Observation.*', 31],
    ['patient/*.rs', 18],
    ['user/Observation.cruds', 31],
    ['system/Patient.r', 2],
  ])('%s grants', (scope, mask) => {
    expect(parseScopes([scope], 'R4')).toMatchObject({ grants: [{ mask }], invalid: [] });
  });

  it.each([
    ['patient/Observation', 'no permissions'],
    ['patient/Observation.', 'empty permissions'],
    ['patient/Observation.sr', 'letters out of order'],
    ['patient/Observation.rr', 'a letter twice'],
    ['patient/Observation.rx', 'an unknown letter'],
    ['patient/Observation.Read', 'letters of another size'],
    ['patient/observation.rs', 'a type of another size'],
    ['patient/Observations.rs', 'no type of R4'],
    ['patient/MedicationOrder.rs', 'a type of another version'],
    ['patient/Obs*.rs', 'half a wildcard'],
    ['patient/.rs', 'no type'],
    ['patient/*/Observation.rs', 'too many parts'],
    ['patient/Observation.rs?', 'an empty restriction'],
    ['patient/Observation.rs?category', 'a restriction without value'],
    ['patient/Observation.rs?category=', 'an empty value'],
    ['patient/Observation.rs?category=a=b', 'a restriction that is no name=value'],
    ['patient/Observation.rs?date=ge2020', 'a restriction that cannot be judged on a resource'],
    ['patient/Observation.rs?subject=Patient/b', 'a reference'],
    ['patient/Observation.rs?category:not=laboratory', 'a modifier'],
    ['patient/Observation.rs?_has:Condition:encounter:code=1', 'a reverse chain'],
    ['patient/Observation.rs?subject.name=x', 'a chain'],
    ['patient/Observation.rs?nothing=1', 'a parameter that Observation has not'],
    ['patient/Observation.rs?category=a\\,b', 'an escape'],
    ['patient/Observation.rs?category=a|b|c', 'three parts'],
    ['patient/Observation.rs?category=%E0%A4', 'a broken encoding'],
    ['patient/Observation.read?category=laboratory', 'a restriction of a v1 scope'],
    ['patient/*.rs?category=laboratory', 'a restriction of every type'],
    [
      `patient/Observation.rs?${Array.from({ length: 9 }, () => 'status=final').join('&')}`,
      'too many restrictions',
    ],
    [
      `patient/Observation.rs?status=${Array.from({ length: 33 }, () => 'final').join(',')}`,
      'too many values',
    ],
  ])('%s grants nothing: %s', (scope) => {
    const parsed = parseScopes([scope], 'R4');
    expect(parsed.grants).toEqual([]);
    expect(parsed.invalid).toHaveLength(1);
    expect(outcomeOf('GET /fhir/Observation', patientA(scope))).toBe('insufficient-scope scope-invalid');
  });

  it('is explained without what comes after its type', () => {
    const { reasons } = decide(
      'GET /fhir/Observation/1',
      patientA('patient/Observation.r?subject=Patient/secret'),
    );
    expect(reasons).toContainEqual({
      code: 'scope-invalid',
      held: false,
      detail:
        'patient/Observation.r: has a search restriction by a parameter that cannot be judged on a resource',
    });
    expect(JSON.stringify(reasons)).not.toContain('secret');
  });

  it('is nobody’s business when it is none', () => {
    expect(parseScopes(['openid', 'launch/patient', 'offline_access', 'chartgate/admin'], 'R4')).toEqual({
      grants: [],
      invalid: [],
    });
  });

  it('adds up with others of its context, and with no other', () => {
    expect(outcomeOf('POST /fhir/Patient/_search', patientA('patient/Patient.r', 'patient/Patient.s'))).toBe(
      'permit',
    );
    expect(outcomeOf('GET /fhir/ValueSet/$lookup', staff('user/ValueSet.r', 'system/ValueSet.s'))).toBe(
      'record-hidden resource-mismatch',
    );
    expect(outcomeOf('GET /fhir/ValueSet/$expand', staff('user/ValueSet.r', 'system/ValueSet.s'))).toBe(
      'insufficient-scope scope-missing',
    );
    expect(outcomeOf('GET /fhir/ValueSet/$expand', staff('user/ValueSet.r', 'user/ValueSet.s'))).toBe(
      'permit',
    );
  });
});

describe('the search restriction of a v2 scope', () => {
  const token = patientA(LABS);
  const category = (code: string, system?: string): JsonObject => ({
    category: [{ coding: [{ code, ...(system === undefined ? {} : { system }) }] }],
  });
  it.each<[string, string, JsonObject, boolean]>([
    ['system and code', `${CATEGORY}|laboratory`, LAB, true],
    ['another code', `${CATEGORY}|laboratory`, category('vital-signs', CATEGORY), false],
    ['another system', `${CATEGORY}|laboratory`, category('laboratory', 'http://elsewhere.example'), false],
    ['no system', `${CATEGORY}|laboratory`, category('laboratory'), false],
    ['a code of any system', 'laboratory', category('laboratory', 'http://elsewhere.example'), true],
    ['a code without system', '|laboratory', category('laboratory'), true],
    ['a code without system, where there is one', '|laboratory', LAB, false],
    ['any code of a system', `${CATEGORY}|`, LAB, true],
    ['one of several', `x,${CATEGORY}|laboratory`, LAB, true],
    [
      'one of two categories',
      'laboratory',
      { category: [{ coding: [{ code: 'x' }, { code: 'laboratory' }] }] },
      true,
    ],
    ['a text that says the same', 'laboratory', { category: [{ text: 'laboratory' }] }, false],
    ['a category that is no concept', 'laboratory', { category: 'laboratory' }, true],
    ['no category', 'laboratory', {}, false],
  ])('by %s', (_name, value, more, found) => {
    const reader = patientA(`patient/Observation.r?category=${value}`);
    const resource = { ...observation('1', 'Patient/a'), ...more };
    expect(releaseOf('GET /fhir/Observation/1', reader, resource)).toBe(found ? 'unchanged' : 'hidden');
  });

  it.each([
    ['status', 'final', { status: 'final' }],
    ['code', 'http://loinc.org|85354-9', {}],
    ['identifier', 'urn:x|7', { identifier: [{ system: 'urn:x', value: '7' }] }],
    ['_id', '1', {}],
    ['_tag', 'urn:t|x', { meta: { tag: [{ system: 'urn:t', code: 'x' }] } }],
    ['value-concept', 'x', { valueCodeableConcept: { coding: [{ code: 'x' }] } }],
    ['combo-code', 'c', { component: [{ code: { coding: [{ code: 'c' }] } }] }],
  ])('by %s', (parameter, value, more) => {
    const reader = patientA(`patient/Observation.rs?${parameter}=${value}`);
    expect(releaseOf('GET /fhir/Observation/1', reader, observation('1', 'Patient/a', more))).toBe(
      'unchanged',
    );
    expect(
      releaseOf('GET /fhir/Observation/1', reader, {
        resourceType: 'Observation',
        id: '9',
        subject: { reference: 'Patient/a' },
      }),
    ).toBe('hidden');
  });

  it('narrows a search, and judges its answer', () => {
    expect(sentQuery('GET /fhir/Observation?code=1', token)).toBe(
      `patient=a&code=1&category=${CATEGORY}|laboratory`,
    );
    expect(releasedIds(answerTo('GET /fhir/Observation', token, searchset(lab, plain)))).toEqual(['1']);
  });

  it('narrows to all of several when one search can say it', () => {
    expect(sentQuery('GET /fhir/Observation', patientA(LABS, VITALS))).toBe(
      `patient=a&category=${CATEGORY}|laboratory,${CATEGORY}|vital-signs`,
    );
    expect(sentQuery('GET /fhir/Observation', patientA(LABS, 'patient/Observation.rs?status=final'))).toBe(
      'patient=a',
    );
  });

  it('narrows searches of staff, who have no compartment', () => {
    expect(
      sentQuery('GET /fhir/Observation?patient=b', staff('user/Observation.rs?category=laboratory')),
    ).toBe('patient=b&category=laboratory');
    const answer = answerTo(
      'GET /fhir/Observation',
      staff('user/Observation.rs?category=laboratory'),
      searchset(observation('3', 'Patient/b', LAB), plain),
    );
    expect(releasedIds(answer)).toEqual(['3']);
  });

  it('counts in reads, versions, histories, bundles and writes', () => {
    expect(releaseOf('GET /fhir/Observation/1', token, lab)).toBe('unchanged');
    expect(releaseOf('GET /fhir/Observation/2', token, plain)).toBe('hidden');
    expect(releaseOf('GET /fhir/Observation/2/_history/1', token, plain)).toBe('hidden');
    const history = { resourceType: 'Bundle', type: 'history', entry: [{ resource: plain }] };
    expect(releaseOf('GET /fhir/Observation/2/_history', token, history)).toBe('hidden');
    const writer = patientA('patient/Observation.c?category=laboratory');
    const create = (body: JsonObject) => bodyOf('POST /fhir/Observation', writer, jsonContent(body))?.effect;
    expect(create(lab)).toBe('permit');
    expect(create(plain)).toBe('deny');
    const batch = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [{ request: { method: 'GET', url: 'Observation/2' } }],
    };
    const judged = bodyOf('POST /fhir', token, jsonContent(batch));
    if (judged?.effect !== 'permit') throw new Error('denied');
    const response = {
      resourceType: 'Bundle',
      type: 'batch-response',
      entry: [{ resource: plain, response: { status: '200' } }],
    };
    expect(judged.answer?.({ status: 200, headers: {}, content: response })).toMatchObject({
      content: { entry: [{ response: { status: '404 Not Found' } }] },
    });
  });

  it('is of no account beside a scope without', () => {
    expect(sentQuery('GET /fhir/Observation', patientA(LABS, 'patient/Observation.rs'))).toBe('patient=a');
    expect(obligationsOf('GET /fhir/Observation', patientA(LABS, 'user/*.rs'))).toEqual({});
  });

  it('keeps what only reaches everything from whoever has it', () => {
    const restricted = staff('user/Observation.cruds?category=laboratory');
    expect(outcomeOf('GET /fhir/Observation/_history', restricted)).toBe('forbidden search-unsupported');
    expect(outcomeOf('DELETE /fhir/Observation?code=1', restricted)).toBe('forbidden search-unsupported');
    expect(outcomeOf('GET /fhir/Observation/$stats', restricted)).toBe('forbidden search-unsupported');
  });
});
