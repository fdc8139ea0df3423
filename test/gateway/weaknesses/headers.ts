import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Guarded, headOf, statuses } from './gateway.ts';

const UPGRADE =
  'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** Fields by which the EMR is told who asks: from nobody but the gateway. */
export function describeHeaders(gateway: () => Guarded): void {
  describe('fields that a back end believes', () => {
    it('CVE-2025-64484 (oauth2-proxy): X_Forwarded_User is no way round X-Forwarded-User', async () => {
      const g = gateway();
      const reply = await g.send('/fhir/Patient/1', {
        token: g.reader,
        headers: { X_Forwarded_User: 'admin', 'X-Forwarded_User': 'admin', X_FORWARDED_GROUPS: 'admin' },
      });
      expect(reply.status).toBe(200);
      const head = headOf(g.reached());
      expect([...head.keys()].filter((name) => name.includes('_'))).toEqual([]);
      expect(head.get('x-forwarded-user')).toEqual(['pharmacy']);
    });

    it('GHSA-7r4p-vjf4-gxv4, CVE-2026-30851 (Caddy): an identity field survives nowhere, also where nobody signed in', async () => {
      const g = gateway();
      const headers = {
        'X-Forwarded-User': 'admin',
        'Remote-User': 'admin',
        'X-Auth-Request-Email': 'a@b.example',
      };
      expect((await g.send('/fhir/Patient/1', { token: g.reader, headers })).status).toBe(200);
      expect(headOf(g.reached()).get('x-forwarded-user')).toEqual(['pharmacy']);
      expect((await g.send('/static/emr.css', { headers })).status).toBe(200);
      const anonymous = headOf(g.reached());
      for (const name of Object.keys(headers)) expect(anonymous.has(name.toLowerCase())).toBe(false);
    });

    it('a method that only a framework behind would read is refused, or never gets there', async () => {
      const g = gateway();
      const form = { 'content-type': 'application/x-www-form-urlencoded' };
      const login = (path: string, body: string, headers: Record<string, string> = {}) =>
        g.send(path, { token: g.desk, method: 'POST', headers: { ...form, ...headers }, body });
      g.reached();
      expect((await login('/login', 'user=a&_method=DELETE')).status).toBe(400);
      expect((await login('/login', 'user=a&_METHOD%5B%5D=DELETE')).status).toBe(400);
      expect((await login('/login?_method=DELETE', 'user=a')).status).toBe(400);
      expect(
        (await g.send('/fhir/Patient/1?X-HTTP-Method-Override=DELETE', { token: g.reader })).status,
      ).toBe(400);
      expect(g.reached()).toEqual([]);
      const names = ['x-http-method-override', 'x-http-method', 'x-method-override'];
      const headers = Object.fromEntries(names.map((name) => [name, 'DELETE']));
      expect((await login('/login', 'user=a', headers)).status).toBe(200);
      const head = headOf(g.reached());
      for (const name of names) expect(head.has(name)).toBe(false);
    });

    it.each([
      ['CVE-2026-33805 (@fastify/reply-from)', 'X-Forwarded-User'],
      ['CVE-2025-48865 (Fabio)', 'X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-For'],
    ])('%s: Connection: %s takes away nothing that the gateway adds', async (_id, named) => {
      const g = gateway();
      const answer = await g.raw(g.get('/fhir/Patient/1', `Connection: keep-alive, ${named}\r\n`));
      expect(statuses(answer)).toEqual([200]);
      const head = headOf(g.reached());
      expect(head.get('x-forwarded-user')).toEqual(['pharmacy']);
      expect(head.get('x-forwarded-host')).toEqual([g.host]);
      expect(head.get('x-forwarded-proto')).toEqual(['https']);
      expect(head.get('x-forwarded-for')).toEqual(['127.0.0.1']);
    });

    it('CVE-2026-33805, CVE-2025-48865: nor on an upgrade', async () => {
      const g = gateway();
      const answer = await g.raw(
        g.get(
          '/feed',
          `Connection: Upgrade, X-Forwarded-User, X-Forwarded-Host\r\n${UPGRADE}X-Script: switch\r\n`,
          g.desk,
        ),
      );
      expect(statuses(answer)).toEqual([101]);
      const head = headOf(g.reached());
      expect(head.get('x-forwarded-user')).toEqual(['front-desk']);
      expect(head.get('x-forwarded-host')).toEqual([g.host]);
    });

    it.each([
      ['CVE-2026-6338', 'Content-Length'],
      ['CVE-2026-26365 (Akamai)', 'Transfer-Encoding'],
    ])('%s: Connection: %s cannot take the framing away', async (_id, named) => {
      const g = gateway();
      const smuggled = g.get('/patients');
      const answer = await g.raw(
        `PUT /fhir/Patient/1 HTTP/1.1\r\nHost: ${g.host}\r\nAuthorization: Bearer ${g.writer}\r\n` +
          `Content-Type: application/fhir+json\r\nConnection: ${named}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      );
      expect(statuses(answer)).toEqual([400]);
      expect(g.reached()).toEqual([]);
    });

    it.each([
      [
        'CVE-2026-40575 (oauth2-proxy)',
        { 'X-Forwarded-Uri': '/static/emr.css', 'X-Original-URL': '/static/emr.css' },
      ],
      ['CVE-2026-35051 (Traefik)', { 'X-Forwarded-Prefix': '/static', 'X-Replaced-Path': '/static/emr.css' }],
      ['CVE-2026-3635 (Fastify)', { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Host': 'evil.example' }],
      ['CVE-2026-34457 (oauth2-proxy)', { 'User-Agent': 'GoogleHC/1.0', 'X-Health-Check': '1' }],
      ['CVE-2026-34457, the agent of kubelets', { 'User-Agent': 'kube-probe/1.30' }],
    ])('%s: %j opens nothing, and is not believed', async (_id, headers) => {
      const g = gateway();
      const closed = await g.send('/fhir/Patient/1', { headers: headers as Record<string, string> });
      expect(closed.status).toBe(401);
      expect(g.reached()).toEqual([]);
      const open = await g.send('/fhir/Patient/1', {
        token: g.reader,
        headers: headers as Record<string, string>,
      });
      expect(open.status).toBe(200);
      const head = headOf(g.reached());
      expect(head.get('x-forwarded-host')).toEqual([g.host]);
      expect(head.get('x-forwarded-proto')).toEqual(['https']);
      for (const name of ['x-forwarded-uri', 'x-original-url', 'x-forwarded-prefix', 'x-replaced-path'])
        expect(head.has(name)).toBe(false);
    });

    it('CVE-2026-1525 (undici): the back end never gets two lengths, however the client spells them', async () => {
      const g = gateway();
      const body = JSON.stringify({ resourceType: 'Patient', id: '1' });
      const one = (length: string) =>
        `PUT /fhir/Patient/1 HTTP/1.1\r\nHost: ${g.host}\r\nAuthorization: Bearer ${g.writer}\r\n` +
        `Content-Type: application/fhir+json\r\n${length}\r\n${body}`;
      for (const [length, expected] of [
        [`Content-Length: ${body.length}\r\ncontent-length: ${body.length}\r\n`, [400]],
        [`Content-Length: ${body.length}\r\nCONTENT-LENGTH: 0\r\n`, [400]],
        [`Content-Length: ${body.length}\r\nContent_Length: 0\r\n`, [200]],
      ] as const) {
        expect(statuses(await g.raw(one(length)))).toEqual(expected);
        const reached = g.reached();
        for (const request of reached) {
          expect(request.head.match(/content.length/gi)).toHaveLength(1);
        }
        expect(reached.filter((request) => request.method === 'PUT').length).toBe(
          expected[0] === 200 ? 1 : 0,
        );
      }
    });

    it.each([
      ['a path', '/fhir/Patient/1%0d%0aX-Forwarded-User:%20admin', 400],
      ['a query', '/fhir/Patient/1?_format=a%0d%0aX-Forwarded-User:%20admin', 400],
      ['a query name', '/fhir/Patient/1?a%0d%0aX:=b', 400],
    ])(
      'CVE-2026-1527 (undici): a line break in %s never begins a field of the back end',
      async (_what, path, status) => {
        const g = gateway();
        expect((await g.send(path, { token: g.reader })).status).toBe(status);
        expect(g.reached()).toEqual([]);
      },
    );

    it('CVE-2026-1527: nor in the protocol that an upgrade asks for', async () => {
      const g = gateway();
      const answer = await g.raw(
        g.get('/feed', `Connection: Upgrade\r\nUpgrade: websocket\rX-Forwarded-User: admin\r\n`, g.desk),
      );
      expect(statuses(answer)).toEqual([400]);
      expect(g.reached()).toEqual([]);
    });

    it('CVE-2026-2833 (Pingora): what follows an upgrade that the back end refuses never reaches it', async () => {
      const g = gateway();
      const smuggled = g.get('/smuggled', '', g.desk);
      const answer = await g.raw(
        g.get('/feed', `Connection: Upgrade\r\n${UPGRADE}X-Script: refuse\r\n`, g.desk) + smuggled,
      );
      await sleep(100);
      expect(statuses(answer)).not.toContain(101);
      expect(statuses(answer).length).toBe(1);
      const reached = g.reached();
      expect(reached.map(({ target }) => target)).toEqual(['/feed']);
      expect(reached[0]?.body().length).toBe(0);
    });

    it('CVE-2026-2833: nor what follows one that needs a token and has none', async () => {
      const g = gateway();
      const answer = await g.raw(
        `GET /feed HTTP/1.1\r\nHost: ${g.host}\r\nConnection: Upgrade\r\n${UPGRADE}\r\n${g.get('/patients', '', g.desk)}`,
      );
      expect(statuses(answer)).toEqual([401]);
      expect(g.reached()).toEqual([]);
    });

    it('CVE-2026-1526, CVE-2026-1528 (undici): WebSocket compression is never agreed on, and lengths are nobody’s here', async () => {
      const g = gateway();
      const socket = await g.dial('http/1.1');
      socket.write(
        g.get(
          '/feed',
          `Connection: Upgrade\r\n${UPGRADE}Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\nX-Script: switch\r\n`,
          g.desk,
        ),
      );
      let got = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
      });
      while (!got.includes('\r\n\r\n')) await sleep(10);
      expect(got.toString('latin1')).not.toMatch(/extensions/i);
      expect(headOf(g.reached()).has('sec-websocket-extensions')).toBe(false);
      // A frame that says it is 2^63 bytes long is bytes like any other.
      const frame = Buffer.concat([
        Buffer.from([0x82, 0xff]),
        Buffer.alloc(8, 0xff),
        Buffer.alloc(4),
        Buffer.alloc(100),
      ]);
      const before = got.length;
      socket.write(frame);
      while (got.length < before + frame.length) await sleep(10);
      socket.destroy();
      expect((await g.send('/fhir/Patient/1', { token: g.reader })).status).toBe(200);
      g.reached();
    });
  });
}
