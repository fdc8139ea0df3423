import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from 'node:http2';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { activityOf, withoutRequestId } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask } from '../../examples/support/https-client.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import { bytes, HostileEmr, type Received, type Script } from '../support/hostile-emr.ts';
import { raw, statuses } from '../support/raw.ts';
import { stackFor } from '../support/stack.ts';

/** A gateway between clients and back ends that both misbehave. Each worker must live through all of it. */

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';

function accepted(request: Received): string {
  const key = /\r\nsec-websocket-key: (\S+)/i.exec(request.head)?.[1] ?? '';
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

function switching(request: Received, accept = accepted(request)): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSet-Cookie: __Host-chartgate=${'x'.repeat(43)}; Path=/; Secure\r\n\r\n`;
}

const repeat =
  (first: string, again: string): Script =>
  ({ socket }) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(again), 200);
    socket.on('close', () => clearInterval(timer));
  };

const flood: Script = ({ socket }) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
  const chunk = Buffer.alloc(65_536, 'x');
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
};

/** Answers that are none. On a route that hides, each is the uniform 404; elsewhere it has the status given. */
const BROKEN: readonly (readonly [name: string, script: Script, plain: number, why: string])[] = [
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

const LATIN1 = 'HTTP/1.1 200 OK\r\nX-Name: M\xfcller \xc3\xbc\r\nContent-Length: 2\r\n\r\nok';

const SCRIPTS: Readonly<Record<string, Script>> = {
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

let stack: Stack;
let emr: HostileEmr;
let secure: HostileEmr;
let impostor: HostileEmr;
let reader: string;
let writer: string;
let desk: string;
let southDesk: string;
let pids: readonly number[];

beforeAll(async () => {
  emr = new HostileEmr(SCRIPTS);
  await emr.listen();
  const authority = await createAuthority('Back end tests');
  const pair = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  secure = new HostileEmr(SCRIPTS, { cert: pair.certificatePem, key: pair.keyPem });
  await secure.listen();
  const other = await authority.issue({ commonName: 'other.example', hosts: ['south.localhost'] });
  impostor = new HostileEmr(SCRIPTS, { cert: other.certificatePem, key: other.keyPem });
  await impostor.listen();

  stack = await stackFor('hostile', {
    workers: 1,
    limits: {
      perPeer: { requests: 100_000, window: '10s' },
      perPrincipal: { requests: 100_000, window: '10s' },
    },
    backends: { north: `http://127.0.0.1:${emr.port}` },
  });
  // The demo's own times are for people; here every client and back end runs into them.
  await stack.gateway.stop();
  const file = join(stack.layout.gateway, 'gateway.yaml');
  const settings = parse(readFileSync(file, 'utf8'));
  settings.timeouts = { headers: '2s', request: '3s', idle: '2s', drain: '1s' };
  for (const tenant of settings.tenants) tenant.backends[0].connections = 32;
  const [, south] = settings.tenants;
  writeFileSync(join(stack.layout.gateway, 'emr-authority.pem'), authority.certificatePem);
  south.backends = [{ origin: `https://localhost:${secure.port}`, authority: 'emr-authority.pem' }];
  writeFileSync(file, stringify(settings, { aliasDuplicateObjects: false }));
  const policyFile = join(stack.layout.gateway, 'policy.yaml');
  const policy = readFileSync(policyFile, 'utf8').replaceAll(/backendTimeout: \w+/g, 'backendTimeout: 1s');
  writeFileSync(policyFile, policy);
  await stack.gateway.start();
  pids = stack.gatewayPids();

  reader = await stack.token({ tenant: 'north', scopes: ['system/Patient.rs'] });
  writer = await stack.token({
    tenant: 'north',
    scopes: ['system/Patient.cruds', 'system/Observation.cruds'],
  });
  const scopes = ['emr/pages', 'emr/documents', 'emr/feed', 'emr/metadata'];
  desk = await stack.token({ tenant: 'north', client: 'front-desk', scopes });
  southDesk = await stack.token({ tenant: 'south', client: 'front-desk', scopes });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await Promise.all([emr?.close(), secure?.close(), impostor?.close()]);
});

afterEach(async () => {
  // Whatever happened: nothing crashed, and the next request is served.
  const fine = await north('/patients', { token: desk });
  expect(fine.status).toBe(200);
  expect(fine.text).toBe('ok');
  expect(readFileSync(join(stack.layout.logs, 'gateway.log'), 'utf8')).not.toMatch(/"uncaught"|worker-exit/);
  expect(pids.every((pid) => alive(pid))).toBe(true);
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const north = (path: string, more: Omit<Ask, 'url' | 'authority'> = {}) =>
  ask({ url: `${stack.tenants.north.origin}${path}`, authority: stack.authority, ...more });

const host = () => new URL(stack.tenants.north.origin).host;

/** A raw connection over TLS to the gateway. */
async function dial(
  protocol: 'http/1.1' | 'h2' = 'http/1.1',
  tenant: 'north' | 'south' = 'north',
): Promise<TLSSocket> {
  const url = new URL(stack.tenants[tenant].origin);
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(url.port),
    servername: url.hostname,
    ca: stack.authority,
    ALPNProtocols: [protocol],
  });
  socket.on('error', () => {});
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('close', () => reject(new Error('not connected')));
  });
  return socket;
}

function session(): ClientHttp2Session {
  const url = new URL(stack.tenants.north.origin);
  const made = connectHttp2(`https://127.0.0.1:${url.port}`, {
    ca: stack.authority,
    servername: url.hostname,
  });
  made.on('error', () => {});
  return made;
}

function open(
  on: ClientHttp2Session,
  path: string,
  options: {
    token?: string;
    method?: string;
    script?: string;
    headers?: Record<string, string>;
    body?: boolean;
  } = {},
): ClientHttp2Stream {
  const stream = on.request(
    {
      ':method': options.method ?? 'GET',
      ':path': path,
      ':scheme': 'https',
      ':authority': host(),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.script === undefined ? {} : { 'x-script': options.script }),
      ...options.headers,
    },
    { endStream: options.body !== true },
  );
  stream.on('error', () => {});
  return stream;
}

interface Seen {
  status: number;
  rawHeaders: string[];
  text: string;
  code: number;
}

function settled(stream: ClientHttp2Stream): Promise<Seen> {
  const seen: Seen = { status: 0, rawHeaders: [], text: '', code: -1 };
  stream.on('response', (headers, _flags, list: string[] = []) => {
    seen.status = Number(headers[':status']);
    seen.rawHeaders = list.length > 0 ? list : Object.entries(headers).flatMap(([k, v]) => [k, String(v)]);
  });
  stream.setEncoding('latin1');
  stream.on('data', (text: string) => {
    seen.text += text;
  });
  return new Promise((resolve) =>
    stream.once('close', () => {
      seen.code = stream.rstCode;
      resolve(seen);
    }),
  );
}

async function until(what: string, check: () => boolean | Promise<boolean>, limitMs = 12_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await sleep(50);
  }
}

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

describe('a request body', () => {
  const resource = Buffer.from(JSON.stringify({ resourceType: 'Patient', text: 'x'.repeat(200_000) }));

  /** A PUT whose second half is sent only after a while; everything that came back, and when. */
  async function slowPut(script: string): Promise<{ text: string; early: boolean }> {
    const socket = await dial();
    let text = '';
    let done = false;
    let early = false;
    socket.on('data', (chunk: Buffer) => {
      if (!done) early = true;
      text += chunk.toString('latin1');
    });
    socket.write(
      `PUT /fhir/Patient/1 HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${writer}\r\nX-Script: ${script}\r\nContent-Type: application/json\r\nContent-Length: ${resource.length}\r\n\r\n`,
    );
    socket.write(resource.subarray(0, 100_000));
    await sleep(900);
    done = true;
    socket.write(resource.subarray(100_000));
    // The connection is as good as before.
    await until('the answer', () => /\r\n\r\n\{.*\}\n$/s.test(text));
    socket.write(`GET /patients HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${desk}\r\n\r\n`);
    await until('the next answer', () => text.endsWith('ok'));
    socket.destroy();
    return { text, early };
  }

  it('read, unread or half read by the EMR: a hidden answer is the same, and never before the body is there', async () => {
    const seen = await Promise.all(
      ['reads-then-absent', 'early-absent', 'early-absent-open', 'early-reset'].map(slowPut),
    );
    const forms = seen.map(({ text, early }) => {
      expect(early).toBe(false);
      expect(statuses(text)).toEqual([404, 200]);
      const id = /x-request-id: (\S+)/i.exec(text)?.[1] ?? '';
      return text
        .slice(0, text.indexOf('HTTP/1.1 200'))
        .replaceAll(id, 'ID')
        .replace(/Date: .*\r\n/i, '');
    });
    expect(new Set(forms).size, forms.join('\n---\n')).toBe(1);
  });

  it('the same over HTTP/2', async () => {
    const h2 = session();
    const forms = await Promise.all(
      ['reads-then-absent', 'early-absent', 'early-absent-open', 'early-reset'].map(async (script) => {
        const stream = open(h2, '/fhir/Patient/1', {
          token: writer,
          method: 'PUT',
          script,
          headers: { 'content-type': 'application/json', 'content-length': String(resource.length) },
          body: true,
        });
        const reply = settled(stream);
        let answered = false;
        stream.on('response', () => {
          answered = true;
        });
        stream.write(resource.subarray(0, 100_000));
        await sleep(900);
        expect(answered).toBe(false);
        stream.end(resource.subarray(100_000));
        const seen = await reply;
        expect(seen.code).toBe(constants.NGHTTP2_NO_ERROR);
        return withoutRequestId(seen);
      }),
    );
    expect(new Set(forms).size, forms.join('\n---\n')).toBe(1);
    expect(forms[0]).toMatch(/^404/);
    h2.destroy();
  });

  it('that is too long is too long whether the EMR read it or not', async () => {
    for (const script of ['reads-then-absent', 'early-absent', 'early-absent-open']) {
      const h2 = session();
      const stream = open(h2, '/fhir/Patient/1', {
        token: writer,
        method: 'PUT',
        script,
        headers: { 'content-type': 'application/json' },
        body: true,
      });
      const reply = settled(stream);
      stream.write(Buffer.alloc(600_000, 'x'));
      await sleep(400);
      stream.end(Buffer.alloc(600_000, 'x'));
      expect((await reply).status, script).toBe(413);
      h2.destroy();
    }
  });

  it.each([
    ['h2', 'RST_STREAM', (socket: TLSSocket) => socket.write(frame(3, 0, 1, Buffer.from([0, 0, 0, 8])))],
    [
      'h2',
      'RST_STREAM that names no error',
      (socket: TLSSocket) => socket.write(frame(3, 0, 1, Buffer.alloc(4))),
    ],
    ['h2', 'GOAWAY and an end', (socket: TLSSocket) => socket.end(frame(7, 0, 0, Buffer.alloc(8)))],
    ['h2', 'a broken connection', (socket: TLSSocket) => socket.destroy()],
    ['http/1.1', 'a broken connection', (socket: TLSSocket) => socket.destroy()],
    ['http/1.1', 'an end', (socket: TLSSocket) => socket.end()],
  ] as const)('that breaks off over %s by %s never looks whole to the EMR', async (protocol, _how, leave) => {
    const reached = emr.requests.length;
    const socket = await dial(protocol);
    socket.resume();
    if (protocol === 'h2') {
      const head = [
        [':method', 'POST'],
        [':path', '/documents/upload'],
        [':scheme', 'https'],
        [':authority', host()],
        ['authorization', `Bearer ${desk}`],
        ['x-script', 'silent'],
        ['content-type', 'application/octet-stream'],
      ] as const;
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      socket.write(frame(4, 0, 0, Buffer.alloc(0)));
      socket.write(frame(1, 4, 1, Buffer.concat(head.map(([name, value]) => literal(name, value)))));
      socket.write(frame(0, 0, 1, Buffer.from('half')));
    } else {
      socket.write(
        `POST /documents/upload HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${desk}\r\nX-Script: silent\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`,
      );
    }
    await until('it reached the EMR', () => emr.requests.length > reached);
    const received = emr.requests.at(-1);
    await received?.bytes(4);
    leave(socket);
    await until('the back end is free', () => received?.socket.destroyed === true);
    expect(received?.body().toString('latin1')).toBe('4\r\nhalf');
  });

  it('that stops arriving ends the request over HTTP/2 too, and gives the back end free', async () => {
    const h2 = session();
    const stream = open(h2, '/documents/upload', {
      token: desk,
      method: 'POST',
      script: 'silent',
      headers: { 'content-type': 'application/octet-stream' },
      body: true,
    });
    const reply = settled(stream);
    stream.write('half');
    await until('it reached the EMR', () => emr.requests.at(-1)?.target === '/documents/upload');
    const received = emr.requests.at(-1);
    const seen = await reply;
    expect(seen.status === 0 || seen.status >= 400).toBe(true);
    await until('the back end is free', () => received?.socket.destroyed === true);
    h2.destroy();
  });

  it('that stops arriving ends the request over HTTP/1.1, and gives the back end free', async () => {
    const socket = await dial();
    socket.write(
      `POST /documents/upload HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${desk}\r\nX-Script: silent\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nhalf`,
    );
    await until('the client is closed', () => socket.destroyed || socket.readableEnded);
    await until('the back end is free', () => emr.requests.at(-1)?.socket.destroyed === true);
  });
});

describe('a client that misbehaves', () => {
  const request = (script: string, path = '/patients') =>
    `GET ${path} HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${desk}\r\nX-Script: ${script}\r\n\r\n`;

  it('leaving at any moment costs no back-end connection', async () => {
    const h2 = session();
    // More than the pool has, so that a leak of one each would leave none.
    for (const script of ['late', 'flood', 'fine', 'silent', 'trickle', 'cut-length']) {
      const streams = Array.from({ length: 48 }, () => open(h2, '/patients', { token: desk, script }));
      await sleep(script === 'late' ? 100 : 250);
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      const sockets = await Promise.all(Array.from({ length: 16 }, () => dial()));
      for (const socket of sockets) socket.write(request(script));
      await sleep(150);
      for (const socket of sockets) socket.destroy();
    }
    h2.destroy();
    // Idle ones may stay; those that were given up must not.
    await until('the back end is free', async () => {
      const replies = await Promise.all(
        Array.from({ length: 32 }, () => north('/patients', { token: desk })),
      ).catch(() => []);
      return replies.length === 32 && replies.every((reply) => reply.status === 200);
    });
  });

  it('leaving while a hidden answer waits for its time leaves nothing behind', async () => {
    const h2 = session();
    const streams = Array.from({ length: 60 }, () =>
      open(h2, '/fhir/Patient/1', { token: reader, script: 'absent' }),
    );
    await sleep(80);
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    h2.destroy();
    await sleep(600);
  });

  it('leaving before a write is forwarded means that it is not', async () => {
    const before = emr.requests.length;
    const h2 = session();
    await new Promise((resolve) => h2.once('connect', resolve));
    for (let at = 0; at < 40; at += 1) {
      // A token nobody has seen yet has to be looked at first, which takes longer than leaving does.
      const token = await stack.token({ tenant: 'north', scopes: ['system/Observation.cruds'] });
      const stream = open(h2, '/fhir/Patient/1', { token, method: 'DELETE' });
      setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
      if (at === 8) break;
    }
    await sleep(500);
    h2.destroy();
    expect(emr.requests.length).toBe(before);
  });

  it.each(['http/1.1', 'h2'] as const)(
    'one that never reads its answer is cut off over %s',
    async (protocol) => {
      if (protocol === 'http/1.1') {
        const socket = await dial();
        socket.pause();
        socket.write(request('flood'));
      } else {
        const h2 = session();
        const stream = open(h2, '/patients', { token: desk, script: 'flood' });
        stream.pause();
        // The session is anything but idle all the while.
        const timer = setInterval(() => h2.destroyed || h2.ping(() => {}), 200);
        h2.once('close', () => clearInterval(timer));
      }
      await until('it reached the EMR', () => /x-script: flood/.test(emr.requests.at(-1)?.head ?? ''));
      const received = emr.requests.at(-1);
      await until('the back end is free', () => received?.socket.destroyed === true);
    },
  );

  it('an HTTP/2 connection that only pings is closed', async () => {
    const h2 = session();
    const timer = setInterval(() => h2.destroyed || h2.ping(() => {}), 100);
    await until('it is closed', () => h2.closed || h2.destroyed);
    clearInterval(timer);
    h2.destroy();
  });

  it('streams that were reset do not make an HTTP/2 connection look busy', async () => {
    const h2 = session();
    const timer = setInterval(() => h2.destroyed || h2.ping(() => {}), 100);
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const more = { token: desk, method, headers: { 'content-type': 'text/plain' } };
      for (const path of ['/patients', '/documents/upload', '/fhir/Patient/1', '/nowhere']) {
        for (const body of [true, false]) {
          const stream = open(h2, path, { ...more, script: 'late', body });
          setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 30);
        }
      }
    }
    await until('it is closed', () => h2.closed || h2.destroyed);
    clearInterval(timer);
    h2.destroy();
  });

  it('an HTTP/1.1 connection that dribbles its head is closed', async () => {
    const socket = await dial();
    socket.resume();
    socket.write('GET / HTTP/1.1\r\n');
    const timer = setInterval(() => socket.write('x-a: b\r\n'), 200);
    await until('it is closed', () => socket.destroyed);
    clearInterval(timer);
    socket.destroy();
  });

  it.each([
    ['an upgrade with a body that is yet to come', 'GET /feed HTTP/1.1\r\nContent-Length: 5\r\n'],
    ['an upgrade with a chunked body', 'GET /feed HTTP/1.1\r\nTransfer-Encoding: chunked\r\n'],
    ['an upgrade by POST with a body', 'POST /feed HTTP/1.1\r\nContent-Length: 5\r\n'],
  ])('%s gets nowhere', async (_what, head) => {
    const before = emr.requests.length;
    const answer = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `${head}Host: ${host()}\r\nAuthorization: Bearer ${desk}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    for (const status of statuses(answer)) expect(status).toBe(400);
    expect(emr.requests.length).toBe(before);
  });

  it('an upgrade behind a request that is not answered yet gets nowhere', async () => {
    const answer = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `${request('late')}GET /feed HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${desk}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      { quietMs: 1500 },
    );
    expect(statuses(answer)).not.toContain(101);
  });

  it('garbage behind a request whose answer is being sent does not end up in that answer', async () => {
    const answer = await raw(
      stack.tenants.north.origin,
      stack.authority,
      `${request('bad-chunk')}\x01\x02garbage\r\n\r\n`,
    );
    expect(answer).not.toMatch(/HTTP\/1\.1 200.*HTTP\/1\.1 400/s);
    expect(statuses(answer).length).toBeLessThanOrEqual(1);
  });

  it('CONNECT and unknown expectations over HTTP/2 are refused', async () => {
    const h2 = session();
    const tunnel = h2.request({ ':method': 'CONNECT', ':authority': '127.0.0.1:22' });
    tunnel.on('error', () => {});
    expect((await settled(tunnel)).status).not.toBe(200);
    const expectation = open(h2, '/patients', { token: desk, headers: { expect: 'magic' } });
    expect((await settled(expectation)).status).toBe(417);
    h2.destroy();
  });

  it('resetting streams as fast as it can harms nobody else', async () => {
    const h2 = session();
    await new Promise((resolve) => h2.once('connect', resolve));
    for (let round = 0; round < 30 && !h2.destroyed && !h2.closed; round += 1) {
      for (let at = 0; at < 100 && !h2.destroyed && !h2.closed; at += 1)
        open(h2, '/patients', { token: desk }).close(constants.NGHTTP2_CANCEL);
      await sleep(5);
    }
    h2.destroy();
  });

  it.each([
    [
      'CONTINUATION frames without end',
      () => frame(9, 0, 1, Buffer.alloc(1000, 'a')),
      frame(1, 0, 1, Buffer.alloc(0)),
    ],
    ['empty CONTINUATION frames', () => frame(9, 0, 1, Buffer.alloc(0)), frame(1, 0, 1, Buffer.from([0x82]))],
    ['settings nobody reads the acknowledgement of', () => frame(4, 0, 0, Buffer.alloc(0)), Buffer.alloc(0)],
    ['pings nobody reads the answer of', () => frame(6, 0, 0, Buffer.alloc(8)), Buffer.alloc(0)],
    ['frames of a stream that never was', () => frame(0, 0, 9, Buffer.alloc(100)), Buffer.alloc(0)],
  ])('%s end the connection', async (_what, make, first) => {
    const socket = await dial('h2');
    socket.pause();
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(Buffer.concat([frame(4, 0, 0, Buffer.alloc(0)), first]));
    const many = Buffer.concat(Array.from({ length: 500 }, make));
    let closed = false;
    socket.once('close', () => {
      closed = true;
    });
    socket.once('end', () => {
      closed = true;
    });
    for (let at = 0; at < 400 && !closed && socket.writable; at += 1) {
      if (!socket.write(many))
        await Promise.race([sleep(100), new Promise((go) => socket.once('drain', go))]);
    }
    socket.resume();
    await until('it is closed', () => closed || socket.destroyed);
    socket.destroy();
  });
});

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field as HPACK writes one that no table has (RFC 7541 §6.2.2), without Huffman coding. */
function literal(name: string, value: string): Buffer {
  const text = (part: string): Buffer[] => {
    let rest = part.length - 127;
    if (rest < 0) return [Buffer.from([part.length]), Buffer.from(part, 'latin1')];
    const size = [127];
    for (; rest >= 128; rest >>= 7) size.push((rest & 127) | 128);
    return [Buffer.from([...size, rest]), Buffer.from(part, 'latin1')];
  };
  return Buffer.concat([Buffer.from([0]), ...text(name), ...text(value)]);
}

describe('a write', () => {
  const put = async (script: string) => {
    const socket = await dial();
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const body = '{"resourceType":"Patient"}';
    socket.write(
      `PUT /fhir/Patient/1 HTTP/1.1\r\nHost: ${host()}\r\nAuthorization: Bearer ${writer}\r\nX-Script: ${script}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return { socket, text: () => text, id: () => /x-request-id: (\S+)/i.exec(text)?.[1] ?? '' };
  };

  it('whose long answer ends while the audit is intact is answered whole', async () => {
    const { socket, text } = await put('slow-write');
    await until('its end', () => text().endsWith('0\r\n\r\n'));
    expect(text()).toContain('done');
    socket.destroy();
  });

  it('whose answer never ends begins to be answered all the same', async () => {
    const { socket, text } = await put('endless-write');
    await until('its beginning', () => /HTTP\/1\.1 200/.test(text()));
    socket.destroy();
  });

  it('whose long answer ends after the audit broke never gets its end, and is recorded as unverified', async () => {
    const { socket, text, id } = await put('slow-write');
    await until('its beginning', () => /HTTP\/1\.1 200/.test(text()));
    await stack.checker.kill();
    try {
      await until('it is cut', () => socket.destroyed || socket.readableEnded);
      expect(text().endsWith('0\r\n\r\n')).toBe(false);
      await until('the record', async () => {
        const kinds = (await activityOf(stack, id())).map(({ kind }) => kind);
        return kinds.includes('unverified-write') && kinds.includes('interrupted');
      });
    } finally {
      await stack.checker.start();
      await until('service', async () => (await north('/patients', { token: desk })).status === 200);
    }
  });
});

describe('an upgrade', () => {
  const key = Buffer.alloc(16, 7).toString('base64');
  const upgrade = (script: string, name: 'north' | 'south' = 'north') =>
    `GET /feed HTTP/1.1\r\nHost: ${new URL(stack.tenants[name].origin).host}\r\nAuthorization: Bearer ${name === 'north' ? desk : southDesk}\r\nX-Script: ${script}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;

  async function begin(script: string, more = '', tenant: 'north' | 'south' = 'north') {
    const socket = await dial('http/1.1', tenant);
    let text = '';
    let ended = false;
    socket.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('latin1')).slice(-100_000);
    });
    socket.on('end', () => {
      ended = true;
    });
    socket.write(upgrade(script, tenant) + more);
    return { socket, text: () => text, ended: () => ended || socket.destroyed };
  }

  it.each([
    ['fine', 502, 'a plain 200 is no success'],
    ['refuses', 400, 'a refusal'],
    ['fails', 502, 'an error page'],
    ['silent', 504, 'nothing at all'],
    ['drip', 504, 'a head that never ends'],
    ['close', 502, 'a closed connection'],
    ['reset', 502, 'a reset connection'],
    ['garbage', 502, 'nonsense'],
    ['ws-wrong-accept', 502, 'an acceptance of another handshake'],
    ['ws-other-protocol', 502, 'another protocol'],
    ['ws-200-upgrade', 502, 'an acceptance that is none'],
  ])('answered %s becomes %i: %s', async (script, status) => {
    const { socket, text, ended } = await begin(script, 'frames before their time');
    await until('the end', ended);
    expect(statuses(text())).toEqual([status]);
    expect(text()).not.toMatch(/SELECT|seen=1|101 Switching/);
    expect(emr.requests.at(-1)?.body().toString('latin1')).toBe('');
    socket.destroy();
  });

  it('frames sent before the 101 reach the EMR after it, and only then', async () => {
    const { socket, text } = await begin('ws-late', 'early frames');
    await sleep(400);
    expect(text()).toBe('');
    expect(emr.requests.at(-1)?.body().length).toBe(0);
    await until('101', () => text().includes('101 Switching'));
    await until('the frames', () => emr.requests.at(-1)?.body().toString() === 'early frames');
    socket.destroy();
  });

  it('what the EMR says at once arrives after the 101', async () => {
    const { socket, text } = await begin('ws-speaks');
    await until('it', () => text().endsWith('\r\n\r\nhello'));
    expect(statuses(text())).toEqual([101]);
    // Of the handshake nothing but the handshake: no cookie, of ours least of all.
    expect(text()).not.toMatch(/set-cookie/i);
    socket.destroy();
  });

  it('much data in both directions arrives whole and in order', async () => {
    const { socket, text } = await begin('ws-echo');
    await until('101', () => text().includes('101 Switching'));
    const hash = createHash('sha256');
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      length += chunk.length;
    });
    const data = Buffer.alloc(3_000_000);
    for (let at = 0; at < data.length; at += 4) data.writeUInt32BE(at, at);
    socket.write(data);
    await until('all of it', () => length === data.length);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'));
    socket.destroy();
  });

  it.each(['ws-echo', 'ws-deaf', 'ws-flood'])(
    '%s: the EMR is let go when the client leaves',
    async (script) => {
      const { socket, text } = await begin(script);
      await until('101', () => text() !== '');
      const received = emr.requests.at(-1);
      socket.destroy();
      await until('the back end is free', () => received?.socket.destroyed === true);
    },
  );

  it('a client that half closes gets what is still to come, and then the end', async () => {
    const { socket, text, ended } = await begin('ws-echo');
    await until('101', () => text().includes('101 Switching'));
    socket.end('last words');
    await until('the end', ended);
    expect(emr.requests.at(-1)?.body().toString()).toBe('last words');
  });

  it('a client that never reads is cut off', async () => {
    const { socket } = await begin('ws-flood');
    socket.pause();
    await until('it reached the EMR', () => /x-script: ws-flood/.test(emr.requests.at(-1)?.head ?? ''));
    await until('the back end is free', () => emr.requests.at(-1)?.socket.destroyed === true);
    socket.destroy();
  });

  it('the client is let go when the EMR leaves, even if it does not', async () => {
    const { socket, text } = await begin('ws-echo');
    await until('101', () => text().includes('101 Switching'));
    emr.requests.at(-1)?.socket.resetAndDestroy();
    await until('the end', () => socket.destroyed || socket.readableEnded);
    socket.destroy();
  });

  it('tunnels that the EMR resets do not make it count as down', async () => {
    for (let at = 0; at < 6; at += 1) {
      const { socket, text } = await begin('ws-echo');
      await until('101', () => text().includes('101 Switching'));
      emr.requests.at(-1)?.socket.resetAndDestroy();
      await until('the end', () => socket.destroyed || socket.readableEnded);
      expect((await north('/patients', { token: desk })).status).toBe(200);
    }
  });

  it('to a TLS back end verifies it by the authority and the name of its own settings', async () => {
    const { socket, text } = await begin('ws-speaks', '', 'south');
    await until('it', () => text().endsWith('hello'));
    socket.destroy();
  });

  it('a certificate that names the tenant instead of the back end does not do', async () => {
    const file = join(stack.layout.gateway, 'gateway.yaml');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace(`:${secure.port}`, `:${impostor.port}`));
    try {
      stack.gateway.signal('SIGHUP');
      await until('the change', async () => {
        const { socket, text, ended } = await begin('ws-speaks', '', 'south');
        await until('the end', () => ended() || text().endsWith('hello'));
        socket.destroy();
        return statuses(text())[0] !== 101;
      });
      expect(impostor.requests).toEqual([]);
    } finally {
      writeFileSync(file, before);
      stack.gateway.signal('SIGHUP');
    }
  });
});
