import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { metric } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask, type Reply } from '../../examples/support/https-client.ts';
import { until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

const PLENTY = { requests: 1_000_000, window: '10s' };
const BOUND_MS = 10_000;

/** Several workers of one gateway, each connection at whichever the kernel chooses. */
describe('limits of a gateway with two workers', () => {
  let stack: Stack;
  let desk: string;
  beforeAll(async () => {
    stack = await stackFor('limits-shared', {
      workers: 2,
      limits: {
        perPeer: PLENTY,
        perPrincipal: [
          { requests: 60, window: '90s' },
          { requests: 40, window: '8s' },
        ],
        concurrency: { perPrincipal: 3 },
        headers: 'always',
      },
    });
    desk = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/feed'] });
  });
  afterAll(() => stack?.stop());

  const read = (token: string, id = 1): Promise<Reply> =>
    ask({
      url: `${stack.tenants.north.origin}/fhir/Patient/${id}`,
      authority: stack.authority,
      token,
    });

  it('hold for both together, burst and sustained, and are told', async () => {
    const token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
    const replies: Reply[] = [];
    for (let n = 0; n < 45; n += 1) replies.push(await read(token));
    // At most 2 % may lie with the other worker: less than one of forty.
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(40);
    const first = replies[0];
    expect(first?.headers['ratelimit-policy']).toBe('"principal-90s";q=60;w=90, "principal-8s";q=40;w=8');
    expect(first?.headers.ratelimit).toMatch(
      /^"principal-90s";r=59;t=(?:90|89), "principal-8s";r=39;t=[78]$/,
    );
    const refused = replies.at(-1);
    expect(refused?.status).toBe(429);
    expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(8);
    expect(refused?.headers.ratelimit).toMatch(/"principal-8s";r=0;t=[1-8]$/);
    await sleep(8100);
    const later: number[] = [];
    for (let n = 0; n < 25; n += 1) later.push((await read(token)).status);
    expect(later.filter((status) => status === 200)).toHaveLength(20);
  }, 40_000);

  it('are not told on hidden answers, which have one list of headers', async () => {
    const token = await stack.token({
      tenant: 'north',
      client: 'patient-app',
      scopes: ['patient/Patient.r'],
    });
    const replies = [await read(token, 3), await read(token, 999_999)];
    expect(replies.map(({ status }) => status)).toEqual([404, 404]);
    for (const reply of replies) expect(reply.headers.ratelimit).toBeUndefined();
  });

  it('on requests at once: as many as that, whatever they are, and free again however they end', async () => {
    const { origin } = stack.tenants.north;
    const url = new URL(origin);
    const base = {
      host: '127.0.0.1',
      port: url.port,
      servername: url.hostname,
      ca: stack.authority,
      agent: false as const,
    };
    const headers = { host: url.host, authorization: `Bearer ${desk}` };
    const status = () =>
      new Promise<number>((resolve) => {
        const outgoing = request({ ...base, path: '/events', headers }, (incoming) => {
          resolve(incoming.statusCode ?? 0);
          incoming.on('error', () => {});
          outgoing.destroy();
        });
        outgoing.on('error', () => resolve(0));
        outgoing.end();
      });

    const socket = new WebSocket(`wss://127.0.0.1:${url.port}/feed`, {
      ca: stack.authority,
      ...{ servername: url.hostname },
      headers,
    });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('open', resolve));

    const events = request({ ...base, path: '/events', headers });
    events.on('error', () => {});
    const answered = new Promise<number>((resolve) =>
      events.once('response', (incoming) => {
        incoming.on('error', () => {});
        incoming.resume();
        resolve(incoming.statusCode ?? 0);
      }),
    );
    events.end();
    expect(await answered).toBe(200);

    const session = connectHttp2(`https://127.0.0.1:${url.port}`, {
      ca: stack.authority,
      servername: url.hostname,
    });
    session.on('error', () => {});
    const stream = session.request({
      ':path': '/events',
      ':authority': url.host,
      authorization: `Bearer ${desk}`,
    });
    stream.on('error', () => {});
    const head = await new Promise<number>((resolve) =>
      stream.once('response', (response) => resolve(Number(response[':status']))),
    );
    expect(head).toBe(200);
    stream.resume();

    // Three are open: a WebSocket, and an event stream over each protocol.
    expect(await status()).toBe(429);
    expect(await metric(stack, 'chartgate_limited_total', { limit: 'principal-at-once' })).toBeGreaterThan(0);
    const others = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
    expect([200, 429]).toContain((await read(others)).status);

    const free = async (what: string) =>
      until(`a place after ${what}`, async () => (await status()) === 200, BOUND_MS);
    events.destroy();
    await free('the client of an event stream vanished');
    session.destroy();
    await free('an HTTP/2 connection was cut');
    socket.close();
    await free('a WebSocket was closed');
    // All three are free, and no more than three.
    const many = await Promise.all([status(), status(), status()]);
    expect(many).toEqual([200, 200, 200]);
  });

  it('on requests at once are free again when their worker was killed', async () => {
    const url = new URL(stack.tenants.north.origin);
    const sockets = Array.from({ length: 3 }, () => {
      const socket = new WebSocket(`wss://127.0.0.1:${url.port}/feed`, {
        ca: stack.authority,
        ...{ servername: url.hostname },
        headers: { host: url.host, authorization: `Bearer ${desk}` },
      });
      socket.on('error', () => {});
      return socket;
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))));
    const pids = stack.gatewayPids();
    for (const pid of pids.slice(-2)) process.kill(pid, 'SIGKILL');
    await until(
      'a place after the workers ended',
      () =>
        new Promise<boolean>((resolve) => {
          const socket = new WebSocket(`wss://127.0.0.1:${url.port}/feed`, {
            ca: stack.authority,
            ...{ servername: url.hostname },
            headers: { host: url.host, authorization: `Bearer ${desk}` },
          });
          socket.once('open', () => {
            socket.close();
            resolve(true);
          });
          socket.on('error', () => resolve(false));
        }),
      20_000,
    );
  }, 40_000);
});
