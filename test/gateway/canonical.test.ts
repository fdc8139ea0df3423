import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequestId } from '../../contracts/identifiers.ts';
import { nextDeadline } from '../../gateway/answer/deadline.ts';
import { rewriteCookie, rewriteUrl } from '../../gateway/answer/rewrite.ts';
import { canonicalAuthority } from '../../gateway/canonical/authority.ts';
import { framingOf, framingOfStream } from '../../gateway/canonical/framing.ts';
import { readHeaders } from '../../gateway/canonical/headers.ts';
import { newRequestId } from '../../gateway/canonical/request-id.ts';
import { peerKey } from '../../gateway/limits/peer-key.ts';

describe('an authority', () => {
  it.each([
    ['North.Clinic.example', 'north.clinic.example'],
    ['north.clinic.example.', 'north.clinic.example'],
    ['north.clinic.example:443', 'north.clinic.example'],
    ['north.clinic.example:8443', 'north.clinic.example:8443'],
    ['127.0.0.1:8443', '127.0.0.1:8443'],
    ['[::1]:8443', '[::1]:8443'],
  ])('%j has the one form %j', (raw, form) => {
    expect(canonicalAuthority(raw)?.authority).toBe(form);
  });

  it.each([
    ['', 'empty'],
    ['a b', 'space'],
    ['a@b', 'user information'],
    ['a:', 'empty port'],
    ['a:0', 'port zero'],
    ['a:08443', 'leading zero'],
    ['a:65536', 'no such port'],
    ['a:44 3', 'space in the port'],
    ['a..b', 'empty label'],
    ['a..', 'two trailing dots'],
    ['.a', 'leading dot'],
    ['-a', 'leading hyphen'],
    ['a_b', 'underscore'],
    ['a,b', 'two hosts in one field'],
    ['a/b', 'slash'],
    ['a%2eb', 'escape'],
    ['klinik-süd.example', 'not in its xn-- form'],
    [`${'a'.repeat(64)}.example`, 'label too long'],
    ['[::1', 'unclosed bracket'],
    ['[::1]x', 'text after the bracket'],
  ])('%j is refused: %s', (raw) => {
    expect(canonicalAuthority(raw)).toBeUndefined();
  });
});

describe('headers', () => {
  function survivors(...raw: string[]): Record<string, string> | string {
    const read = readHeaders(raw);
    return typeof read === 'string' ? read : Object.fromEntries(read.headers);
  }

  it.each([
    ['X-Forwarded-User', 'identity header (GHSA-7r4p-vjf4-gxv4)'],
    ['X_Forwarded_User', 'underscore alias that CGI-like back ends fold (CVE-2025-64484)'],
    ['X-Forwarded_User', 'half an underscore alias'],
    ['X-Forwarded-For', 'forwarding'],
    ['Forwarded', 'forwarding (RFC 7239)'],
    ['X-Real-IP', 'forwarding'],
    ['X-Original-URL', 'path override'],
    ['X-Rewrite-URL', 'path override'],
    ['X-HTTP-Method-Override', 'method override'],
    ['X-Method-Override', 'method override'],
    ['X-Remote-User', 'identity'],
    ['Remote-User', 'identity'],
    ['X-Auth-Request-Email', 'identity'],
    ['X-WebAuth-User', 'identity'],
    ['X-SSL-Client-Cert', 'client certificate'],
    ['Client-Cert', 'client certificate (RFC 9440)'],
    ['Proxy-Authorization', 'for a proxy'],
    ['Proxy', 'httpoxy'],
    ['TE', 'hop by hop'],
    ['Trailer', 'hop by hop'],
    ['Keep-Alive', 'hop by hop'],
    ['HTTP2-Settings', 'h2c upgrade'],
    ['X-Request-Id', 'ours to write'],
    ['Héader', 'not a token'],
  ])('%j from a client is dropped: %s', (name) => {
    expect(survivors(name, 'v', 'accept', 'a')).toEqual({ accept: 'a' });
  });

  it.each([
    [['Host', 'a', 'Host', 'a'], 'authority-ambiguous', 'two hosts, even equal ones'],
    [['Content-Length', '1', 'Content-Length', '1'], 'framing-ambiguous', 'two lengths'],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'identity'], 'framing-ambiguous', 'two codings'],
    [['Authorization', 'Bearer a', 'authorization', 'Bearer b'], 'credential-repeated', 'two credentials'],
    [['Content-Type', 'a/b', 'Content-Type', 'c/d'], 'header-ambiguous', 'two media types'],
    [['Accept', 'a\u0000b'], 'header-ambiguous', 'NUL in a value'],
    [['Accept', 'a\r\nX: 1'], 'header-ambiguous', 'line break in a value'],
    [
      ['Connection', 'close, Content-Length', 'Content-Length', '3'],
      'header-ambiguous',
      'Connection names the framing (CVE-2026-6338)',
    ],
    [
      ['Connection', 'authorization', 'Authorization', 'Bearer a'],
      'header-ambiguous',
      'Connection names the credential',
    ],
    [['Connection', 'cookie'], 'header-ambiguous', 'Connection names the cookie'],
    [['Upgrade', 'websocket', 'Upgrade', 'h2c'], 'upgrade-unsupported', 'two upgrades'],
    [Array.from({ length: 202 }, (_, i) => `h${i}`), 'header-ambiguous', 'too many'],
  ])('%j is refused as %s: %s', (raw, reason) => {
    expect(survivors(...(raw as string[]))).toBe(reason);
  });

  it('loses what Connection names, and only that', () => {
    expect(survivors('Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'X-Stay', '2')).toEqual({
      'x-stay': '2',
    });
  });

  it('joins cookies with a semicolon and lists with a comma', () => {
    expect(survivors('cookie', 'a=1', 'cookie', 'b=2', 'accept', 'x', 'accept', 'y')).toEqual({
      cookie: 'a=1; b=2',
      accept: 'x, y',
    });
  });
});

describe('framing', () => {
  it.each([
    [undefined, undefined, { kind: 'none' }],
    ['0', undefined, { kind: 'none' }],
    ['12', undefined, { kind: 'length', bytes: 12 }],
    [undefined, 'chunked', { kind: 'chunked' }],
  ])('length %j with coding %j is clear', (length, coding, framing) => {
    expect(framingOf(length, coding)).toEqual(framing);
  });

  it.each([
    ['3', 'chunked', 'both (RFC 9112 §6.3)'],
    [undefined, 'gzip, chunked', 'a list of codings (CVE-2026-2835)'],
    [undefined, 'Chunked', 'another spelling'],
    [undefined, 'chunked, chunked', 'twice'],
    [undefined, 'identity', 'identity'],
    [undefined, '', 'empty'],
    ['+3', undefined, 'sign'],
    ['0x3', undefined, 'hexadecimal'],
    ['3 ', undefined, 'space'],
    ['03', undefined, 'leading zero'],
    ['1,1', undefined, 'list'],
    ['', undefined, 'empty length'],
    ['99999999999999999999', undefined, 'too large to count'],
  ])('length %j with coding %j is refused: %s', (length, coding, _reason) => {
    expect(framingOf(length, coding)).toBeUndefined();
  });

  it('of HTTP/2 agrees with the end of the stream', () => {
    expect(framingOfStream(undefined, true)).toEqual({ kind: 'none' });
    expect(framingOfStream('5', true)).toBeUndefined();
    expect(framingOfStream('5', false)).toEqual({ kind: 'length', bytes: 5 });
    expect(framingOfStream(undefined, false)).toEqual({ kind: 'chunked' });
  });
});

describe('a request id', () => {
  it('always has the same length and alphabet, and does not repeat', () => {
    const ids = new Set(Array.from({ length: 5000 }, newRequestId));
    expect(ids.size).toBe(5000);
    for (const id of ids) expect(parseRequestId(id)).toBe(id);
  });
});

describe('what the EMR answers', () => {
  it.each([
    ['http://127.0.0.1:9001/fhir/Patient/7', '/fhir/Patient/7'],
    ['http://127.0.0.1:9001/a?b=c#d', '/a?b=c#d'],
    ['https://north.example:8443/a', '/a'],
    ['http://localhost/internal', '/internal'],
    ['//127.0.0.1:9001/a', '/a'],
    ['/relative', '/relative'],
    ['next.php', 'next.php'],
    ['https://elsewhere.example/a', 'https://elsewhere.example/a'],
    ['http://[broken', '/'],
  ])('a URL %j becomes %j', (from, to) => {
    expect(rewriteUrl(from, 'http://127.0.0.1:9001', 'north.example:8443')).toBe(to);
  });

  it.each([
    ['a=b; path=/', 'a=b; path=/; Secure'],
    ['a=b; Domain=emr.internal; HttpOnly', 'a=b; HttpOnly; Secure'],
    ['a=b; secure; SameSite=Lax', 'a=b; secure; SameSite=Lax'],
    ['a=b; DOMAIN = x', 'a=b; Secure'],
  ])('a cookie %j becomes %j', (from, to) => {
    expect(rewriteCookie(from)).toBe(to);
  });
});

describe('a hidden answer', () => {
  it('is released a whole number of periods after arrival, never before now', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 20_000 }),
        (arrived, period, spent) => {
          const at = nextDeadline(arrived, period, arrived + spent);
          expect((at - arrived) % period).toBe(0);
          expect(at).toBeGreaterThanOrEqual(arrived + spent);
          expect(at - arrived).toBeGreaterThanOrEqual(period);
        },
      ),
    );
  });
});

describe('the key of a peer', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0db8:0000:0002::9', '2001:db8:0:2'],
    ['::1', '0:0:0:0'],
  ])('of %s is %s: an IPv6 peer owns its whole /64', (address, key) => {
    expect(peerKey(address)).toBe(key);
  });
});
