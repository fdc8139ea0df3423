import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../examples/support/local-authority.ts';

let authority: Authority;
let leaf: IssuedCertificate;
let client: IssuedCertificate;
let close: () => Promise<void>;
let port: number;

beforeAll(async () => {
  authority = await createAuthority('Test authority');
  leaf = await authority.issue({
    commonName: 'clinic',
    hosts: ['localhost', 'clinic-a.localhost', '127.0.0.1'],
  });
  client = await authority.issue({ commonName: 'portal', hosts: [], client: true });
  const server = createServer(
    {
      cert: leaf.certificatePem,
      key: leaf.keyPem,
      ca: authority.certificatePem,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (incoming, answer) => answer.end(String((incoming.socket as TLSSocket).authorized)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
});
afterAll(() => close?.());

function get(options: {
  servername?: string;
  host?: string;
  ca?: string;
  cert?: string;
  key?: string;
}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request(
    { host: '127.0.0.1', port, ca: authority.certificatePem, agent: false, ...options },
    (answer) => {
      answer.setEncoding('utf8').once('data', resolve);
    },
  );
  sent.once('error', reject).end();
  return promise;
}

describe('the local certificate authority', () => {
  test.each([['localhost'], ['clinic-a.localhost'], ['']])(
    'is believed by a strict client for %j',
    async (name) => {
      expect(await get({ servername: name })).toBe('false');
    },
  );

  test('is not believed for a name the certificate does not carry, the common name included', async () => {
    for (const servername of ['clinic-b.localhost', 'clinic']) {
      await expect(get({ servername })).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    }
  });

  test('is not believed by a client that trusts another authority of the same name', async () => {
    const other = await createAuthority('Test authority');
    await expect(get({ servername: 'localhost', ca: other.certificatePem })).rejects.toMatchObject({
      code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO|SIGNATURE/),
    });
  });

  test('makes client certificates that prove a client, and server certificates that do not', async () => {
    const proof = (issued: IssuedCertificate) =>
      get({ servername: 'localhost', cert: issued.certificatePem, key: issued.keyPem });
    expect(await proof(client)).toBe('true');
    expect(await proof(leaf)).toBe('false');
  });

  test('gives every certificate its own serial, key and the right limits', async () => {
    const [root, first, second] = [authority.certificatePem, leaf.certificatePem, client.certificatePem].map(
      (pem) => new X509Certificate(pem),
    );
    expect(new Set([root, first, second].map((certificate) => certificate?.serialNumber)).size).toBe(3);
    expect(root?.ca).toBe(true);
    expect(first?.ca).toBe(false);
    expect(first?.checkIssued(root as X509Certificate)).toBe(true);
    expect(first?.subjectAltName).toBe('DNS:localhost, DNS:clinic-a.localhost, IP Address:127.0.0.1');
  });

  test('refuses a common name that is distinguished-name syntax', async () => {
    await expect(authority.issue({ commonName: 'a, O=b', hosts: [] })).rejects.toThrow(TypeError);
  });
});
