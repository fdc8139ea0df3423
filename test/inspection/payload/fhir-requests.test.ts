import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FhirVersion } from '../../../contracts/policy.ts';
import { factsOf, formContent, inspector, jsonContent, routeOf, said, send } from './support/requests.ts';

const ask = (interaction: string, path: string, query = '', version: FhirVersion = 'R4') =>
  said(inspector.head(factsOf({ path, query }), routeOf({ version, interaction })));

describe('paths', () => {
  it.each([
    ['read', '/fhir/Patient/1', ''],
    ['read', '/fhir/Gizmo/1', 'fhir-resource-type path:1'],
    ['read', "/fhir/Patient/1' or '1", 'fhir-form-id path:2'],
    ['read', '/fhir/patient/1', 'fhir-resource-type path:1'],
    ['vread', '/fhir/Patient/1/_history/2', ''],
    ['vread', '/fhir/Patient/1/history/2', 'fhir-path path:3'],
    ['vread', '/fhir/Patient/1/_history/$x', 'fhir-form-id path:4'],
    ['history-type', '/fhir/Patient/_history', ''],
    ['compartment-search', '/fhir/Patient/1/Observation', ''],
    ['compartment-search', '/fhir/Patient/1/*', ''],
    ['compartment-search', '/fhir/Patient/1/x', 'fhir-resource-type path:3'],
    ['operation:everything', '/fhir/Patient/1/$everything', ''],
    ['operation:everything', "/fhir/Patient/1'/$everything", 'fhir-form-id path:2'],
    ['operation:everything', '/fhir/Patient/1/everything', 'fhir-path path:3'],
    ['search-system', '/fhir', ''],
    ['capabilities', '/fhir/metadata', ''],
  ])('%s %s', (interaction, path, found) => {
    expect(ask(interaction, path)).toBe(found);
  });

  it('types are those of the version', () => {
    expect(ask('read', '/fhir/MedicationOrder/1', '', 'DSTU2')).toBe('');
    expect(ask('read', '/fhir/MedicationOrder/1')).toBe('fhir-resource-type path:1');
  });
});

const SEARCHES: readonly [query: string, found: string][] = [
  ['_id=1', ''],
  ['family=O%27Brien', ''],
  ['family:exact=van+den+Berg', ''],
  ['birthdate=ge2000-01-01&birthdate=lt2001', ''],
  ['birthdate=2000-02-31T10:00', ''],
  ['birthdate=2000-01-01T10:00:00%2B01:00', ''],
  ['identifier=http://a|1,http://b|2', ''],
  ['gender:not=male', ''],
  ['active:missing=true', ''],
  ['organization=Organization/1', ''],
  ['organization:Organization=1', ''],
  ['organization.name=x', ''],
  ['general-practitioner:Practitioner.family=x', ''],
  ['_has:Observation:patient:code=1234-5', ''],
  ['_lastUpdated=gt2020-01-01T00:00:00Z', ''],
  ['_include=Patient:organization&_revinclude=Observation:subject&_count=10&_sort=-birthdate,family', ''],
  ['_include:iterate=Patient:link', ''],
  ['_summary=count&_total=accurate&_format=application/fhir%2Bjson&_elements=id,name', ''],
  ['_getpages=0b1c&_getpagesoffset=20', ''],
  ['familie=x', 'fhir-search-parameter query:familie'],
  ['constructor=x', 'fhir-search-parameter query:constructor'],
  ['code=x', 'fhir-search-parameter query:code'],
  ['birthdate=yesterday', 'fhir-search-value query:birthdate'],
  ["birthdate=2000-01-01' or 1=1--", 'fhir-search-value query:birthdate'],
  ['birthdate=ne', 'fhir-search-value query:birthdate'],
  ['birthdate=2000-13', 'fhir-search-value query:birthdate'],
  ['birthdate=2000-01-01,x', 'fhir-search-value query:birthdate'],
  ['family:missing=perhaps', 'fhir-search-value query:family:missing'],
  ['family:text=x', ''],
  ['birthdate:exact=2000', 'fhir-search-parameter query:birthdate:exact'],
  ['family:sounds=x', 'fhir-search-parameter query:family:sounds'],
  ['family.name=x', 'fhir-search-parameter query:family.name'],
  ['organization=Organization/../1', 'fhir-search-value query:organization'],
  ['organization:Gizmo=1', 'fhir-search-parameter query:organization:Gizmo'],
  ['organization.nothing=1', 'fhir-search-parameter query:organization.nothing'],
  ['_has:Observation:code:code=1', 'fhir-search-parameter query:_has:Observation:code:code'],
  ['_has:Gizmo:patient:code=1', 'fhir-search-parameter query:_has:Gizmo:patient:code'],
  ['_count=all', 'fhir-search-value query:_count'],
  ['_sort=name;drop', 'fhir-search-value query:_sort'],
  ['_include=Patient', 'fhir-search-value query:_include'],
  ['_summary=everything', 'fhir-search-value query:_summary'],
  ['_format=../x', 'fhir-search-value query:_format'],
  ['family=a%00b', 'fhir-search-value query:family'],
  ['gender=a%0Ab', 'fhir-search-value query:gender'],
];

describe('search parameters', () => {
  it.each(SEARCHES)('%s', (query, found) => {
    expect(ask('search-type', '/fhir/Patient', query)).toBe(found);
  });

  it.each(SEARCHES)('in a form: %s', (query, found) => {
    const content = formContent(query);
    const facts = factsOf({ method: 'POST', path: '/fhir/Patient/_search', body: true });
    const route = routeOf({ version: 'R4', interaction: 'search-post' });
    expect(said(inspector.content(facts, route, content))).toBe(found.replace('query:', 'form:'));
  });

  it('are typed by resource: quantities, numbers, references', () => {
    const search = (query: string) => ask('search-type', '/fhir/Observation', query);
    expect(search('value-quantity=gt5.4|http://unitsofmeasure.org|mg')).toBe('');
    expect(search('value-quantity=much')).toBe('fhir-search-value query:value-quantity');
    expect(search('subject=Patient/1,http://a/Patient/2')).toBe('');
    expect(search('code-value-quantity=http://loinc.org|1234$gt5')).toBe('');
    expect(ask('search-type', '/fhir/RiskAssessment', 'probability=gt0.8')).toBe('');
    expect(ask('search-type', '/fhir/RiskAssessment', 'probability=likely')).toMatch(/^fhir-search-value/);
  });

  it('of the back end count where the settings name them', () => {
    const route = routeOf(
      { version: 'R4', interaction: 'search-type' },
      { searchParameters: { 'ward-number': 'number' } },
    );
    const search = (query: string) => said(inspector.head(factsOf({ path: '/fhir/Patient', query }), route));
    expect(search('ward-number=3')).toBe('');
    expect(search('ward-number=three')).toBe('fhir-search-value query:ward-number');
  });

  it('are those of a conditional create, too', () => {
    const create = (condition: string) =>
      said(
        inspector.head(
          factsOf({ method: 'POST', path: '/fhir/Patient', headers: { 'if-none-exist': condition } }),
          routeOf({ version: 'R4', interaction: 'create' }),
        ),
      );
    expect(create('identifier=http://a|1')).toBe('');
    expect(create('birthdate=soon')).toBe('fhir-search-value header:if-none-exist');
    expect(create('nothing=1')).toBe('fhir-search-parameter header:if-none-exist');
    expect(create('identifier=%ff')).toBe('fhir-bundle-url header:if-none-exist');
  });

  it('are none of a read', () => {
    expect(ask('read', '/fhir/Patient/1', '_format=json&_pretty=true')).toBe('');
    expect(ask('read', '/fhir/Patient/1', 'family=x')).toBe('fhir-search-parameter query:family');
    expect(ask('read', '/fhir/Patient/1', '_id=2')).toMatch(/^fhir-search-parameter/);
  });

  it('of an operation are plain names with plain texts', () => {
    expect(ask('operation:everything', '/fhir/Patient/1/$everything', 'start=2020-01-01&_count=10')).toBe('');
    expect(ask('operation:everything', '/fhir/Patient/1/$everything', 'a%20b=1')).toMatch(
      /^fhir-search-parameter/,
    );
    expect(ask('operation:everything', '/fhir/Patient/1/$everything', '_count=x')).toBe(
      'fhir-search-value query:_count',
    );
  });

  it('whatever their names and values, are judged without an error', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, value) => {
        const query = new URLSearchParams([[name, value]]).toString();
        expect(ask('search-type', '/fhir/Patient', query)).not.toMatch(/unjudged/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a batch', () => {
  const R4 = { version: 'R4', interaction: 'batch' } as const;
  const entry = (method: string, url: string, resource?: object) => ({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ ...(resource === undefined ? {} : { resource }), request: { method, url } }],
  });
  const patient = { resourceType: 'Patient', id: '1', active: true };
  const at = '/entry/0';

  it.each([
    ['POST', 'Patient', patient, ''],
    ['PUT', 'Patient/1', patient, ''],
    ['PUT', 'Patient?identifier=a|b', patient, ''],
    ['GET', 'Patient?family=x', undefined, ''],
    ['DELETE', 'Patient/1', undefined, ''],
    [
      'POST',
      'Patient/$match',
      { resourceType: 'Parameters', parameter: [{ name: 'a', valueString: 'b' }] },
      '',
    ],
    ['PUT', 'Patient/2', patient, `fhir-url-id ${at}/resource/id`],
    ['POST', 'Person', patient, `fhir-url-type ${at}/resource/resourceType`],
    ['POST', 'Patient', undefined, `fhir-required ${at}/resource`],
    ['GET', 'Patient/1', patient, `fhir-bundle-resource ${at}/resource`],
    ['GET', 'http://elsewhere/Patient/1', undefined, `fhir-bundle-url ${at}/request/url`],
    ['GET', 'Patient/../admin', undefined, `fhir-bundle-url ${at}/request/url`],
    ['GET', 'Patient/%2e%2e', undefined, `fhir-bundle-url ${at}/request/url`],
    ['GET', 'admin/users', undefined, `fhir-bundle-url ${at}/request/url`],
    ['GET', 'Patient?birthdate=x', undefined, `fhir-search-value ${at}/request/url`],
    ['GET', 'Patient?nothing=x', undefined, `fhir-search-parameter ${at}/request/url`],
    ['TRACE', 'Patient/1', undefined, `fhir-code ${at}/request/method`],
    ['POST', 'Patient', { ...patient, gender: 'x' }, `fhir-code ${at}/resource/gender`],
  ])('%s %s', (method, url, resource, found) => {
    expect(said(send(R4, '/fhir', entry(method, url, resource)))).toBe(found);
  });

  it('is a batch or a transaction and nothing else', () => {
    expect(said(send(R4, '/fhir', patient))).toBe('fhir-url-type /resourceType');
    expect(said(send(R4, '/fhir', { resourceType: 'Bundle', type: 'history' }))).toBe(
      'fhir-bundle-type /type',
    );
  });
});

describe('a patch', () => {
  const send1 = (patch: unknown, mediaType = 'application/json-patch+json') =>
    said(send({ version: 'R4', interaction: 'patch' }, '/fhir/Patient/1', patch, mediaType));

  it.each([
    [[{ op: 'replace', path: '/active', value: false }], ''],
    [[{ op: 'move', from: '/name/0', path: '/name/-' }], ''],
    [[{ op: 'test', path: '/id', value: '1' }], ''],
    [[{ op: 'replace', path: '/id', value: '2' }], 'json-patch-identity /0/path'],
    [[{ op: 'remove', path: '/resourceType' }], 'json-patch-identity /0/path'],
    [[{ op: 'merge', path: '/a', value: 1 }], 'json-patch /0/op'],
    [[{ op: 'constructor', path: '/a' }], 'json-patch /0/op'],
    [[{ op: 'add', path: '/a' }], 'json-patch /0/value'],
    [[{ op: 'add', path: '/__proto__.x', value: 1 }], 'json-patch /0/path'],
    [[{ op: 'add', path: 'a', value: 1 }], 'json-patch /0/path'],
    [[{ op: 'add', path: '/a', value: 1, more: 1 }], 'json-patch /0'],
    [[], 'json-patch '],
    [[null], 'json-patch /0'],
  ])('%j', (patch, found) => {
    expect(send1(patch)).toBe(found);
  });

  it('comes in a form that was asked for', () => {
    expect(send1([{ op: 'remove', path: '/a' }], 'application/json')).toBe('fhir-media-type ');
    const parameters = { resourceType: 'Parameters', parameter: [{ name: 'operation', valueString: 'x' }] };
    expect(send1(parameters, 'application/fhir+json')).toBe('');
    expect(send1({ resourceType: 'Patient' }, 'application/fhir+json')).toBe('fhir-url-type /resourceType');
  });
});

it('a body of another kind is unsupported, but for a Binary', () => {
  const opaque = { kind: 'opaque', mediaType: 'image/png', bytes: Buffer.from('x') } as const;
  const create = routeOf({ version: 'R4', interaction: 'create' });
  const facts = (type: string) => factsOf({ method: 'POST', path: `/fhir/${type}`, body: true });
  expect(inspector.content(facts('Patient'), create, opaque)).toMatchObject({
    status: 'unsupported-media',
    reason: 'media-type-unsupported',
    rule: 'fhir-media-type',
  });
  expect(inspector.content(facts('Binary'), create, opaque)).toBeUndefined();
  expect(said(inspector.content(facts('Patient'), create, jsonContent('x')))).toBe('fhir-type ');
  const read = routeOf({ version: 'R4', interaction: 'read' });
  expect(
    said(
      inspector.content(
        factsOf({ path: '/fhir/Patient/1' }),
        read,
        jsonContent({ resourceType: 'Patient', active: true }),
      ),
    ),
  ).toBe('fhir-body-unexpected ');
});

it('bytes are streamed to a Binary, and refused by their media type anywhere else', () => {
  const create = routeOf({ version: 'R4', interaction: 'create' });
  const head = (type: string) =>
    said(
      inspector.head(
        factsOf({ method: 'POST', path: `/fhir/${type}`, body: true, mediaType: 'image/png' }),
        create,
      ),
    );
  expect(inspector.wants(create.route, 'image/png')).toBe(false);
  expect(inspector.wants(create.route, 'application/fhir+json')).toBe(true);
  expect(head('Binary')).toBe('');
  expect(head('Patient')).toBe('fhir-media-type ');
});

it('a route that accepts invalid FHIR accepts it, and says so in so many words', () => {
  const route = routeOf({ version: 'R4', interaction: 'create' }, { acceptInvalidFhir: true });
  const facts = factsOf({ method: 'POST', path: '/fhir/Patient', body: true });
  expect(inspector.content(facts, route, jsonContent({ resourceType: 'Patient', x: 1 }))).toBeUndefined();
});
