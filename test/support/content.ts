import { gzipSync } from 'node:zlib';
import { bytes, type Script } from './hostile-emr.ts';

/** What the back end says, and the policy, of test/end-to-end/content.test.ts. */

export const PATIENT = '7';
export const OWN = {
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  code: { text: 'x' },
  subject: { reference: `Patient/${PATIENT}` },
};
export const SECRET = 'Zebulon';
const OTHERS = { ...OWN, id: 'o2', subject: { reference: 'Patient/8' }, note: [{ text: SECRET }] };

function answer(
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
  status = '200 OK',
): Script {
  const content = Buffer.from(body);
  const lines = Object.entries({ 'Content-Type': 'application/fhir+json; charset=utf-8', ...headers })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status}\r\n${lines.join('')}Content-Length: ${content.length}\r\n\r\n`;
  return bytes(Buffer.concat([Buffer.from(head), content]));
}

export const whole = JSON.stringify;
const bundle = (...resources: object[]): string =>
  `{"resourceType":"Bundle","type":"searchset","total":${resources.length},"entry":[${resources
    .map((resource) => `{"resource":${whole(resource).replace('"value":1.5', '"value":1.50')}}`)
    .join(',')}]}`;
const DECIMAL = { ...OWN, valueQuantity: { value: 1.5 } };

export const SCRIPTS: Readonly<Record<string, Script>> = {
  own: answer(whole(OWN), { ETag: 'W/"3"', 'X-Patient-Name': SECRET, Link: `<${SECRET}>`, Vary: 'Accept' }),
  others: answer(whole(OTHERS)),
  'both-readings': answer(
    `{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/8"},"subject":{"reference":"Patient/${PATIENT}"},"note":[{"text":"${SECRET}"}]}`,
  ),
  packed: answer(gzipSync(whole(OWN)), { 'Content-Encoding': 'gzip' }),
  html: answer(`<p>${SECRET}</p>`, { 'Content-Type': 'text/html' }),
  untyped: answer(whole(OWN), { 'Content-Type': '' }),
  latin: answer(whole(OWN), { 'Content-Type': 'application/fhir+json; charset=iso-8859-1' }),
  broken: answer(whole(OWN).slice(0, -2)),
  partial: answer(whole(OWN), { 'Content-Range': 'bytes 0-10/100' }, '206 Partial Content'),
  large: answer(whole({ ...OWN, note: [{ text: 'x'.repeat(17 * 1024 * 1024) }] })),
  unchanged: bytes('HTTP/1.1 304 Not Modified\r\nETag: W/"3"\r\n\r\n'),
  mixed: answer(bundle(DECIMAL, OTHERS), { ETag: 'W/"9"', 'Last-Modified': 'Sat, 21 Nov 2026 10:00:00 GMT' }),
  absent: answer('', {}, '404 Not Found'),
  cut: bytes(
    'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 400\r\n\r\n{"resource',
  ),
  capabilities: answer(
    whole({
      resourceType: 'CapabilityStatement',
      fhirVersion: '4.0.1',
      status: 'active',
      kind: 'instance',
      software: { name: 'Old EMR', version: '3.1.7' },
      rest: [
        {
          mode: 'server',
          security: {
            extension: [{ url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris' }],
          },
          resource: [
            { type: 'Observation', interaction: [{ code: 'read' }, { code: 'history-instance' }] },
            { type: 'Account', interaction: [{ code: 'read' }] },
          ],
        },
      ],
    }),
  ),
  created: async ({ socket, bytes: arrived, head }) => {
    await arrived(Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0));
    socket.end(
      'HTTP/1.1 201 Created\r\nLocation: /fhir/Observation/new/_history/1\r\nContent-Length: 0\r\n\r\n',
    );
  },
};

const read = (id: string, path: string, interaction: string, permission: string, resource: string) => ({
  id,
  methods: ['GET'],
  path,
  smart: { contexts: ['patient', 'system'], resource, permission },
  fhir: { version: 'R4', interaction },
  integrity: { mode: 'bounded', maxAge: '1s' },
  hideDeadline: '50ms',
});

export const POLICY = {
  routes: [
    read('read', '/fhir/Observation/{id}', 'read', 'r', 'Observation'),
    read('search', '/fhir/Observation', 'search-type', 's', 'Observation'),
    {
      id: 'create',
      methods: ['POST'],
      path: '/fhir/Observation',
      smart: { contexts: ['system'], resource: 'Observation', permission: 'c' },
      fhir: { version: 'R4', interaction: 'create' },
      mediaTypes: ['application/fhir+json', 'application/json', 'application/fhir+xml'],
      maxBody: '64KiB',
      introspection: 'never',
    },
    {
      id: 'update',
      methods: ['PUT'],
      path: '/fhir/Observation/{id}',
      smart: { contexts: ['patient'], resource: 'Observation', permission: 'u' },
      fhir: { version: 'R4', interaction: 'update' },
      mediaTypes: ['application/fhir+json'],
      hideDeadline: '50ms',
      introspection: 'never',
    },
    {
      id: 'delete',
      methods: ['DELETE'],
      path: '/fhir/Observation/{id}',
      smart: { contexts: ['patient'], resource: 'Observation', permission: 'd' },
      fhir: { version: 'R4', interaction: 'delete' },
      hideDeadline: '50ms',
      introspection: 'never',
    },
    {
      id: 'search-form',
      methods: ['POST'],
      path: '/fhir/Observation/_search',
      smart: { contexts: ['patient', 'system'], resource: 'Observation', permission: 's' },
      fhir: { version: 'R4', interaction: 'search-post' },
      mediaTypes: ['application/x-www-form-urlencoded'],
      hideDeadline: '50ms',
      introspection: 'never',
    },
    {
      id: 'metadata',
      methods: ['GET'],
      path: '/fhir/metadata',
      credential: 'anonymous',
      fhir: { version: 'R4', interaction: 'capabilities' },
    },
    {
      id: 'form',
      methods: ['POST'],
      path: '/form',
      credential: 'anonymous',
      mediaTypes: ['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json'],
      maxBody: '1MB',
    },
  ],
};
