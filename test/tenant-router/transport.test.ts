import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { constants, createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { BackendSettings, Secret } from '../../contracts/settings.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../examples/support/local-authority.ts';
import { BackendAnswer } from '../../gateway/transport/backend-answer.ts';
import { type Backend, createTenantRouter, outcomeOfError } from '../../tenant-router/index.ts';
import { backend, listen, stop, tenant } from './support.ts';

const HOST = 'clinic.example';
/** Bytes; more than any buffer on the way holds. */
const LARGE = 8 * 1024 * 1024;
let authority: Authority;
let own: IssuedCertificate;
let folder = '';
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  authority = await createAuthority('Back ends');
  own = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  folder = mkdtempSync(join(tmpdir(), 'cg-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ca = () => Buffer.from(authority.certificatePem);

function pinOf({ certificatePem }: IssuedCertificate): string {
  const { publicKey } = new X509Certificate(certificatePem);
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

function secret(text: string): Secret {
  return { reveal: () => Buffer.from(text), toString: () => '[secret]', toJSON: () => '[secret]' };
}

function one(origin: string, more: Partial<BackendSettings>): Backend {
  const router = createTenantRouter([tenant('a', ['a.example'], backend(origin, more))]);
  cleanups.push(() => router.close(0));
  const picked = router.tenants[0]?.pick();
  if (picked === undefined) throw new Error('nobody to pick');
  return picked;
}

/** What came, or how it failed. */
async function ask(to: Backend, body: string | null = null): Promise<string> {
  try {
    const answer = await to.dispatcher.request({
      method: body === null ? 'GET' : 'POST',
      path: '/there',
      headers: { host: HOST },
      body,
      headersTimeout: 1000,
      bodyTimeout: 1000,
    });
    return await answer.body.text();
  } catch (error) {
    return outcomeOfError(error) ?? 'none';
  }
}

/** Opens a connection as an upgrade does. */
function connectTo(to: Backend): Promise<string> {
  return new Promise((resolve) => {
    to.connect((error, socket) => {
      socket?.destroy();
      resolve(error === null ? 'connected' : (outcomeOfError(error) ?? 'none'));
    });
  });
}

/** An EMR over TLS that says who asked it, in which protocol. */
async function secure(certificate: IssuedCertificate, more: object = {}): Promise<string> {
  const server = createHttpsServer(
    { cert: certificate.certificatePem, key: certificate.keyPem, ...more },
    (request, response) => {
      const peer = (request.socket as TLSSocket).getPeerX509Certificate();
      response.end(`${request.headers.host} ${request.httpVersion} ${peer?.subject ?? 'nobody'}`);
    },
  );
  cleanups.push(() => stop(server));
  return `https://localhost:${await listen(server)}`;
}

describe('pinned keys', () => {
  test('let no other key in, whatever authority certified it, also for upgrades', async () => {
    const origin = await secure(own);
    const other = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
    for (const settings of [
      { pinnedKeys: [pinOf(other)] },
      { pinnedKeys: [pinOf(other)], authority: ca() },
    ]) {
      const to = one(origin, settings);
      expect(await ask(to)).toBe('connect-failed');
      expect(await connectTo(to)).toBe('connect-failed');
    }
  });

  test('alone are enough for a certificate of no authority and another name', async () => {
    const stranger = await (await createAuthority('Nobody')).issue({
      commonName: 'emr',
      hosts: ['emr.local'],
    });
    const to = one(await secure(stranger), { pinnedKeys: [pinOf(own), pinOf(stranger)] });
    expect(await ask(to)).toBe(`${HOST} 1.1 nobody`);
    expect(await connectTo(to)).toBe('connected');
  });

  test('do not make up for a wrong authority or name where one is given', async () => {
    const stranger = await (await createAuthority('Nobody')).issue({ commonName: 'x', hosts: ['localhost'] });
    expect(await ask(one(await secure(stranger), { pinnedKeys: [pinOf(stranger)], authority: ca() }))).toBe(
      'connect-failed',
    );
    const elsewhere = await authority.issue({ commonName: 'x', hosts: ['elsewhere.example'] });
    expect(await ask(one(await secure(elsewhere), { pinnedKeys: [pinOf(elsewhere)], authority: ca() }))).toBe(
      'connect-failed',
    );
    expect(await ask(one(await secure(own), { pinnedKeys: [pinOf(own)], authority: ca() }))).toBe(
      `${HOST} 1.1 nobody`,
    );
  });

  test('keep anything from being sent before they were compared', async () => {
    let bytes = 0;
    const server = createHttpsServer({ cert: own.certificatePem, key: own.keyPem }, () => (bytes += 1));
    server.on('secureConnection', (socket: Socket) => socket.on('data', (chunk) => (bytes += chunk.length)));
    cleanups.push(() => stop(server));
    const wrong = createHash('sha256').update('another').digest('base64');
    const to = one(`https://localhost:${await listen(server)}`, { pinnedKeys: [wrong] });
    expect(await ask(to, 'a record')).toBe('connect-failed');
    expect(bytes).toBe(0);
  });
});

test('a client certificate is shown to the back end that asks for one, and nothing gets there without it', async () => {
  const certificate = await authority.issue({ commonName: 'gateway', hosts: [], client: true });
  const origin = await secure(own, {
    requestCert: true,
    rejectUnauthorized: true,
    ca: authority.certificatePem,
  });
  // In TLS 1.3 the refusal comes after the handshake.
  expect(await ask(one(origin, { authority: ca() }))).toMatch(/^(?:connect-failed|protocol)$/);
  const clientCertificate = {
    certificate: Buffer.from(certificate.certificatePem),
    key: secret(certificate.keyPem),
  };
  expect(await ask(one(origin, { authority: ca(), clientCertificate }))).toBe(`${HOST} 1.1 CN=gateway`);
});

describe('a Unix socket', () => {
  test('is spoken to in plain HTTP, and the origin only names it', async () => {
    const server = createHttpServer((request, response) => response.end(`hello ${request.headers.host}`));
    cleanups.push(() => stop(server));
    const path = join(folder, 'plain.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const to = one('http://emr.invalid', { unixSocket: path });
    expect(await ask(to)).toBe(`hello ${HOST}`);
    expect(await connectTo(to)).toBe('connected');
  });

  test('that is not there is a failure to connect', async () => {
    const to = one('http://emr.invalid', { unixSocket: join(folder, 'none.sock') });
    expect(await ask(to)).toBe('connect-failed');
  });
});

describe('HTTP/2', () => {
  /** Says who it thinks it is, in which protocol, and over how many connections it was asked. */
  async function both(): Promise<{ origin: string; server: Http2SecureServer; connections: () => number }> {
    let connections = 0;
    const server = createSecureServer(
      { cert: own.certificatePem, key: own.keyPem, allowHTTP1: true },
      (request, response) => {
        const named =
          'authority' in request && request.authority !== '' ? request.authority : request.headers.host;
        const protocol = request.httpVersion;
        let bytes = 0;
        request.on('data', (chunk: Buffer) => (bytes += chunk.length));
        request.on('end', () => {
          if ('stream' in response && protocol === '2.0') response.addTrailers({ 'x-sum': 'of the EMR' });
          response.end(`${named} ${protocol} ${bytes}`);
        });
      },
    );
    server.on('secureConnection', () => (connections += 1));
    cleanups.push(() => stop(server as unknown as Server));
    return {
      origin: `https://localhost:${await listen(server as unknown as Server)}`,
      server,
      connections: () => connections,
    };
  }

  test('is spoken where the settings say so and the back end can; its trailers are read and left', async () => {
    const { origin, connections } = await both();
    const to = one(origin, { authority: ca(), http2: true });
    expect(await ask(to)).toBe(`${HOST} 2.0 0`);
    expect(await ask(to, 'x'.repeat(200_000))).toBe(`${HOST} 2.0 200000`);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(to)));
    expect(new Set(answers)).toEqual(new Set([`${HOST} 2.0 0`]));
    expect(connections()).toBe(1);
  });

  test('is not spoken unless they do', async () => {
    const { origin } = await both();
    expect(await ask(one(origin, { authority: ca() }))).toBe(`${HOST} 1.1 0`);
  });

  test('is asked for, and HTTP/1.1 spoken, where the back end has no other', async () => {
    expect(await ask(one(await secure(own), { authority: ca(), http2: true }))).toBe(`${HOST} 1.1 nobody`);
  });

  test('never carries one tenant on another one’s connection, though the back end is the same', async () => {
    const { origin, connections } = await both();
    const settings = { authority: ca(), http2: true as const };
    const router = createTenantRouter([
      tenant('a', ['a.example'], backend(origin, settings)),
      tenant('b', ['b.example'], backend(origin, settings)),
    ]);
    cleanups.push(() => router.close(0));
    for (const { pick } of router.tenants.map((each) => ({ pick: () => each.pick() }))) {
      const to = pick();
      if (to !== undefined) expect(await ask(to)).toBe(`${HOST} 2.0 0`);
    }
    expect(connections()).toBe(2);
  });

  /** As the gateway streams an answer, to somebody who reads slowly. */
  async function streamed(to: Backend, path: string): Promise<{ head: string; bytes: number; by: string }> {
    const answer = new BackendAnswer(to.origin, systemClock);
    const options = {
      path,
      method: 'GET' as const,
      headers: ['host', HOST],
      headersTimeout: 2000,
      bodyTimeout: 2000,
    };
    to.dispatcher.dispatch(options, answer);
    const head = await answer.head;
    if (head !== 'head') return { head, bytes: 0, by: '' };
    let bytes = 0;
    const slow = new Writable({
      highWaterMark: 64 * 1024,
      write: (chunk: Buffer, _encoding, done) => {
        bytes += chunk.length;
        setImmediate(done);
      },
    });
    const { promise, resolve } = Promise.withResolvers<string>();
    answer.stream(slow, { stallMs: 5000, done: ({ by }) => resolve(by) });
    const by = await promise;
    if (by === 'complete') await new Promise((done) => slow.once('finish', done));
    return { head: String(answer.status), bytes, by };
  }

  test('a large answer waits for whoever reads it, beside others on the same connection', async () => {
    const { origin, connections } = await hostile();
    const to = one(origin, { authority: ca(), http2: true });
    const all = await Promise.all([...Array(4).keys()].map(() => streamed(to, '/large')));
    expect(all).toEqual(Array(4).fill({ head: '200', bytes: LARGE, by: 'complete' }));
    expect(connections()).toBe(1);
  });

  test.each([
    ['/reset', { head: 'protocol', bytes: 0, by: '' }],
    ['/broken', { head: '200', by: 'backend' }],
    ['/short', { head: '200', by: 'backend' }],
    ['/gone', { head: 'protocol', bytes: 0, by: '' }],
    ['/hangs', { head: 'timeout', bytes: 0, by: '' }],
  ])(
    'an answer that is none (%s) never looks complete, and the next one is whole',
    async (path, expected) => {
      const { origin } = await hostile();
      const to = one(origin, { authority: ca(), http2: true });
      expect(await streamed(to, path)).toMatchObject(expected);
      expect(await streamed(to, '/large')).toMatchObject({ head: '200', bytes: LARGE, by: 'complete' });
    },
  );

  /** Each path another way to answer over HTTP/2 alone. */
  async function hostile(): Promise<{ origin: string; connections: () => number }> {
    let connections = 0;
    const memory = { maxSessionMemory: 100 };
    const server = createSecureServer({ cert: own.certificatePem, key: own.keyPem, ...memory });
    server.on('session', () => (connections += 1));
    server.on('sessionError', () => {});
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => {});
      const path = headers[':path'];
      if (path === '/hangs') return;
      if (path === '/reset') return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      if (path === '/gone') return stream.session?.destroy();
      stream.respond({ ':status': 200, ...(path === '/short' ? { 'content-length': 1000 } : {}) });
      if (path === '/broken') {
        stream.write('part', () => stream.destroy(new Error('broken')));
        return;
      }
      stream.end(path === '/short' ? 'not so much' : Buffer.alloc(LARGE));
    });
    cleanups.push(() => stop(server as unknown as Server));
    return {
      origin: `https://localhost:${await listen(server as unknown as Server)}`,
      connections: () => connections,
    };
  }

  test('an upgrade is asked for in HTTP/1.1 all the same', async () => {
    const { origin, server } = await both();
    const protocol = new Promise((resolve) => {
      server.on('secureConnection', (socket: TLSSocket) => resolve(socket.alpnProtocol));
    });
    const to = one(origin, { authority: ca(), http2: true });
    const socket = await new Promise<Socket | null>((resolve) => to.connect((_error, made) => resolve(made)));
    expect(await protocol).toBe('http/1.1');
    socket?.destroy();
  });
});
