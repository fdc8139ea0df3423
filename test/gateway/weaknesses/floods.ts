import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Guarded } from './gateway.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, continuation: 9 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;

/** A frame of RFC 9113 §4.1. */
function frame(
  type: keyof typeof TYPE,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(TYPE[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field without indexing (RFC 7541 §6.2.2), no Huffman. */
function field(name: string, value: string): Buffer {
  const length = (text: string) =>
    text.length < 127
      ? Buffer.from([text.length])
      : Buffer.from([127, ((text.length - 127) & 0x7f) | 0x80, (text.length - 127) >> 7]);
  return Buffer.concat([
    Buffer.from([0]),
    length(name),
    Buffer.from(name, 'latin1'),
    length(value),
    Buffer.from(value, 'latin1'),
  ]);
}

function request(g: Guarded, more: readonly Buffer[] = []): Buffer {
  return Buffer.concat([
    field(':method', 'GET'),
    field(':path', '/fhir/Patient/1'),
    field(':scheme', 'https'),
    field(':authority', g.host),
    ...more,
  ]);
}

interface Flood {
  readonly socket: TLSSocket;
  readonly goaway: () => boolean;
  readonly over: () => boolean;
}

async function begin(g: Guarded): Promise<Flood> {
  const socket = await g.dial('h2');
  let closed = false;
  let goaway = false;
  let rest = Buffer.alloc(0);
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      if (rest.readUInt8(3) === TYPE.goaway) goaway = true;
      rest = rest.subarray(9 + rest.readUIntBE(0, 3));
    }
  });
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame('settings', 0, 0)]));
  return { socket, goaway: () => goaway, over: () => closed || goaway };
}

/** Writes until the gateway ends the session. @returns how many were written, or -1 when it never did */
async function flood(to: Flood, most: number, make: (index: number) => Buffer): Promise<number> {
  for (let index = 0; index < most; index += 1) {
    if (to.over() || to.socket.destroyed) return index;
    if (!to.socket.write(make(index)))
      await Promise.race([new Promise((r) => to.socket.once('drain', r)), sleep(200)]);
    if (index % 50 === 0) await sleep(1);
  }
  for (let waited = 0; waited < 40 && !to.over(); waited += 1) await sleep(50);
  return to.over() ? most : -1;
}

/** One client that sends much of what is cheap to send. Everybody else is served meanwhile. */
export function describeFloods(gateway: () => Guarded): void {
  async function others(g: Guarded): Promise<void> {
    const began = performance.now();
    expect((await g.send('/fhir/Patient/1', { token: g.reader })).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(5000);
    g.reached();
  }

  describe('a flood', () => {
    it('CVE-2023-44487: rapid reset ends the session, and not much of it reaches the EMR', async () => {
      const g = gateway();
      const to = await begin(g);
      const head = request(g, [field('authorization', `Bearer ${g.reader}`)]);
      const sent = await flood(to, 20_000, (index) =>
        Buffer.concat([
          frame('headers', END_HEADERS | END_STREAM, 2 * index + 1, head),
          frame('reset', 0, 2 * index + 1, Buffer.from([0, 0, 0, 8])),
        ]),
      );
      to.socket.destroy();
      expect(sent).toBeGreaterThan(0);
      expect(sent).toBeLessThan(20_000);
      expect(g.reached().length).toBeLessThan(sent / 2);
      await others(g);
    });

    it.each([
      ['CVE-2024-27983 (Node.js), CVE-2024-28182 (nghttp2)', 'of empty CONTINUATION frames', Buffer.alloc(0)],
      ['CVE-2024-27983, CVE-2024-28182', 'of CONTINUATION frames with fields', field('x-a', 'b'.repeat(100))],
    ])('%s: %s ends the session', async (_id, _what, payload) => {
      const g = gateway();
      const to = await begin(g);
      to.socket.write(frame('headers', END_STREAM, 1, request(g)));
      const sent = await flood(to, 5000, () => frame('continuation', 0, 1, payload));
      to.socket.destroy();
      expect(sent).toBeGreaterThanOrEqual(0);
      expect(sent).toBeLessThan(5000);
      await others(g);
    });

    it('CVE-2016-6581: an HPACK bomb, one entry named thousands of times, is refused and not unpacked', async () => {
      const g = gateway();
      const to = await begin(g);
      // One entry of 4000 bytes into the table (literal with indexing), then named again, a byte each time (RFC 7541 §6.1).
      const value = 'b'.repeat(3900);
      const entry = Buffer.concat([
        Buffer.from([0x40, 3]),
        Buffer.from('x-a'),
        Buffer.from([127, ((3900 - 127) & 0x7f) | 0x80, (3900 - 127) >> 7]),
        Buffer.from(value),
      ]);
      const bomb = Buffer.concat([request(g, [entry]), Buffer.alloc(10_000, 0xbe)]);
      to.socket.write(frame('headers', END_STREAM | END_HEADERS, 1, bomb));
      await sleep(300);
      expect(g.reached()).toEqual([]);
      to.socket.destroy();
      await others(g);
    });

    it.each([
      ['CVE-2019-9512', 'of pings', () => frame('ping', 0, 0, Buffer.alloc(8))],
      ['CVE-2019-9515', 'of settings', () => frame('settings', 0, 0)],
    ])('%s: %s that are never read back does not stop anybody else', async (_id, _what, make) => {
      const g = gateway();
      const to = await begin(g);
      to.socket.pause();
      await flood(to, 20_000, make);
      await others(g);
      to.socket.destroy();
    });

    it('CVE-2019-9518: of empty data frames brings no body forward for ever', async () => {
      const g = gateway();
      const to = await begin(g);
      const head = Buffer.concat([
        field(':method', 'PUT'),
        field(':path', '/fhir/Patient/1'),
        field(':scheme', 'https'),
        field(':authority', g.host),
        field('content-type', 'application/fhir+json'),
        field('authorization', `Bearer ${g.writer}`),
      ]);
      to.socket.write(frame('headers', END_HEADERS, 1, head));
      await flood(to, 3000, () => frame('data', 0, 1));
      await others(g);
      to.socket.destroy();
    });
  });

  describe('HTTP/2 that would be something else in HTTP/1.1', () => {
    const NAMES: readonly (readonly [what: string, fields: readonly (readonly [string, string])[]])[] = [
      ['a coding', [['transfer-encoding', 'chunked']]],
      ['a connection field', [['connection', 'x-forwarded-user']]],
      ['a name in capitals', [['X-Forwarded-User', 'admin']]],
      ['a line break in a value', [['x-a', 'b\r\nx-forwarded-user: admin']]],
      ['a line break in a name', [['x-a: b\r\nx-forwarded-user', 'admin']]],
      ['NUL in a value', [['x-a', 'b\0c']]],
      ['a colon in a name', [['x:a', 'b']]],
      ['a second path', [[':path', '/static/emr.css']]],
      ['a Host of somebody else', [['host', 'evil.example']]],
      ['te that is not trailers', [['te', 'gzip']]],
    ];
    it.each(NAMES)('%s never reaches the EMR as such', async (_what, fields) => {
      const g = gateway();
      const to = await begin(g);
      const more = [
        field('authorization', `Bearer ${g.reader}`),
        ...fields.map(([name, value]) => field(name, value)),
      ];
      to.socket.write(frame('headers', END_HEADERS | END_STREAM, 1, request(g, more)));
      await sleep(250);
      to.socket.destroy();
      // Refused, or without that field; never with it, or with what it would become.
      for (const { head, target } of g.reached()) {
        expect(target).toBe('/fhir/Patient/1');
        expect(head).not.toMatch(/admin|evil|transfer-encoding|\r\nx.a|\r\nte:/i);
        expect(head).toMatch(/\r\nx-forwarded-user: pharmacy/);
      }
    });
  });
}
