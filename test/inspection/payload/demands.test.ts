import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Content, FormPart } from '../../../contracts/content.ts';
import type { FieldRule, PayloadDemand } from '../../../contracts/payload.ts';
import { payloadFaults } from '../../../inspection/index.ts';
import { factsOf, formContent, inspector, jsonContent, routeOf, said } from './support/requests.ts';

const judge = (demand: PayloadDemand, content: Content) =>
  said(inspector.content(factsOf({ method: 'POST', body: true }), routeOf(undefined, demand), content));
const ask = (demand: PayloadDemand, query: string) =>
  said(inspector.head(factsOf({ query }), routeOf(undefined, demand)));

const FIELDS: Readonly<Record<string, FieldRule>> = {
  pid: { type: 'integer', required: true, minimum: 1, maximum: 9999 },
  note: { type: 'text', maxLength: 20 },
  title: { type: 'line' },
  when: { type: 'date' },
  at: { type: 'date-time' },
  slot: { type: 'enum', values: ['morning', 'evening'] },
  mail: { type: 'email' },
  dose: { type: 'decimal' },
  tag: { type: 'word', repeated: true },
  urgent: { type: 'boolean' },
  hour: { type: 'time' },
};

const FORMS: readonly [query: string, found: string][] = [
  ['pid=7', ''],
  ['pid=7&note=&when=&slot=', ''],
  ['pid=7&note=two%0Alines&title=one+line', ''],
  ['pid=7&when=2024-02-29&at=2024-02-29T10:30&hour=10:30', ''],
  ['pid=7&slot=morning&mail=a@b.example&dose=-1.5&tag=a&tag=b&urgent=on', ''],
  ['note=x', 'field-missing KIND:pid'],
  ['pid=', 'field-integer KIND:pid'],
  ['pid=7&admin=1', 'field-unknown KIND:admin'],
  ['pid=7&constructor=1', 'field-unknown KIND:constructor'],
  ['pid=7&pid=8', 'field-repeated KIND:pid'],
  ["pid=7' or '1'='1", 'field-integer KIND:pid'],
  ['pid=1e3', 'field-integer KIND:pid'],
  ['pid=0', 'field-range KIND:pid'],
  ['pid=10000', 'field-range KIND:pid'],
  ['pid=7&note=123456789012345678901', 'field-length KIND:note'],
  ['pid=7&title=two%0Alines', 'field-line KIND:title'],
  ['pid=7&when=2023-02-29', 'field-date KIND:when'],
  ['pid=7&when=2023-02', 'field-date KIND:when'],
  ['pid=7&at=2023-02-29T10:30', 'field-date-time KIND:at'],
  ['pid=7&slot=noon', 'field-enum KIND:slot'],
  ['pid=7&mail=a@b@c', 'field-email KIND:mail'],
  ['pid=7&mail=a%0A@b', 'field-email KIND:mail'],
  ['pid=7&dose=NaN', 'field-decimal KIND:dose'],
  ['pid=7&tag=a-b&tag=<b>', 'field-word KIND:tag'],
  ['pid=7&urgent=perhaps', 'field-boolean KIND:urgent'],
  ['pid=7&hour=25:00', 'field-time KIND:hour'],
];

describe('fields', () => {
  it.each(FORMS)('of a form: %s', (query, found) => {
    expect(judge({ fields: FIELDS }, formContent(query))).toBe(found.replace('KIND', 'form'));
  });

  it.each(FORMS)('of a query: %s', (query, found) => {
    expect(ask({ parameters: FIELDS }, query)).toBe(found.replace('KIND', 'query'));
  });

  it('whatever their names and values, are judged without an error', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (fields) => {
        const query = new URLSearchParams(fields).toString();
        expect(judge({ fields: FIELDS }, formContent(query))).not.toMatch(/unjudged/);
      }),
      { numRuns: 500 },
    );
  });
});

const PDF = Buffer.from('%PDF-1.7\n…');
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const part = (more: Partial<FormPart>): FormPart => ({
  name: 'scan',
  fileName: 'scan.pdf',
  mediaType: 'application/pdf',
  bytes: PDF,
  ...more,
});
const multipart = (...parts: FormPart[]): Content => ({
  kind: 'multipart',
  mediaType: 'multipart/form-data',
  bytes: Buffer.alloc(0),
  parts,
});
const UPLOAD: PayloadDemand = {
  fields: {
    pid: { type: 'integer' },
    scan: {
      type: 'file',
      required: true,
      mediaTypes: ['application/pdf', 'image/png', 'text/plain'],
      maxBytes: 1000,
    },
  },
};
const field = (name: string, text: string) =>
  part({ name, fileName: undefined, mediaType: undefined, bytes: Buffer.from(text) });

describe('files', () => {
  it.each<[reason: string, parts: FormPart[], found: string]>([
    ['a document', [part({}), field('pid', '7')], ''],
    ['an image', [part({ fileName: 'x-ray 1.PNG', mediaType: 'image/png', bytes: PNG })], ''],
    ['without a declared type', [part({ mediaType: undefined })], ''],
    ['text', [part({ fileName: 'a.txt', mediaType: 'text/plain', bytes: Buffer.from('ab') })], ''],
    ['none', [field('pid', '7')], 'field-missing part:scan'],
    ['nothing chosen', [part({ fileName: '', bytes: Buffer.alloc(0) })], 'field-missing part:scan'],
    ['two', [part({}), part({})], 'field-repeated part:scan'],
    ['a field as a file', [part({}), part({ name: 'pid' })], 'field-no-file part:pid'],
    ['a file as a field', [field('scan', 'x')], 'field-file part:scan'],
    ['a field that nobody knows', [part({}), field('x', '1')], 'field-unknown part:x'],
    ['a field that is no number', [field('pid', '7;drop')], 'field-integer part:pid'],
    [
      'a field that is no UTF-8',
      [part({ name: 'pid', fileName: undefined, bytes: Buffer.from([0xff]) })],
      'field-utf8 part:pid',
    ],
    ['too large', [part({ bytes: Buffer.concat([PDF, Buffer.alloc(1000)]) })], 'file-size file:scan'],
    ['another content than declared', [part({ bytes: PNG })], 'file-content part:scan'],
    [
      'a declared type that is not allowed',
      [part({ mediaType: 'text/html' })],
      'file-declared-type part:scan',
    ],
    [
      'a page as text',
      [part({ fileName: 'a.txt', mediaType: 'text/plain', bytes: Buffer.from('<!DOCTYPE html><p>') })],
      'file-content part:scan',
    ],
    [
      'a script as text',
      [part({ fileName: 'a.txt', mediaType: 'text/plain', bytes: Buffer.from('#!/bin/sh\n') })],
      'file-content part:scan',
    ],
    ['a program', [part({ bytes: Buffer.from('MZ\u0090') })], 'file-content part:scan'],
    [
      'an image that is a server page',
      [
        part({
          fileName: 'a.png',
          mediaType: 'image/png',
          bytes: Buffer.concat([PNG, Buffer.from('<?php system($_GET[1]);')]),
        }),
      ],
      'file-content part:scan',
    ],
    [
      'binary as text',
      [part({ fileName: 'a.txt', mediaType: 'text/plain', bytes: Buffer.from([1, 2, 3]) })],
      'file-content part:scan',
    ],
    ['an empty file', [part({ bytes: Buffer.alloc(0) })], 'file-content part:scan'],
    ...[
      'scan.php',
      'scan.php.pdf',
      'scan.pdf.php',
      'shell.phtml.png',
      '../scan.pdf',
      'a/scan.pdf',
      'a\\scan.pdf',
      '.htaccess',
      'scan.pdf.',
      'scan.pdf ',
      'con.pdf',
      'scan.exe',
      'scan',
      'scan\u202egnp.pdf',
      'scan.pdf;.php',
      'scan.pdf\0.php',
      'scan%00.pdf',
      '`id`.pdf',
      '$(id).pdf',
      "a'b.pdf",
      '-rf.pdf',
      'a|b.pdf',
      'scan.svg',
      '',
      `${'a'.repeat(300)}.pdf`,
    ].map((fileName): [string, FormPart[], string] => [
      `the name ${fileName.slice(0, 40)}`,
      [part({ fileName })],
      'file-name file:scan',
    ]),
  ])('%s', (_, parts, found) => {
    expect(judge(UPLOAD, multipart(...parts))).toBe(found);
  });

  it('that are too large or of another kind are answered as such', () => {
    const route = routeOf(undefined, UPLOAD);
    const send = (parts: FormPart) => inspector.content(factsOf({}), route, multipart(parts));
    expect(send(part({ bytes: Buffer.concat([PDF, Buffer.alloc(1000)]) }))?.status).toBe('too-large');
    expect(send(part({ bytes: PNG }))?.status).toBe('unsupported-media');
  });
});

const SCHEMA: PayloadDemand = {
  schema: {
    name: 'a.schema.json',
    text: JSON.stringify({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['date'],
      unevaluatedProperties: false,
      properties: { date: { type: 'string', format: 'date' }, kind: { $ref: '#/$defs/kind' } },
      $defs: { kind: { enum: ['a', 'b'] } },
    }),
  },
};

describe('a JSON Schema', () => {
  it.each([
    [{ date: '2024-02-29', kind: 'a' }, ''],
    [{}, 'schema-required /date'],
    [{ date: '2023-02-29' }, 'schema-format /date'],
    [{ date: '2024-02-29', kind: 'c' }, 'schema-enum /kind'],
    [{ date: '2024-02-29', more: 1 }, 'schema-unevaluated-properties /more'],
    [[], 'schema-type '],
  ])('%j', (value, found) => {
    expect(judge(SCHEMA, jsonContent(value, 'application/json'))).toBe(found);
  });

  it('is answered with 422, other kinds of bodies with 415', () => {
    const send = (content: Content) => inspector.content(factsOf({}), routeOf(undefined, SCHEMA), content);
    expect(send(jsonContent({}))?.status).toBe('unprocessable');
    expect(send(formContent('date=2024-02-29'))?.status).toBe('unsupported-media');
    expect(send({ kind: 'opaque', mediaType: 'image/png', bytes: PNG })?.status).toBe('unsupported-media');
  });
});

describe('lengths that the back end can hold', () => {
  const demand: PayloadDemand = { lengths: { fname: 5, '/name/*/family': 3, note: 4 } };

  it('bound parameters, fields and members by name', () => {
    expect(ask(demand, 'fname=12345')).toBe('');
    expect(ask(demand, 'fname=123456')).toBe('value-too-long query:fname');
    expect(judge(demand, formContent('fname=123456'))).toBe('value-too-long form:fname');
    expect(judge(demand, jsonContent({ a: [{ fname: '123456' }] }))).toBe('value-too-long /a/0/fname');
    expect(judge(demand, jsonContent({ note: ['1234', '12345'] }))).toBe('value-too-long /note/1');
    expect(judge(demand, multipart(field('fname', '123456')))).toBe('value-too-long part:fname');
  });

  it('bound members by their place', () => {
    expect(judge(demand, jsonContent({ name: [{ family: 'abc' }, { family: 'abcd' }] }))).toBe(
      'value-too-long /name/1/family',
    );
    expect(judge(demand, jsonContent({ contact: [{ family: 'abcd' }] }))).toBe('');
  });

  it('count characters as a database does', () => {
    expect(ask(demand, `note=${encodeURIComponent('👩👩👩👩')}`)).toBe('');
    expect(ask(demand, `note=${encodeURIComponent('👩👩👩👩👩')}`)).toBe('value-too-long query:note');
  });

  it('are answered with 422', () => {
    expect(inspector.head(factsOf({ query: 'fname=123456' }), routeOf(undefined, demand))?.status).toBe(
      'unprocessable',
    );
  });
});

describe('a demand that means nothing is a fault of the settings', () => {
  it.each<[PayloadDemand, string, RegExp]>([
    [{ schema: { name: 'a', text: '{' } }, '/schema', /no JSON/],
    [{ schema: { name: 'a', text: '[]' } }, '/schema', /an object/],
    [{ schema: { name: 'a', text: '{"type":"thing"}' } }, '/schema', /cannot be compiled|can be compiled/],
    [{ schema: { name: 'a', text: '{"$ref":"http://elsewhere/x.json"}' } }, '/schema', /elsewhere/],
    [{ openapi: { name: 'a', text: 'openapi: 2.0' } }, '/openapi', /3\.1/],
    [{ openapi: { name: 'a', text: 'a: [' } }, '/openapi', /cannot be read/],
    [{ xsd: [{ name: 'a', text: 'x' }] }, '/xsd', /XML Schema/],
    [{ parameters: { f: { type: 'file', mediaTypes: ['image/png'] } } }, '/parameters/f/type', /no file/],
    [
      { fields: { f: { type: 'file', mediaTypes: ['image/x-odd'] } } },
      '/fields/f/mediaTypes/0',
      /image\/png/,
    ],
  ])('%j', (payload, pointer, message) => {
    const route = { id: 'a', methods: ['POST'], path: '/a', inspect: { payload } };
    const [found] = payloadFaults({ file: 'policy.yaml', routes: [route] });
    expect(found?.pointer).toBe(`/routes/0/inspect/payload${pointer}`);
    expect(found?.message).toMatch(message);
  });
});
