import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { activityOf } from '../../../examples/demo/evidence.ts';
import { statuses } from '../../support/raw.ts';
import { desk, dial, emr, host, impostor, north, secure, southDesk, stack, until, writer } from './scene.ts';

/** Writes whose answers are long, and upgrades. */
export function describeTunnels(): void {
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
}
