import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { createAuthority, type IssuedCertificate } from '../../examples/support/local-authority.ts';
import { freePort } from '../../examples/support/ports.ts';
import type { Client } from '../../gateway/transport/client.ts';
import { type Listener, listen } from '../../gateway/transport/listener.ts';

const HOST = 'north.localhost';
let authority: string;
let certificate: IssuedCertificate;
let listener: Listener | undefined;

beforeAll(async () => {
  const made = await createAuthority('Listener tests');
  authority = made.certificatePem;
  certificate = await made.issue({ commonName: HOST, hosts: [HOST] });
});
afterEach(async () => {
  await listener?.drain(100);
  listener = undefined;
});

async function open(handle: (client: Client) => Promise<void>): Promise<number> {
  const key = Buffer.from(certificate.keyPem);
  listener = await listen(
    {
      listen: {
        host: '127.0.0.1',
        port: await freePort(),
        minimumTls: 'TLSv1.3',
        certificate: Buffer.from(certificate.certificatePem),
        key: { reveal: () => key, toString: () => '[secret]', toJSON: () => '[secret]' },
      },
      timeouts: { headersMs: 5000, requestMs: 5000, idleMs: 1000, drainMs: 500 },
    },
    systemClock,
    handle,
  );
  return listener.port;
}

/** Sends these bytes over TLS; resolves with everything that came back until the connection closed. */
function exchange(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let got = '';
  const socket = connectTls(
    { host: '127.0.0.1', port, servername: HOST, ca: authority, ALPNProtocols: ['http/1.1'] },
    () => socket.write(text),
  );
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => resolve(got));
  return promise;
}

const request = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

describe('a connection', () => {
  it('takes a pipelined request only when the answer to the one before is out', async () => {
    const began: string[] = [];
    let finish: (() => void) | undefined;
    const port = await open(async (client) => {
      began.push(client.request.url ?? '');
      const response = client.response as ServerResponse;
      response.writeHead(200);
      if (began.length > 1) {
        response.shouldKeepAlive = false;
        response.end('two');
        return;
      }
      // Handed over, as a stream is, but not at its end.
      response.write('one');
      finish = () => response.end();
    });
    const answer = exchange(port, request('/1') + request('/2', 'Connection: close\r\n'));
    while (finish === undefined) await sleep(10);
    await sleep(50);
    expect(began).toEqual(['/1']);
    finish();
    expect((await answer).match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(began).toEqual(['/1', '/2']);
  });

  it.each([
    ['behind a request that is not answered yet', request('/1') + request('/2', UPGRADE)],
    ['with a body to come', request('/2', `${UPGRADE}Content-Length: 5\r\n`)],
  ])('that asks for an upgrade %s is closed', async (_what, text) => {
    const upgrades: unknown[] = [];
    const port = await open(async (client) => {
      if (client.upgrade !== undefined) upgrades.push(client.upgrade);
    });
    expect(await exchange(port, text)).toBe('');
    expect(upgrades).toEqual([]);
  });

  it('whose client does not read the end of its answer is closed', async () => {
    const port = await open(async (client) => {
      const response = client.response as ServerResponse;
      response.writeHead(200, { 'content-length': '30000000' });
      response.end(Buffer.alloc(30_000_000));
    });
    const socket = connectTls(
      { host: '127.0.0.1', port, servername: HOST, ca: authority, ALPNProtocols: ['http/1.1'] },
      () => socket.write(request('/')),
    );
    socket.on('error', () => {});
    socket.pause();
    const connections = () => listener?.connections ?? 0;
    while (connections() === 0) await sleep(10);
    while (connections() > 0) await sleep(50);
    socket.destroy();
  });
});

describe('one peer', () => {
  it('cannot hold more than its number of connections, and gets them again once they are closed', async () => {
    const port = await open(async (client) => void client.response.end('ok'));
    const sockets: Socket[] = [];
    let closed = 0;
    for (let made = 0; made < 1010; made += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.once('close', () => {
        closed += 1;
      });
      sockets.push(socket);
      if (made % 50 === 0) await sleep(5);
    }
    while (closed < 10) await sleep(20);
    expect(closed).toBe(10);
    for (const socket of sockets) socket.destroy();
    while (closed < 1010) await sleep(20);
    let answer = '';
    while (!answer.endsWith('ok')) answer = await exchange(port, request('/', 'Connection: close\r\n'));
  });
});
