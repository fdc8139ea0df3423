import type { Http2ServerResponse } from 'node:http2';
import { connect } from 'node:http2';
import { Agent, request } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { secretOf } from '../../config/secret.ts';
import { systemClock } from '../../contracts/clock.ts';
import { createAuthority, type IssuedCertificate } from '../../examples/support/local-authority.ts';
import { type Listener, listen } from '../../gateway/transport/listener.ts';

/** Before it drains, a gateway that others stand beside goes on serving, and lets its clients go to them. */

const HOST = 'north.localhost';
let ca: string;
let certificate: IssuedCertificate;
let listener: Listener;
let hold: Promise<void> | undefined;

beforeAll(async () => {
  const authority = await createAuthority('Leaving');
  ca = authority.certificatePem;
  certificate = await authority.issue({ commonName: HOST, hosts: [HOST] });
});
afterEach(async () => {
  hold = undefined;
  await listener?.drain(100);
});

async function open(): Promise<void> {
  listener = await listen(
    {
      listen: {
        host: '127.0.0.1',
        port: 0,
        minimumTls: 'TLSv1.3',
        certificate: Buffer.from(certificate.certificatePem),
        key: secretOf(Buffer.from(certificate.keyPem)),
      },
      timeouts: { headersMs: 5000, requestMs: 5000, idleMs: 5000, drainMs: 500 },
    },
    systemClock,
    async ({ response }) => {
      await hold;
      (response as Http2ServerResponse).writeHead(200, { 'content-length': 2 });
      (response as Http2ServerResponse).end('ok');
    },
  );
}

describe('a gateway that leaves', () => {
  it('serves who is there and who comes, and keeps no HTTP/1.1 connection any longer', async () => {
    await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca });
    const sockets: Socket[] = [];
    const get = () =>
      new Promise<{ status: number; connection: string | undefined }>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: listener.port, servername: HOST, headers: { host: HOST } };
        const outgoing = request({ ...options, agent }, (incoming) => {
          incoming.resume();
          const { connection } = incoming.headers;
          incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, connection }));
        });
        outgoing.once('socket', (socket: Socket) => sockets.push(socket));
        outgoing.once('error', reject);
        outgoing.end();
      });
    expect(await get()).toEqual({ status: 200, connection: 'keep-alive' });
    listener.leave();
    // On the connection that was there; then on others.
    for (let n = 0; n < 3; n += 1) expect(await get()).toEqual({ status: 200, connection: 'close' });
    expect(sockets[1]).toBe(sockets[0]);
    expect(new Set(sockets).size).toBe(3);
    agent.destroy();
  });

  it('finishes what is under way on HTTP/2 connections, and takes new ones', async () => {
    await open();
    const client = () => {
      const session = connect(`https://127.0.0.1:${listener.port}`, { ca, servername: HOST });
      session.on('error', () => {});
      const get = () =>
        new Promise<number>((resolve, reject) => {
          const stream = session.request({ ':path': '/', ':authority': HOST });
          stream.once('response', (head) => resolve(Number(head[':status'])));
          stream.once('error', reject);
          stream.resume();
        });
      return { session, get };
    };
    const former = client();
    expect(await former.get()).toBe(200);
    let go: () => void = () => {};
    hold = new Promise((resolve) => (go = resolve));
    const goaway = new Promise((resolve) => former.session.once('goaway', resolve));
    const underWay = former.get();
    await sleep(100);
    listener.leave();
    await goaway;
    go();
    expect(await underWay).toBe(200);
    const later = client();
    expect(await later.get()).toBe(200);
    later.session.destroy();
  });
});
