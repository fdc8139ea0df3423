import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activityOf } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask } from '../../examples/support/https-client.ts';
import { freePort } from '../../examples/support/ports.ts';
import { findProgram } from '../../examples/support/private-mariadb.ts';
import { launch, type Running } from '../../measure/processes.ts';
import { stackFor } from '../support/stack.ts';

/** A real HAProxy in front that passes TLS through and announces each connection (`send-proxy-v2`). */

const program = findProgram('haproxy');
const folder = join(import.meta.dirname, '..', '..', '.work', 'haproxy-front');
let stack: Stack;
let front: Running;
let port: number;

// `proxies.test.ts` sends the same headers itself, on any machine.
if (program === undefined) console.warn('HAProxy is not installed: the gateway was not tried behind it.');

describe.runIf(program !== undefined)('behind HAProxy', () => {
  beforeAll(async () => {
    stack = await stackFor('haproxy-stack', {
      workers: 1,
      adjust: (usual) => ({
        ...usual,
        listen: {
          ...(usual.listen as object),
          trustedProxies: ['127.0.0.1'],
          proxyProtocol: 'required',
        },
      }),
    });
    port = await freePort();
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'haproxy.cfg');
    const gateway = new URL(stack.tenants.north.origin).port;
    writeFileSync(
      file,
      `global
  log stdout format raw local0
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:${port}
  default_backend gateway
backend gateway
  server gateway 127.0.0.1:${gateway} send-proxy-v2 proxy-v2-options crc32c,unique-id
`,
    );
    front = await launch({
      name: 'HAProxy',
      command: program ?? '',
      args: ['-f', file, '-db'],
      core: undefined,
      log: join(folder, 'haproxy.log'),
      port,
    });
  }, 120_000);
  afterAll(async () => {
    await front?.stop();
    await stack?.stop();
  });

  /** From another address than the proxy's own. */
  function through(token: string): Promise<{ status: number; id: string }> {
    const url = new URL(stack.tenants.north.origin);
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; id: string }>();
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        localAddress: '127.0.0.3',
        servername: url.hostname,
        ca: stack.authority,
        agent: false,
        path: '/fhir/Patient/1',
        headers: { host: url.host, authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.66' },
      },
      (response) => {
        response.resume();
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, id: String(response.headers['x-request-id']) }),
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end();
    return promise;
  }

  it('requests pass, TLS from end to end, and the address that was announced is the client’s', async () => {
    const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.rs'] });
    const { status, id } = await through(token);
    expect(status).toBe(200);
    const entries = await activityOf(stack, id);
    expect(entries.find(({ kind }) => kind === 'intent')?.peer).toBe('127.0.0.3');
  });

  it('nobody else reaches the gateway, who has no header to send', async () => {
    await expect(
      ask({ url: `${stack.tenants.north.origin}/fhir/Patient/1`, authority: stack.authority }),
    ).rejects.toThrow();
  });
});

describe.runIf(program !== undefined)('the sample for several gateways', () => {
  it('does not cut a WebSocket or a slow answer that is silent for longer than a connection that begins', async () => {
    const silent = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => setTimeout(() => socket.write('late'), 2_500));
    });
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const at = await freePort();
    const sample = readFileSync(join(import.meta.dirname, '../../deploy/haproxy/haproxy.cfg'), 'utf8');
    const defaults = /^defaults\n(?: .*\n|\n)+/m
      .exec(sample)?.[0]
      .replace(/(timeout (?:client|server)) \w+/g, '$1 1s');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'sample.cfg');
    writeFileSync(
      file,
      `${defaults}frontend front
  bind 127.0.0.1:${at}
  default_backend gateway
backend gateway
  server gateway 127.0.0.1:${(silent.address() as AddressInfo).port}
`,
    );
    const running = await launch({
      name: 'HAProxy',
      command: program ?? '',
      args: ['-f', file, '-db'],
      core: undefined,
      log: join(folder, 'sample.log'),
      port: at,
    });
    try {
      const client = connect(at, '127.0.0.1');
      client.write('a question');
      expect(String(await Promise.race([once(client, 'data'), once(client, 'close')]))).toBe('late');
      client.destroy();
    } finally {
      await running.stop();
      silent.close();
    }
  }, 20_000);
});
