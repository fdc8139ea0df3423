import { describe, expect, it } from 'vitest';
import { type Guarded, refused, statuses } from './gateway.ts';

/** Requests of which two parsers would make different things. */
export function describeFraming(gateway: () => Guarded): void {
  const put = (g: Guarded, fields: string, body: string) =>
    `PUT /fhir/Patient/1 HTTP/1.1\r\nHost: ${g.host}\r\nAuthorization: Bearer ${g.writer}\r\n` +
    `Content-Type: application/fhir+json\r\n${fields}\r\n${body}`;
  const CHUNKED = '2\r\n{}\r\n0\r\n\r\n';

  describe('framing that is read in two ways', () => {
    const ROWS: readonly (readonly [id: string, what: string, fields: string, body: string])[] = [
      ['CVE-2026-2835 (Pingora)', 'a list of codings', 'Transfer-Encoding: identity, chunked\r\n', CHUNKED],
      ['CVE-2026-2835', 'chunked twice', 'Transfer-Encoding: chunked, chunked\r\n', CHUNKED],
      [
        'CVE-2026-2835',
        'two codings',
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
        CHUNKED,
      ],
      ['CVE-2026-2835', 'chunked not last', 'Transfer-Encoding: chunked, gzip\r\n', CHUNKED],
      ['CVE-2026-2835', 'a parameter', 'Transfer-Encoding: chunked;q=1\r\n', CHUNKED],
      ['CVE-2026-2835', 'another spelling', 'Transfer-Encoding: xchunked\r\n', CHUNKED],
      ['CVE-2026-2835', 'a control before it', 'Transfer-Encoding: \x0bchunked\r\n', CHUNKED],
      ['CVE-2026-2835', 'a length beside it', 'Transfer-Encoding: chunked\r\nContent-Length: 2\r\n', CHUNKED],
      ['CVE-2024-27982 (Node.js)', 'a space before the name', ' Content-Length: 2\r\n', '{}'],
      ['CVE-2024-27982', 'a folded length', 'Content-Length:\r\n 2\r\n', '{}'],
      [
        'CVE-2024-27982',
        'a field folded into a coding',
        'X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 2\r\n',
        '{}',
      ],
      ['CVE-2024-27982', 'a space before the colon', 'Content-Length : 2\r\n', '{}'],
      [
        'CVE-2023-30589 (Node.js)',
        'a lone CR between fields',
        'X: y\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n',
        '{}',
      ],
      ['CVE-2023-30589', 'a lone CR at the end of the head', 'Content-Length: 2\r\n\rX: y\r\n', '{}'],
      ['CVE-2023-30589', 'lone line feeds', 'X: y\nContent-Length: 2\r\n', '{}'],
    ];
    it.each(ROWS)('%s: %s', async (_id, _what, fields, body) => {
      const g = gateway();
      const answer = await g.raw(put(g, fields, body) + g.get('/fhir/Patient/3'));
      expect(refused(answer), answer.slice(0, 200)).toBe(true);
      expect(g.reached()).toEqual([]);
    });

    it('CVE-2026-2835: HTTP/1.0 with a coding, which only some read', async () => {
      const g = gateway();
      const old = put(g, 'Transfer-Encoding: chunked\r\n', CHUNKED).replace('HTTP/1.1', 'HTTP/1.0');
      expect(refused(await g.raw(old + g.get('/fhir/Patient/3')))).toBe(true);
      expect(g.reached()).toEqual([]);
    });

    it.each([
      ['CVE-2025-32442 (Fastify)', 'application/fhir+json x', 400],
      ['CVE-2025-32442', 'application/fhir+json, text/plain', 400],
      ['CVE-2025-32442, in capitals', 'Application/FHIR+JSON', 200],
      ['CVE-2025-32442, white space before the semicolon', 'application/fhir+json ;charset=utf-8', 200],
      ['CVE-2026-25223 (Fastify)', 'application/fhir+json\ta', 400],
      ['CVE-2026-25223, a tab before the semicolon', 'application/fhir+json\t;charset=utf-8', 200],
      ['a type beside the one that is judged', 'text/plain;application/fhir+json', 400],
    ])('%s: media type %j', async (_id, type, status) => {
      const g = gateway();
      const body = JSON.stringify({ resourceType: 'Patient', id: '1' });
      const answer = await g.raw(
        put(g, `Content-Length: ${body.length}\r\n`, body).replace('application/fhir+json', type),
      );
      expect(statuses(answer)).toEqual([status]);
      const reached = g.reached();
      expect(reached.length).toBe(status === 200 ? 1 : 0);
      // What was judged is what the back end gets, in one spelling.
      for (const { head } of reached)
        expect(head).toMatch(/\r\ncontent-type: application\/fhir\+json(?:; charset=utf-8)?\r\n/i);
    });
  });
}
