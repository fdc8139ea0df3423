import { constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { withoutRequestId } from '../../../examples/demo/evidence.ts';
import { statuses } from '../../support/raw.ts';
import { frame, literal } from './frames.ts';
import { desk, dial, emr, host, open, session, settled, until, writer } from './scene.ts';

/** Bodies of requests, whoever reads them or does not. */
export function describeBodies(): void {
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
    ] as const)(
      'that breaks off over %s by %s never looks whole to the EMR',
      async (protocol, _how, leave) => {
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
      },
    );

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
}
