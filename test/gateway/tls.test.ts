import { type ConnectionOptions, connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../examples/support/local-authority.ts';
import { freePort } from '../../examples/support/ports.ts';
import { type Listener, listen } from '../../gateway/transport/listener.ts';

const HOST = 'north.localhost';
let authority: Authority;
let certificate: IssuedCertificate;

beforeAll(async () => {
  authority = await createAuthority('Listener tests');
  certificate = await authority.issue({ commonName: HOST, hosts: [HOST] });
});

async function open(minimumTls: 'TLSv1.2' | 'TLSv1.3'): Promise<Listener> {
  const key = Buffer.from(certificate.keyPem);
  const settings: Pick<GatewaySettings, 'listen' | 'timeouts'> = {
    listen: {
      host: '127.0.0.1',
      port: await freePort(),
      minimumTls,
      certificate: Buffer.from(certificate.certificatePem),
      key: { reveal: () => key, toString: () => '[secret]', toJSON: () => '[secret]' },
    },
    timeouts: { headersMs: 2000, requestMs: 5000, idleMs: 5000, drainMs: 500 },
  };
  return listen(settings, systemClock, async (client) => {
    client.response.statusCode = 204;
    client.response.end();
  });
}

interface Handshake {
  readonly protocol: string | null;
  readonly cipher: string;
  readonly group: string;
  readonly alpn: string | false | null;
}

/** Completes a handshake, or rejects with OpenSSL's error. */
function shake(port: number, options: ConnectionOptions): Promise<Handshake> {
  const { promise, resolve, reject } = Promise.withResolvers<Handshake>();
  const socket: TLSSocket = connectTls(
    { host: '127.0.0.1', port, servername: HOST, ca: authority.certificatePem, ...options },
    () => {
      const key = socket.getEphemeralKeyInfo() as { name?: string; type?: string };
      resolve({
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        group: key.name ?? '',
        alpn: socket.alpnProtocol,
      });
      socket.destroy();
    },
  );
  socket.once('error', reject);
  return promise;
}

describe('the listener', () => {
  let listener: Listener;
  beforeAll(async () => {
    listener = await open('TLSv1.3');
  });
  afterAll(() => listener.drain(100));

  it('speaks TLS 1.3, and HTTP/2 or HTTP/1.1 as the client asks', async () => {
    const h2 = await shake(listener.port, { ALPNProtocols: ['h2', 'http/1.1'] });
    const h1 = await shake(listener.port, { ALPNProtocols: ['http/1.1'] });
    expect([h2.protocol, h2.alpn, h1.alpn]).toEqual(['TLSv1.3', 'h2', 'http/1.1']);
  });

  it('takes the hybrid key exchange, also from a client that offers nothing else', async () => {
    await expect(shake(listener.port, { ecdhCurve: 'X25519MLKEM768' })).resolves.toMatchObject({
      protocol: 'TLSv1.3',
    });
    await expect(shake(listener.port, { ecdhCurve: 'X25519' })).resolves.toMatchObject({
      protocol: 'TLSv1.3',
    });
    await expect(shake(listener.port, { ecdhCurve: 'P-521' })).rejects.toThrow();
  });

  it.each(['TLSv1', 'TLSv1.1', 'TLSv1.2'] as const)('refuses %s', async (version) => {
    const old = { minVersion: version, maxVersion: version, ciphers: 'ALL@SECLEVEL=0' };
    await expect(shake(listener.port, old)).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });
});

describe('a listener that is told to accept TLS 1.2', () => {
  let listener: Listener;
  beforeAll(async () => {
    listener = await open('TLSv1.2');
  });
  afterAll(() => listener.drain(100));

  const tls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

  it.each([
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
  ])('takes %s', async (ciphers) => {
    await expect(shake(listener.port, { ...tls12, ciphers })).resolves.toMatchObject({
      protocol: 'TLSv1.2',
      cipher: ciphers,
    });
  });

  it.each([
    ['ECDHE-ECDSA-AES128-SHA', 'CBC with SHA-1'],
    ['ECDHE-ECDSA-AES256-SHA384', 'CBC'],
    ['ECDHE-ECDSA-AES128-SHA256', 'CBC'],
    ['ECDHE-ECDSA-AES128-CCM', 'not among ours'],
    ['AES128-GCM-SHA256', 'no forward secrecy'],
  ])('refuses %s: %s', async (suite) => {
    const ciphers = `${suite}:@SECLEVEL=0`;
    // Our own side must be able to offer it, or the refusal would be ours.
    expect(() => createSecureContext({ ciphers })).not.toThrow();
    await expect(shake(listener.port, { ...tls12, ciphers })).rejects.toThrow(/handshake failure|alert/i);
  });

  it('still refuses TLS 1.1', async () => {
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;
    await expect(shake(listener.port, old)).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });
});

describe('a certificate that was replaced', () => {
  it('is used for the next connection, without a restart', async () => {
    const listener = await open('TLSv1.3');
    const next = await authority.issue({ commonName: HOST, hosts: [HOST, 'renewed.localhost'] });
    await expect(shake(listener.port, { servername: 'renewed.localhost' })).rejects.toThrow(/altnames/i);
    const key = Buffer.from(next.keyPem);
    listener.updateCertificate({
      listen: {
        host: '127.0.0.1',
        port: listener.port,
        minimumTls: 'TLSv1.3',
        certificate: Buffer.from(next.certificatePem),
        key: { reveal: () => key, toString: () => '[secret]', toJSON: () => '[secret]' },
      },
    });
    await expect(shake(listener.port, { servername: 'renewed.localhost' })).resolves.toMatchObject({
      protocol: 'TLSv1.3',
    });
    await listener.drain(100);
  });
});
