import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { canonicalMediaType } from '../../../gateway/canonical/media-type.ts';
import { readPath } from '../../../gateway/canonical/path.ts';
import { readProxyHeader } from '../../../gateway/transport/proxy-protocol.ts';
import { Wire } from '../../../gateway/transport/wire.ts';
import type { Target } from './targets.ts';

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Whether the bytes are taken, in pieces of this many. */
function inPieces(bytes: Buffer, size: number): boolean {
  const wire = new Wire();
  for (let at = 0; at < bytes.length; at += size) {
    if (!wire.see(bytes.subarray(at, at + size))) return false;
  }
  return true;
}

const PROXY = '0d0a0d0a000d0a515549540a';
const latin1 = (hex: string) => Buffer.from(hex, 'hex').toString('latin1');

/** What reads the bytes of a connection before anything else does. */
export const TRANSPORT_TARGETS: readonly Target[] = [
  {
    name: 'bytes of a connection',
    seeds: [
      'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    words: [
      '\r\n',
      '\n',
      '\r',
      ' ',
      'Content-Length: 5\r\n',
      'Transfer-Encoding: chunked\r\n',
      '0\r\n\r\n',
      '5\r\nabcde\r\n',
      'GET ',
    ],
    run(bytes) {
      const whole = inPieces(bytes, bytes.length || 1);
      for (const size of [1, 2, 7, 64])
        must(inPieces(bytes, size) === whole, 'finds something else in pieces');
      return whole;
    },
  },
  {
    name: 'PROXY protocol headers',
    seeds: [
      latin1(`${PROXY}2111000ccb0071090a000001c35001bb`),
      latin1(`${PROXY}2111000fcb0071090a000001c35001bb050000`),
      latin1(`${PROXY}21210024${'20010db8000000000000000000000007'.repeat(2)}c35001bb`),
      latin1(`${PROXY}20000000`),
    ],
    words: [latin1(PROXY), latin1('2111000c'), latin1('030004'), latin1('ffff')],
    run(bytes) {
      const read = readProxyHeader(bytes.subarray(0, 16), bytes.subarray(16));
      if (read === undefined) return false;
      if (read.kind === 'client') must(isIP(read.address) !== 0, 'names something else than an address');
      return true;
    },
  },
  {
    name: 'media types',
    seeds: ['application/fhir+json; charset=utf-8', 'multipart/form-data; boundary="a b"', 'Text/Plain ;'],
    words: [';', '"', '=', '\t', ', ', 'charset=', '\\'],
    run(bytes) {
      const read = canonicalMediaType(bytes.toString('latin1'));
      if (read === undefined) return false;
      must(isDeepStrictEqual(canonicalMediaType(read.text), read), 'is no fixed point');
      return true;
    },
  },
  {
    name: 'paths with allowed spellings',
    seeds: ['/files/a%2Fb', '/files/a;x=1', '/files//a', '/files/100%25.', '/files/a%C2%A0b%3Fc'],
    words: ['..', '%2e', '%2f', '%5c', '//', ';', '%3b', '%25', '%20', '.'],
    run(bytes) {
      const path = readPath(bytes.toString('latin1'));
      if (path === undefined) return false;
      const again = readPath(path.text);
      must(
        again?.text === path.text && isDeepStrictEqual(again.segments, path.segments),
        'is no fixed point',
      );
      for (const segment of path.segments)
        for (const piece of segment.split(/[/\\;?#]/))
          must(!/^\.+$/.test(piece.trim()), 'hides a dot segment');
      return true;
    },
  },
];
