import { constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { raw, statuses } from '../../support/raw.ts';
import { frame } from './frames.ts';
import { desk, dial, emr, host, north, open, reader, session, settled, stack, until } from './scene.ts';

/** Clients that leave, dribble, flood or lie. */
export function describeClients(): void {
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
      [
        'empty CONTINUATION frames',
        () => frame(9, 0, 1, Buffer.alloc(0)),
        frame(1, 0, 1, Buffer.from([0x82])),
      ],
      [
        'settings nobody reads the acknowledgement of',
        () => frame(4, 0, 0, Buffer.alloc(0)),
        Buffer.alloc(0),
      ],
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
}
