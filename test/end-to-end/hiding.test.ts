import { writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { activityOf, metric, withoutRequestId } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import {
  BREAKS,
  CASES,
  DEADLINE_MS,
  OWN,
  POLICY,
  RECORD,
  REFUSALS,
  SCRIPTS,
  TELLING,
  WAYS,
} from '../support/hiding.ts';
import { HostileEmr } from '../support/hostile-emr.ts';
import { stackFor } from '../support/stack.ts';

/**
 * Existence hiding: whatever keeps a record from the one who asks, the answer is one and the same. The back end says of
 * its own what each case is; nothing of that may come through.
 */

let stack: Stack;
let emr: HostileEmr;
let token: string;
let app: string;
let narrow: string;
let writer: string;
let family: string;

beforeAll(async () => {
  emr = new HostileEmr(SCRIPTS);
  await emr.listen();
  stack = await stackFor('existence-hiding', {
    workers: 1,
    clients: [
      { id: 'writer', what: 'writes what it cannot read', scopes: ['system/Observation.ud'] },
      { id: 'family', what: "a patient's app that writes", scopes: ['patient/Observation.ru'], patient: '7' },
    ],
    backends: { north: `http://127.0.0.1:${emr.port}` },
    prepare: async ({ layout }) => {
      writeFileSync(join(layout.gateway, 'hiding.yaml'), stringify(POLICY, { aliasDuplicateObjects: false }));
      return {
        adjust: (usual) => ({
          ...usual,
          policies: { hiding: 'hiding.yaml' },
          guard: { mode: 'off' },
          limits: {
            headers: 'always',
            perPeer: { requests: 100_000, window: '1m' },
            perPrincipal: { requests: 100_000, window: '1m' },
          },
          tenants: (usual.tenants as readonly object[]).map((tenant) => ({ ...tenant, policy: 'hiding' })),
        }),
      };
    },
  });
  token = await stack.token({ tenant: 'north', scopes: ['system/Observation.cruds'] });
  app = await stack.token({ tenant: 'north', client: 'patient-app', scopes: ['patient/Observation.rs'] });
  family = await stack.token({ tenant: 'north', client: 'family', scopes: ['patient/Observation.ru'] });
  writer = await stack.token({ tenant: 'north', client: 'writer', scopes: ['system/Observation.ud'] });
  narrow = await stack.token({ tenant: 'north', scopes: ['system/Observation.r'] });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await emr?.close();
});

beforeEach(() => {
  emr.requests.length = 0;
});

const north = (path: string, more: Omit<Ask, 'url' | 'authority'> = {}): Promise<Reply> =>
  ask({ url: `${stack.tenants.north.origin}${path}`, authority: stack.authority, token, ...more });
const scripted = (script: string, path: string, more: Partial<Ask> = {}): Promise<Reply> =>
  north(path, { ...more, headers: { 'x-script': script, ...more.headers } });

describe.each(WAYS)(
  '$what of what the caller does not get',
  ({ path, method = 'GET', headers, body: sent }) => {
    const of = (script: string, where = path, content = sent) =>
      scripted(sent === undefined ? script : `${script}-read`, where, {
        method,
        ...(headers === undefined ? {} : { headers }),
        ...(content === undefined ? {} : { body: content }),
      });

    it('is one answer over HTTP/1.1, whatever the EMR says, and what the policy hides is the same', async () => {
      // A redirect of what is no FHIR server may be its way to go on: patterns of the route say which are refusals.
      const passes = path.startsWith('/documents') ? ['moved', 'sent-to-login'] : [];
      const names = Object.keys(CASES).filter((name) => !passes.includes(name));
      const uniform = withoutRequestId(await of('absent'));
      expect(uniform).toMatch(/^404/);
      expect(uniform).not.toMatch(TELLING);
      const replies = await Promise.all(names.map(async (name) => [name, await of(name)] as const));
      for (const [name, reply] of replies) expect(withoutRequestId(reply), name).toBe(uniform);
      emr.requests.length = 0;
      if (!path.endsWith('/o1')) return;
      const sealed = await of('found', path.replace('o1', 'sealed'), sent?.replace('"o1"', '"sealed"'));
      expect(withoutRequestId(sealed), 'sealed').toBe(uniform);
      expect(emr.requests).toEqual([]);
    });
  },
);

describe('over HTTP/2', () => {
  let session: ClientHttp2Session;
  beforeAll(() => {
    const { port, hostname } = new URL(stack.tenants.north.origin);
    session = connectHttp2(`https://127.0.0.1:${port}`, { ca: stack.authority, servername: hostname });
  });
  afterAll(() => session?.destroy());

  const send = (script: string, path: string, method: string, content?: string) =>
    new Promise<{ text: string; at: number }>((resolve, reject) => {
      const { host } = new URL(stack.tenants.north.origin);
      const stream = session.request(
        {
          ':method': method,
          ':path': path,
          ':scheme': 'https',
          ':authority': host,
          authorization: `Bearer ${token}`,
          'x-script': content === undefined ? script : `${script}-read`,
          ...(content === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        },
        { endStream: content === undefined },
      );
      let text = '';
      stream.on('response', (_head, _flags, ...rest) => {
        const [raw] = rest as unknown as [string[]];
        text = raw.filter((_, at) => !/^(?:date|x-request-id)$/.test(raw[at - (at % 2)] ?? '')).join('\n');
      });
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.once('error', reject);
      stream.once('close', () =>
        resolve({
          text: `${text} ${stream.rstCode}`.replaceAll(/[0-9A-HJKMNP-TV-Z]{26}/g, ''),
          at: performance.now(),
        }),
      );
      if (content !== undefined) stream.end(content);
    });

  it.each(['GET', 'HEAD', 'DELETE', 'PUT'])('%s: one answer, ended in the same way', async (method) => {
    const content = method === 'PUT' ? RECORD : undefined;
    const uniform = await send('absent', '/fhir/Observation/o1', method, content);
    expect(uniform.text).toMatch(/^:status\n404/);
    expect(uniform.text).toMatch(/ 0$/);
    const replies = await Promise.all(
      Object.keys(CASES).map(
        async (name) => [name, await send(name, '/fhir/Observation/o1', method, content)] as const,
      ),
    );
    for (const [name, { text }] of replies) expect(text, name).toBe(uniform.text);
    const sealed = await send(
      'found',
      '/fhir/Observation/sealed',
      method,
      content?.replace('"o1"', '"sealed"'),
    );
    expect(sealed.text, 'sealed').toBe(uniform.text);
  });

  it('of requests that arrive together the first is answered first, whichever is ready first', async () => {
    for (let round = 0; round < 4; round += 1) {
      // The one is refused by the policy at once, the other by the EMR some time later.
      const paths = ['/unhurried/sealed', '/unhurried/o1'];
      if (round % 2 === 1) paths.reverse();
      const order: string[] = [];
      await Promise.all(paths.map((path) => send('absent', path, 'GET').then(() => order.push(path))));
      expect(order).toEqual(paths);
    }
  });
});

describe('its time', () => {
  it('is the deadline or a whole multiple, never less, whenever it was known', async () => {
    for (const [script, path, periods] of [
      ['absent', '/fhir/Observation/o1', 1],
      ['found', '/fhir/Observation/sealed', 1],
      ['late', '/fhir/Observation/o1', 2],
    ] as const) {
      const begun = performance.now();
      expect((await scripted(script, path)).status).toBe(404);
      expect(performance.now() - begun, script).toBeGreaterThanOrEqual(periods * DEADLINE_MS);
    }
    expect(await metric(stack, 'chartgate_hide_overruns_total', { route: 'read' })).toBeGreaterThan(0);
    expect(await metric(stack, 'chartgate_hidden_total', { route: 'read' })).toBeGreaterThan(2);
    expect(await metric(stack, 'chartgate_hide_deadline_seconds', { route: 'read' })).toBe(
      DEADLINE_MS / 1000,
    );
  });

  it('is learned where the route says so, from what it begins with', async () => {
    const begun = performance.now();
    expect((await scripted('absent', '/learning/1')).status).toBe(404);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(250);
    expect(await metric(stack, 'chartgate_hide_deadline_seconds', { route: 'learning' })).toBe(0.25);
  });

  it('a search in which others’ records were found and one that found nothing leave at the deadline', async () => {
    for (const script of ['nothing', 'others']) {
      const begun = performance.now();
      const reply = await scripted(script, '/fhir/Observation?code=x', {
        token: app,
        headers: { accept: 'application/fhir+json' },
      });
      if (reply.status === 200) expect(JSON.parse(reply.text)).not.toHaveProperty('entry.0');
      expect(performance.now() - begun).toBeGreaterThanOrEqual(DEADLINE_MS);
    }
  });
});

describe('what depends on the request alone is said, and is the same for a hidden record and an absent one', () => {
  it.each([
    [415, 'PUT', { 'content-type': 'text/csv' }, 'a,b', 'a media type that the route does not take'],
    [400, 'GET', { 'content-type': 'application/fhir+json' }, 'x', 'a body where none may be'],
    [413, 'POST', { 'content-type': 'application/octet-stream' }, 'x'.repeat(1_048_577), 'a body too large'],
  ] as const)('%i: %s', async (status, method, headers, content, _why) => {
    const base = method === 'POST' ? '/documents' : '/fhir/Observation';
    const [hidden, absent] = await Promise.all(
      ['sealed', 'o1'].map((id) => scripted('absent', `${base}/${id}`, { method, headers, body: content })),
    );
    expect(absent?.status).toBe(status);
    // How many requests are left is counted, whatever they ask for.
    const [one, other] = [hidden, absent].map((reply) =>
      withoutRequestId(reply as Reply).replace(/^ratelimit: .*$/im, ''),
    );
    expect(one).toBe(other);
  });

  it('401 with a challenge and 403 with the scope that is wanting, at once', async () => {
    for (const id of ['sealed', 'o1']) {
      const nobody = await north(`/fhir/Observation/${id}`, { token: undefined });
      expect([nobody.status, nobody.headers['www-authenticate']]).toEqual([401, 'Bearer realm="north"']);
      const bad = await north(`/fhir/Observation/${id}`, { token: 'x' });
      expect([bad.status, bad.headers['www-authenticate']]).toEqual([
        401,
        'Bearer realm="north", error="invalid_token"',
      ]);
      const other = await north(`/fhir/Observation/${id}`, { token: narrow, method: 'DELETE' });
      expect(other.status).toBe(403);
      expect(other.headers['www-authenticate']).toMatch(/error="insufficient_scope"/);
    }
    expect(emr.requests).toEqual([]);
  });

  it('a client that waits is told to go on for both', async () => {
    const { hostname, port, host } = new URL(stack.tenants.north.origin);
    const seen: string[] = [];
    for (const id of ['sealed', 'o1']) {
      const socket = connectTls({
        host: '127.0.0.1',
        port: Number(port),
        servername: hostname,
        ca: stack.authority,
        ALPNProtocols: ['http/1.1'],
      });
      let text = '';
      const content = RECORD.replace('"o1"', `"${id}"`);
      await new Promise<void>((resolve) => {
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
          if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write(content);
          if (text.includes('</html>') || text.includes('}]}')) resolve();
        });
        socket.on('error', () => resolve());
        socket.write(
          `PUT /fhir/Observation/${id} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nX-Script: absent-read\r\nExpect: 100-continue\r\nContent-Type: application/fhir+json\r\nContent-Length: ${content.length}\r\n\r\n`,
        );
      });
      socket.destroy();
      seen.push(text.replaceAll(/[0-9A-HJKMNP-TV-Z]{26}/g, '').replaceAll(/date: [^\r]*/gi, ''));
    }
    expect(seen[0]).toMatch(/^HTTP\/1\.1 100 Continue/);
    expect(seen[0]).toContain('404 Not Found');
    expect(seen[0]).toBe(seen[1]);
  });

  it('OPTIONS is answered from the route table and never forwarded', async () => {
    const asked = await Promise.all(
      ['o1', 'sealed', 'never-there'].map((id) =>
        scripted('not-allowed', `/documents/${id}`, { method: 'OPTIONS' }),
      ),
    );
    const [first, ...others] = asked.map(withoutRequestId);
    expect(asked[0]?.status).toBe(204);
    expect(asked[0]?.headers.allow).toBe('GET, HEAD, POST, OPTIONS');
    for (const other of others) expect(other).toBe(first);
    // What no route lets anybody do is not there.
    const unlisted = await scripted('found', '/fhir/Observation/o1', { method: 'OPTIONS' });
    expect(unlisted.status).toBe(404);
    expect(emr.requests).toEqual([]);
  });
});

describe('a deletion', () => {
  const remove = (script: string) => scripted(script, '/fhir/Observation/o1', { method: 'DELETE' });

  it('of what is absent is not called a success, and never sent', async () => {
    const absent = await remove('delete-always');
    expect(absent.status).toBe(404);
    expect(emr.requests.map(({ method }) => method)).toEqual(['GET']);
    emr.requests.length = 0;
    expect(withoutRequestId(await remove('forbidden'))).toBe(withoutRequestId(absent));
  });

  it.each(BREAKS)('of what broke off %s when it was looked at is never sent', async (name) => {
    const reply = await remove(`breaks-${name}`);
    expect(new Set(emr.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(withoutRequestId(reply)).toBe(withoutRequestId(await remove('absent')));
  });

  it('nor is a change of what broke off when it was to be judged whose it is', async () => {
    const update = (script: string) =>
      scripted(script, '/fhir/Observation/o1', {
        method: 'PUT',
        body: OWN,
        headers: { 'content-type': 'application/fhir+json' },
        token: family,
      });
    expect((await update('changes-own')).status).toBe(200);
    const absent = withoutRequestId(await update('delete-always'));
    emr.requests.length = 0;
    for (const name of BREAKS) expect(withoutRequestId(await update(`breaks-${name}`)), name).toBe(absent);
    expect(new Set(emr.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
  });

  it('of what the caller is given is done', async () => {
    expect((await remove('delete-found')).status).toBe(204);
    expect(emr.requests.map(({ method }) => method)).toEqual(['GET', 'DELETE']);
  });
});

describe('a change that the EMR refused', () => {
  const CHANGES = {
    PUT: { body: RECORD, headers: { 'content-type': 'application/fhir+json' } },
    PATCH: {
      body: '[{"op":"replace","path":"/status","value":"final"}]',
      headers: { 'content-type': 'application/json-patch+json' },
    },
    DELETE: {},
  } as const;
  const change = (method: keyof typeof CHANGES, script: string, id = 'o1', more: Partial<Ask> = {}) => {
    const { headers, ...rest } = { headers: {}, ...CHANGES[method] };
    const content = 'body' in rest ? { body: rest.body.replace('"o1"', `"${id}"`) } : {};
    return scripted(script, `/fhir/Observation/${id}`, { method, headers, ...content, ...more });
  };
  const methods = Object.keys(CHANGES) as (keyof typeof CHANGES)[];

  it.each(methods)('%s: is called so to whom the record is given', async (method) => {
    for (const [status] of REFUSALS) {
      const reply = await change(method, `refuses-${status}`);
      expect(reply.status).toBe(status);
      expect(`${reply.rawHeaders} ${reply.text}`).not.toMatch(/W\/"7"|SQLException|PatientDao/);
    }
  });

  it.each(methods)('%s: is hidden where the EMR does not give the record', async (method) => {
    const absent = withoutRequestId(await change(method, method === 'DELETE' ? 'absent' : 'absent-read'));
    for (const [status] of REFUSALS)
      expect(withoutRequestId(await change(method, `refuses-${status}-forbidden`)), String(status)).toBe(
        absent,
      );
  });

  it.each(methods)('%s: is hidden where the policy does not permit to read it', async (method) => {
    const absent = withoutRequestId(await change(method, method === 'DELETE' ? 'absent' : 'absent-read'));
    for (const [status] of REFUSALS) {
      const ruled = await change(method, `refuses-${status}`, 'unread');
      expect(withoutRequestId(ruled), `${status} of what a rule keeps`).toBe(absent);
      const unscoped = await change(method, `refuses-${status}`, 'o1', { token: writer });
      expect(withoutRequestId(unscoped), `${status} without the scope`).toBe(absent);
    }
  });
});

describe('a good client', () => {
  it('is told 304 by the gateway, which never asks the EMR for a condition', async () => {
    for (const headers of [
      { 'if-none-match': 'W/"7"' },
      { 'if-none-match': '"a", "7"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': 'Sat, 21 Nov 2026 10:00:00 GMT' },
    ] as Record<string, string>[]) {
      emr.requests.length = 0;
      const reply = await scripted('found', '/fhir/Observation/o1', { headers });
      expect([reply.status, reply.text, reply.headers.etag]).toEqual([304, '', 'W/"7"']);
      expect(reply.headers.ratelimit).toBeDefined();
      expect(reply.headers['content-length']).toBeUndefined();
      expect(emr.requests[0]?.head).not.toMatch(/\r\nif-/i);
    }
    for (const headers of [
      { 'if-none-match': 'W/"6"' },
      { 'if-none-match': 'W/"6"', 'if-modified-since': 'Sun, 22 Nov 2026 10:00:00 GMT' },
      { 'if-modified-since': 'Sat, 21 Nov 2026 09:59:59 GMT' },
      { 'if-modified-since': 'some time ago' },
    ] as Record<string, string>[]) {
      const reply = await scripted('found', '/fhir/Observation/o1', { headers });
      expect([reply.status, reply.text], JSON.stringify(headers)).toEqual([200, RECORD]);
    }
  });

  it('learns that its version is old, if it is given the record; nobody else does', async () => {
    const update = (script: string) =>
      scripted(script, '/fhir/Observation/o1', {
        method: 'PUT',
        body: RECORD,
        headers: { 'content-type': 'application/fhir+json', 'if-match': 'W/"6"' },
      });
    const stale = await update('stale-found');
    expect(stale.status).toBe(412);
    expect(stale.text).not.toContain('W/"7"');
    expect(emr.requests.map(({ method }) => method)).toEqual(['PUT', 'GET']);
    const forbidden = await update('stale-forbidden');
    expect(withoutRequestId(forbidden)).toBe(withoutRequestId(await update('absent-read')));
  });

  it('has the reason kept for staff', async () => {
    const reply = await scripted('forbidden', '/fhir/Observation/o1');
    const entries = await activityOf(stack, reply.headers['x-request-id'] as string);
    expect(entries.at(-1)).toMatchObject({ kind: 'outcome', status: 404, backendStatus: 403 });
    const sealed = await scripted('found', '/fhir/Observation/sealed');
    const [entry] = await activityOf(stack, sealed.headers['x-request-id'] as string);
    expect(entry).toMatchObject({ kind: 'outcome', reason: 'denied-by-rule', status: 404 });
  });
});
