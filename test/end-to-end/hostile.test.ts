import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { activityOf, withoutRequestId } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask } from '../../examples/support/https-client.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import { bytes, HostileEmr, type Received, type Script } from '../support/hostile-emr.ts';
import { raw, statuses } from '../support/raw.ts';
import { stackFor } from '../support/stack.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';
const accept = (request: Received): string => {
  const key = /\r\nsec-websocket-key: (\S+)/i.exec(request.head)?.[1] ?? '';
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
};
const switching = (request: Received, more = ''): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(request)}\r\n${more}\r\n`;
const endless: Script = ({ socket }) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
  const chunk = Buffer.alloc(65_536, 'x');
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
};

/** Answers that are no answers: on a route that hides, each is the uniform 404; elsewhere the status given. */
const BROKEN: readonly (readonly [name: string, script: Script, plain: number, why: string])[] = [
  ['close', ({ socket }) => socket.end(), 502, 'closes without a word'],
  ['reset', ({ socket }) => socket.resetAndDestroy(), 502, 'resets without a word'],
  ['half-head', bytes('HTTP/1.1 200 OK\r\nContent-Ty'), 502, 'closes in the middle of the head'],
  ['garbage', bytes('\x16\x03\x01\x02\x00SSH-2.0-nonsense\r\n'), 502, 'does not speak HTTP'],
  ['http-0.9', bytes('<html>hello</html>'), 502, 'a page without a head'],
  ['status-999', bytes('HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n'), 502, 'a status that is none'],
  ['status-099', bytes('HTTP/1.1 099 Below\r\nContent-Length: 0\r\n\r\n'), 502, 'a status that is none'],
  ['unasked-101', bytes('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'), 502, 'switches unasked'],
  ['big-head', bytes(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`), 502, 'a head that is too large'],
  ['two-lengths', bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'), 502, 'two lengths'],
  ['both-framings', bytes('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'), 502, 'a length and a coding'],
  ['bad-length', bytes('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok'), 502, 'a length that is none'],
  ['split', bytes('HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: b=c\r\nContent-Length: 2\r\n\r\nok'), 502, 'a bare CR in a header'],
  ['nul', bytes('HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok'), 502, 'NUL in a header'],
  ['silent', () => {}, 504, 'never answers'],
  ['drip', ({ socket }) => {
    const timer = setInterval(() => socket.write('x'), 300);
    socket.write('HTTP/1.1 200 OK\r\nX-A: ');
    socket.on('close', () => clearInterval(timer));
  }, 504, 'a head that never ends'],
  ['hints', ({ socket }) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 300);
    socket.on('close', () => clearInterval(timer));
  }, 504, 'interim answers for ever'],
  ['fails', bytes('HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nSELECT'), 502, 'an error page'],
  ['fails-endlessly', ({ socket }) => {
    socket.write('HTTP/1.1 500 Oops\r\n\r\n');
    const timer = setInterval(() => socket.write('stack trace\n'), 100);
    socket.on('close', () => clearInterval(timer));
  }, 502, 'an error page that never ends'],
  ['refuses', bytes('HTTP/1.1 403 No\r\nSet-Cookie: seen=1\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\nno'), 400, 'a refusal with traces'],
  ['absent', bytes('HTTP/1.1 404 Absent\r\nContent-Length: 0\r\n\r\n'), 400, 'not there'],
  ['precondition', bytes('HTTP/1.1 412 No\r\nETag: "7"\r\nContent-Length: 0\r\n\r\n'), 400, 'there, but another version'],
  ['range', bytes('HTTP/1.1 416 No\r\nContent-Range: bytes */812\r\nContent-Length: 0\r\n\r\n'), 400, 'there, and this long'],
  ['fine-unused', bytes(''), 502, 'an empty answer'],
];

const SCRIPTS: Record<string, Script> = {
  ...Object.fromEntries(BROKEN.map(([name, script]) => [name, script])),
  fine: bytes(OK, 'stay'),
  hints-then-fine: bytes(''),
};
