import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2, constants } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { metric } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { dropAuditTrigger } from '../../examples/demo/tamper.ts';
import { requestToken } from '../../examples/demo/tokens.ts';
import { type LaunchedEmr, launchEmr } from '../../examples/legacy-emr/launch.ts';
import { type Account, readLedger } from '../support/ledger.ts';
import { residentBytes, showFigures, until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

/** WebSockets, event streams and large bodies: open for long, and still under control. */

/** A bound on hanging. */
const BOUND_MS = 20_000;
/** Two looks, the age of a verdict, and what a busy machine may add. */
const CUT_MS = 5_000;
const MEGABYTE = 1e6;
const LARGE = 50 * 1024 * 1024;
/** Seconds. */
const SHORT_TOKEN = 4;

let stack: Stack;
let desk: string;
let emr: LaunchedEmr;
const figures: Record<string, unknown> = {};
const brief = { id: 'brief', secret: randomBytes(24).toString('base64url') };

beforeAll(async () => {
  const plenty = { requests: 1_000_000, window: '10s' };
  stack = await stackFor('long-lived', { workers: 1, limits: { perPeer: plenty, perPrincipal: plenty } });
  // A client with tokens that do not live long. Nobody has asked for a token yet.
  const file = join(stack.layout.issuer, 'issuer.json');
  const configuration = JSON.parse(readFileSync(file, 'utf8')) as {
    clients: { id: string; resources: string[]; scopes: string[] }[];
  };
  const secretFile = join(stack.layout.issuer, 'brief.secret');
  writeFileSync(secretFile, brief.secret, { mode: 0o600 });
  const like = configuration.clients.find(({ id }) => id === 'front-desk');
  configuration.clients.push({ ...like, id: 'brief', secretFile, tokenSeconds: SHORT_TOKEN } as never);
  writeFileSync(file, JSON.stringify(configuration));
  await stack.issuer.stop();
  await stack.issuer.start();
  desk = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/feed', 'emr/documents'] });
  emr = stack.tenants.north.emr;
});
afterAll(async () => {
  showFigures('long-lived', figures);
  await emr?.stop();
  await stack?.stop();
});

const worker = (): number => stack.gatewayPids()[0] ?? 0;

interface Stream {
  readonly status: Promise<number>;
  /** How it ended: `clean`, or the error. */
  readonly ended: Promise<string>;
  readonly requestId: () => string;
  bytes: number;
  pause(): void;
  resume(): void;
  /** The client vanishes. */
  vanish(): void;
}

function open1(path: string, token: string): Stream {
  const url = new URL(path, stack.tenants.north.origin);
  const status = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<string>();
  let id = '';
  const outgoing = request(
    {
      host: '127.0.0.1',
      port: url.port,
      servername: url.hostname,
      path,
      ca: stack.authority,
      agent: false,
      headers: { host: url.host, authorization: `Bearer ${token}` },
    },
    (incoming) => {
      id = String(incoming.headers['x-request-id']);
      status.resolve(incoming.statusCode ?? 0);
      incoming.on('data', (chunk: Buffer) => {
        stream.bytes += chunk.length;
      });
      incoming.on('error', (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? error.message));
      incoming.on('end', () => ended.resolve(incoming.complete ? 'clean' : 'incomplete'));
      stream.pause = () => incoming.pause();
      stream.resume = () => incoming.resume();
    },
  );
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    status.resolve(0);
    ended.resolve(error.code ?? error.message);
  });
  outgoing.end();
  const stream: Stream = {
    status: status.promise,
    ended: ended.promise,
    requestId: () => id,
    bytes: 0,
    pause: () => {},
    resume: () => {},
    vanish: () => outgoing.destroy(),
  };
  return stream;
}

function open2(path: string, token: string): Stream {
  const url = new URL(stack.tenants.north.origin);
  const session = connectHttp2(`https://127.0.0.1:${url.port}`, {
    ca: stack.authority,
    servername: url.hostname,
  });
  session.on('error', () => {});
  const status = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<string>();
  let id = '';
  const outgoing = session.request({
    ':path': path,
    ':scheme': 'https',
    ':authority': url.host,
    authorization: `Bearer ${token}`,
  });
  outgoing.on('response', (headers) => {
    id = String(headers['x-request-id']);
    status.resolve(Number(headers[':status']));
  });
  outgoing.on('data', (chunk: Buffer) => {
    stream.bytes += chunk.length;
  });
  outgoing.on('error', () => status.resolve(0));
  let clean = false;
  outgoing.on('end', () => {
    clean = true;
  });
  outgoing.on('close', () => {
    session.destroy();
    const reset = outgoing.rstCode !== constants.NGHTTP2_NO_ERROR;
    ended.resolve(clean && !reset ? 'clean' : `reset ${outgoing.rstCode}`);
  });
  const stream: Stream = {
    status: status.promise,
    ended: ended.promise,
    requestId: () => id,
    bytes: 0,
    pause: () => void outgoing.pause(),
    resume: () => void outgoing.resume(),
    vanish: () => session.destroy(),
  };
  return stream;
}

interface Feed {
  readonly opened: Promise<boolean>;
  readonly closed: Promise<number>;
  messages: number;
  send(): void;
}

function feed(token: string): Feed {
  const url = new URL('/feed', stack.tenants.north.origin);
  const socket = new WebSocket(`wss://127.0.0.1:${url.port}/feed`, {
    ca: stack.authority,
    // `ws` hands these to `tls.connect`; its types leave the server name out.
    ...{ servername: url.hostname },
    headers: { host: url.host, authorization: `Bearer ${token}` },
  });
  const opened = Promise.withResolvers<boolean>();
  const closed = Promise.withResolvers<number>();
  socket.once('open', () => opened.resolve(true));
  socket.on('error', () => opened.resolve(false));
  socket.once('close', closed.resolve);
  const each: Feed = {
    opened: opened.promise,
    closed: closed.promise,
    messages: 0,
    send: () => socket.readyState === WebSocket.OPEN && socket.send('still there?'),
  };
  socket.on('message', () => {
    each.messages += 1;
  });
  return each;
}

const accountOf = async (id: string): Promise<Account | undefined> =>
  (await readLedger(stack.layout.activity)).requests.get(id);

/** Milliseconds from now until each has ended. */
async function endings(...ended: Promise<unknown>[]): Promise<number[]> {
  const begun = performance.now();
  const late = sleep(BOUND_MS).then(() => {
    throw new Error('still open');
  });
  return Promise.all(
    ended.map(async (each) => {
      await Promise.race([each, late]);
      return Math.round(performance.now() - begun);
    }),
  );
}

const connections = (state: string): Promise<number> =>
  metric(stack, 'chartgate_backend_pool', { tenant: 'north', state });

describe('what stays open', () => {
  it('goes on while all is well, and is cut when the audit is tampered with', async () => {
    const socket = feed(desk);
    const events = [open1('/events', desk), open2('/events', desk)];
    expect(await socket.opened).toBe(true);
    expect(await Promise.all(events.map(({ status }) => status))).toEqual([200, 200]);
    await sleep(2_500);
    const before = events.map(({ bytes }) => bytes);
    const messages = socket.messages;
    socket.send();
    await until('life', () => events.every(({ bytes }, n) => bytes > (before[n] ?? 0)), BOUND_MS);
    await until('an echo', () => socket.messages > messages, BOUND_MS);

    const dropped = await dropAuditTrigger(stack, stack.tenants.north, 'patients');
    try {
      const after = await endings(socket.closed, ...events.map(({ ended }) => ended));
      figures.cutAfterTamperMs = after;
      expect(Math.max(...after)).toBeLessThan(CUT_MS);
      expect(await socket.closed).toBe(1006);
      for (const stream of events) {
        expect(await stream.ended).not.toBe('clean');
        expect((await accountOf(stream.requestId()))?.interrupted).toMatchObject([{ by: 'gateway' }]);
      }
      const refused = open1('/events', desk);
      expect(await refused.status).toBe(503);
    } finally {
      await dropped.restore();
    }
    await until(
      'service again',
      async () => {
        const again = open1('/events', desk);
        const status = await again.status;
        again.vanish();
        return status === 200;
      },
      BOUND_MS,
    );
  });

  it('is cut when the token runs out', async () => {
    const token = await requestToken({
      issuer: stack.issuerUrl,
      authority: stack.authority,
      client: brief,
      audience: stack.tenants.north.audience,
      scopes: ['emr/feed'],
    });
    const expires = (
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number }
    ).exp;
    const socket = feed(token);
    const events = [open1('/events', token), open2('/events', token)];
    const staying = open1('/events', desk);
    expect(await socket.opened).toBe(true);
    expect(await Promise.all(events.map(({ status }) => status))).toEqual([200, 200]);
    await endings(socket.closed, ...events.map(({ ended }) => ended));
    const late = Date.now() - expires * 1000;
    figures.cutAfterExpiryMs = late;
    expect(late, 'not before its time').toBeGreaterThan(-200);
    expect(late).toBeLessThan(CUT_MS);
    const bytes = staying.bytes;
    await until('the other goes on', () => staying.bytes > bytes, BOUND_MS);
    staying.vanish();
  });
});

describe.each([
  ['HTTP/1.1', open1],
  ['HTTP/2', open2],
] as const)('a large answer over %s', (protocol, open) => {
  it('waits for a slow reader, without filling memory', async () => {
    // As much as it takes when nobody is slow, garbage not yet collected included; what waits for a slow
    // reader would come on top.
    let before = 0;
    const warming = setInterval(() => {
      before = Math.max(before, residentBytes(worker()));
    }, 10);
    for (let n = 0; n < 3; n++) {
      const warm = open('/download/large', desk);
      expect(await warm.ended).toBe('clean');
      expect(warm.bytes).toBe(LARGE);
    }
    clearInterval(warming);
    const stream = open('/download/large', desk);
    expect(await stream.status).toBe(200);
    stream.pause();
    let peak = 0;
    for (let n = 0; n < 30; n++) {
      await sleep(50);
      peak = Math.max(peak, residentBytes(worker()) - before);
      // A little at a time.
      stream.resume();
      await sleep(1);
      stream.pause();
    }
    const read = stream.bytes;
    expect(read).toBeLessThan(LARGE);
    stream.resume();
    const sampling = setInterval(() => {
      peak = Math.max(peak, residentBytes(worker()) - before);
    }, 10);
    expect(await stream.ended).toBe('clean');
    clearInterval(sampling);
    expect(stream.bytes).toBe(LARGE);
    figures[`slow reader, ${protocol}`] = { peakMB: Math.round(peak / MEGABYTE), readSlowly: read };
    expect(before).toBeGreaterThan(0);
    expect(peak / MEGABYTE).toBeLessThan(20);
  });

  it('whose client vanishes gives its connection free and is recorded as interrupted', async () => {
    await until('quiet', async () => (await connections('running')) === 0, BOUND_MS);
    const stream = open('/download/large', desk);
    expect(await stream.status).toBe(200);
    stream.pause();
    await until('a request at the EMR', async () => (await connections('running')) === 1, BOUND_MS);
    stream.vanish();
    await until('nothing at the EMR', async () => (await connections('running')) === 0, BOUND_MS);
    await until(
      'the record',
      async () => ((await accountOf(stream.requestId()))?.interrupted.length ?? 0) === 1,
      BOUND_MS,
    );
    const account = await accountOf(stream.requestId());
    expect(account?.interrupted).toMatchObject([{ by: 'client' }]);
    expect(account?.interrupted[0]?.bytes).toBeLessThan(LARGE);
    expect(account?.outcomes).toHaveLength(1);
  });

  it('whose EMR dies in the middle is cut short, and looks it', async () => {
    const stream = open('/download/large', desk);
    expect(await stream.status).toBe(200);
    stream.pause();
    // An event stream has no length that would give it away.
    const events = open('/events', desk);
    await until('events', () => events.bytes > 0, BOUND_MS);
    await emr.kill();
    stream.resume();
    try {
      expect(await events.ended).not.toBe('clean');
      expect(await stream.ended).not.toBe('clean');
      expect(stream.bytes).toBeLessThan(LARGE);
      for (const each of [stream, events]) {
        await until(
          'the record',
          async () => ((await accountOf(each.requestId()))?.interrupted.length ?? 0) === 1,
          BOUND_MS,
        );
        expect((await accountOf(each.requestId()))?.interrupted).toMatchObject([{ by: 'backend' }]);
      }
    } finally {
      emr = await launchNorth();
    }
  });
});

/** Another process of the tenant's EMR, in the place of the one that was killed. */
function launchNorth(): Promise<LaunchedEmr> {
  const { north } = stack.tenants;
  return launchEmr({
    clinic: north.clinic,
    port: north.emr.port,
    database: {
      host: stack.mariadb.host,
      port: stack.mariadb.port,
      name: north.schema,
      user: north.emrUser.user,
      passwordFile: join(stack.layout.emr, 'north.password'),
    },
  });
}
