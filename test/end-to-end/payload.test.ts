import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import { definitionsOf } from '../../inspection/payload/fhir/definitions.ts';
import { fhirXml } from '../inspection/payload/support/fhir-xml.ts';
import { HostileEmr, type Script } from '../support/hostile-emr.ts';
import { until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

/** A real gateway in front of a back end that takes everything: what arrives there was valid. */

const SECRET = 'Zebulon';
const FHIR = { smart: { contexts: ['system'], resource: '{type}', permission: 'cu' } };
const write = (id: string, method: string, path: string, interaction: string) => ({
  id,
  methods: [method],
  path,
  ...FHIR,
  fhir: { version: 'R4', interaction },
  mediaTypes: ['application/fhir+json', 'application/fhir+xml'],
  introspection: 'never',
});
const open = (id: string, mediaTypes: readonly string[], payload: object) => ({
  id,
  methods: ['POST'],
  path: `/${id}`,
  credential: 'anonymous',
  mediaTypes,
  inspect: { payload },
});

const POLICY = {
  routes: [
    write('create', 'POST', '/fhir/{type}', 'create'),
    write('update', 'PUT', '/fhir/{type}/{id}', 'update'),
    open('visit', ['application/json'], { schema: 'visit.schema.json', lengths: 'lengths.yaml' }),
    open('script', ['text/xml'], { xsd: ['script.xsd'] }),
    open('upload', ['multipart/form-data', 'application/x-www-form-urlencoded'], {
      fields: {
        pid: { type: 'integer', required: true },
        scan: { type: 'file', mediaTypes: ['application/pdf'], maxBytes: '10KB' },
      },
    }),
    { ...open('api', ['application/json'], { openapi: 'emr.yaml' }), path: '/api/{rest*}' },
  ],
};
const FILES: Readonly<Record<string, string>> = {
  'visit.schema.json': JSON.stringify({
    type: 'object',
    additionalProperties: false,
    properties: { reason: { type: 'string' }, when: { type: 'string', format: 'date' } },
  }),
  'lengths.yaml': 'reason: 10\n',
  'script.xsd': `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Dose" type="xs:integer"/></xs:schema>`,
  'emr.yaml': stringify({
    openapi: '3.1.0',
    info: { title: 'EMR', version: '1' },
    servers: [{ url: '/api' }],
    paths: {
      '/visit/{id}': {
        post: {
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
          requestBody: { content: { 'application/json': { schema: { type: 'object', required: ['n'] } } } },
        },
      },
    },
  }),
};

let stack: Stack;
let emr: HostileEmr;
let system: string;

beforeAll(async () => {
  const taken: Script = async ({ socket, bytes, head }) => {
    await bytes(Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0));
    socket.end('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
  };
  emr = new HostileEmr({ taken });
  await emr.listen();
  stack = await stackFor('payload', {
    workers: 1,
    backends: { north: `http://127.0.0.1:${emr.port}` },
    prepare: async ({ layout }) => {
      for (const [name, text] of Object.entries(FILES)) writeFileSync(join(layout.gateway, name), text);
      writeFileSync(
        join(layout.gateway, 'payload.yaml'),
        stringify(POLICY, { aliasDuplicateObjects: false }),
      );
      return {
        adjust: (usual) => ({
          ...usual,
          policies: { payload: 'payload.yaml' },
          tenants: (usual.tenants as readonly object[]).map((tenant) => ({ ...tenant, policy: 'payload' })),
        }),
      };
    },
  });
  system = await stack.token({ tenant: 'north', scopes: ['system/*.cruds'] });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await emr?.close();
});
beforeEach(() => {
  emr.requests.length = 0;
});

function send(path: string, type: string, body: string | Buffer, more: Partial<Ask> = {}): Promise<Reply> {
  return ask({
    url: `${stack.tenants.north.origin}${path}`,
    authority: stack.authority,
    method: 'POST',
    ...(path.startsWith('/fhir') ? { token: system } : {}),
    headers: { 'content-type': type, 'x-script': 'taken' },
    body,
    ...more,
  });
}

const json = (value: unknown) => JSON.stringify(value);

describe('on a FHIR route', () => {
  const lines = readFileSync(
    new URL('../../../shared/data/fhir/r4-examples.ndjson', import.meta.url),
    'utf8',
  );
  const some = lines
    .trim()
    .split('\n')
    .filter((line) => line.length < 60_000)
    .filter((_, index) => index % 12 === 0);

  it('published examples arrive as they were sent, created and updated, in JSON and XML', async () => {
    for (const line of some) {
      const resource = JSON.parse(line);
      const { resourceType: type, id } = resource;
      const xml = fhirXml(resource, definitionsOf('R4'));
      const replies = [
        await send(`/fhir/${type}`, 'application/fhir+json', line),
        await send(`/fhir/${type}/${id}`, 'application/fhir+json', line, { method: 'PUT' }),
        await send(`/fhir/${type}`, 'application/fhir+xml', xml),
      ];
      expect(
        replies.map(({ status }) => status),
        `${type}/${id}: ${replies.map(({ text }) => text)}`,
      ).toEqual([201, 201, 201]);
      expect(emr.requests.map((each) => each.body().toString())).toEqual([line, line, xml]);
      emr.requests.length = 0;
    }
  });

  it.each([
    [
      'an unknown element',
      '/fhir/Patient',
      { resourceType: 'Patient', nick: SECRET },
      400,
      'fhir-unknown-element',
      'nick',
    ],
    [
      'a wrong type',
      '/fhir/Patient',
      { resourceType: 'Patient', birthDate: SECRET },
      400,
      'fhir-form-date',
      '/birthDate',
    ],
    [
      'another type than its address',
      '/fhir/Patient',
      { resourceType: 'Person', active: true },
      400,
      'fhir-url-type',
      '/resourceType',
    ],
    [
      'a script in the narrative',
      '/fhir/Patient',
      {
        resourceType: 'Patient',
        text: {
          status: 'generated',
          div: `<div xmlns="http://www.w3.org/1999/xhtml"><script>${SECRET}</script></div>`,
        },
      },
      400,
      'fhir-narrative-element',
      '/text/div',
    ],
  ])('%s is refused, naming place and rule and no value', async (_, path, value, status, rule, place) => {
    const reply = await send(path, 'application/fhir+json', json(value));
    expect(reply.status).toBe(status);
    const outcome = JSON.parse(reply.text);
    expect(outcome.resourceType).toBe('OperationOutcome');
    expect(reply.text).toContain(rule);
    expect(reply.text).toContain(place);
    expect(reply.text).not.toContain(SECRET);
    expect(emr.requests).toHaveLength(0);
  });

  it('an update under another id is refused, and entities are never read', async () => {
    const other = json({ resourceType: 'Patient', id: '2', active: true });
    expect((await send('/fhir/Patient/1', 'application/fhir+json', other, { method: 'PUT' })).text).toContain(
      'fhir-url-id',
    );
    const xxe =
      '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><Patient xmlns="http://hl7.org/fhir"><id value="&b;"/></Patient>';
    expect((await send('/fhir/Patient', 'application/fhir+xml', xxe)).status).toBe(400);
    const xinclude =
      '<Patient xmlns="http://hl7.org/fhir" xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="file:///etc/hostname"/></Patient>';
    expect((await send('/fhir/Patient', 'application/fhir+xml', xinclude)).text).toContain('xml-inclusion');
    expect(emr.requests).toHaveLength(0);
  });
});

describe('on a route with schemas of its own', () => {
  const part = (name: string, type: string, content: string) =>
    `--b\r\nContent-Disposition: form-data; name="scan"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`;
  const pid = '--b\r\nContent-Disposition: form-data; name="pid"\r\n\r\n7\r\n';
  const multipart = 'multipart/form-data; boundary=b';

  it.each([
    ['/visit', 'application/json', json({ reason: 'cough', when: '2027-01-31' }), 201, ''],
    ['/visit', 'application/json', json({ reason: 'cough', when: 'soon' }), 422, 'schema-format'],
    ['/visit', 'application/json', json({ reason: 'a cough that lasts' }), 422, 'value-too-long'],
    ['/visit', 'application/json', json({ admin: SECRET }), 422, 'schema-additional-properties'],
    ['/script', 'text/xml', '<Dose>5</Dose>', 201, ''],
    ['/script', 'text/xml', `<Dose>${SECRET}</Dose>`, 422, 'xml-schema'],
    ['/script', 'text/xml', `<Dose>5</Dose`, 400, 'xml-syntax'],
    ['/upload', 'application/x-www-form-urlencoded', 'pid=7', 201, ''],
    ['/upload', 'application/x-www-form-urlencoded', `pid=${SECRET}`, 400, 'field-integer'],
    ['/upload', multipart, `${pid}${part('a.pdf', 'application/pdf', '%PDF-1.7 x')}--b--\r\n`, 201, ''],
    [
      '/upload',
      multipart,
      `${pid}${part('a.pdf', 'application/pdf', 'GIF89a')}--b--\r\n`,
      415,
      'file-content',
    ],
    [
      '/upload',
      multipart,
      `${pid}${part('a.php.pdf', 'application/pdf', '%PDF-1.7 x')}--b--\r\n`,
      400,
      'file-name',
    ],
    [
      '/upload',
      multipart,
      `${pid}${part('a.pdf', 'application/pdf', `%PDF-1.7 ${'x'.repeat(10_000)}`)}--b--\r\n`,
      413,
      'file-size',
    ],
    ['/api/visit/7', 'application/json', json({ n: 1 }), 201, ''],
    ['/api/visit/7', 'application/json', json({}), 422, 'schema-required'],
    ['/api/visit/x', 'application/json', json({ n: 1 }), 400, 'openapi-schema-type'],
    ['/api/admin', 'application/json', json({ n: 1 }), 400, 'openapi-operation'],
  ])('%s %s %s', async (path, type, body, status, rule) => {
    const reply = await send(path, type, body, {
      headers: { 'content-type': type, 'x-script': 'taken', accept: 'application/json' },
    });
    expect(reply.status, reply.text).toBe(status);
    expect(reply.text).toContain(rule);
    expect(reply.text).not.toContain(SECRET);
    expect(emr.requests).toHaveLength(status === 201 ? 1 : 0);
    if (status !== 201) expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
  });
});

describe('a reload', () => {
  const visit = () => send('/visit', 'application/json', json({ reason: 'cough', ward: 3 }));

  async function reload(expected: 'reloaded' | 'reload-refused'): Promise<string> {
    const log = () => readFileSync(join(stack.layout.logs, 'gateway.log'), 'utf8');
    const count = () => log().split(`"${expected}"`).length;
    const before = count();
    stack.gateway.signal('SIGHUP');
    await until(expected, () => count() > before, 20_000);
    return log();
  }
  const schema = (text: string) => writeFileSync(join(stack.layout.gateway, 'visit.schema.json'), text);

  it('takes the schemas that policies name, or none of it', async () => {
    expect((await visit()).status).toBe(422);
    schema('{"type":"thing"}');
    expect(await reload('reload-refused')).toMatch(/payload\.schema: the file is no JSON Schema/);
    expect((await visit()).status).toBe(422);
    schema('{"type":"object","required":["ward"]}');
    await reload('reloaded');
    expect((await visit()).status).toBe(201);
  });
});
