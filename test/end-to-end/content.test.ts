import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { activityOf, withoutRequestId } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import { OWN, PATIENT, POLICY, SCRIPTS, SECRET, whole } from '../support/content.ts';
import { HostileEmr, type Received } from '../support/hostile-emr.ts';
import { H2Client } from '../support/http2.ts';
import { raw, statuses } from '../support/raw.ts';
import { stackFor } from '../support/stack.ts';

/** Bodies that are judged, and answers that are: what the gateway saw is what the back end or the client gets. */

let stack: Stack;
let emr: HostileEmr;
let system: string;
let app: string;
let writer: string;

beforeAll(async () => {
  emr = new HostileEmr(SCRIPTS);
  await emr.listen();
  stack = await stackFor('content', {
    workers: 1,
    backends: { north: `http://127.0.0.1:${emr.port}` },
    clients: [
      {
        id: 'writing-app',
        what: 'an app that writes',
        scopes: ['patient/Observation.cruds'],
        patient: PATIENT,
      },
    ],
    prepare: async ({ layout }) => {
      writeFileSync(
        join(layout.gateway, 'content.yaml'),
        stringify(POLICY, { aliasDuplicateObjects: false }),
      );
      return {
        adjust: (usual) => ({
          ...usual,
          policies: { content: 'content.yaml' },
          content: { held: '1MiB' },
          tenants: (usual.tenants as readonly object[]).map((tenant) => ({ ...tenant, policy: 'content' })),
        }),
      };
    },
  });
  system = await stack.token({ tenant: 'north', scopes: ['system/Observation.cruds'] });
  writer = await stack.token({
    tenant: 'north',
    client: 'writing-app',
    scopes: ['patient/Observation.cruds'],
  });
  app = await stack.token({ tenant: 'north', client: 'patient-app', scopes: ['patient/Observation.rs'] });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await emr?.close();
});

beforeEach(() => {
  emr.requests.length = 0;
});

const north = (path: string, more: Omit<Ask, 'url' | 'authority'> = {}): Promise<Reply> =>
  ask({ url: `${stack.tenants.north.origin}${path}`, authority: stack.authority, ...more });

/** A read by the patient's app, whose answer is judged. */
const judged = (script: string, more: Partial<Ask> = {}): Promise<Reply> =>
  north('/fhir/Observation/o1', { token: app, ...more, headers: { 'x-script': script, ...more.headers } });

function received(): Received {
  const [one, ...more] = emr.requests;
  if (one === undefined || more.length > 0) throw new Error(`${emr.requests.length} requests arrived`);
  return one;
}

const sent = { 'content-type': 'application/fhir+json', 'x-script': 'created' };
/** White space, escapes and decimals that no serialiser would write so. */
const BODY =
  '{ "resourceType":"Observation",\n "status" : "final","code":{"text":"\\u0078"}, "valueQuantity":{"value":1.50} }';

describe('a body that is judged arrives as it was judged', () => {
  it('byte for byte, over HTTP/1.1 with a length', async () => {
    const reply = await north('/fhir/Observation', {
      token: system,
      method: 'POST',
      headers: sent,
      body: BODY,
    });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.headers.location).toBe('/fhir/Observation/new/_history/1');
    expect(received().body().toString()).toBe(BODY);
    expect(received().head).toMatch(new RegExp(`\\r\\ncontent-length: ${BODY.length}(?:\\r\\n|$)`, 'i'));
  });

  it('in chunks: the back end gets a length', async () => {
    const chunks = [BODY.slice(0, 7), BODY.slice(7)].map(
      (part) => `${part.length.toString(16)}\r\n${part}\r\n`,
    );
    const text = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `POST /fhir/Observation HTTP/1.1\r\nHost: ${new URL(stack.tenants.north.origin).host}\r\nAuthorization: Bearer ${system}\r\nX-Script: created\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`,
    );
    expect(statuses(text)).toEqual([201]);
    expect(received().body().toString()).toBe(BODY);
    expect(received().head).not.toMatch(/transfer-encoding/i);
  });

  it('after 100 Continue, which only a permitted request gets', async () => {
    const head = (token: string) =>
      `POST /fhir/Observation HTTP/1.1\r\nHost: ${new URL(stack.tenants.north.origin).host}\r\nAuthorization: Bearer ${token}\r\nX-Script: created\r\nContent-Type: application/fhir+json\r\nContent-Length: ${BODY.length}\r\nExpect: 100-continue\r\n\r\n`;
    const { origin } = stack.tenants.north;
    expect(statuses(await raw(origin, stack.authority, head(app)))).toEqual([403]);
    expect(statuses(await raw(origin, stack.authority, `${head(system)}${BODY}`))).toEqual([100, 201]);
    expect(received().body().toString()).toBe(BODY);
  });

  it('over HTTP/2 without a length', async () => {
    const client = new H2Client(stack.tenants.north.origin, stack.authority);
    try {
      const reply = await client.request('/fhir/Observation', {
        method: 'POST',
        token: system,
        headers: sent,
        body: BODY,
      });
      expect(reply.status, reply.text).toBe(201);
      expect(received().body().toString()).toBe(BODY);
    } finally {
      client.close();
    }
  });

  it('a search by form is narrowed in its body', async () => {
    const reply = await north('/fhir/Observation/_search', {
      token: app,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-script': 'mixed' },
      body: 'status=final',
    });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.text).not.toContain(SECRET);
    const form = new URLSearchParams(received().body().toString());
    expect(form.get('status')).toBe('final');
    expect([...form].map(([, value]) => value).join()).toContain(PATIENT);
  });
});

describe('a body without one meaning is refused, and nobody learns what was in it', () => {
  const REFUSED: readonly (readonly [
    why: string,
    body: string | Buffer,
    type: string,
    status: number,
    rule: string,
  ])[] = [
    [
      'a member twice',
      `{"resourceType":"Observation","note":[{"text":"${SECRET}","text":"b"}]}`,
      'application/fhir+json',
      400,
      'json-duplicate-name',
    ],
    [
      'a name in another case',
      `{"resourceType":"Observation","subject":1,"SUBJECT":"${SECRET}"}`,
      'application/json',
      400,
      'json-duplicate-name',
    ],
    ['a second document', `{}{"a":"${SECRET}"}`, 'application/json', 400, 'json-trailing'],
    ['invalid UTF-8', Buffer.from(`{"a":"${SECRET}\xff"}`, 'latin1'), 'application/json', 400, 'json-utf8'],
    ['a byte order mark', `\ufeff{"a":"${SECRET}"}`, 'application/json', 400, 'json-bom'],
    [
      'too deep',
      `{"a":${'['.repeat(80)}"${SECRET}"${']'.repeat(80)}}`,
      'application/json',
      400,
      'json-depth',
    ],
    ['another character set', `{"a":"${SECRET}"}`, 'application/json; charset=utf-7', 415, 'content-charset'],
    [
      'a document type',
      `<!DOCTYPE a [<!ENTITY b "${SECRET}">]><a>&b;</a>`,
      'application/fhir+xml',
      400,
      'xml-doctype',
    ],
    [
      'nothing valid',
      `{"resourceType":"Observation","status":"${SECRET}"}`,
      'application/json',
      400,
      'fhir-code',
    ],
  ];
  it.each(REFUSED)('%s', async (_why, body, type, status, rule) => {
    const reply = await north('/fhir/Observation', {
      token: system,
      method: 'POST',
      headers: { ...sent, 'content-type': type },
      body,
    });
    expect(reply.status, reply.text).toBe(status);
    expect(reply.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
    const outcome = JSON.parse(reply.text) as { resourceType: string; issue: { diagnostics: string }[] };
    expect(outcome.resourceType).toBe('OperationOutcome');
    expect(outcome.issue[0]?.diagnostics).toContain(rule);
    expect(reply.text).not.toContain(SECRET);
    expect(emr.requests).toEqual([]);
    const entries = await activityOf(stack, String(reply.headers['x-request-id']));
    expect(entries.map((entry) => entry.kind)).toEqual(['outcome']);
    expect(JSON.stringify(entries)).toContain(rule);
  });

  it('and the log has never heard of it', () => {
    for (const file of readdirSync(stack.layout.activity).filter((name) => name.endsWith('.jsonl')))
      expect(readFileSync(join(stack.layout.activity, file), 'utf8')).not.toContain(SECRET);
    expect(readFileSync(join(stack.layout.logs, 'gateway.log'), 'utf8')).not.toContain(SECRET);
  });

  it('what is compressed, with what is said and what is not', async () => {
    for (const [coding, status] of [
      ['gzip', 415],
      ['identity, gzip', 415],
      ['identity', 201],
    ] as const) {
      const reply = await north('/fhir/Observation', {
        token: system,
        method: 'POST',
        headers: { ...sent, 'content-encoding': coding },
        body: coding === 'gzip' ? gzipSync(BODY) : BODY,
      });
      expect(reply.status, coding).toBe(status);
    }
  });

  it('a client that asks for XML is told in XML', async () => {
    const reply = await north('/fhir/Observation', {
      token: system,
      method: 'POST',
      headers: { ...sent, accept: 'application/fhir+xml' },
      body: '{"a":1,"a":1}',
    });
    expect(reply.headers['content-type']).toBe('application/fhir+xml; charset=utf-8');
    expect(reply.text).toContain('<location value="/a"/>');
  });
});

describe('forms have one meaning too', () => {
  const post = (type: string, body: string, accept = 'application/json'): Promise<Reply> =>
    north('/form', {
      method: 'POST',
      headers: { 'content-type': type, accept, 'x-script': 'created' },
      body,
    });
  const MULTIPART =
    '--XyZ\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--XyZ\r\nContent-Disposition: form-data; name="f"; filename="scan.png"\r\nContent-Type: image/png\r\n\r\n\u0089PNG\r\n--XyZ--\r\n';

  it('arrive byte for byte', async () => {
    const reply = await post('multipart/form-data; boundary=XyZ', MULTIPART);
    expect(reply.status, reply.text).toBe(201);
    expect(received().body().toString()).toBe(MULTIPART);
    emr.requests.length = 0;
    expect((await post('application/x-www-form-urlencoded', 'b=x+%20y&a=1&a=2')).status).toBe(201);
    expect(received().body().toString()).toBe('b=x+%20y&a=1&a=2');
  });

  const REFUSED: readonly (readonly [
    why: string,
    type: string,
    body: string,
    status: number,
    rule: string,
  ])[] = [
    ['a semicolon', 'application/x-www-form-urlencoded', `a=1;b=${SECRET}`, 400, 'form-character'],
    ['an overlong character', 'application/x-www-form-urlencoded', `a=%c0%af${SECRET}`, 400, 'form-encoding'],
    [
      'two names that are one to PHP',
      'application/x-www-form-urlencoded',
      `a.b=1&a_b=${SECRET}`,
      400,
      'form-alias',
    ],
    [
      'two file names',
      'multipart/form-data; boundary=XyZ',
      MULTIPART.replace('"scan.png"', `"scan.png"; filename*=UTF-8''${SECRET}.php`),
      400,
      'multipart-disposition',
    ],
    [
      'a parameter before the boundary',
      'multipart/form-data; charset=utf-8; boundary=XyZ',
      MULTIPART,
      400,
      'multipart-boundary',
    ],
    ['a member twice', 'application/json', `{"a":1,"a":"${SECRET}"}`, 400, 'json-duplicate-name'],
    ['another type', 'text/plain', SECRET, 415, ''],
  ];
  it.each(REFUSED)('%s is told as problem+json', async (_why, type, body, status, rule) => {
    const reply = await post(type, body);
    expect(reply.status, reply.text).toBe(status);
    expect(reply.text).not.toContain(SECRET);
    expect(emr.requests).toEqual([]);
    if (rule === '') return;
    expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(reply.text)).toMatchObject({ status, rule });
  });

  it('bodies that are held together have a bound, and room is given back', async () => {
    const { origin } = stack.tenants.north;
    const url = new URL(origin);
    const slow = connect({
      host: '127.0.0.1',
      port: Number(url.port),
      servername: url.hostname,
      ca: stack.authority,
    });
    slow.on('error', () => {});
    slow.write(
      `POST /form HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n["a`,
    );
    const another = () => post('application/json', `["${'b '.repeat(50_000)}"]`);
    await expect.poll(async () => (await another()).status).toBe(503);
    slow.destroy();
    await expect.poll(async () => (await another()).status).toBe(201);
  });

  it('and to somebody at a browser in words', async () => {
    const reply = await post('application/x-www-form-urlencoded', 'a=1;b=2', 'text/html');
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.text).toContain('Rule form-character');
  });
});

describe('an answer that is judged is released whole or not at all', () => {
  it('its own: as it came, with its validators, without fields that nobody judged', async () => {
    const reply = await judged('own');
    expect(reply.status, reply.text).toBe(200);
    expect(reply.text).toBe(whole(OWN));
    expect(reply.headers.etag).toBe('W/"3"');
    expect(reply.headers.vary).toBe('Accept');
    expect(JSON.stringify(reply.headers)).not.toContain(SECRET);
  });

  it('HEAD is answered as GET is, and asked as GET', async () => {
    const reply = await judged('own', { method: 'HEAD' });
    expect(reply.status).toBe(200);
    expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(whole(OWN))));
    expect(reply.text).toBe('');
    expect(received().method).toBe('GET');
    const hidden = await judged('others', { method: 'HEAD' });
    expect(hidden.status).toBe(404);
  });

  it('what is not the patient’s or cannot be judged is one and the same answer', async () => {
    const uniform = withoutRequestId(await judged('others'));
    expect(uniform).toMatch(/404/);
    expect(uniform).not.toContain(SECRET);
    for (const script of [
      'both-readings',
      'packed',
      'html',
      'untyped',
      'latin',
      'broken',
      'partial',
      'unchanged',
      'large',
      'cut',
    ]) {
      expect(withoutRequestId(await judged(script)), script).toBe(uniform);
    }
  });

  it('the back end is asked for the whole, plainly', async () => {
    await judged('own', {
      headers: {
        'if-none-match': 'W/"3"',
        range: 'bytes=0-10',
        'if-modified-since': 'Sat, 21 Nov 2026 10:00:00 GMT',
        'accept-encoding': 'gzip',
      },
    });
    expect(received().head).not.toMatch(/\r\n(?:if-none-match|range|if-modified-since)/i);
    expect(received().head).toMatch(/\r\naccept-encoding: identity/i);
  });

  it('others are taken out of a search, and what stays keeps its digits', async () => {
    const reply = await north('/fhir/Observation', { token: app, headers: { 'x-script': 'mixed' } });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.text).not.toContain(SECRET);
    expect(reply.text).toContain('"value":1.50');
    expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(reply.text)));
    expect(reply.headers.etag).toBeUndefined();
    expect(reply.headers['last-modified']).toBeUndefined();
    expect(received().target).toMatch(/[?&](?:patient|subject)=[^&]*7/);
  });

  it('over HTTP/2 too', async () => {
    const client = new H2Client(stack.tenants.north.origin, stack.authority);
    try {
      const reply = await client.request('/fhir/Observation', {
        token: app,
        headers: { 'x-script': 'mixed' },
      });
      expect(reply.status).toBe(200);
      expect(reply.text).not.toContain(SECRET);
      expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(reply.text)));
    } finally {
      client.close();
    }
  });

  it('nobody judges for whoever may see everything: the answer streams', async () => {
    const reply = await north('/fhir/Observation/o1', {
      token: system,
      headers: { 'x-script': 'packed', 'accept-encoding': 'gzip' },
    });
    expect(reply.status).toBe(200);
    expect(reply.headers['content-encoding']).toBe('gzip');
  });
});

describe('what a change would change is looked at first', () => {
  const change = (script: string, method: string, headers: Record<string, string> = {}): Promise<Reply> =>
    north('/fhir/Observation/o1', {
      token: writer,
      method,
      headers: {
        'x-script': script,
        ...(method === 'PUT' ? { 'content-type': 'application/fhir+json' } : {}),
        ...headers,
      },
      ...(method === 'PUT' ? { body: whole(OWN) } : {}),
    });

  it('its own: then the change, with the entity tag of what was seen', async () => {
    for (const method of ['PUT', 'DELETE']) {
      emr.requests.length = 0;
      const reply = await change('own', method);
      expect(reply.status, reply.text).toBe(200);
      const [first, second] = emr.requests;
      expect(first?.method).toBe('GET');
      expect(first?.head).not.toMatch(/\r\n(?:content-type|content-length|if-match)/i);
      expect(second?.method).toBe(method);
      expect(second?.head).toMatch(/\r\nif-match: W\/"3"/i);
      if (method === 'PUT') expect(second?.body().toString()).toBe(whole(OWN));
    }
  });

  it('a tag of the client’s own is kept, a star is not', async () => {
    await change('own', 'PUT', { 'if-match': 'W/"2"' });
    expect(emr.requests[1]?.head).toMatch(/\r\nif-match: W\/"2"/i);
    emr.requests.length = 0;
    await change('own', 'PUT', { 'if-match': '*' });
    expect(emr.requests[1]?.head).toMatch(/\r\nif-match: W\/"3"/i);
  });

  it('another’s, an absent one and one that cannot be judged: one answer, and nothing is changed', async () => {
    const uniform = withoutRequestId(await change('others', 'PUT'));
    expect(uniform).toMatch(/^404/);
    for (const script of ['absent', 'html', 'packed', 'broken', 'cut', 'both-readings', 'unchanged'])
      for (const method of ['PUT', 'DELETE'])
        expect(withoutRequestId(await change(script, method)), `${method} ${script}`).toBe(uniform);
    expect(emr.requests.every(({ method }) => method === 'GET')).toBe(true);
  });
});

describe('the capability statement says what the gateway permits', () => {
  it('and where the tenant’s issuer authorises', async () => {
    const reply = await north('/fhir/metadata?_format=xml', { headers: { 'x-script': 'capabilities' } });
    expect(reply.status, reply.text).toBe(200);
    expect(received().target).toBe('/fhir/metadata');
    const text = reply.text;
    expect(text).not.toContain('Old EMR');
    expect(text).not.toContain('Account');
    expect(text).not.toContain('history-instance');
    expect(text).toContain(`"url":"${stack.tenants.north.origin}/fhir"`);
    expect(text).toContain(`${stack.issuerUrl}/token`);
  });

  it('what is none is hidden', async () => {
    const reply = await north('/fhir/metadata', { headers: { 'x-script': 'html' } });
    expect(reply.status).toBe(404);
    expect(reply.text).not.toContain(SECRET);
  });
});
