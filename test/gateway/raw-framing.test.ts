import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import { freePort } from '../../examples/support/ports.ts';
import { canonicalRequest } from '../../gateway/canonical/request.ts';
import { type Listener, listen } from '../../gateway/transport/listener.ts';
import { RequestBody } from '../../gateway/transport/request-body.ts';
import { Wire } from '../../gateway/transport/wire.ts';

const HOST = 'north.localhost';
let authority: string;
let listener: Listener;
/** Method, target and body of each request that got a meaning, and was complete. */
const taken: string[] = [];

beforeAll(async () => {
  const made = await createAuthority('Framing tests');
  authority = made.certificatePem;
  const pair = await made.issue({ commonName: HOST, hosts: [HOST] });
  const key = Buffer.from(pair.keyPem);
  listener = await listen(
    {
      listen: {
        host: '127.0.0.1',
        port: await freePort(),
        minimumTls: 'TLSv1.3',
        certificate: Buffer.from(pair.certificatePem),
        key: { reveal: () => key, toString: () => '[secret]', toJSON: () => '[secret]' },
      },
      timeouts: { headersMs: 2000, requestMs: 4000, idleMs: 2000, drainMs: 500 },
    },
    systemClock,
    async (client, arrival) => {
      const response = client.response as ServerResponse;
      const facts = canonicalRequest(client.request, arrival, systemClock);
      if (typeof facts === 'string') {
        arrival.doom();
        response.writeHead(400, { connection: 'close', 'content-length': '0' });
        response.end(() => (client.request as IncomingMessage).socket.destroySoon());
        return;
      }
      const body = new RequestBody(client.request, {
        maxBytes: 100_000,
        leftMs: 3000,
        paceMs: 400,
        late: () => client.destroy(),
      });
      const chunks: Buffer[] = [];
      body.stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      await body.arrived;
      if (body.state !== 'complete') return;
      taken.push(`${facts.method} ${facts.path.text} ${Buffer.concat(chunks).toString('latin1')}`);
      response.end('ok');
    },
  );
});
afterAll(() => listener.drain(100));

/** Sends these bytes, in these pieces; resolves with the statuses that came back until it was closed or silent. */
async function send(
  ...pieces: readonly string[]
): Promise<{ statuses: number[]; taken: string[]; closed: boolean }> {
  const from = taken.length;
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = '';
  let closed = true;
  const socket = connectTls(
    { host: '127.0.0.1', port: listener.port, servername: HOST, ca: authority, ALPNProtocols: ['http/1.1'] },
    async () => {
      for (const piece of pieces) {
        socket.write(Buffer.from(piece, 'latin1'));
        await new Promise((then) => setTimeout(then, 4));
      }
    },
  );
  const quiet = () => {
    closed = false;
    socket.destroy();
  };
  let timer = setTimeout(quiet, 600);
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    clearTimeout(timer);
    timer = setTimeout(quiet, 250);
  });
  socket.on('error', () => {});
  socket.on('close', () => resolve());
  await promise;
  clearTimeout(timer);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
  return { statuses, taken: taken.slice(from), closed };
}

const H = `Host: ${HOST}\r\n`;
const C = `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n`;
const SECOND = `GET /second HTTP/1.1\r\n${H}\r\n`;

const REFUSED: readonly (readonly [what: string, bytes: string])[] = [
  ['an empty line before it', `\r\nGET / HTTP/1.1\r\n${H}\r\n`],
  ['a line feed before it', `\nGET / HTTP/1.1\r\n${H}\r\n`],
  ['a carriage return before it', `\rGET / HTTP/1.1\r\n${H}\r\n`],
  ['a space before it', ` GET / HTTP/1.1\r\n${H}\r\n`],
  ['two spaces after the method', `GET  / HTTP/1.1\r\n${H}\r\n`],
  ['two spaces before the version', `GET /  HTTP/1.1\r\n${H}\r\n`],
  ['a tab after the method', `GET\t/ HTTP/1.1\r\n${H}\r\n`],
  ['a space after the version', `GET / HTTP/1.1 \r\n${H}\r\n`],
  ['a line feed alone after the request line', `GET / HTTP/1.1\n${H}\r\n`],
  ['a line feed alone after a field', `GET / HTTP/1.1\r\nHost: ${HOST}\n\r\n`],
  ['a line feed alone at the end', `GET / HTTP/1.1\r\n${H}\n`],
  ['a carriage return alone between fields', `GET / HTTP/1.1\r\nHost: ${HOST}\rX: y\r\n\r\n`],
  ['a carriage return too many', `GET / HTTP/1.1\r\nHost: ${HOST}\r\r\n\r\n`],
  ['NUL in a value', `GET / HTTP/1.1\r\n${H}X: a\0b\r\n\r\n`],
  ['NUL in a name', `GET / HTTP/1.1\r\n${H}X\0: b\r\n\r\n`],
  ['NUL in the target', `GET /\0 HTTP/1.1\r\n${H}\r\n`],
  ['a vertical tab in a value', `GET / HTTP/1.1\r\n${H}X: a\x0bb\r\n\r\n`],
  ['a space before a colon', `GET / HTTP/1.1\r\n${H}X : b\r\n\r\n`],
  ['a tab before a colon', `GET / HTTP/1.1\r\n${H}X\t: b\r\n\r\n`],
  ['a folded field', `GET / HTTP/1.1\r\n${H}X: a\r\n b\r\n\r\n`],
  ['a field folded by a tab', `GET / HTTP/1.1\r\n${H}X: a\r\n\tb\r\n\r\n`],
  ['a first field that begins with a space', `GET / HTTP/1.1\r\n ${H}\r\n`],
  ['a field without a name', `GET / HTTP/1.1\r\n${H}: b\r\n\r\n`],
  ['a field without a colon', `GET / HTTP/1.1\r\n${H}X\r\n\r\n`],
  ['HTTP/0.9', 'GET /\r\n'],
  ['HTTP/0.9 by name', `GET / HTTP/0.9\r\n${H}\r\n`],
  ['HTTP/1.0', `GET / HTTP/1.0\r\n${H}\r\n`],
  ['HTTP/1.2', `GET / HTTP/1.2\r\n${H}\r\n`],
  ['HTTP/2.0 in a request line', `GET / HTTP/2.0\r\n${H}\r\n`],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['RTSP', `GET / RTSP/1.1\r\n${H}\r\n`],
  ['ICE', `SOURCE / ICE/1.0\r\n${H}\r\n`],
  ['a protocol in small letters', `GET / http/1.1\r\n${H}\r\n`],
  ['a method in small letters', `get / HTTP/1.1\r\n${H}\r\n`],
  ['CONNECT', `CONNECT ${HOST}:443 HTTP/1.1\r\n${H}\r\n`],
  ['TRACE', `TRACE / HTTP/1.1\r\n${H}\r\n`],
  ['two lengths that agree', `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ['two lengths that do not', `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`],
  ['a list of lengths', `POST / HTTP/1.1\r\n${H}Content-Length: 3, 3\r\n\r\nabc`],
  ['a length with a sign', `POST / HTTP/1.1\r\n${H}Content-Length: +3\r\n\r\nabc`],
  ['a length with a zero in front', `POST / HTTP/1.1\r\n${H}Content-Length: 03\r\n\r\nabc`],
  ['an empty length', `POST / HTTP/1.1\r\n${H}Content-Length: \r\n\r\n`],
  [
    'a length and a coding',
    `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    'a length of nothing and a coding',
    `POST / HTTP/1.1\r\n${H}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ...[
    'Chunked',
    'chunked, chunked',
    'x,chunked',
    'chunked,x',
    '\x0bchunked',
    'identity',
    'gzip, chunked',
    'chunked;q=1',
    '"chunked"',
    ',chunked',
    '',
  ].map((coding): readonly [string, string] => [
    `the coding ${JSON.stringify(coding)}`,
    `POST / HTTP/1.1\r\n${H}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
  ]),
  [
    'chunked twice in two fields',
    `POST / HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['a chunk extension that ends in a line feed', `${C}3;a\nabc\r\n0\r\n\r\n`],
  ['a carriage return in a chunk extension', `${C}3;a\rb\r\nabc\r\n0\r\n\r\n`],
  ['a control in a chunk extension', `${C}3;a=\x01\r\nabc\r\n0\r\n\r\n`],
  ['a long chunk extension', `${C}3;${'a'.repeat(300)}\r\nabc\r\n0\r\n\r\n`],
  ['many chunk extensions', `${C}${`1;${'a'.repeat(200)}\r\nx\r\n`.repeat(30)}0\r\n\r\n`],
  ['a space after a chunk size', `${C}3 \r\nabc\r\n0\r\n\r\n`],
  ['a prefix of a chunk size', `${C}0x3\r\nabc\r\n0\r\n\r\n`],
  ['a chunk size with a sign', `${C}+3\r\nabc\r\n0\r\n\r\n`],
  ['a chunk size of too many digits', `${C}0000000003\r\nabc\r\n0\r\n\r\n`],
  ['a chunk size beyond all', `${C}FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n`],
  ['a line feed after a chunk size', `${C}3\nabc\r\n0\r\n\r\n`],
  ['a line feed after a chunk', `${C}3\r\nabc\n0\r\n\r\n`],
  ['nothing after a chunk', `${C}3\r\nabc0\r\n\r\n`],
  ['a line feed at the end of the chunks', `${C}3\r\nabc\r\n0\r\n\n`],
  ['a trailer that is a length', `${C}0\r\nContent-Length: 5\r\n\r\n`],
  ['a trailer that is a coding', `${C}0\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['a trailer that is a credential', `${C}0\r\nAuthorization: Bearer x\r\n\r\n`],
  ['a trailer that says who asks', `${C}0\r\nX-Forwarded-User: admin\r\n\r\n`],
  ['a trailer that names a host', `${C}0\r\nHost: other\r\n\r\n`],
  ['a folded trailer', `${C}0\r\nX: a\r\n b\r\n\r\n`],
  ['trailers without end', `${C}0\r\n${'X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(250)}\r\n`],
  [
    'an upgrade to h2c',
    `GET / HTTP/1.1\r\n${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n\r\n`,
  ],
  ['an upgrade that Connection does not name', `GET / HTTP/1.1\r\n${H}Upgrade: websocket\r\n\r\n`],
  ['two Hosts', `GET / HTTP/1.1\r\n${H}${H}\r\n`],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['an absolute form of another authority', `GET https://other.example/ HTTP/1.1\r\n${H}\r\n`],
  ['a fragment', `GET /a#b HTTP/1.1\r\n${H}\r\n`],
  ['a target of 8 bits', `GET /\xe9 HTTP/1.1\r\n${H}\r\n`],
  ['the asterisk form', `OPTIONS * HTTP/1.1\r\n${H}\r\n`],
  ['too many fields', `GET / HTTP/1.1\r\n${H}${'X: y\r\n'.repeat(120)}\r\n`],
  ['fields that are too large', `GET / HTTP/1.1\r\n${H}X: ${'y'.repeat(20_000)}\r\n\r\n`],
  ['a path that is too long', `GET /${'a'.repeat(3000)} HTTP/1.1\r\n${H}\r\n`],
];

describe('on one connection', () => {
  it.each(REFUSED)('%s is refused, and nothing behind it is read', async (_what, bytes) => {
    const answer = await send(bytes + SECOND);
    expect(answer.taken).toEqual([]);
    expect(answer.closed).toBe(true);
    expect(answer.statuses.every((status) => status === 400)).toBe(true);
    expect(answer.statuses.length).toBeLessThanOrEqual(1);
  });

  it.each(REFUSED.slice(0, 8))('%s is refused behind a good request too', async (_what, bytes) => {
    const answer = await send(`GET /first HTTP/1.1\r\n${H}\r\n`, bytes + SECOND);
    expect(answer.taken).toEqual(['GET /first ']);
    expect(answer.closed).toBe(true);
  });

  it.each([
    ['a body by its length', `POST / HTTP/1.1\r\n${H}Content-Length: 3\r\n\r\nabc`, ['POST / abc']],
    ['a body in chunks', `${C}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`, ['POST / abcde']],
    ['a chunk extension', `${C}3;a=b\r\nabc\r\n0\r\n\r\n`, ['POST / abc']],
    ['a harmless trailer', `${C}3\r\nabc\r\n0\r\nX-Checksum: 1\r\n\r\n`, ['POST / abc']],
    ['a size in capitals', `${C}A\r\n0123456789\r\n0\r\n\r\n`, ['POST / 0123456789']],
    ['white space round a value', `POST / HTTP/1.1\r\n${H}Content-Length: \t3 \r\n\r\nabc`, ['POST / abc']],
    [
      'a request in a body',
      `POST / HTTP/1.1\r\n${H}Content-Length: ${SECOND.length}\r\n\r\n${SECOND}`,
      [`POST / ${SECOND}`],
    ],
  ])('%s is read, and the next request after it', async (_what, bytes, requests) => {
    const next = `GET /next HTTP/1.1\r\n${H}Connection: close\r\n\r\n`;
    const whole = await send(bytes + next);
    expect(whole).toEqual({ statuses: [200, 200], taken: [...requests, 'GET /next '], closed: true });
    const pieces = await send(...((bytes + next).match(/[\s\S]{1,19}/g) ?? []));
    expect(pieces.taken).toEqual([...requests, 'GET /next ']);
  });

  it('a body that brings almost nothing is cut off', async () => {
    const slow = await send(
      `POST / HTTP/1.1\r\n${H}Content-Length: 1000\r\n\r\n`,
      ...Array.from({ length: 5 }, () => 'x'),
    );
    expect(slow.taken).toEqual([]);
    const { promise, resolve } = Promise.withResolvers<number>();
    const began = performance.now();
    const socket = connectTls(
      {
        host: '127.0.0.1',
        port: listener.port,
        servername: HOST,
        ca: authority,
        ALPNProtocols: ['http/1.1'],
      },
      () => socket.write(`POST / HTTP/1.1\r\n${H}Content-Length: 1000\r\n\r\nx`),
    );
    const drip = setInterval(() => socket.write('x'), 50);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(drip);
      resolve(performance.now() - began);
    });
    socket.resume();
    expect(await promise).toBeLessThan(2500);
  });
});

describe('the reader of bytes', () => {
  const see = (bytes: Buffer, cuts: readonly number[]) => {
    const wire = new Wire();
    let from = 0;
    for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
      if (cut <= from) continue;
      if (!wire.see(bytes.subarray(from, cut))) return false;
      from = cut;
    }
    return true;
  };

  it('finds the same wherever the bytes are cut', () => {
    const pieces = [...REFUSED.map(([, bytes]) => bytes), SECOND, `${C}3\r\nabc\r\n0\r\n\r\n`].filter(
      (text) => text.length < 2000,
    );
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(400), { maxLength: 6 }),
        (texts, cuts) => {
          const bytes = Buffer.from(texts.join(''), 'latin1');
          expect(see(bytes, cuts)).toBe(see(bytes, []));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('never fails, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 40 }),
            fc.constantFrom(
              ...[
                'GET / HTTP/1.1\r\n',
                '\r\n',
                '\r\n\r\n',
                'Content-Length: 4\r\n',
                'Transfer-Encoding: chunked\r\n',
                '4\r\n',
                'abcd',
                '0\r\n',
              ].map((text) => new Uint8Array(Buffer.from(text))),
            ),
          ),
          { maxLength: 12 },
        ),
        (parts) => {
          expect(typeof see(Buffer.concat(parts), [])).toBe('boolean');
        },
      ),
      { numRuns: 3000 },
    );
  });
});
