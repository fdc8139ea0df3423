import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../contracts/content.ts';
import type { BearerPrincipal } from '../../../contracts/principal.ts';
import {
  answerTo,
  bodyOf,
  consents,
  formContent,
  jsonContent,
  LAB,
  obligationsOf,
  observation,
  outcomeOf,
  patientA,
  releaseOf,
  SHARED,
  searchset,
  staff,
} from './support.ts';

const ALL = patientA('patient/*.cruds');
const own = (more: JsonObject = {}): JsonObject => observation('1', 'Patient/a', more);

function effect(line: string, body: Json, token: BearerPrincipal = ALL, mediaType?: string): string {
  const judged = bodyOf(line, token, jsonContent(body, mediaType));
  if (judged === undefined) return 'as it is';
  return judged.effect === 'permit'
    ? 'permit'
    : `${judged.denial} ${judged.reasons.findLast(({ held }) => !held)?.code}`;
}

describe('a create with a patient/ scope', () => {
  it.each<[string, Json, string]>([
    ['of the own record', own(), 'permit'],
    ["of another patient's", observation('1', 'Patient/b'), 'record-hidden patient-mismatch'],
    ['of nobody', { resourceType: 'Observation' }, 'record-hidden patient-mismatch'],
    [
      'with a contained resource of another',
      own({ contained: [{ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/b' } }] }),
      'record-hidden patient-mismatch',
    ],
    [
      'of another type than the path',
      { resourceType: 'Condition', subject: { reference: 'Patient/a' } },
      'forbidden resource-mismatch',
    ],
    ['of a list', [own()], 'forbidden resource-mismatch'],
    [
      'of a logical reference',
      observation('1', { identifier: { value: 'a' } }),
      'record-hidden patient-mismatch',
    ],
  ])('%s: %s', (_name, body, expected) => {
    expect(effect('POST /fhir/Observation', body)).toBe(expected);
  });

  it('is not for patients themselves, whose ids the EMR gives', () => {
    expect(effect('POST /fhir/Patient', { resourceType: 'Patient' })).toBe('record-hidden patient-mismatch');
  });

  it('refuses XML, which it cannot judge', () => {
    const xml = {
      kind: 'xml',
      text: '<Observation/>',
      bytes: Buffer.alloc(0),
      mediaType: 'application/fhir+xml',
    } as const;
    expect(bodyOf('POST /fhir/Observation', ALL, xml)).toMatchObject({ effect: 'deny', denial: 'forbidden' });
  });

  it('narrows its condition', () => {
    const headers = { 'if-none-exist': 'identifier=1' };
    expect(obligationsOf('POST /fhir/Observation', ALL, { headers }).headers).toMatchObject({
      'if-none-exist': 'patient=a&identifier=1',
    });
    expect(outcomeOf('POST /fhir/Observation', ALL, { headers: { 'if-none-exist': 'patient=b' } })).toBe(
      'record-hidden patient-mismatch',
    );
    expect(outcomeOf('POST /fhir/Observation', patientA('patient/Observation.c'), { headers })).toBe(
      'insufficient-scope scope-missing',
    );
  });

  it('judges what comes back', () => {
    const line = 'POST /fhir/Observation';
    expect(releaseOf(line, ALL, undefined, { status: 201 })).toBe('unchanged');
    expect(releaseOf(line, ALL, own(), { status: 201 })).toBe('unchanged');
    expect(releaseOf(line, ALL, observation('1', 'Patient/b'), { status: 201 })).toBe('hidden');
    expect(releaseOf(line, ALL, searchset(own()), { status: 201 })).toBe('hidden');
  });

  it('needs consent to write', () => {
    const asking = { policy: SHARED, context: consents({ b: 'in-force' }) };
    const judged = bodyOf('POST /fhir/Observation', ALL, jsonContent(observation('1', 'Patient/b')), asking);
    expect(judged).toMatchObject({
      effect: 'permit',
      reasons: [{}, { code: 'consent-in-force', held: true }],
    });
  });
});

describe('a change with a patient/ scope', () => {
  it.each(['PUT', 'PATCH', 'DELETE'])('%s looks first at what is there', (method) => {
    const { existing } = obligationsOf(`${method} /fhir/Observation/1`, ALL);
    const look = (content: Json | undefined, status = 200) =>
      existing?.({ status, headers: {}, content }).release;
    expect(look(own())).toBe('unchanged');
    expect(look(observation('1', 'Patient/b'))).toBe('hidden');
    expect(look(undefined, 404)).toBe('hidden');
    expect(outcomeOf(`${method} /fhir/Patient/b`, ALL)).toBe('record-hidden patient-mismatch');
  });

  it('stays in the compartment, under the same id', () => {
    const line = 'PUT /fhir/Observation/1';
    expect(effect(line, own())).toBe('permit');
    expect(effect(line, observation('1', 'Patient/b'))).toBe('record-hidden patient-mismatch');
    expect(effect(line, observation('2', 'Patient/a'))).toBe('forbidden resource-mismatch');
    expect(effect(line, { ...own(), id: ['1'] })).toBe('forbidden resource-mismatch');
  });

  it.each([
    ['PUT /fhir/Observation?identifier=1'],
    ['PATCH /fhir/Observation?identifier=1'],
    ['DELETE /fhir/Observation?status=final'],
  ])('%s is for scopes that reach all of a type', (line) => {
    expect(outcomeOf(line, ALL)).toBe('insufficient-scope scope-missing');
    expect(outcomeOf(line, staff('user/Observation.cruds'))).toBe('permit');
    expect(outcomeOf(line, staff('user/Observation.cud'))).toBe('insufficient-scope scope-missing');
  });

  it('is not looked at where a user scope reaches all of the type', () => {
    expect(obligationsOf('PUT /fhir/Observation/1', staff('user/Observation.u'))).toEqual({});
    expect(obligationsOf('DELETE /fhir/Observation/1', staff('user/Observation.d'))).toEqual({});
  });
});

describe('a deletion that would cascade', () => {
  const LINE = 'DELETE /fhir/Patient/a';
  const headers = { 'x-cascade': 'delete' };
  it('stays with the resource that it names', () => {
    expect(outcomeOf(`${LINE}?_cascade=delete`, ALL)).toBe('forbidden search-unsupported');
    expect(outcomeOf(`${LINE}?_cascade=delete`, staff('user/Patient.d'))).toBe(
      'forbidden search-unsupported',
    );
    expect(obligationsOf(LINE, staff('user/Patient.d'), { headers })).toEqual({
      headers: { 'x-cascade': undefined },
    });
    expect(obligationsOf(LINE, ALL, { headers }).headers).toHaveProperty('x-cascade', undefined);
    expect(outcomeOf('DELETE /fhir/Patient?name=x&_cascade=delete', staff('user/Patient.ds'))).toBe(
      'insufficient-scope scope-missing',
    );
  });
  it('is for whoever may delete everything', () => {
    expect(obligationsOf(`${LINE}?_cascade=delete`, staff('user/*.d'), { headers })).toEqual({});
  });
});

const op = (operation: string, path: string, more: JsonObject = {}): Json => [
  { op: operation, path, ...more },
];
const fhirPath = (...parts: readonly [string, string][]): Json => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: parts.map(([name, value]) =>
        name === 'type' ? { name, valueCode: value } : { name, valueString: value },
      ),
    },
  ],
});

describe('a patch with a patient/ scope', () => {
  it.each<[string, Json, string | undefined, string]>([
    [
      'JSON Patch of a value',
      op('replace', '/status', { value: 'amended' }),
      'application/json-patch+json',
      'permit',
    ],
    ['JSON Patch of a note', op('add', '/note/-', { value: {} }), 'application/json-patch+json', 'permit'],
    [
      'JSON Patch of the subject',
      op('replace', '/subject/reference', { value: 'Patient/b' }),
      'application/json-patch+json',
      'deny',
    ],
    [
      'JSON Patch of the subject, encoded',
      op('replace', '/subje~0ct', {}),
      'application/json-patch+json',
      'permit',
    ],
    ['JSON Patch of the performer', op('add', '/performer/0', {}), 'application/json-patch+json', 'deny'],
    [
      'JSON Patch of the subject’s other half',
      op('add', '/_subject', {}),
      'application/json-patch+json',
      'deny',
    ],
    ['JSON Patch of the whole', op('replace', '', { value: {} }), 'application/json-patch+json', 'deny'],
    [
      'JSON Patch that moves the subject away',
      op('move', '/note', { from: '/subject' }),
      'application/json-patch+json',
      'deny',
    ],
    [
      'JSON Patch that moves something there',
      op('move', '/subject', { from: '/focus/0' }),
      'application/json-patch+json',
      'deny',
    ],
    ['JSON Patch of the id', op('replace', '/id', { value: '2' }), 'application/json-patch+json', 'deny'],
    [
      'JSON Patch of contained resources',
      op('add', '/contained', { value: [] }),
      'application/json-patch+json',
      'deny',
    ],
    ['JSON Patch with an unknown operation', op('merge', '/status'), 'application/json-patch+json', 'deny'],
    ['JSON Patch that is no list', { op: 'remove', path: '/note' }, 'application/json-patch+json', 'deny'],
    [
      'FHIRPath Patch of a value',
      fhirPath(['type', 'replace'], ['path', 'Observation.status']),
      undefined,
      'permit',
    ],
    [
      'FHIRPath Patch that adds',
      fhirPath(['type', 'add'], ['path', 'Observation'], ['name', 'note']),
      undefined,
      'permit',
    ],
    [
      'FHIRPath Patch that adds a subject',
      fhirPath(['type', 'add'], ['path', 'Observation'], ['name', 'subject']),
      undefined,
      'deny',
    ],
    [
      'FHIRPath Patch of the subject',
      fhirPath(['type', 'replace'], ['path', 'Observation.subject']),
      undefined,
      'deny',
    ],
    [
      'FHIRPath Patch by an expression',
      fhirPath(['type', 'delete'], ['path', "Observation.children().where(reference='Patient/a')"]),
      undefined,
      'deny',
    ],
    [
      'FHIRPath Patch of another type',
      fhirPath(['type', 'delete'], ['path', 'Patient.name']),
      undefined,
      'deny',
    ],
    [
      'FHIRPath Patch with two paths',
      fhirPath(['type', 'delete'], ['path', 'Observation.note'], ['path', 'Observation.subject']),
      undefined,
      'deny',
    ],
    ['a resource in place of a patch', own(), undefined, 'deny'],
  ])('%s', (_name, patch, mediaType, expected) => {
    expect(bodyOf('PATCH /fhir/Observation/1', ALL, jsonContent(patch, mediaType))?.effect).toBe(expected);
  });

  it('leaves alone what the restriction of a scope looks at', () => {
    const token = staff('user/Observation.rus?category=laboratory');
    const patch = (path: string) =>
      bodyOf(
        'PATCH /fhir/Observation/1',
        token,
        jsonContent(op('add', path, { value: 1 }), 'application/json-patch+json'),
      )?.effect;
    expect(patch('/category/0')).toBe('deny');
    expect(patch('/note/-')).toBe('permit');
    expect(effect('PUT /fhir/Observation/1', own(LAB), token)).toBe('permit');
    expect(effect('PUT /fhir/Observation/1', own(), token)).toBe('record-hidden scope-missing');
  });
});

describe('a search by POST', () => {
  const LINE = 'POST /fhir/Observation/_search';
  const sent = (form: string, line = LINE): string => {
    const judged = bodyOf(line, ALL, formContent(form));
    if (judged?.effect !== 'permit') return `${judged?.effect} ${judged?.denial}`;
    return decodeURIComponent(judged.form ?? '');
  };
  it('is narrowed like one by GET', () => {
    expect(sent('code=1')).toBe('patient=a&code=1');
    expect(sent('')).toBe('patient=a');
    expect(sent('patient=b')).toBe('deny record-hidden');
    expect(sent('_has:Condition:encounter:code=1')).toBe('deny forbidden');
    expect(obligationsOf(LINE, ALL).query).toBe('');
  });
  it('judges the URL and the form as one', () => {
    expect(sent('code=1', `${LINE}?patient=a`)).toBe('patient=a&code=1');
    expect(sent('patient=a', `${LINE}?patient=b`)).toBe('deny forbidden');
    expect(sent('code=1', `${LINE}?patient=b`)).toBe('deny record-hidden');
  });
  it('refuses what is no form', () => {
    expect(bodyOf(LINE, ALL, jsonContent({}))).toMatchObject({ effect: 'deny' });
  });
  it('judges the answer', () => {
    expect(answerTo(LINE, ALL, searchset(observation('2', 'Patient/b')))).toMatchObject({
      content: { total: 0 },
    });
  });
});
