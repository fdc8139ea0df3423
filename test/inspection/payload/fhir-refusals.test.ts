import { describe, expect, it } from 'vitest';
import { said, send } from './support/requests.ts';

const CREATE = { version: 'R4', interaction: 'create' } as const;
const patient = (more: object) => ({ resourceType: 'Patient', ...more });
const observation = (more: object) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'weight' },
  ...more,
});
const div = (inner: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`;
const told = (inner: string) => patient({ text: { status: 'generated', div: div(inner) } });

const INVALID: readonly [reason: string, resource: object, found: string][] = [
  ['no type', { id: 'x' }, 'fhir-resource-type /resourceType'],
  ['a type that is none', { resourceType: 'Gizmo' }, 'fhir-resource-type /resourceType'],
  ['a type of data, which is no resource', { resourceType: 'HumanName' }, 'fhir-resource-type /resourceType'],
  ['an inherited name for a type', { resourceType: 'constructor' }, 'fhir-resource-type /resourceType'],
  ['an unknown element', patient({ maidenName: 'x' }), 'fhir-unknown-element /maidenName'],
  ['an inherited name for an element', patient({ constructor: 'x' }), 'fhir-unknown-element /constructor'],
  [
    'an unknown element deep inside',
    patient({ name: [{ middle: 'x' }] }),
    'fhir-unknown-element /name/0/middle',
  ],
  ['one where several are meant', patient({ name: { family: 'X' } }), 'fhir-type /name'],
  ['several where one is meant', patient({ birthDate: ['2001-01-01'] }), 'fhir-type /birthDate'],
  ['an empty list', patient({ name: [] }), 'fhir-empty /name'],
  ['an empty object', patient({ name: [{}] }), 'fhir-empty /name/0'],
  ['a number as a text', observation({ valueQuantity: { value: '7' } }), 'fhir-type /valueQuantity/value'],
  ['a truth value as a text', patient({ active: 'true' }), 'fhir-type /active'],
  ['null', patient({ birthDate: null }), 'fhir-type /birthDate'],
  ['two values of a choice', observation({ valueString: 'a', valueInteger: 1 }), 'fhir-choice /valueInteger'],
  [
    'a value and the extension of another of a choice',
    observation({ valueString: 'a', _valueInteger: { id: 'x' } }),
    'fhir-choice /_valueInteger',
  ],
  ['no code', { resourceType: 'Observation', status: 'final' }, 'fhir-required /code'],
  [
    'no required choice',
    { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { display: 'x' } },
    'fhir-required /medicationCodeableConcept',
  ],
  ['a status that there is not', observation({ status: 'finished' }), 'fhir-code /status'],
  ['a gender that there is not', patient({ gender: 'M' }), 'fhir-code /gender'],
  ['a day that there is not', patient({ birthDate: '2023-02-29' }), 'fhir-form-date /birthDate'],
  ['a month that there is not', patient({ birthDate: '2023-13' }), 'fhir-form-date /birthDate'],
  ['a date as Americans write it', patient({ birthDate: '12/25/1973' }), 'fhir-form-date /birthDate'],
  [
    'a time without a zone',
    observation({ effectiveDateTime: '2020-01-01T10:00:00' }),
    'fhir-form-dateTime /effectiveDateTime',
  ],
  ['an instant that is a date', observation({ issued: '2020-01-01' }), 'fhir-form-instant /issued'],
  ['an id with a slash', patient({ id: 'a/b' }), 'fhir-form-id /id'],
  ['an id too long', patient({ id: 'a'.repeat(65) }), 'fhir-form-id /id'],
  ['a text of white space', patient({ name: [{ family: '  ' }] }), 'fhir-form-string /name/0/family'],
  ['a text with NUL', patient({ name: [{ family: 'a\0b' }] }), 'fhir-form-string /name/0/family'],
  ['a code with a line end', patient({ language: 'en\nde' }), 'fhir-form-code /language'],
  ['an address with a space', patient({ implicitRules: 'http://a b' }), 'fhir-form-uri /implicitRules'],
  ['an integer with a fraction', patient({ multipleBirthInteger: 1.5 }), 'fhir-type /multipleBirthInteger'],
  [
    'an integer beyond 32 bits',
    patient({ multipleBirthInteger: 3_000_000_000 }),
    'fhir-range /multipleBirthInteger',
  ],
  [
    'base64 that is none',
    { resourceType: 'Binary', contentType: 'text/plain', data: 'a b c!' },
    'fhir-form-base64Binary /data',
  ],
  [
    'a reference in no form',
    observation({ subject: { reference: 'javascript:alert(1)' } }),
    'fhir-form-reference /subject/reference',
  ],
  [
    'a reference out of the folder',
    observation({ subject: { reference: 'Patient/../Admin/1' } }),
    'fhir-form-reference /subject/reference',
  ],
  [
    'a reference to a type that is none',
    observation({ subject: { reference: 'Gizmo/1' } }),
    'fhir-form-reference /subject/reference',
  ],
  [
    'a reference to nothing contained',
    observation({ subject: { reference: '#p' } }),
    'fhir-reference-contained /contained',
  ],
  [
    'something contained without an id',
    observation({ contained: [patient({})] }),
    'fhir-required /contained/0/id',
  ],
  [
    'something contained that contains',
    observation({ contained: [patient({ id: 'p', contained: [patient({ id: 'q' })] })] }),
    'fhir-contained /contained/0/contained',
  ],
  [
    'something contained that is invalid',
    observation({ contained: [patient({ id: 'p', gender: 'x' })] }),
    'fhir-code /contained/0/gender',
  ],
  [
    'an extension without its address',
    patient({ extension: [{ valueString: 'x' }] }),
    'fhir-required /extension/0/url',
  ],
  [
    'an extension that is invalid inside',
    patient({ extension: [{ url: 'http://a', valueDate: 'x' }] }),
    'fhir-form-date /extension/0/valueDate',
  ],
  [
    'null in a list with nothing beside it',
    patient({ name: [{ given: ['a', null] }] }),
    'fhir-primitive-list /name/0/given',
  ],
  [
    'lists beside each other of different length',
    patient({ name: [{ given: ['a'], _given: [null, { id: 'x' }] }] }),
    'fhir-primitive-list /name/0/given',
  ],
  [
    'something beside a primitive that is none of it',
    patient({ _birthDate: { value: 'x' } }),
    'fhir-unknown-element /_birthDate/value',
  ],
  ['a script in a narrative', told('<script>alert(1)</script>'), 'fhir-narrative-element /text/div'],
  ['a handler in a narrative', told('<p onclick="x()">a</p>'), 'fhir-narrative-attribute /text/div'],
  ['a frame in a narrative', told('<iframe src="http://a"></iframe>'), 'fhir-narrative-element /text/div'],
  ['a form in a narrative', told('<form action="http://a"></form>'), 'fhir-narrative-element /text/div'],
  ['a script behind a link', told('<a href="javascript:alert(1)">a</a>'), 'fhir-narrative-link /text/div'],
  [
    'a script behind a link, spelt otherwise',
    told('<a href="&#106;ava&#10;script:alert(1)">a</a>'),
    'fhir-narrative-link /text/div',
  ],
  ['a page behind a link', told('<a href="data:text/html,x">a</a>'), 'fhir-narrative-link /text/div'],
  [
    'a drawing that runs',
    told('<img src="data:image/svg+xml;base64,AAAA"/>'),
    'fhir-narrative-link /text/div',
  ],
  [
    'a style that loads',
    told('<p style="background:url(http://a/x.png)">a</p>'),
    'fhir-narrative-style /text/div',
  ],
  [
    'a style that loads, spelt otherwise',
    told('<p style="background:u\\72l(http://a)">a</p>'),
    'fhir-narrative-style /text/div',
  ],
  ['a style element', told('<style>p{}</style>'), 'fhir-narrative-element /text/div'],
  ['an SVG', told('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'fhir-narrative-element /text/div'],
  ['elements that cross', told('<b><i>a</b></i>'), 'fhir-narrative-form /text/div'],
  ['an element that is not closed', told('<p>a'), 'fhir-narrative-form /text/div'],
  ['an entity that XML does not know', told('a&nbsp;b'), 'fhir-narrative-form /text/div'],
  ['a bare ampersand', told('a & b'), 'fhir-narrative-form /text/div'],
  ['a comment that ends early in HTML', told('<!--><img src="x"/>-->'), 'fhir-narrative-form /text/div'],
  ['a document type', told('<!DOCTYPE x>'), 'fhir-narrative-form /text/div'],
  ['an instruction', told('<?php x ?>'), 'fhir-narrative-form /text/div'],
  ['character data', told('<![CDATA[x]]>'), 'fhir-narrative-form /text/div'],
  ['an element in capitals', told('<P>a</P>'), 'fhir-narrative-element /text/div'],
  ['the same attribute twice', told('<p class="a" class="b">a</p>'), 'fhir-narrative-form /text/div'],
  ['an attribute without quotes', told('<p class=a>a</p>'), 'fhir-narrative-form /text/div'],
  [
    'no namespace',
    patient({ text: { status: 'generated', div: '<div>a</div>' } }),
    'fhir-narrative-form /text/div',
  ],
  [
    'something after the narrative',
    patient({ text: { status: 'generated', div: `${div('a')}<p/>` } }),
    'fhir-narrative-form /text/div',
  ],
  ['a narrative too deep', told('<b>'.repeat(100) + '</b>'.repeat(100)), 'fhir-narrative-form /text/div'],
];

describe('a resource is refused with', () => {
  it.each(INVALID)('%s', (_, resource, found) => {
    const type = (resource as { resourceType?: string }).resourceType ?? 'Patient';
    const path = /^(?:Gizmo|HumanName|constructor)$/.test(type) ? '/fhir/Patient' : `/fhir/${type}`;
    expect(said(send(CREATE, path, resource))).toBe(found);
  });
});

const VALID: readonly [string, object][] = [
  [
    'a required value whose absence is explained',
    observation({ status: undefined, _status: { extension: [{ url: 'http://a', valueCode: 'unknown' }] } }),
  ],
  [
    'an extension in place of one of several',
    patient({ name: [{ given: ['a', null], _given: [null, { id: 'x' }] }] }),
  ],
  ['a reference to itself', observation({ subject: { reference: '#' } })],
  [
    'a reference to something contained',
    observation({ contained: [patient({ id: 'p' })], subject: { reference: '#p' } }),
  ],
  ['a versioned reference', observation({ subject: { reference: 'Patient/1/_history/2' } })],
  ['a leap day', patient({ birthDate: '2024-02-29' })],
  ['a leap second', observation({ issued: '2016-12-31T23:59:60Z' })],
  [
    'a narrative with a table, an image and a style',
    told(
      '<table border="1"><tr><td style="color:red">&lt;5 mg</td></tr></table><img src="data:image/png;base64,AAAA" alt="x"/><br/><!-- checked -->',
    ),
  ],
];

describe('a resource passes with', () => {
  it.each(VALID)('%s', (_, resource) => {
    const plain = JSON.parse(JSON.stringify(resource));
    expect(said(send(CREATE, `/fhir/${plain.resourceType}`, plain))).toBe('');
  });
});

it('no finding echoes a value or an odd name', () => {
  const name = `x${'<script>'.repeat(30)}`;
  const found = send(CREATE, '/fhir/Patient', patient({ [name]: 'secret' }));
  expect(found?.place).toMatch(/^\/[A-Za-z0-9_.:-]{64}$/);
  expect(JSON.stringify(found)).not.toMatch(/secret|</);
  expect(found?.status).toBe('bad-request');
});

const OLDER: readonly [version: 'STU3' | 'DSTU2', resource: object, found: string][] = [
  ['STU3', observation({ comment: 'x', context: { reference: 'Encounter/1' } }), ''],
  ['STU3', observation({ encounter: { reference: 'Encounter/1' } }), 'fhir-unknown-element /encounter'],
  ['STU3', observation({ status: 'x' }), 'fhir-code /status'],
  ['STU3', { resourceType: 'Observation', status: 'final' }, 'fhir-required /code'],
  ['DSTU2', observation({ comments: 'x', encounter: { reference: 'Encounter/1' } }), ''],
  ['DSTU2', observation({ comment: 'x' }), 'fhir-unknown-element /comment'],
  ['DSTU2', observation({ valueQuantity: { value: 'x' } }), 'fhir-type /valueQuantity/value'],
  [
    'DSTU2',
    { resourceType: 'MedicationOrder', status: 'active', medicationCodeableConcept: { text: 'x' } },
    '',
  ],
  ['DSTU2', { resourceType: 'MedicationRequest', intent: 'order' }, 'fhir-resource-type path:1'],
];

describe('earlier versions have their own definitions', () => {
  it.each(OLDER)('%s %o', (version, resource, found) => {
    const type = (resource as { resourceType: string }).resourceType;
    expect(said(send({ version, interaction: 'create' }, `/fhir/${type}`, resource))).toBe(found);
  });
});
