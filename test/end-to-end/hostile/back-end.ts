import { type ClientHttp2Session, constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutRequestId } from '../../../examples/demo/evidence.ts';
import { desk, emr, north, open, reader, session, settled, stack } from './scene.ts';
import { BROKEN } from './scripts.ts';

/** What a back end that misbehaves does to answers. */
export function describeBackEnd(): void {
  describe.each(['HTTP/1.1', 'HTTP/2'] as const)('a back end that misbehaves, seen over %s', (protocol) => {
    let h2: ClientHttp2Session;
    beforeAll(() => {
      h2 = session();
    });
    afterAll(() => h2.destroy());

    async function send(
      path: string,
      options: { token: string; script: string; method?: string },
    ): Promise<{ status: number; rawHeaders: readonly string[]; text: string; code?: number }> {
      if (protocol === 'HTTP/2') return settled(open(h2, path, options));
      return north(path, { ...options, headers: { 'x-script': options.script } });
    }

    it.each(BROKEN)('%s: hidden where the route hides, else a plain failure', async (script, _s, plain) => {
      const [hidden, absent, shown] = await Promise.all([
        send('/fhir/Patient/1', { token: reader, script }),
        send('/fhir/Patient/1', { token: reader, script: 'absent' }),
        send('/patients', { token: desk, script }),
      ]);
      expect(hidden.status).toBe(404);
      expect(withoutRequestId(hidden)).toBe(withoutRequestId(absent));
      expect(shown.status).toBe(plain);
      expect(shown.text).not.toMatch(/SELECT|line 1|evil/);
      expect(shown.rawHeaders.join('\n')).not.toMatch(/seen=1|\nx-a\n|bytes \*/i);
    });

    it.each([
      ['hinted', 200, 'ok'],
      ['trailers', 200, 'ok'],
      ['old-http', 200, 'ok'],
      ['more-than-length', 200, 'ok'],
      ['nothing-204', 204, ''],
      ['nothing-205', 205, ''],
      ['nothing-304', 304, ''],
    ])('%s: answered %i with "%s" and nothing else', async (script, status, text) => {
      const reply = await send('/patients', { token: desk, script });
      expect(reply.status).toBe(status);
      expect(reply.text).toBe(text);
      const headers = reply.rawHeaders.join('\n').toLowerCase();
      expect(headers).not.toMatch(/x-t\b|secret|trailer/);
      if (status === 204 || status === 205) expect(headers).not.toMatch(/content-length\n4/);
    });

    it('a body after a HEAD is not an answer to anything', async () => {
      const reply = await send('/patients', { token: desk, script: 'head-with-body', method: 'HEAD' });
      expect(reply.status).toBe(200);
      expect(reply.text).toBe('');
    });

    it("header names that objects have of their own, and the connection's, are no trouble", async () => {
      const reply = await send('/patients', { token: desk, script: 'odd-names' });
      expect(reply.status).toBe(200);
      const headers = reply.rawHeaders.join('\n');
      expect(headers).toContain('constructor\nx');
      expect(headers).toContain('tostring\nz');
      expect(headers).not.toMatch(/native code|http2-settings|proxy-connection|x-hop|secret|timeout=5/i);
    });

    it('cookies keep their order, and lists are joined', async () => {
      const reply = await send('/patients', { token: desk, script: 'cookies' });
      const cookies = reply.rawHeaders.filter(
        (_, at) => reply.rawHeaders[at - 1]?.toLowerCase() === 'set-cookie',
      );
      expect(cookies).toEqual(['b=2; Path=/; Secure', 'a=1; HttpOnly; Secure']);
      expect(reply.rawHeaders.join('\n')).toContain('x-list\n1, 2');
    });

    it('bytes beyond ASCII in headers pass as they are, in both directions', async () => {
      const value = 'M\xfcller \xc3\xbc';
      const options = { token: desk, headers: { 'x-script': 'latin1', 'x-name': value } };
      const reply =
        protocol === 'HTTP/2'
          ? await settled(open(h2, '/patients', options))
          : await north('/patients', options);
      expect(reply.status).toBe(200);
      const at = reply.rawHeaders.findIndex((name) => name.toLowerCase() === 'x-name');
      expect(reply.rawHeaders[at + 1]).toBe(value);
      expect(emr.requests.at(-1)?.head).toContain(`x-name: ${value}`);
    });

    it.each(['cut-length', 'cut-chunked', 'bad-chunk'])(
      '%s: what was cut short looks cut short',
      async (script) => {
        if (protocol === 'HTTP/2') {
          const seen = await settled(open(h2, '/patients', { token: desk, script }));
          // Either not begun at all, or begun and visibly not finished.
          if (seen.status === 200) expect(seen.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
          else expect(seen.status).toBe(502);
          return;
        }
        const reply = await north('/patients', { token: desk, headers: { 'x-script': script } }).catch(
          () => undefined,
        );
        expect([undefined, 502]).toContain(reply?.status);
      },
    );
  });

  describe('what is hidden', () => {
    const CAUSES: readonly (readonly [path: string, script: string])[] = [
      ['/fhir/Patient/7', 'absent'],
      ['/fhir/Patient/7', 'refuses'],
      ['/fhir/Patient/7', 'fails'],
      ['/fhir/Patient/7', 'other'],
      ['/fhir/Patient/7', 'range'],
      ['/fhir/Patient/7', 'reset'],
      ['/fhir/Patient/7', 'silent'],
      ['/fhir/Patient/7', 'garbage'],
      // Another patient's, which the gateway refuses without asking the EMR.
      ['/fhir/Patient/8', 'fine'],
    ];

    it.each([
      ['GET', {}],
      ['HEAD', {}],
      ['GET', { 'if-none-match': '"7"' }],
      ['GET', { 'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' }],
      ['GET', { range: 'bytes=0-9' }],
      ['GET', { accept: 'text/html' }],
    ] as const)('%s %j: whatever the cause, one answer, never before its time', async (method, headers) => {
      const token = await stack.token({
        tenant: 'north',
        client: 'patient-app',
        scopes: ['patient/Patient.r'],
      });
      const h2 = session();
      const forms = { h1: new Set<string>(), h2: new Set<string>() };
      await Promise.all(
        CAUSES.map(async ([path, script]) => {
          const began = performance.now();
          const other = settled(open(h2, path, { token, method, script, headers }));
          const one = await north(path, { token, method, headers: { ...headers, 'x-script': script } });
          expect(one.status).toBe(404);
          // Up to the fractions of a millisecond in which two processes' clocks may differ.
          expect(performance.now() - began).toBeGreaterThan(199);
          forms.h1.add(withoutRequestId(one));
          const two = await other;
          expect(two.code).toBe(constants.NGHTTP2_NO_ERROR);
          forms.h2.add(withoutRequestId(two));
        }),
      );
      h2.destroy();
      expect([...forms.h1]).toHaveLength(1);
      expect([...forms.h2]).toHaveLength(1);
    });
  });
}
