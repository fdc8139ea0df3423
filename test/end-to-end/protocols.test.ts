import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutRequestId } from '../../examples/demo/evidence.ts';
import { plainHttp } from '../../examples/demo/probes.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask } from '../../examples/support/https-client.ts';
import { H2Client } from '../support/http2.ts';
import { raw, statuses } from '../support/raw.ts';
import { stackFor } from '../support/stack.ts';

let stack: Stack;
let reader: string;
let writer: string;
let desk: string;

beforeAll(async () => {
  stack = await stackFor('protocols', {
    limits: {
      perPeer: { requests: 100_000, window: '10s' },
      perPrincipal: { requests: 100_000, window: '10s' },
    },
  });
  reader = await stack.token({ tenant: 'north', scopes: ['system/Patient.rs'] });
  writer = await stack.token({
    tenant: 'north',
    scopes: ['system/Patient.cruds', 'system/Observation.cruds'],
  });
  desk = await stack.token({
    tenant: 'north',
    client: 'front-desk',
    scopes: ['emr/pages', 'emr/documents', 'emr/feed', 'emr/metadata'],
  });
});
afterAll(() => stack?.stop());

const north = (path: string, more: Omit<Ask, 'url' | 'authority'> = {}) =>
  ask({ url: `${stack.tenants.north.origin}${path}`, authority: stack.authority, ...more });

/** The last request that the EMR itself received on this path, as it received it. */
async function seen(
  path: string,
): Promise<{ method: string; url: string; headers: Record<string, string>; rawHeaders: string[] }> {
  const status = (await (await fetch(`${stack.tenants.north.emr.origin}/server-status`)).json()) as {
    requests: { method: string; url: string; headers: Record<string, string>; rawHeaders: string[] }[];
  };
  const found = status.requests.findLast((request) => request.url.startsWith(path));
  if (found === undefined) throw new Error(`the EMR saw nothing on ${path}`);
  return found;
}

describe.each(['HTTP/1.1', 'HTTP/2'] as const)('over %s', (protocol) => {
  let h2: H2Client;
  beforeAll(() => {
    h2 = new H2Client(stack.tenants.north.origin, stack.authority);
  });
  afterAll(() => h2.close());

  async function send(
    path: string,
    options: { method?: string; token?: string; headers?: Record<string, string>; body?: string } = {},
  ) {
    if (protocol === 'HTTP/2') return h2.request(path, options);
    const reply = await north(path, options);
    return { status: reply.status, headers: reply.headers, text: reply.text };
  }

  it('without a token nothing passes, and no route looks different from any other', async () => {
    const unknown = await send('/server-status');
    expect([unknown.status, unknown.headers['www-authenticate']]).toEqual([401, 'Bearer realm="north"']);
    const reply = await send('/fhir/Patient/1');
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toBe('Bearer realm="north"');
  });

  it('with a bad token nothing passes, and the answer does not say why', async () => {
    const reply = await send('/fhir/Patient/1', { token: `${reader.slice(0, -8)}AAAAAAAA` });
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toBe('Bearer realm="north", error="invalid_token"');
    expect(reply.text).not.toMatch(/signature|expired|audience/i);
  });

  it('with the scope the record comes from the EMR', async () => {
    const reply = await send('/fhir/Patient/1', { token: reader });
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.text)).toMatchObject({ resourceType: 'Patient', id: '1' });
  });

  it('without the scope the answer is an honest 403 that names a scope', async () => {
    const reply = await send('/fhir/Observation/1', { token: reader });
    expect(reply.status).toBe(403);
    expect(reply.headers['www-authenticate']).toMatch(
      /error="insufficient_scope", scope="(user|system)\/Observation\.r/,
    );
  });

  it('absent, forbidden and failing records are one answer', async () => {
    const restricted = stack.tenants.north.restricted[0];
    const answers = await Promise.all(
      [`/fhir/Patient/${restricted}`, '/fhir/Patient/999999', '/fhir/Patient/not-a-number'].map((path) =>
        send(path, { token: reader }),
      ),
    );
    const forms = new Set(
      answers.map((reply) => {
        const id = String(reply.headers['x-request-id']);
        const headers = Object.entries(reply.headers).filter(([name]) => name !== 'date');
        return JSON.stringify([reply.status, headers, reply.text]).replaceAll(id, 'ID');
      }),
    );
    expect(forms.size).toBe(1);
    expect(answers[0]?.status).toBe(404);
  });

  it('a write is done, and its Location is on this side', async () => {
    const reply = await send('/fhir/Observation', {
      method: 'POST',
      token: writer,
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
        subject: { reference: 'Patient/1' },
        valueQuantity: { value: 70, unit: '/min' },
      }),
    });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.headers.location).toMatch(/^\/fhir\/Observation\/\d+/);
  });

  it('HEAD has the headers of GET and no body', async () => {
    const reply = await send('/fhir/Patient/1', { method: 'HEAD', token: reader });
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('');
    expect(Number(reply.headers['content-length'])).toBeGreaterThan(500);
  });

  it.each([
    ['/fhir/Patient/1/', 404, 'no such route'],
    ['/server-status', 404, 'the EMR has it, the policy does not'],
    ['/fhir/Patient%2f1', 400, 'encoded slash'],
    ['/fhir/../server-status', 400, 'dot segments'],
    ['/fhir/%2e%2e/server-status', 400, 'encoded dot segments'],
    ['//server-status', 400, 'empty segment'],
    ['/fhir/Patient/1;x', 400, 'path parameter'],
    ['/fhir/Patient/1%00', 400, 'NUL'],
    ['/fhir/Patient/1?a=%ff', 400, 'a query that is not UTF-8'],
  ])('%s is answered %i: %s', async (path, status) => {
    expect((await send(path, { token: reader })).status).toBe(status);
  });

  it('client-sent identity and forwarding headers never reach the EMR; the gateway writes its own', async () => {
    const reply = await send('/fhir/Patient/2', {
      token: reader,
      headers: {
        'x-forwarded-user': 'dr.quill',
        x_forwarded_user: 'dr.quill',
        'x-forwarded-for': '10.9.8.7',
        forwarded: 'for=10.9.8.7',
        'x-original-url': '/billing/overview',
        'x-real-ip': '10.9.8.7',
      },
    });
    expect(reply.status).toBe(200);
    const { headers, rawHeaders } = await seen('/fhir/Patient/2');
    expect(headers['x-forwarded-user']).toBe('pharmacy');
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['x-forwarded-proto']).toBe('https');
    expect(headers.via).toBe(protocol === 'HTTP/2' ? '2.0 chartgate' : '1.1 chartgate');
    expect(headers['x-request-id']).toBe(reply.headers['x-request-id']);
    expect(rawHeaders.join('\n')).not.toMatch(/dr\.quill|10\.9\.8\.7|billing|x_forwarded/i);
    expect(headers.authorization).toBeUndefined();
  });

  it("the EMR's fingerprints are taken off and security headers put on", async () => {
    const reply = await send('/fhir/Patient/1', { token: reader });
    for (const name of ['server', 'x-powered-by', 'via']) expect(reply.headers[name]).toBeUndefined();
    expect(reply.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'strict-transport-security': 'max-age=31536000',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'SAMEORIGIN',
      'cache-control': expect.stringMatching(/no-store|private|no-cache/),
    });
    expect(reply.headers['content-security-policy']).toContain('frame-ancestors');
  });

  it("an error page of the EMR's never passes", async () => {
    const token = await stack.token({ tenant: 'north', scopes: ['system/Observation.rs'] });
    const reply = await send("/fhir/Observation?code='", { token });
    const direct = await fetch(`${stack.tenants.north.emr.origin}/fhir/Observation?code='`);
    expect(direct.status).toBe(500);
    expect(await direct.text()).toMatch(/SELECT|SQL/i);
    // Refused before it gets there; pages of EMRs that fail by themselves are in hostile.test.ts.
    expect(reply.status).toBe(400);
    expect(reply.text).not.toMatch(/SELECT|SQL syntax|stack| at \//i);
  });

  it('a body that is larger than the route allows is refused', async () => {
    const reply = await send('/fhir/Observation', {
      method: 'POST',
      token: writer,
      headers: { 'content-type': 'application/fhir+json' },
      body: 'x'.repeat(1_100_000),
    }).catch((error: Error) => ({ status: 413, headers: {}, text: error.message }));
    expect(reply.status).toBe(413);
  });

  it('a media type that the route does not take is refused', async () => {
    expect(
      (
        await send('/fhir/Observation', {
          method: 'POST',
          token: writer,
          headers: { 'content-type': 'text/plain' },
          body: 'x',
        })
      ).status,
    ).toBe(415);
    expect((await send('/fhir/Observation', { method: 'POST', token: writer, body: 'x' })).status).toBe(415);
  });

  it('static assets need no token', async () => {
    const reply = await send('/static/emr.css');
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toMatch(/css/);
  });

  it('a large download arrives whole', async () => {
    const reply = await send('/download/large', { token: desk });
    expect(reply.status).toBe(200);
    expect(reply.text.length).toBeGreaterThan(10_000_000);
  });
});

describe('one meaning for each HTTP/1.1 request', () => {
  const head = () =>
    `Host: ${new URL(stack.tenants.north.origin).host}\r\nAuthorization: Bearer ${reader}\r\n`;

  it.each([
    [
      'both length and coding',
      () =>
        `POST /fhir/Patient/1 HTTP/1.1\r\n${head()}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'two lengths',
      () => `POST /fhir/Patient/1 HTTP/1.1\r\n${head()}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    ],
    [
      'a length that is a list',
      () => `POST /fhir/Patient/1 HTTP/1.1\r\n${head()}Content-Length: 1, 1\r\n\r\na`,
    ],
    [
      'a list of codings',
      () => `POST /fhir/Patient/1 HTTP/1.1\r\n${head()}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'a coding after chunked',
      () => `POST /fhir/Patient/1 HTTP/1.1\r\n${head()}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    ],
    ['obs-fold', () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}X-A: a\r\n b\r\n\r\n`],
    ['a space before the colon', () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}X-A : a\r\n\r\n`],
    ['a bare CR in a header', () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}X-A: a\rb\r\n\r\n`],
    ['NUL in a header', () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}X-A: a\0b\r\n\r\n`],
    ['no Host', () => 'GET /fhir/Patient/1 HTTP/1.1\r\n\r\n'],
    ['two Hosts', () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}Host: other.example\r\n\r\n`],
    [
      'an absolute form that names another authority',
      () => `GET https://other.example/fhir/Patient/1 HTTP/1.1\r\n${head()}\r\n`,
    ],
    [
      'an absolute form over plain HTTP',
      () => `GET http://north.localhost/fhir/Patient/1 HTTP/1.1\r\n${head()}\r\n`,
    ],
    ['HTTP/1.0', () => `GET /fhir/Patient/1 HTTP/1.0\r\n${head()}\r\n`],
    ['HTTP/0.9', () => 'GET /fhir/Patient/1\r\n'],
    ['TRACE', () => `TRACE /fhir/Patient/1 HTTP/1.1\r\n${head()}\r\n`],
    ['an unknown method', () => `BREW /fhir/Patient/1 HTTP/1.1\r\n${head()}\r\n`],
    ['CONNECT', () => `CONNECT 127.0.0.1:22 HTTP/1.1\r\n${head()}\r\n`],
    [
      'an upgrade to h2c',
      () =>
        `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n`,
    ],
    ['two credentials', () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}Authorization: Bearer x\r\n\r\n`],
    [
      'Connection that names the credential',
      () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}Connection: authorization\r\n\r\n`,
    ],
    ['a fragment in the target', () => `GET /fhir/Patient/1#x HTTP/1.1\r\n${head()}\r\n`],
    ['a space in the target', () => `GET /fhir/Patient/1 x HTTP/1.1\r\n${head()}\r\n`],
    ['an expectation nobody knows', () => `GET /fhir/Patient/1 HTTP/1.1\r\n${head()}Expect: magic\r\n\r\n`],
  ])('%s is refused, and nothing after it on the connection is read', async (_what, request) => {
    const total = async () =>
      ((await (await fetch(`${stack.tenants.north.emr.origin}/server-status`)).json()) as { total: number })
        .total;
    const before = await total();
    const smuggled = `GET /fhir/Patient/3 HTTP/1.1\r\n${head()}\r\n`;
    const answer = await raw(stack.tenants.north.origin, stack.authority, `${request()}${smuggled}`);
    for (const status of statuses(answer)) expect(status, answer.slice(0, 300)).toBeGreaterThanOrEqual(400);
    expect(statuses(answer).length).toBeLessThanOrEqual(1);
    expect(await total()).toBe(before);
  });

  it('Host and the name in the handshake must agree', async () => {
    const other = new URL(stack.tenants.south.origin).host;
    const answer = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `GET /fhir/Patient/1 HTTP/1.1\r\nHost: ${other}\r\n\r\n`,
    );
    expect(statuses(answer)).toEqual([421]);
  });

  it('the same over HTTP/2, where a connection might be reused for another name', async () => {
    const h2 = new H2Client(stack.tenants.north.origin, stack.authority);
    const reply = await h2.request('/fhir/Patient/1', {
      authority: new URL(stack.tenants.south.origin).host,
    });
    h2.close();
    expect(reply.status).toBe(421);
  });

  it('an absolute form that names us is read as its path', async () => {
    const { host } = new URL(stack.tenants.north.origin);
    const answer = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `GET https://${host}/fhir/Patient/1 HTTP/1.1\r\n${head()}\r\n`,
    );
    expect(statuses(answer)).toEqual([200]);
  });

  it('pipelined requests are answered each by itself, in order', async () => {
    const one = (id: number) => `GET /fhir/Patient/${id} HTTP/1.1\r\n${head()}\r\n`;
    const answer = await raw(stack.tenants.north.origin, stack.authority, one(1) + one(2));
    expect(statuses(answer)).toEqual([200, 200]);
    expect(answer.indexOf('"id":"1"')).toBeLessThan(answer.indexOf('"id":"2"'));
  });

  it('plain HTTP gets no answer of the EMR', async () => {
    const url = new URL(stack.tenants.north.origin);
    expect(await plainHttp(Number(url.port), url.host)).not.toMatch(/^HTTP\/1\.1 2/);
  });
});

describe('the EMR works unchanged behind it', () => {
  it('its own login, cookies, redirects and forms', async () => {
    const jar = new Map<string, string>();
    const visit = async (path: string, more: Omit<Ask, 'url' | 'authority'> = {}) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const reply = await north(path, {
        ...more,
        token: desk,
        headers: { accept: 'text/html', ...(cookie === '' ? {} : { cookie }), ...more.headers },
      });
      for (const line of reply.headers['set-cookie'] ?? []) {
        expect(line).toMatch(/; Secure/);
        expect(line).not.toMatch(/domain=/i);
        const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=');
        jar.set(name, value);
      }
      return reply;
    };
    const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await visit('/login')).text).toMatch(/<form/i);
    const signedIn = await visit('/login', { ...form, body: 'username=dr.quill&password=paperleaf' });
    expect(signedIn.status).toBe(302);
    expect(signedIn.headers.location).toMatch(/^\//);
    const list = await visit(String(signedIn.headers.location));
    expect(list.status).toBe(200);
    expect(list.headers['content-security-policy-report-only']).toContain("default-src 'self'");
    const edit = await visit('/patients/1/edit');
    expect(edit.status).toBe(200);
  });

  it('server-sent events arrive as they are sent', async () => {
    const { request } = await import('node:https');
    const url = new URL('/events', stack.tenants.north.origin);
    const { promise, resolve, reject } = Promise.withResolvers<number[]>();
    const times: number[] = [];
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: url.port,
        servername: url.hostname,
        path: '/events',
        ca: stack.authority,
        headers: { host: url.host, authorization: `Bearer ${desk}` },
      },
      (incoming) => {
        expect(incoming.statusCode).toBe(200);
        incoming.on('data', () => {
          times.push(performance.now());
          if (times.length === 4) {
            outgoing.destroy();
            resolve(times);
          }
        });
      },
    );
    outgoing.on('error', (error) => (times.length >= 4 ? undefined : reject(error)));
    outgoing.end();
    const arrived = await promise;
    expect((arrived[3] ?? 0) - (arrived[0] ?? 0)).toBeGreaterThan(200);
  });

  it('an upload is streamed, and arrives as it was sent', async () => {
    const body = Buffer.alloc(5_000_000, 'chart');
    const reply = await north('/documents/upload', {
      method: 'POST',
      token: desk,
      headers: { 'content-type': 'application/octet-stream' },
      body,
    });
    expect(reply.status, reply.text).toBeLessThan(300);
    const { createHash } = await import('node:crypto');
    expect(reply.text).toContain(createHash('sha256').update(body).digest('hex'));
  });

  it('a client that waits for 100 Continue is told to go on only when it may', async () => {
    const { host } = new URL(stack.tenants.north.origin);
    const refused = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `POST /documents/upload HTTP/1.1\r\nHost: ${host}\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(statuses(refused)).toEqual([401]);
    const allowed = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `POST /documents/upload HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${desk}\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(allowed).toMatch(/^HTTP\/1\.1 100 Continue/);
  });
});

describe('what is hidden', () => {
  it('is the same in every form that a client may ask for', async () => {
    const restricted = stack.tenants.north.restricted[0];
    for (const accept of [
      'application/fhir+json',
      'application/json',
      'application/fhir+xml',
      'text/html',
      'text/plain',
      '*/*',
    ]) {
      const [forbidden, absent] = await Promise.all(
        [`/fhir/Patient/${restricted}`, '/fhir/Patient/999999'].map((path) =>
          north(path, { token: reader, headers: { accept } }),
        ),
      );
      expect(withoutRequestId(forbidden as never)).toBe(withoutRequestId(absent as never));
    }
  });

  it('a duplicate is refused without naming whom it duplicates', async () => {
    const existing = JSON.parse((await north('/fhir/Patient/4', { token: reader })).text) as Record<
      string,
      unknown
    >;
    delete existing.id;
    const reply = await north('/fhir/Patient', {
      method: 'POST',
      token: writer,
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify(existing),
    });
    const name = JSON.stringify((existing.name as unknown[])[0]);
    const family = /"family":"([^"]+)"/.exec(name)?.[1] ?? 'nobody';
    expect(reply.status).toBe(422);
    expect(reply.text).not.toContain(family);
  });
});
