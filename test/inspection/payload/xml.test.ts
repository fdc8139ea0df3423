import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PayloadDemand } from '../../../contracts/payload.ts';
import { definitionsOf } from '../../../inspection/payload/fhir/definitions.ts';
import { readFhirXml } from '../../../inspection/payload/fhir/xml.ts';
import { compileXsd } from '../../../inspection/payload/xml/xsd.ts';
import { fhirXml } from './support/fhir-xml.ts';
import { factsOf, inspector, routeOf, said, send, xmlContent } from './support/requests.ts';

const CREATE = { version: 'R4', interaction: 'create' } as const;
const R4 = definitionsOf('R4');
const patient = (inner: string) => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`;
const create = (text: string) => said(send(CREATE, '/fhir/Patient', text));

const HOSTILE: readonly [reason: string, text: string, found: string][] = [
  [
    'entities that multiply',
    `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${patient('<id value="&b;"/>')}`,
    'xml-doctype ',
  ],
  [
    'an external entity',
    `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${patient('<id value="&a;"/>')}`,
    'xml-doctype ',
  ],
  ['an external document type', `<!DOCTYPE x SYSTEM "http://a/x.dtd">${patient('')}`, 'xml-doctype '],
  ['a document type in small letters', `<!doctype x>${patient('')}`, 'xml-doctype '],
  ['a document type behind a comment', `<!-- <!-- --><!DOCTYPE x>${patient('')}`, 'xml-doctype '],
  ['an entity that nobody declared', patient('<id value="&a;"/>'), 'xml-syntax '],
  [
    'an inclusion',
    patient('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'),
    'xml-inclusion /Patient/include',
  ],
  ['a style sheet', `<?xml-stylesheet href="http://a/x.xsl"?>${patient('')}`, 'xml-instruction '],
  ['an instruction inside', patient('<?php echo 1 ?>'), 'xml-instruction '],
  [
    'a schema to fetch',
    '<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir http://evil.example/x.xsd"/>',
    'xml-schema-location /Patient',
  ],
  ['no end', '<Patient xmlns="http://hl7.org/fhir">', 'xml-syntax '],
  ['two roots', `${patient('')}${patient('')}`, 'xml-syntax '],
  [
    'elements without number in each other',
    patient('<extension url="a">'.repeat(200) + '</extension>'.repeat(200)),
    'xml-depth ',
  ],
  [
    'an attribute twice',
    '<Patient xmlns="http://hl7.org/fhir"><id value="a" value="b"/></Patient>',
    'xml-syntax ',
  ],
  ['a prefix that nobody declared', '<f:Patient/>', 'xml-syntax '],
  ['nothing', '', 'xml-syntax '],
  ['elements without number beside each other', patient('<a/>'.repeat(100_001)), 'xml-size '],
  ['no measure', patient(' '.repeat(5_000_000)), 'xml-size '],
];

describe('XML is refused with', () => {
  it.each(HOSTILE)('%s', (_, text, found) => {
    expect(create(text)).toBe(found);
  });

  it.each(HOSTILE)('%s, on a route that says nothing of payloads', (_, text, found) => {
    if (text.includes('Patient') && !found.startsWith('xml-')) return;
    expect(said(inspector.content(factsOf({}), routeOf(undefined), xmlContent(text, 'text/xml')))).toBe(
      found,
    );
  });
});

const INVALID: readonly [reason: string, text: string, found: string][] = [
  ['no namespace', '<Patient><active value="true"/></Patient>', 'fhir-resource-type /Patient'],
  ['an unknown element', patient('<maidenName value="x"/>'), 'fhir-unknown-element /Patient/maidenName'],
  [
    'an element of another namespace',
    patient('<a:active xmlns:a="urn:a" value="true"/>'),
    'fhir-unknown-element /Patient/active',
  ],
  ['an unknown attribute', patient('<active value="true" x="1"/>'), 'fhir-xml-attribute /Patient/active'],
  ['another order', patient('<active value="true"/><id value="1"/>'), 'fhir-xml-order /Patient/id'],
  [
    'one thing twice',
    patient('<active value="true"/><active value="false"/>'),
    'fhir-cardinality /Patient/active/1',
  ],
  ['a truth value that is none', patient('<active value="1"/>'), 'fhir-type /Patient/active'],
  [
    'a number that is none',
    patient('<multipleBirthInteger value="0x10"/>'),
    'fhir-type /Patient/multipleBirthInteger',
  ],
  ['text between elements', patient('text'), 'fhir-xml-text /Patient'],
  ['an element that says nothing', patient('<active/>'), 'fhir-empty /Patient/active'],
  [
    'two values of a choice',
    patient('<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>'),
    'fhir-choice /deceasedDateTime',
  ],
  ['a code that there is not', patient('<gender value="M"/>'), 'fhir-code /gender'],
  [
    'a script in a narrative',
    patient(
      '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div></text>',
    ),
    'fhir-narrative-element /text/div',
  ],
  [
    'something contained twice in one place',
    patient(
      '<contained><Person xmlns="http://hl7.org/fhir"><id value="a"/></Person><Person><id value="b"/></Person></contained>',
    ),
    'fhir-resource-type /Patient/contained',
  ],
];

describe('FHIR in XML is refused with', () => {
  it.each(INVALID)('%s', (_, text, found) => {
    expect(create(text)).toBe(found);
  });
});

it('the official examples, written as XML, are read back as they were, and are valid', () => {
  const lines = readFileSync(
    new URL('../../../../shared/data/fhir/r4-examples.ndjson', import.meta.url),
    'utf8',
  );
  for (const line of lines.trim().split('\n')) {
    const resource = JSON.parse(line);
    const text = fhirXml(resource, R4);
    const read = readFhirXml(text, R4);
    expect('resource' in read ? withoutDivs(read.resource) : read).toEqual(withoutDivs(resource));
    expect(said(send(CREATE, `/fhir/${resource.resourceType}`, text)), resource.id).toBe('');
  }
});

const NOTE = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:n" xmlns="urn:n" elementFormDefault="qualified">
  <xs:include schemaLocation="../common/types.xsd"/>
  <xs:element name="Note"><xs:complexType><xs:sequence>
    <xs:element name="Line" type="Line" maxOccurs="3"/>
  </xs:sequence></xs:complexType></xs:element></xs:schema>`;
const TYPES = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:n" xmlns="urn:n">
  <xs:simpleType name="Line"><xs:restriction base="xs:string"><xs:maxLength value="10"/></xs:restriction></xs:simpleType></xs:schema>`;
const XSD: PayloadDemand = {
  xsd: [
    { name: 'schemas/note.xsd', text: NOTE },
    { name: 'types.xsd', text: TYPES },
  ],
};

describe('an XML Schema', () => {
  const judge = (inner: string) =>
    inspector.content(
      factsOf({}),
      routeOf(undefined, XSD),
      xmlContent(`<Note xmlns="urn:n">${inner}</Note>`, 'text/xml'),
    );

  it('is satisfied, or says where it is not, without the value', () => {
    expect(judge('<Line>a</Line>')).toBeUndefined();
    const found = judge('<Line>a</Line><Line>secretsecret</Line>');
    expect(found).toEqual({
      status: 'unprocessable',
      reason: 'payload-invalid',
      place: '/Note/Line/1',
      rule: 'xml-schema',
    });
    expect(said(judge('<Word>a</Word>'))).toBe('xml-schema /Note/Word');
    expect(said(judge(''))).toBe('xml-schema /Note');
  });

  it('takes no schema from the document', () => {
    const inner =
      '<Line xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="file:///tmp/x.xsd">a</Line>';
    expect(said(judge(inner))).toBe('xml-schema-location /Note/Line');
  });

  it('takes no other kind of body', () => {
    const json = {
      kind: 'json',
      mediaType: 'application/json',
      bytes: Buffer.from('{}'),
      value: {},
    } as const;
    expect(inspector.content(factsOf({}), routeOf(undefined, XSD), json)).toMatchObject({
      status: 'unsupported-media',
    });
  });

  it.each([
    ['that is none', [{ name: 'a.xsd', text: '<x/>' }], /not a schema document/],
    ['that is no XML', [{ name: 'a.xsd', text: '<x' }], /line 1/],
    ['that includes what is not given', [{ name: 'note.xsd', text: NOTE }], /types\.xsd/],
    [
      'that includes a file of this machine',
      [
        {
          name: 'a.xsd',
          text: '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="file:///etc/hostname"/></xs:schema>',
        },
      ],
      /hostname/,
    ],
    ['with a document type', [{ name: 'a.xsd', text: '<!DOCTYPE x><x/>' }], /document type/],
  ])('%s is a fault of the settings', (_, files, message) => {
    const compiled = compileXsd(files);
    expect(compiled.ok ? '' : compiled.message).toMatch(message);
  });
});

it('whatever the bytes, the XML reader says what is wrong and nothing else', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '/',
    '<Patient xmlns="http://hl7.org/fhir">',
    '</Patient>',
    '<id value="1"/>',
    '&lt;',
    '&#0;',
    '&x;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE a>',
    '<?x?>',
    ' ',
    '\u0000',
    '\ud800',
    'é',
    '"',
    "'",
    '=',
    'xmlns:a="b"',
    '<a:b/>',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 12 }), (parts) => {
      expect(create(parts.join(''))).not.toMatch(/unjudged/);
    }),
    { numRuns: 1500 },
  );
});

/** Narratives are written anew by the parser. */
function withoutDivs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDivs);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === 'div' ? '' : withoutDivs(each)]),
  );
}
