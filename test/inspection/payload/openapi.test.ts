import { describe, expect, it } from 'vitest';
import type { PayloadDemand } from '../../../contracts/payload.ts';
import { compileOpenApi } from '../../../inspection/payload/openapi/index.ts';
import {
  type Asked,
  factsOf,
  formContent,
  inspector,
  jsonContent,
  routeOf,
  said,
  xmlContent,
} from './support/requests.ts';

const DOCUMENT = `
openapi: 3.1.0
info: { title: EMR, version: '1' }
servers: [{ url: 'https://emr.example/api' }]
paths:
  /patient/{pid}/appointment:
    parameters:
      - { name: pid, in: path, required: true, schema: { type: integer, minimum: 1 } }
    get:
      parameters:
        - { name: from, in: query, schema: { type: string, format: date } }
        - { name: tag, in: query, schema: { type: array, maxItems: 2, items: { type: integer } } }
        - { name: site, in: query, explode: false, schema: { type: array, items: { type: string, pattern: '^[a-z]+$' } } }
        - { name: x-clinic, in: header, schema: { enum: [north, south] } }
        - { name: lang, in: cookie, schema: { type: string, maxLength: 2 } }
        - { name: page, in: query, required: true, schema: { $ref: '#/components/schemas/Page' } }
      responses: {}
    post:
      requestBody: { $ref: '#/components/requestBodies/Appointment' }
      responses: {}
  /patient/current/appointment:
    get: { responses: {} }
components:
  requestBodies:
    Appointment:
      required: true
      content:
        application/json: { schema: { $ref: '#/components/schemas/Appointment' } }
        application/x-www-form-urlencoded: { schema: { $ref: '#/components/schemas/Appointment' } }
        text/xml: { schema: { type: object } }
  schemas:
    Page: { type: integer }
    Appointment:
      type: object
      required: [date]
      additionalProperties: false
      properties:
        date: { type: string, format: date }
        minutes: { type: integer, maximum: 480 }
        title: { type: [string, 'null'], maxLength: 5 }
        rooms: { type: array, items: { type: integer } }
`;
const DEMAND: PayloadDemand = { openapi: { name: 'emr.yaml', text: DOCUMENT } };
const route = routeOf(undefined, DEMAND);
const at = '/api/patient/3/appointment';

describe('requests are as the document describes them', () => {
  it.each<[Asked, string]>([
    [{ path: at, query: 'page=1' }, ''],
    [{ path: at, query: 'page=1', method: 'HEAD' }, ''],
    [
      {
        path: at,
        query: 'page=1&from=2024-01-01&tag=1&tag=2&site=a,b',
        headers: { 'x-clinic': 'north', cookie: 'a=b; lang=en' },
      },
      '',
    ],
    [{ path: '/api/patient/current/appointment' }, ''],
    [{ path: at }, 'openapi-parameter-missing query:page'],
    [{ path: at, query: 'page=one' }, 'openapi-schema-type query:page'],
    [{ path: at, query: 'page=1&page=2' }, 'openapi-parameter-repeated query:page'],
    [{ path: at, query: 'page=1&sort=a' }, 'openapi-parameter-unknown query:sort'],
    [{ path: at, query: 'page=1&from=2024-13-01' }, 'openapi-schema-format query:from'],
    [{ path: at, query: 'page=1&tag=1&tag=x' }, 'openapi-schema-type query:tag'],
    [{ path: at, query: 'page=1&tag=1&tag=2&tag=3' }, 'openapi-schema-max-items query:tag'],
    [{ path: at, query: 'page=1&site=a,B' }, 'openapi-schema-pattern query:site'],
    [{ path: at, query: 'page=1', headers: { 'x-clinic': 'east' } }, 'openapi-schema-enum header:x-clinic'],
    [{ path: at, query: 'page=1', headers: { cookie: 'lang=eng' } }, 'openapi-schema-max-length cookie:lang'],
    [{ path: '/api/patient/0/appointment', query: 'page=1' }, 'openapi-schema-minimum path:2'],
    [{ path: '/api/patient/x/appointment', query: 'page=1' }, 'openapi-schema-type path:2'],
    [{ path: '/patient/3/appointment', query: 'page=1' }, 'openapi-operation '],
    [{ path: '/api/admin' }, 'openapi-operation '],
    [{ path: at, method: 'DELETE' }, 'openapi-operation '],
    [{ path: at, method: 'POST' }, 'openapi-body-missing '],
    [{ path: '/api/patient/current/appointment', body: true }, 'openapi-body-unexpected '],
  ])('%j', (asked, found) => {
    expect(said(inspector.head(factsOf(asked), route))).toBe(found);
  });
});

describe('bodies are as the document describes them', () => {
  const post = factsOf({ path: at, method: 'POST', body: true });
  const json = (value: unknown) =>
    said(inspector.content(post, route, jsonContent(value, 'application/json')));

  it('JSON', () => {
    expect(json({ date: '2024-01-01', minutes: 30, title: null, rooms: [1] })).toBe('');
    expect(json({ date: '2024-01-01', title: 'too long' })).toBe('schema-max-length /title');
    expect(json({ date: '2024-01-01', minutes: '30' })).toBe('schema-type /minutes');
    expect(json({ date: '2024-01-01', admin: true })).toBe('schema-additional-properties /admin');
    expect(json({})).toBe('schema-required /date');
  });

  it('forms, whose texts are what the schema means', () => {
    const form = (query: string) => said(inspector.content(post, route, formContent(query)));
    expect(form('date=2024-01-01&minutes=30&rooms=1&rooms=2')).toBe('');
    expect(form("date=2024-01-01&minutes=30'--")).toBe('schema-type /minutes');
    expect(form('date=2024-01-01&date=2024-01-02')).toBe('schema-type /date');
    expect(form('date=2024-01-01&rooms=1&rooms=x')).toBe('schema-type /rooms/1');
  });

  it('no other kind, and no XML on the strength of a JSON Schema', () => {
    const text = { kind: 'text', mediaType: 'text/plain', bytes: Buffer.from('x'), text: 'x' } as const;
    expect(said(inspector.content(post, route, text))).toBe('openapi-media-type ');
    expect(said(inspector.content(post, route, xmlContent('<a/>', 'text/xml')))).toBe('openapi-media-type ');
  });
});

describe('a document that cannot be enforced is a fault of the settings', () => {
  const document = (operation: string, more = '') =>
    `{openapi: 3.1.0, info: {title: a, version: b}, paths: {/a: {get: {${operation}, responses: {}}}}${more}}`;

  it.each([
    ['a reference out of it', document('parameters: [{$ref: "other.yaml#/x"}]'), /leads out/],
    ['a reference to nothing', document('parameters: [{$ref: "#/x"}]'), /not in the document/],
    ['a reference in circles', document('parameters: [{$ref: "#/x"}]', ', x: {$ref: "#/x"}'), /nowhere/],
    [
      'a style of its own',
      document('parameters: [{name: a, in: query, style: deepObject, schema: {type: object}}]'),
      /not supported/,
    ],
    [
      'a place that there is not',
      document('parameters: [{name: a, in: body, schema: {}}]'),
      /must be one of/,
    ],
    ['a schema that is none', document('parameters: [{name: a, in: query, schema: {type: thing}}]'), /./],
    ['no paths', '{openapi: 3.1.0, info: {}, paths: {}}', /no operation/],
    ['aliases', 'a: &a [x]\nopenapi: 3.1.0\npaths: {/a: *a}', /cannot be read/],
  ])('%s', (_, text, message) => {
    const compiled = compileOpenApi(text);
    expect(compiled.ok ? '' : compiled.message).toMatch(message);
  });

  it('but one of version 3.0 is read in the later words', () => {
    const text = `{openapi: 3.0.3, info: {title: a, version: b}, paths: {/a: {post: {requestBody: {content: {application/json:
      {schema: {type: object, properties: {n: {type: integer, nullable: true, minimum: 1, exclusiveMinimum: true}}}}}}, responses: {}}}}}`;
    const old = routeOf(undefined, { openapi: { name: 'a', text } });
    const send = (value: unknown) =>
      said(
        inspector.content(
          factsOf({ method: 'POST', path: '/a', body: true }),
          old,
          jsonContent(value, 'application/json'),
        ),
      );
    expect(send({ n: null })).toBe('');
    expect(send({ n: 2 })).toBe('');
    expect(send({ n: 1 })).toBe('schema-exclusive-minimum /n');
  });
});
