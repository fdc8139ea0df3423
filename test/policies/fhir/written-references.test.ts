import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../contracts/content.ts';
import type { BearerPrincipal } from '../../../contracts/principal.ts';
import {
  type Asking,
  bodyOf,
  consents,
  jsonContent,
  LAB,
  observation,
  partner,
  patientA,
  SHARED,
  staff,
} from './support.ts';

/**
 * What is written may refer to anything, and an EMR looks each reference up with its own powers: conditional references
 * are searches (R4 §3.1.0.11.2), and a reference to what is not there is refused by many.
 */

const ALL = patientA('patient/*.cruds');
const CREATE = 'POST /fhir/Observation';
const to = (reference: string): JsonObject => ({ reference });
const focus = (reference: string): JsonObject => observation('1', 'Patient/a', { focus: [to(reference)] });

function effect(
  line: string,
  body: Json,
  token: BearerPrincipal = ALL,
  mediaType?: string,
  asking?: Asking,
): string {
  const judged = bodyOf(line, token, jsonContent(body, mediaType), asking);
  if (judged === undefined) return 'as it is';
  return judged.effect === 'permit'
    ? 'permit'
    : `${judged.denial} ${judged.reasons.findLast(({ held }) => !held)?.code}`;
}

const SEARCHED = 'forbidden search-unsupported';
const OTHERS = 'record-hidden patient-mismatch';

describe('a resource that is written with a patient/ scope', () => {
  it.each<[string, JsonObject, string]>([
    ['asks for a person', focus('Patient?family=Smith&birthdate=1970-01-01'), SEARCHED],
    ['asks for the own person', focus('Patient?_id=a'), SEARCHED],
    [
      "asks for another's results",
      observation('1', 'Patient/a', { hasMember: [to('Observation?patient=b&code=hiv')] }),
      SEARCHED,
    ],
    ['asks by a whole URL', focus('https://clinic.example/fhir/Patient?family=Smith'), SEARCHED],
    ['asks by the URL of another server', focus('https://elsewhere.example/Patient?family=Smith'), SEARCHED],
    ['asks in a spelling that servers mend', focus('Patient/?family=Smith'), SEARCHED],
    ['asks behind an escape', focus('Patient%3Ffamily=Smith'), SEARCHED],
    ['has an escape that is none', focus('Patient/%zz'), SEARCHED],
    ['asks without a type', focus('?family=Smith'), SEARCHED],
    ['has a text for a reference', focus('x'.repeat(3000)), SEARCHED],
    [
      'asks in a list',
      observation('1', 'Patient/a', { focus: [{ reference: ['Patient?family=S'] }] }),
      SEARCHED,
    ],
    [
      'asks in another spelling',
      observation('1', 'Patient/a', { focus: [{ Reference: 'Patient?name=S' }] }),
      SEARCHED,
    ],
    [
      'asks in an extension',
      observation('1', 'Patient/a', {
        extension: [{ url: 'https://x.example', valueReference: to('Patient?name=Smith') }],
      }),
      SEARCHED,
    ],
    [
      'asks in an extension of a text',
      observation('1', 'Patient/a', {
        _status: { extension: [{ url: 'https://x.example', valueReference: to('Patient?name=Smith') }] },
      }),
      SEARCHED,
    ],
    [
      'asks in what it contains',
      observation('1', 'Patient/a', {
        contained: [{ resourceType: 'Medication', id: 'm', manufacturer: to('Organization?name=x') }],
      }),
      SEARCHED,
    ],
    ['names another patient', focus('Patient/b'), OTHERS],
    ["names another patient's version", focus('Patient/b/_history/1'), OTHERS],
    ['names another patient by a URL', focus('https://clinic.example/fhir/Patient/b'), OTHERS],
    ["names another patient by the EMR's own address", focus('http://10.0.0.7:8080/fhir/Patient/b'), OTHERS],
    ['names another patient behind an escape', focus('Pati%65nt/b'), OTHERS],
    ['names another patient behind a space', focus(' Patient/b'), OTHERS],
    ['names two patients in one', focus('Patient/a/Patient/b'), SEARCHED],
    ['names the own patient', focus('Patient/a'), 'permit'],
    ["names the own patient's version", focus('Patient/a/_history/2'), 'permit'],
    ['names who is no patient', focus('Practitioner/p'), 'permit'],
    ['names an organization', focus('https://clinic.example/fhir/Organization/o'), 'permit'],
    ['names another resource', focus('DocumentReference/d'), 'permit'],
    [
      'names an entry of the same transaction',
      focus('urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'),
      'permit',
    ],
    ['only displays', observation('1', 'Patient/a', { focus: [{ display: 'Is it? Patient/b' }] }), 'permit'],
    ['has a question in a text', observation('1', 'Patient/a', { note: [{ text: 'Patient?x' }] }), 'permit'],
    [
      'refers to what it contains',
      observation('1', 'Patient/a', {
        contained: [{ resourceType: 'Device', id: 'd' }],
        device: to('#d'),
      }),
      'permit',
    ],
  ])('%s: %s', (_what, resource, expected) => {
    expect(effect(CREATE, resource)).toBe(expected);
    expect(effect('PUT /fhir/Observation/1', resource)).toBe(expected);
    const entry = { request: { method: 'POST', url: 'Observation' }, resource };
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [entry] };
    expect(effect('POST /fhir', bundle)).toBe(
      expected === 'permit' ? 'permit' : `${expected.split(' ')[0]} ${expected.split(' ')[1]}`,
    );
  });

  it('may be an answer to a questionnaire, which refers to anything as well', () => {
    const answers = (reference: string): JsonObject => ({
      resourceType: 'QuestionnaireResponse',
      subject: to('Patient/a'),
      item: [{ linkId: '1', item: [{ linkId: '1.1', answer: [{ valueReference: to(reference) }] }] }],
    });
    expect(effect('POST /fhir/QuestionnaireResponse', answers('Practitioner/p'))).toBe('permit');
    expect(effect('POST /fhir/QuestionnaireResponse', answers('Patient?name=Smith'))).toBe(SEARCHED);
    expect(effect('POST /fhir/QuestionnaireResponse', answers('Patient/b'))).toBe(OTHERS);
  });

  it('names whose record is shared with consent', () => {
    const asking = (answer: 'in-force' | 'none' | 'unavailable') => ({
      policy: SHARED,
      context: consents({ b: answer }),
    });
    expect(effect(CREATE, focus('Patient/b'), ALL, undefined, asking('in-force'))).toBe('permit');
    expect(effect(CREATE, focus('Patient/b'), ALL, undefined, asking('none'))).toBe(
      'record-hidden consent-missing',
    );
    expect(effect(CREATE, focus('Patient/b'), ALL, undefined, asking('unavailable'))).toBe(
      'record-hidden consent-unavailable',
    );
    const theirs = observation('1', 'Patient/b', { focus: [to('Patient/c')] });
    expect(effect(CREATE, theirs, partner('user/*.cruds'), undefined, asking('in-force'))).toBe(
      'record-hidden consent-missing',
    );
  });
});

describe('a conditional reference', () => {
  const LABS = 'user/Observation.cruds?category=laboratory';
  const lab = (reference: string) => observation('1', reference, LAB);
  it.each<[string, string, string, string]>([
    ['of whoever may search the type', 'Patient?identifier=mrn|1', 'user/Patient.rs', 'permit'],
    ['of whoever may not', 'Patient?identifier=mrn|1', 'user/Practitioner.rs', SEARCHED],
    ['of whoever may search some', 'Patient?identifier=mrn|1', 'user/Patient.rs?identifier=x', SEARCHED],
    ['that is a chain', 'Patient?organization.name=x', 'user/Patient.rs', SEARCHED],
    ['that is a chain, of whoever may search all', 'Patient?organization.name=x', 'user/*.rs', 'permit'],
    ['that is a reversed chain', 'Patient?_has:Condition:patient:code=1', 'user/Patient.rs', SEARCHED],
    ['with a separator that some servers know', 'Patient?name=x;_has:A:b:c=1', 'user/Patient.rs', SEARCHED],
  ])('%s', (_what, reference, scope, expected) => {
    expect(effect(CREATE, lab(reference), staff(LABS, scope))).toBe(expected);
  });

  it('of a patient is for types that may be searched by other scopes', () => {
    const token = patientA('patient/*.cruds', 'user/Practitioner.s');
    expect(effect(CREATE, focus('Practitioner?identifier=1'), token)).toBe('permit');
    expect(effect(CREATE, focus('Organization?identifier=1'), token)).toBe(SEARCHED);
  });

  it('is no matter where a scope reaches all of the type: nothing is read', () => {
    expect(effect(CREATE, focus('Patient?name=Smith'), staff('user/Observation.c'))).toBe('as it is');
  });

  it('whoever writes a restricted part of everybody names whom they like', () => {
    expect(effect(CREATE, { ...focus('Patient/b'), ...LAB }, staff(LABS))).toBe('permit');
  });
});

describe('a patch with a patient/ scope', () => {
  const LINE = 'PATCH /fhir/Observation/1';
  const JSON_PATCH = 'application/json-patch+json';
  const MERGE_PATCH = 'application/merge-patch+json';
  const DENIED = 'forbidden patch-unsupported';
  const operation = (...part: JsonObject[]): Json => ({
    resourceType: 'Parameters',
    parameter: [{ name: 'operation', part }],
  });
  const add = { name: 'type', valueCode: 'add' };
  const replace = { name: 'type', valueCode: 'replace' };
  const path = (valueString: string) => ({ name: 'path', valueString });

  it.each<[string, Json, string | undefined, string]>([
    ['adds a search', [{ op: 'add', path: '/focus', value: [to('Patient?name=S')] }], JSON_PATCH, SEARCHED],
    ['adds another patient', [{ op: 'add', path: '/focus/-', value: to('Patient/b') }], JSON_PATCH, OTHERS],
    [
      'adds the text of a search',
      [{ op: 'replace', path: '/focus/0/reference', value: 'Patient?name=S' }],
      JSON_PATCH,
      SEARCHED,
    ],
    [
      'makes a text of the record a reference',
      [{ op: 'copy', from: '/note/0/text', path: '/focus/0/reference' }],
      JSON_PATCH,
      DENIED,
    ],
    [
      'copies a reference',
      [{ op: 'copy', from: '/hasMember/0/reference', path: '/focus/0/reference' }],
      JSON_PATCH,
      'permit',
    ],
    [
      'adds a practitioner',
      [{ op: 'add', path: '/focus/-', value: to('Practitioner/p') }],
      JSON_PATCH,
      'permit',
    ],
    ['adds a note', [{ op: 'add', path: '/note/-', value: { text: 'Patient?' } }], JSON_PATCH, 'permit'],
    ['has a path without end', [{ op: 'add', path: '/a'.repeat(4000), value: 1 }], JSON_PATCH, DENIED],
    ['merges a search', { focus: [to('Patient?name=S')] }, MERGE_PATCH, SEARCHED],
    ['merges another patient', { focus: [to('Patient/b')] }, MERGE_PATCH, OTHERS],
    ['merges a practitioner', { focus: [to('Practitioner/p')] }, MERGE_PATCH, 'permit'],
    [
      'adds a search, by FHIRPath Patch',
      operation(
        add,
        path('Observation'),
        { name: 'name', valueString: 'focus' },
        {
          name: 'value',
          valueReference: to('Patient?name=S'),
        },
      ),
      undefined,
      SEARCHED,
    ],
    [
      'replaces the text of a reference, by FHIRPath Patch',
      operation(replace, path('Observation.focus[0].reference'), {
        name: 'value',
        valueString: 'Patient?name=S',
      }),
      undefined,
      SEARCHED,
    ],
    [
      'adds the text of a reference, by FHIRPath Patch',
      operation(
        add,
        path('Observation.focus[0]'),
        { name: 'name', valueString: 'reference' },
        {
          name: 'value',
          valueString: 'Patient/b',
        },
      ),
      undefined,
      OTHERS,
    ],
    [
      'adds a reference in parts, by FHIRPath Patch',
      operation(
        add,
        path('Observation'),
        { name: 'name', valueString: 'focus' },
        {
          name: 'value',
          part: [{ name: 'reference', valueString: 'Patient?name=S' }],
        },
      ),
      undefined,
      SEARCHED,
    ],
    [
      'adds a note, by FHIRPath Patch',
      operation(replace, path('Observation.note[0].text'), { name: 'value', valueString: 'Patient?' }),
      undefined,
      'permit',
    ],
  ])('%s: %s', (_what, patch, mediaType, expected) => {
    expect(effect(LINE, patch, ALL, mediaType)).toBe(expected);
  });
});
