import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { TlsFacts } from '../../contracts/facts.ts';
import { parseTenantId } from '../../contracts/identifiers.ts';
import type { ClientCertificateSettings, TenantSettings } from '../../contracts/settings.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../examples/support/local-authority.ts';
import { freePort } from '../../examples/support/ports.ts';
import type { CertificateSettings } from '../../gateway/transport/client-certificates.ts';
import { type Listener, listen } from '../../gateway/transport/listener.ts';
import { checkCertificate } from '../../gateway/transport/tls-context.ts';

const NORTH = 'north.localhost';
const SOUTH = 'south.localhost';
const PLAIN = 'plain.localhost';

let server: Authority;
let north: Authority;
let south: Authority;
let chain: IssuedCertificate;
let lab: IssuedCertificate;
let listener: Listener;
let settings: CertificateSettings;
/** What the listener said of each request's connection. */
let seen: TlsFacts[] = [];

const bytes = (text: string) => Buffer.from(text);

function tenant(id: string, host: string, clientCertificates?: ClientCertificateSettings): TenantSettings {
  return {
    id: parseTenantId(id) as TenantSettings['id'],
    hosts: [`${host}:8443`],
    audience: `https://${host}`,
    issuers: [],
    database: id as TenantSettings['database'],
    policy: 'p',
    identityHeader: undefined,
    backends: [],
    clientCertificates,
  };
}

function counting(authority: Authority, revocationList?: string): ClientCertificateSettings {
  return {
    authority: bytes(authority.certificatePem),
    revocationList: revocationList === undefined ? undefined : bytes(revocationList),
    demand: 'optional',
    principals: [],
  };
}

async function settingsWith(ofNorth: ClientCertificateSettings | undefined): Promise<CertificateSettings> {
  return {
    listen: {
      host: '127.0.0.1',
      port: settings?.listen.port ?? (await freePort()),
      minimumTls: 'TLSv1.2',
      certificate: bytes(chain.certificatePem),
      key: { reveal: () => bytes(chain.keyPem), toString: () => '[secret]', toJSON: () => '[secret]' },
    },
    tenants: [
      tenant('north', NORTH, ofNorth),
      tenant('south', SOUTH, counting(south)),
      tenant('plain', PLAIN),
    ],
  };
}

beforeAll(async () => {
  server = await createAuthority('Servers');
  north = await createAuthority('North clients');
  south = await createAuthority('South clients');
  chain = await server.issue({ commonName: NORTH, hosts: [NORTH, SOUTH, PLAIN] });
  lab = await north.issue({
    commonName: 'lab-1',
    hosts: ['lab.example'],
    uris: ['urn:clinic:lab-1'],
    client: true,
  });
  settings = await settingsWith(counting(north));
  const timeouts = { headersMs: 2000, requestMs: 5000, idleMs: 5000, drainMs: 500 };
  listener = await listen({ ...settings, timeouts }, systemClock, async (client, arrival) => {
    seen.push(arrival.tls);
    client.response.statusCode = 204;
    client.response.end();
  });
});
afterAll(() => listener?.drain(100));

interface Shown {
  readonly certificate?: IssuedCertificate | undefined;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

const withKey = (shown: IssuedCertificate | undefined) =>
  shown === undefined ? {} : { cert: shown.certificatePem, key: shown.keyPem };

/** One request at a host over HTTP/1.1; what the listener knew of its connection. */
async function over1(
  host: string,
  { certificate, maxVersion = 'TLSv1.3' }: Shown,
): Promise<TlsFacts | undefined> {
  seen = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const request = requestHttps({
    host: '127.0.0.1',
    port: listener.port,
    servername: host,
    headers: { host: `${host}:8443` },
    ca: server.certificatePem,
    maxVersion,
    agent: false,
    ...withKey(certificate),
  });
  request.on('response', (response) => response.resume().on('end', resolve));
  request.on('error', reject);
  request.end();
  await promise;
  return seen[0];
}

async function over2(host: string, { certificate }: Shown): Promise<TlsFacts | undefined> {
  seen = [];
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, {
    servername: host,
    ca: server.certificatePem,
    ...withKey(certificate),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  session.on('error', reject);
  const stream = session.request({ ':path': '/', ':authority': `${host}:8443` });
  stream.on('response', () => resolve());
  stream.on('error', reject);
  stream.end();
  await promise.finally(() => session.destroy());
  return seen[0];
}

describe('a client certificate', () => {
  test('counts at the name whose authority issued it, over HTTP/1.1, HTTP/2 and TLS 1.2', async () => {
    const expected = {
      subject: 'CN=lab-1',
      names: ['DNS:lab.example', 'URI:urn:clinic:lab-1'],
      thumbprint: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      notAfter: expect.any(Number),
    };
    expect((await over1(NORTH, { certificate: lab }))?.certificate).toMatchObject(expected);
    expect((await over2(NORTH, { certificate: lab }))?.certificate).toMatchObject(expected);
    expect((await over1(NORTH, { certificate: lab, maxVersion: 'TLSv1.2' }))?.certificate).toMatchObject(
      expected,
    );
  });

  const REFUSED: readonly (readonly [string, string, () => Promise<IssuedCertificate | undefined>])[] = [
    ['none', NORTH, async () => undefined],
    ['of another tenant’s authority', SOUTH, async () => lab],
    ['at a name that wants none', PLAIN, async () => lab],
    [
      'for servers, of the right authority',
      NORTH,
      () => north.issue({ commonName: 'x', hosts: ['x.example'] }),
    ],
    ['that expired', NORTH, () => north.issue({ commonName: 'old', hosts: [], client: true, days: -0.001 })],
    [
      'of an authority of the same name',
      NORTH,
      async () =>
        (await createAuthority('North clients')).issue({ commonName: 'lab-1', hosts: [], client: true }),
    ],
    [
      'of the server’s own authority',
      NORTH,
      () => server.issue({ commonName: 'lab-1', hosts: [], client: true }),
    ],
  ];
  test.each(REFUSED)('does not count: %s', async (_, host, certificate) => {
    const shown = await certificate();
    for (const over of [over1, over2])
      expect((await over(host, { certificate: shown }))?.certificate).toBeUndefined();
  });

  test('is not brought back by a resumed session, of any name', async () => {
    const sessions: Buffer[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = connectTls({
      host: '127.0.0.1',
      port: listener.port,
      servername: NORTH,
      ca: server.certificatePem,
      ...withKey(lab),
    });
    first.on('session', (session: Buffer) => sessions.push(session));
    first.on('secureConnect', () => first.write(`GET / HTTP/1.1\r\nHost: ${NORTH}\r\n\r\n`));
    first.on('data', () => resolve());
    await promise;
    first.destroy();
    for (const servername of [NORTH, SOUTH]) {
      seen = [];
      const again = Promise.withResolvers<boolean>();
      const second = connectTls({
        host: '127.0.0.1',
        port: listener.port,
        servername,
        ca: server.certificatePem,
        ...(sessions[0] === undefined ? {} : { session: sessions[0] }),
      });
      second.on('secureConnect', () => second.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\n\r\n`));
      second.on('data', () => again.resolve(second.isSessionReused()));
      second.on('error', again.reject);
      expect(await again.promise).toBe(false);
      expect(seen[0]?.certificate).toBeUndefined();
      second.destroy();
    }
  });
});

test('why one does not count is told, for the record', async () => {
  const faults: Record<string, string | undefined> = {};
  const [stranger, old] = [await createAuthority('Strangers'), { hosts: [], client: true, days: -0.001 }];
  const shown = {
    'nobody’s': await stranger.issue({ commonName: 'x', hosts: [], client: true }),
    outdated: await north.issue({ commonName: 'old', ...old }),
    'a server’s': await north.issue({ commonName: 'x', hosts: ['x.example'] }),
  };
  for (const [name, certificate] of Object.entries(shown))
    faults[name] = (await over1(NORTH, { certificate }))?.certificateFault;
  expect(faults).toEqual({
    'nobody’s': 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    outdated: 'CERT_HAS_EXPIRED',
    'a server’s': 'INVALID_PURPOSE',
  });
  expect((await over1(NORTH, {}))?.certificateFault).toBeUndefined();
});

describe('a revocation list', () => {
  test('ends what it names, at once for open connections too, and nothing else', async () => {
    const other = await north.issue({ commonName: 'lab-2', hosts: [], client: true });
    const session = connectHttp2(`https://127.0.0.1:${listener.port}`, {
      servername: NORTH,
      ca: server.certificatePem,
      ...withKey(lab),
    });
    const opened = new Promise((resolve) => session.once('remoteSettings', resolve));
    const closed = new Promise((resolve) => session.once('close', resolve));
    await opened;
    listener.updateCertificate(await settingsWith(counting(north, await north.revocationList([lab]))));
    await closed;
    expect(await over1(NORTH, { certificate: lab })).toMatchObject({ certificateFault: 'CERT_REVOKED' });
    expect((await over2(NORTH, { certificate: lab }))?.certificate).toBeUndefined();
    expect((await over1(NORTH, { certificate: other }))?.certificate).toMatchObject({ subject: 'CN=lab-2' });
  });

  test('that is outdated, or of another authority, lets nobody through', async () => {
    for (const list of [await north.revocationList([], -1), await south.revocationList([])]) {
      listener.updateCertificate(await settingsWith(counting(north, list)));
      expect((await over1(NORTH, { certificate: lab }))?.certificate).toBeUndefined();
    }
  });

  test('that cannot be read is refused before anything is exchanged', async () => {
    const broken = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';
    const next = await settingsWith(counting(north, broken));
    expect(() => checkCertificate(next)).toThrow(/revocation list/);
    expect(() => checkCertificate(settings)).not.toThrow();
  });
});

describe('a listener that is told while it runs', () => {
  test('asks from then on, and no more when nobody wants certificates', async () => {
    const { tenants: _, ...bare } = settings;
    listener.updateCertificate(bare);
    expect((await over1(NORTH, { certificate: lab }))?.certificate).toBeUndefined();
    listener.updateCertificate(settings);
    expect((await over1(NORTH, { certificate: lab }))?.certificate).toMatchObject({ subject: 'CN=lab-1' });
    expect((await over2(NORTH, { certificate: lab }))?.certificate).toMatchObject({ subject: 'CN=lab-1' });
  });
});
