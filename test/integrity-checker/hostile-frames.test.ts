import { mkdtemp, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseVerdict, spell } from '../../contracts/attestation.ts';
import { type DatabaseId, parseDatabaseId } from '../../contracts/identifiers.ts';
import type { LogLine } from '../../integrity-checker/log.ts';
import { Listener } from '../../integrity-checker/server/listener.ts';
import type { Watch, WatchVerdict } from '../../integrity-checker/watch/types.ts';
import { RawClient } from './support/raw-client.ts';
import { secretOf } from './support/secret.ts';
import { until } from './support/wait.ts';

const SECRET = 'a shared secret of good length, for tests';
const CLINIC = parseDatabaseId('clinic') as DatabaseId;
const NONCE = 'Q'.repeat(22);
const ATTEST = spell({ type: 'attest', id: 7, database: CLINIC, nonce: NONCE });
const INTACT: WatchVerdict = { state: 'intact', epoch: 'e'.repeat(32), findings: [] };

let folder: string;
let path: string;
let listener: Listener;
let lines: LogLine[];
let answer: () => Promise<WatchVerdict>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cg-'));
  path = join(folder, 'c.sock');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  lines = [];
  answer = () => Promise.resolve(INTACT);
  listener = create();
  await listener.listen();
});
afterEach(() => listener.close());

function create(): Listener {
  const watch: Watch = { id: CLINIC, attest: () => answer(), close: async () => {} };
  return new Listener({
    path,
    secret: secretOf(SECRET),
    watches: new Map([[CLINIC, watch]]),
    log: (line) => lines.push(line),
  });
}

function header(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

function framed(text: string | Buffer): Buffer {
  const body = Buffer.from(text);
  return Buffer.concat([header(body.length), body]);
}

const attestWith = (fields: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ type: 'attest', id: 7, database: 'clinic', nonce: NONCE, ...fields });

/** Sent on a connection that has proved itself; why it must end that connection. */
const HOSTILE: readonly (readonly [why: string, bytes: Buffer])[] = [
  ['a length of 4 GB would be allocated by a careless reader', header(0xffff_ffff)],
  ['a length one above the limit', header(513)],
  ['a length of zero carries no message', header(0)],
  ['a negative length, as signed readers see it', header(0x8000_0000)],
  ['the words of another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['a TLS hello', Buffer.from('160301020001000', 'hex')],
  ['not JSON', framed('hello there')],
  ['bytes that are not UTF-8', framed(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
  ['an array', framed('[]')],
  ['a bare number', framed('7')],
  ['null', framed('null')],
  ['an empty object', framed('{}')],
  ['nesting that exhausts a recursive reader', framed('['.repeat(512))],
  ['a method that does not exist', framed(attestWith({ type: 'query' }))],
  ['a method of Object', framed(attestWith({ type: 'constructor' }))],
  ['a method of the other direction', framed(spell({ type: 'proved', proof: 'A'.repeat(43) }))],
  ['a second proof', framed(spell({ type: 'prove', nonce: 'A'.repeat(43), proof: 'A'.repeat(43) }))],
  ['a further field: SQL', framed(attestWith({ sql: 'DROP TRIGGER t' }))],
  ['a further field: an expected hash', framed(attestWith({ expected: 'a'.repeat(64) }))],
  ['a prototype field', framed(`${ATTEST.slice(0, -1)},"__proto__":{}}`)],
  ['a field twice', framed(ATTEST.replace('"id":7', '"id":7,"id":8'))],
  [
    'fields in another order',
    framed(JSON.stringify({ id: 7, type: 'attest', database: 'clinic', nonce: NONCE })),
  ],
  ['white space', framed(ATTEST.replace(',', ', '))],
  ['an escape for a plain letter', framed(ATTEST.replace('clinic', '\\u0063linic'))],
  ['a missing nonce', framed(JSON.stringify({ type: 'attest', id: 7, database: 'clinic' }))],
  ['a nonce that is too short', framed(attestWith({ nonce: 'short' }))],
  ['a nonce that is a list', framed(attestWith({ nonce: [NONCE] }))],
  ['an id that is text', framed(attestWith({ id: '7' }))],
  ['an id that is no whole number', framed(attestWith({ id: 7.5 }))],
  ['a negative id', framed(attestWith({ id: -1 }))],
  ['an id beyond 31 bits', framed(attestWith({ id: 2 ** 31 }))],
  ['a database name with a path in it', framed(attestWith({ database: '../clinic' }))],
  ['a database name with SQL in it', framed(attestWith({ database: "x' OR 1=1" }))],
  ['a database name in capitals', framed(attestWith({ database: 'CLINIC' }))],
  ['a database name with a line break at its end', framed(attestWith({ database: 'clinic\n' }))],
  ['a database that is a list', framed(attestWith({ database: ['clinic'] }))],
  ['a good message with a hostile one behind it', Buffer.concat([framed(ATTEST), header(0xffff_ffff)])],
];

async function served(): Promise<boolean> {
  const client = new RawClient(path);
  try {
    if (!(await client.prove(SECRET))) return false;
    client.send(ATTEST);
    const message = await client.message(2);
    return message !== undefined && parseVerdict(message).verdict.state === 'intact';
  } finally {
    client.socket.destroy();
  }
}

describe('a connection that proved itself', () => {
  it('is answered with the id, the database and the nonce of its question', async () => {
    const client = new RawClient(path);
    expect(await client.prove(SECRET)).toBe(true);
    client.send(ATTEST);
    const { verdict } = parseVerdict((await client.message(2)) ?? '');
    expect(verdict).toMatchObject({ id: 7, database: 'clinic', nonce: NONCE, ...INTACT });
    client.socket.destroy();
  });

  it('is told "unverified" about a database that the checker does not know', async () => {
    const client = new RawClient(path);
    await client.prove(SECRET);
    client.send(attestWith({ database: 'elsewhere' }));
    const { verdict } = parseVerdict((await client.message(2)) ?? '');
    expect(verdict).toMatchObject({ state: 'unverified', findings: ['database-unknown'] });
    client.socket.destroy();
  });

  it.each(HOSTILE)('is closed for %s; others are served on', async (_, bytes) => {
    const client = new RawClient(path);
    expect(await client.prove(SECRET)).toBe(true);
    client.socket.write(bytes);
    await client.untilClosed();
    expect(listener.alarms).toBe(1);
    expect(lines.at(-1)).toMatchObject({ event: 'alarm', codes: ['checker-protocol'] });
    // What a peer sent never reaches the log.
    expect(JSON.stringify(lines)).not.toMatch(/DROP|clinic|GET|constructor/);
    expect(await served()).toBe(true);
  });

  it('is closed when it asks more than may be unanswered', async () => {
    answer = () => new Promise(() => {});
    const client = new RawClient(path);
    await client.prove(SECRET);
    for (let id = 0; id <= 64; id++) client.send(attestWith({ id }));
    await client.untilClosed();
    expect(listener.alarms).toBe(1);
  });

  it('is closed when it does not read its answers', async () => {
    const client = new RawClient(path);
    await client.prove(SECRET);
    client.socket.pause();
    const many = Buffer.concat(Array.from({ length: 60 }, () => framed(ATTEST)));
    await until(() => {
      if (!client.socket.destroyed) client.socket.write(many);
      return listener.alarms > 0;
    });
    client.socket.destroy();
    expect(await served()).toBe(true);
  });
});

describe('a connection that did not prove itself', () => {
  it('is closed after a wrong secret, and learns nothing', async () => {
    const client = new RawClient(path);
    expect(await client.prove('another secret')).toBe(false);
    expect(client.received).toHaveLength(1);
    expect(listener.alarms).toBe(1);
  });

  it('cannot use a proof meant for the other side', async () => {
    const client = new RawClient(path);
    const proof = await client.proof(SECRET, 'checker');
    client.send(spell({ type: 'prove', nonce: client.nonce, proof }));
    await client.untilClosed();
    expect(client.received).toHaveLength(1);
  });

  it('cannot replay the proof of another connection', async () => {
    const first = new RawClient(path);
    const proof = await first.proof(SECRET);
    const second = new RawClient(path);
    await second.checkerNonce();
    second.send(spell({ type: 'prove', nonce: second.nonce, proof }));
    await second.untilClosed();
    expect(second.received).toHaveLength(1);
    first.socket.destroy();
  });

  it('cannot ask', async () => {
    const client = new RawClient(path);
    await client.checkerNonce();
    client.send(ATTEST);
    await client.untilClosed();
    expect(client.received).toHaveLength(1);
  });

  it('is closed when it stays silent', async () => {
    const client = new RawClient(path);
    await client.untilClosed();
    expect(listener.alarms).toBe(1);
  });

  it('is closed when it proves itself one byte at a time for ever', async () => {
    const client = new RawClient(path);
    await client.checkerNonce();
    client.socket.write(header(300));
    const drip = setInterval(() => client.socket.write('{'), 100);
    await client.untilClosed();
    clearInterval(drip);
  });
});

describe('the socket', () => {
  it('is for its owner and its group only', async () => {
    expect((await stat(path)).mode & 0o777).toBe(0o660);
  });

  it('slows strangers down after alarms, and lets the gateway in all the same', async () => {
    for (let i = 0; i < 30; i++) {
      const client = new RawClient(path);
      client.socket.write(header(0));
      await client.untilClosed();
    }
    // Far fewer than 30 got as far as a protocol.
    expect(listener.alarms).toBeLessThan(20);
    await until(async () => {
      const client = new RawClient(path);
      const hello = await client.message(0);
      const ok = hello !== undefined && (await client.prove(SECRET));
      client.socket.destroy();
      return ok;
    });
    // The log is not filled either.
    expect(lines.filter((line) => line.event === 'alarm').length).toBeLessThanOrEqual(20);
  });

  it('is made again after somebody removed its file', async () => {
    await unlink(path);
    await until(() => served().catch(() => false));
    expect(lines.filter((line) => line.event === 'socket')).toHaveLength(2);
  });

  it('is not taken from a checker that answers', async () => {
    await expect(create().listen()).rejects.toMatchObject({ code: 'checker-unavailable' });
    expect(await served()).toBe(true);
  });

  it('is not made in place of a file', async () => {
    const elsewhere = join(folder, 'file');
    await writeFile(elsewhere, 'precious');
    const other = new Listener({
      path: elsewhere,
      secret: secretOf(SECRET),
      watches: new Map(),
      log: () => {},
    });
    await expect(other.listen()).rejects.toMatchObject({ code: 'checker-unavailable' });
    expect((await stat(elsewhere)).size).toBe(8);
  });

  it('replaces one that a killed checker left behind', async () => {
    const left = join(folder, 'left.sock');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(left, resolve));
    // Its file stays when the descriptor goes without the server's own clean-up.
    await rename(left, `${left}.kept`);
    await new Promise((resolve) => dead.close(resolve));
    await rename(`${left}.kept`, left);
    const other = new Listener({ path: left, secret: secretOf(SECRET), watches: new Map(), log: () => {} });
    await other.listen();
    const client = new RawClient(left);
    expect(await client.prove(SECRET)).toBe(true);
    client.socket.destroy();
    await other.close();
  });
});
