import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { createAuthority, type IssuedCertificate } from '../../examples/support/local-authority.ts';
import { freePort } from '../../examples/support/ports.ts';
import type { Arrival } from '../../gateway/canonical/request.ts';
import { createFront } from '../../gateway/transport/front.ts';
import { type Listener, listen } from '../../gateway/transport/listener.ts';
import { crc32c, plainAddress, readProxyHeader } from '../../gateway/transport/proxy-protocol.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

interface Written {
  readonly version?: number;
  readonly family?: number;
  readonly addresses?: Buffer;
  readonly extensions?: Buffer;
  readonly length?: number;
}

const FOUR = Buffer.from([203, 0, 113, 9, 10, 0, 0, 1, 0xc3, 0x50, 0x01, 0xbb]);
const SIX = Buffer.concat([Buffer.from('20010db8000000000000000000000007', 'hex'), Buffer.alloc(20, 1)]);

function header(written: Written = {}): Buffer {
  const rest = Buffer.concat([written.addresses ?? FOUR, written.extensions ?? Buffer.alloc(0)]);
  const fixed = Buffer.alloc(16);
  SIGNATURE.copy(fixed);
  fixed.writeUInt8(written.version ?? 0x21, 12);
  fixed.writeUInt8(written.family ?? 0x11, 13);
  fixed.writeUInt16BE(written.length ?? rest.length, 14);
  return Buffer.concat([fixed, rest]);
}

const parse = (bytes: Buffer) => readProxyHeader(bytes.subarray(0, 16), bytes.subarray(16));

function checked(): Buffer {
  const made = header({ extensions: Buffer.from([0x03, 0, 4, 0, 0, 0, 0]) });
  made.writeUInt32BE(crc32c(made), made.length - 4);
  return made;
}

describe('a PROXY protocol header', () => {
  it.each([
    ['IPv4', header(), { kind: 'client', address: '203.0.113.9' }],
    ['IPv6', header({ family: 0x21, addresses: SIX }), { kind: 'client', address: '2001:db8::7' }],
    [
      'IPv4 mapped into IPv6',
      header({
        family: 0x21,
        addresses: Buffer.concat([Buffer.from('00000000000000000000ffffcb007109', 'hex'), Buffer.alloc(20)]),
      }),
      { kind: 'client', address: '203.0.113.9' },
    ],
    [
      'extensions',
      header({ extensions: Buffer.from([0x05, 0, 2, 1, 2]) }),
      { kind: 'client', address: '203.0.113.9' },
    ],
    ['a right checksum', checked(), { kind: 'client', address: '203.0.113.9' }],
    ["the proxy's own", header({ version: 0x20, family: 0, addresses: Buffer.alloc(0) }), { kind: 'local' }],
  ])('with %s is read', (_what, bytes, result) => {
    expect(parse(bytes)).toEqual(result);
  });

  it.each([
    ['version 1', Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 50000 443\r\n')],
    ['another version', header({ version: 0x31 })],
    ['an unknown command', header({ version: 0x22 })],
    ['no family', header({ family: 0x00 })],
    ['datagrams', header({ family: 0x12 })],
    ['a Unix socket', header({ family: 0x31, addresses: Buffer.alloc(216) })],
    ['addresses cut short', header({ addresses: FOUR.subarray(0, 8) })],
    ['IPv6 in room for IPv4', header({ family: 0x21 })],
    ['an extension that is longer than the header', header({ extensions: Buffer.from([0x05, 0, 9, 1]) })],
    ['an extension cut short', header({ extensions: Buffer.from([0x05, 0]) })],
    ['a wrong checksum', header({ extensions: Buffer.from([0x03, 0, 4, 1, 2, 3, 4]) })],
    ['more than anybody says', header({ extensions: Buffer.alloc(4000) })],
    ['TLS instead', Buffer.from('16030100a5010000a103030000000000', 'hex')],
  ])('with %s is refused', (_what, bytes) => {
    expect(parse(bytes)).toBeUndefined();
  });

  it('never makes the reader fail, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, signed) => {
        const made = Buffer.concat([signed ? SIGNATURE : Buffer.alloc(0), bytes]);
        const read = parse(made);
        if (read?.kind === 'client') expect(read.address).toMatch(/^[0-9a-f.:]+$/);
      }),
      { numRuns: 3000 },
    );
  });

  it('names an IPv6 address in one form', () => {
    expect(plainAddress('2001:0DB8:0:0:0:0:0:1')).toBe('2001:db8::1');
    expect(plainAddress('::ffff:10.1.2.3')).toBe('10.1.2.3');
  });
});

describe('X-Forwarded-For', () => {
  const front = createFront({ trustedProxies: ['10.20.0.0/24', 'fd00:20::/64'] });
  it.each([
    ['10.20.0.5', ['203.0.113.9'], '203.0.113.9', 'the client'],
    ['10.20.0.5', ['198.51.100.1, 203.0.113.9'], '203.0.113.9', 'what stands to the left anybody wrote'],
    ['10.20.0.5', ['203.0.113.9, 10.20.0.7'], '203.0.113.9', 'two proxies of ours'],
    ['10.20.0.5', ['198.51.100.1', '203.0.113.9'], '203.0.113.9', 'two fields are one list'],
    ['fd00:20::5', ['2001:DB8:0::9'], '2001:db8::9', 'IPv6, in one form'],
    ['10.20.0.5', ['::ffff:203.0.113.9'], '203.0.113.9', 'mapped'],
    ['10.20.0.5', ['10.20.0.9'], '10.20.0.9', 'a proxy of ours on its own behalf'],
    ['203.0.113.77', ['10.0.0.1'], '203.0.113.77', 'a stranger is not believed'],
    ['10.20.0.5', [], undefined, 'a proxy that does not say'],
    ['10.20.0.5', ['unknown'], undefined, 'no address'],
    ['10.20.0.5', ['203.0.113.9:4711'], undefined, 'a port'],
    ['10.20.0.5', ['203.0.113.9, '], undefined, 'an empty entry'],
    ['10.20.0.5', ['203.0.113.9 10.20.0.7'], undefined, 'no list'],
    ['10.20.0.5', [`${'1.1.1.1,'.repeat(400)}2.2.2.2`], undefined, 'far too long'],
  ])('from %s saying %j means %s: %s', (peer, fields, client, _why) => {
    const raw = fields.flatMap((value) => ['X-Forwarded-For', value]);
    expect(front.clientOf(peer, ['Accept', '*/*', ...raw])).toBe(client);
  });

  it('counts for nothing where nobody is trusted, and where connections are announced', () => {
    const raw = ['X-Forwarded-For', '203.0.113.9'];
    expect(createFront({}).clientOf('10.20.0.5', raw)).toBe('10.20.0.5');
    const announced = createFront({ trustedProxies: ['10.20.0.5'], proxyProtocol: 'required' });
    expect(announced.clientOf('198.51.100.7', raw)).toBe('198.51.100.7');
  });
});

const HOST = 'north.localhost';
let authority: string;
let certificate: IssuedCertificate;
let listener: Listener | undefined;

beforeAll(async () => {
  const made = await createAuthority('Proxy tests');
  authority = made.certificatePem;
  certificate = await made.issue({ commonName: HOST, hosts: [HOST] });
});
afterEach(async () => {
  await listener?.drain(100);
  listener = undefined;
});

async function open(proxies: readonly string[], seen: Arrival[]): Promise<number> {
  const key = Buffer.from(certificate.keyPem);
  listener = await listen(
    {
      listen: {
        host: '127.0.0.1',
        port: await freePort(),
        minimumTls: 'TLSv1.3',
        certificate: Buffer.from(certificate.certificatePem),
        key: { reveal: () => key, toString: () => '[secret]', toJSON: () => '[secret]' },
        trustedProxies: proxies,
        proxyProtocol: 'required',
      },
      timeouts: { headersMs: 600, requestMs: 5000, idleMs: 1000, drainMs: 500 },
    },
    systemClock,
    async (client, arrival) => {
      seen.push(arrival);
      client.response.end('ok');
    },
  );
  return listener.port;
}

function dial(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('connect', () => resolve(socket)));
}

/** TLS over a connection that was begun already, and one request over it. */
function request(socket: Socket, alpn = 'http/1.1'): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  const tls = connectTls({ socket, servername: HOST, ca: authority, ALPNProtocols: [alpn] }, () =>
    tls.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`),
  );
  tls.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  tls.on('error', () => {});
  tls.on('close', () => resolve(text));
  return promise;
}

const closed = (socket: Socket) =>
  socket.destroyed ? undefined : new Promise((resolve) => socket.once('close', resolve));

describe('a listener behind proxies that announce their connections', () => {
  it('serves whom the header names, also when it comes byte by byte', async () => {
    const seen: Arrival[] = [];
    const port = await open(['127.0.0.1'], seen);
    const whole = await dial(port);
    whole.write(header());
    expect(await request(whole)).toMatch(/^HTTP\/1\.1 200/);
    const slow = await dial(port);
    slow.setNoDelay(true);
    for (const byte of header({ family: 0x21, addresses: SIX })) {
      slow.write(Buffer.from([byte]));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await request(slow)).toMatch(/^HTTP\/1\.1 200/);
    const own = await dial(port);
    own.write(header({ version: 0x20, family: 0, addresses: Buffer.alloc(0) }));
    expect(await request(own)).toMatch(/^HTTP\/1\.1 200/);
    expect(seen.map(({ peer }) => peer)).toEqual(['203.0.113.9', '2001:db8::7', '127.0.0.1']);
    expect(seen.every(({ fault }) => fault === undefined)).toBe(true);
  });

  it.each([
    ['TLS at once', undefined],
    ['version 1', Buffer.from('PROXY TCP4 203.0.113.9 10.0.0.1 50000 443\r\n')],
    ['a header that is wrong', header({ family: 0x12 })],
    ['half a header, and then nothing', header().subarray(0, 20)],
  ])('closes a connection that begins with %s', async (_what, bytes) => {
    const seen: Arrival[] = [];
    const socket = await dial(await open(['127.0.0.1'], seen));
    if (bytes === undefined) expect(await request(socket)).toBe('');
    else {
      socket.write(bytes);
      socket.resume();
      await closed(socket);
    }
    expect(seen).toEqual([]);
  });

  it('closes whoever is not one of them, whatever it says', async () => {
    const seen: Arrival[] = [];
    const socket = await dial(await open(['10.20.0.5'], seen));
    socket.write(header());
    socket.resume();
    await closed(socket);
    expect(seen).toEqual([]);
  });

  it('counts connections by the client that was announced', async () => {
    const seen: Arrival[] = [];
    const port = await open(['127.0.0.1'], seen);
    const held: Socket[] = [];
    let gone = 0;
    for (let made = 0; made < 1005; made += 1) {
      const socket = await dial(port);
      socket.once('close', () => {
        gone += 1;
      });
      socket.resume();
      socket.write(header());
      held.push(socket);
    }
    while (gone < 5) await new Promise((resolve) => setTimeout(resolve, 20));
    const other = await dial(port);
    other.write(header({ addresses: Buffer.concat([Buffer.from([198, 51, 100, 4]), FOUR.subarray(4)]) }));
    expect(await request(other)).toMatch(/^HTTP\/1\.1 200/);
    for (const socket of held) socket.destroy();
  });
});
