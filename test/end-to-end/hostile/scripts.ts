import { createHash } from 'node:crypto';
import { bytes, type Received, type Script } from '../../support/hostile-emr.ts';

export const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';

export function accepted(request: Received): string {
  const key = /\r\nsec-websocket-key: (\S+)/i.exec(request.head)?.[1] ?? '';
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

export function switching(request: Received, accept = accepted(request)): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSet-Cookie: __Host-chartgate=${'x'.repeat(43)}; Path=/; Secure\r\n\r\n`;
}

export const repeat =
  (first: string, again: string): Script =>
  ({ socket }) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(again), 200);
    socket.on('close', () => clearInterval(timer));
  };

export const flood: Script = ({ socket }) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
  const chunk = Buffer.alloc(65_536, 'x');
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
};

/** Answers that are none. On a route that hides, each is the uniform 404; elsewhere it has the status given. */
export const BROKEN: readonly (readonly [name: string, script: Script, plain: number, why: string])[] = [
  ['close', ({ socket }) => socket.end(), 502, 'closes without a word'],
  ['reset', ({ socket }) => socket.resetAndDestroy(), 502, 'resets without a word'],
  ['half-head', bytes('HTTP/1.1 200 OK\r\nContent-Ty'), 502, 'closes in the middle of the head'],
  ['garbage', bytes('\x16\x03\x01\x02\x00SSH-2.0-nonsense\r\n'), 502, 'does not speak HTTP'],
  ['headless', bytes('<html>hello</html>'), 502, 'a page without a head'],
  ['status-999', bytes('HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n'), 502, 'a status above all'],
  ['status-099', bytes('HTTP/1.1 099 Below\r\nContent-Length: 0\r\n\r\n'), 502, 'a status below all'],
  [
    'unasked-101',
    bytes('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 'stay'),
    502,
    'switches protocols unasked',
  ],
  ['large-head', bytes(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`), 502, 'a head too large'],
  [
    'two-lengths',
    bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'),
    502,
    'two lengths',
  ],
  [
    'both-framings',
    bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    502,
    'a length and a coding',
  ],
  ['bad-length', bytes('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok'), 502, 'a length that is none'],
  [
    'split',
    bytes('HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: b=c\r\nContent-Length: 2\r\n\r\nok'),
    502,
    'a bare CR in a header',
  ],
  ['nul', bytes('HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok'), 502, 'NUL in a header'],
  ['silent', () => {}, 504, 'never answers'],
  ['drip', repeat('HTTP/1.1 200 OK\r\nX-A: ', 'x'), 504, 'a head that never ends'],
  ['hints', repeat('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 504, 'interim answers for ever'],
  ['fails', bytes('HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nSELECT'), 502, 'an error page'],
  ['fails-on', repeat('HTTP/1.1 500 Oops\r\n\r\n', 'at line 1\n'), 502, 'an error page that never ends'],
  [
    'refuses',
    bytes('HTTP/1.1 403 No\r\nSet-Cookie: seen=1\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\nno', 'stay'),
    400,
    'a refusal that leaves traces',
  ],
  ['absent', bytes('HTTP/1.1 404 Absent\r\nContent-Length: 0\r\n\r\n', 'stay'), 400, 'not there'],
  ['other', bytes('HTTP/1.1 412 No\r\nETag: "7"\r\nContent-Length: 0\r\n\r\n'), 400, 'another version'],
  [
    'range',
    bytes('HTTP/1.1 416 No\r\nContent-Range: bytes */812\r\nContent-Length: 0\r\n\r\n'),
    400,
    'there, and this long',
  ],
];

export const LATIN1 = 'HTTP/1.1 200 OK\r\nX-Name: M\xfcller \xc3\xbc\r\nContent-Length: 2\r\n\r\nok';

export const SCRIPTS: Readonly<Record<string, Script>> = {
  ...Object.fromEntries(BROKEN.map(([name, script]) => [name, script])),
  fine: bytes(OK, 'stay'),
  hinted: bytes(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}`),
  trailers: bytes(
    'HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: secret\r\n\r\n',
  ),
  'old-http': bytes('HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nok'),
  'more-than-length': bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil'),
  'nothing-204': bytes('HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil'),
  'nothing-205': bytes('HTTP/1.1 205 Reset Content\r\nContent-Length: 4\r\n\r\nevil'),
  'nothing-304': bytes('HTTP/1.1 304 Not Modified\r\nContent-Length: 812\r\nETag: "7"\r\n\r\n'),
  'head-with-body': bytes('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
  'odd-names': bytes(
    'HTTP/1.1 200 OK\r\nconstructor: x\r\n__proto__: y\r\ntoString: z\r\nHTTP2-Settings: AAAA\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nConnection: close, X-Hop\r\nX-Hop: secret\r\nContent-Length: 2\r\n\r\nok',
  ),
  cookies: bytes(
    'HTTP/1.1 200 OK\r\nSet-Cookie: b=2; Domain=.emr.local; Path=/\r\nX-List: 1\r\nSet-Cookie: a=1; HttpOnly\r\nX-List: 2\r\nContent-Length: 2\r\n\r\nok',
  ),
  latin1: bytes(LATIN1),
  'cut-length': bytes('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
  'cut-chunked': bytes('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf'),
  'bad-chunk': ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
    setTimeout(() => socket.end('zz\r\nevil\r\n0\r\n\r\n'), 300);
  },
  flood,
  trickle: repeat('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n', 'data: 1\n\n'),
  late: ({ socket }) => void setTimeout(() => socket.write(OK), 600),
  'reads-then-absent': async ({ socket, bytes: arrived, head }) => {
    await arrived(Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0));
    socket.end('HTTP/1.1 404 Absent\r\nContent-Length: 0\r\n\r\n');
  },
  'early-absent': bytes('HTTP/1.1 404 Absent\r\nContent-Length: 0\r\n\r\n'),
  'early-absent-open': bytes('HTTP/1.1 404 Absent\r\nContent-Length: 0\r\n\r\n', 'stay'),
  'early-reset': ({ socket }) => socket.resetAndDestroy(),
  'slow-write': ({ socket }) => {
    // More than the gateway holds back, and then nothing for a while: the EMR is still at work.
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(`20000\r\n${'x'.repeat(0x2_0000)}\r\n`);
    setTimeout(() => socket.end('4\r\ndone\r\n0\r\n\r\n'), 1500);
  },
  'endless-write': repeat('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwork\r\n', '1\r\n.\r\n'),
  'ws-echo': (request) => {
    request.socket.write(switching(request));
    request.socket.on('data', (chunk: Buffer) => request.socket.write(chunk));
    request.socket.on('end', () => request.socket.end());
  },
  'ws-late': (request) => void setTimeout(() => request.socket.write(switching(request)), 700),
  'ws-speaks': (request) => request.socket.write(`${switching(request)}hello`),
  'ws-flood': (request) => {
    request.socket.write(switching(request));
    const chunk = Buffer.alloc(65_536, 'x');
    const more = () => {
      while (!request.socket.destroyed && request.socket.write(chunk));
    };
    request.socket.on('drain', more);
    more();
  },
  'ws-deaf': (request) => {
    request.socket.write(switching(request));
    request.socket.allowHalfOpen = true;
    // It would notice nothing but that what it says reaches nobody any more.
    request.socket.on('end', () => setInterval(() => request.socket.write('x'), 500).unref());
  },
  'ws-wrong-accept': (request) => request.socket.write(switching(request, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=')),
  'ws-other-protocol': bytes(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: tls/1.3\r\nConnection: Upgrade\r\n\r\n',
    'stay',
  ),
  'ws-200-upgrade': bytes(
    'HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n',
    'stay',
  ),
};
