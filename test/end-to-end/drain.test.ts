import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { verifyActivityLog } from '../../activity-log/index.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { guard } from '../../examples/support/guardian.ts';
import { ask } from '../../examples/support/https-client.ts';
import { H2Client } from '../support/http2.ts';
import { EmrWatch, readLedger } from '../support/ledger.ts';
import { good, Load } from '../support/load.ts';
import { showFigures, until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

/** SIGTERM: what is under way is finished, nothing new begins, and the process ends by itself. */

const BOUND_MS = 20_000;
const DRAIN_MS = 15_000;
const MEGABYTE = 1e6;
const root = join(import.meta.dirname, '..', '..');

let stack: Stack;
let desk: string;
let configuration: string;
let gateway: Running | undefined;
let load: Load | undefined;
const figures: Record<string, unknown> = {};

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** The gateway as a service manager starts it, so that its exit code can be seen. */
async function startGateway(): Promise<Running> {
  const file = join(stack.layout.gateway, 'gateway.yaml');
  const child = spawn(process.execPath, [join(root, 'bin', 'chartgate.mjs'), 'start', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HOME: '/nonexistent', NODE_NO_WARNINGS: '1' },
    ...stack.isolation.gateway,
  });
  guard(child);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  gateway = { child, ended };
  await until('the gateway', () => out.includes('"ready"') || child.exitCode !== null, BOUND_MS);
  expect(child.exitCode).toBe(null);
  return gateway;
}

function configure(drain: string): void {
  writeFileSync(
    join(stack.layout.gateway, 'gateway.yaml'),
    `${configuration}timeouts: { drain: ${drain} }\n`,
  );
}

const get = (path: string, more: { agent?: Agent } = {}) => {
  const url = new URL(path, stack.tenants.north.origin);
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number;
    connection: string;
    requestId: string;
    bytes: number;
    complete: boolean;
  }>();
  const outgoing = request(
    {
      host: '127.0.0.1',
      port: url.port,
      servername: url.hostname,
      path,
      ca: stack.authority,
      agent: more.agent ?? false,
      headers: { host: url.host, authorization: `Bearer ${desk}` },
    },
    (incoming) => {
      let bytes = 0;
      const done = () =>
        resolve({
          status: incoming.statusCode ?? 0,
          connection: String(incoming.headers.connection ?? ''),
          requestId: String(incoming.headers['x-request-id'] ?? ''),
          bytes,
          complete: incoming.complete,
        });
      incoming.on('data', (chunk: Buffer) => {
        const megabytes = Math.floor(bytes / MEGABYTE);
        bytes += chunk.length;
        // A pause for each megabyte, so that a download of 50 MB is under way for a second and more.
        if (Math.floor(bytes / MEGABYTE) === megabytes) return;
        incoming.pause();
        setTimeout(() => incoming.resume(), 25);
      });
      incoming.on('error', done);
      incoming.on('end', done);
    },
  );
  outgoing.on('error', reject);
  outgoing.end();
  return promise;
};

/** Whether the port takes a connection. */
function accepts(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(Number(new URL(stack.tenants.north.origin).port), '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function idle(): Promise<TLSSocket> {
  const url = new URL(stack.tenants.north.origin);
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect(
    { host: '127.0.0.1', port: Number(url.port), servername: url.hostname, ca: stack.authority },
    () => resolve(socket),
  );
  socket.once('error', reject);
  return promise;
}

beforeAll(async () => {
  const plenty = { requests: 1_000_000, window: '10s' };
  stack = await stackFor('drain', { workers: 2, limits: { perPeer: plenty, perPrincipal: plenty } });
  configuration = readFileSync(join(stack.layout.gateway, 'gateway.yaml'), 'utf8');
  // Many slow pages at once.
  const policy = join(stack.layout.gateway, 'policy.yaml');
  writeFileSync(
    policy,
    readFileSync(policy, 'utf8').replace(
      'limit: { requests: 5, window: 10s }',
      'limit: { requests: 500, window: 10s }',
    ),
  );
  await stack.gateway.stop();
  desk = await stack.token({
    tenant: 'north',
    client: 'front-desk',
    scopes: ['emr/pages', 'emr/documents', 'emr/feed'],
  });
});
afterAll(async () => {
  showFigures('drain', figures);
  await stack?.stop();
});
beforeEach(() => {
  gateway = undefined;
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
  gateway?.child.kill('SIGKILL');
  await gateway?.ended;
});

describe('SIGTERM', () => {
  it('under load: requests under way are answered, connections are closed in order, new ones are refused', async () => {
    configure(`${DRAIN_MS}ms`);
    const { child, ended } = await startGateway();
    const records = (await readLedger(stack.layout.activity)).processes.length;
    const known = new Set((await readLedger(stack.layout.activity)).requests.keys());
    const watch = await EmrWatch.start(stack.tenants.north.emr.origin);
    load = await Load.start(stack, { readers: 3, writers: 2, tenants: ['north'] });
    await load.content(performance.now(), BOUND_MS);
    const h2 = new H2Client(stack.tenants.north.origin, stack.authority);
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: stack.authority });
    const fresh = await idle();
    const freshClosed = new Promise<boolean>((resolve) =>
      fresh.once('close', (hadError) => resolve(hadError)),
    );
    fresh.on('error', () => {});
    fresh.resume();

    const slow = [...Array.from({ length: 4 }, () => get('/slow?ms=1500')), get('/slow?ms=1500', { agent })];
    const slowH2 = h2.request('/slow?ms=1500', { token: desk });
    const download = get('/download/large');
    await until(
      'all under way',
      () => watch.seen.filter(({ url }) => /^\/(?:slow|download)/.test(url)).length === 7,
      BOUND_MS,
    );

    const termedAt = performance.now();
    child.kill('SIGTERM');
    await until('refusal', async () => !(await accepts()), 1_400);
    figures.refusedAfterMs = Math.round(performance.now() - termedAt);
    expect(await freshClosed, 'an idle connection is ended, not reset').toBe(false);
    figures.idleClosedAfterMs = Math.round(performance.now() - termedAt);
    expect(child.exitCode).toBe(null);

    for (const reply of await Promise.all(slow)) {
      expect(reply).toMatchObject({ status: 200, complete: true, connection: 'close' });
    }
    expect((await slowH2).status).toBe(200);
    const large = await download;
    expect(large).toMatchObject({ status: 200, complete: true });
    expect(large.bytes).toBeGreaterThanOrEqual(50_000_000);
    expect(await ended).toEqual({ code: 0, signal: null });
    figures.endedAfterMs = Math.round(performance.now() - termedAt);
    expect(figures.endedAfterMs).toBeLessThan(DRAIN_MS);

    const samples = await load.stop();
    await watch.stop();
    expect(samples.filter(({ status }) => status !== 0).filter((sample) => !good(sample))).toEqual([]);
    expect((await verifyActivityLog(stack.layout.activity)).faults).toEqual([]);
    const { requests, processes } = await readLedger(stack.layout.activity);
    // Nothing that was begun went unanswered: every record of the log is of an answer that a client got whole.
    const answered = new Set([
      ...samples.map(({ requestId }) => requestId),
      ...(await Promise.all([...slow, download])).map(({ requestId }) => requestId),
      String((await slowH2).headers['x-request-id']),
    ]);
    const begun = [...requests].filter(([id]) => !known.has(id));
    expect(begun.filter(([id]) => !answered.has(id))).toEqual([]);
    expect(
      begun.filter(([, account]) => account.outcomes.length !== 1 || account.interrupted.length > 0),
    ).toEqual([]);
    for (const { requestId } of watch.seen) expect(requests.get(requestId)?.intents).toHaveLength(1);
    expect(
      processes
        .slice(records)
        .filter(({ event }) => event === 'stop')
        .map(({ chain }) => chain)
        .sort(),
    ).toEqual(['worker-1', 'worker-2']);
    figures.requests = samples.length;
    h2.close();
    agent.destroy();
  });

  it('what never ends by itself is cut at once, and recorded', async () => {
    configure(`${DRAIN_MS}ms`);
    const { child, ended } = await startGateway();
    const watch = await EmrWatch.start(stack.tenants.north.emr.origin);
    const url = new URL('/feed', stack.tenants.north.origin);
    const socket = new WebSocket(`wss://127.0.0.1:${url.port}/feed`, {
      ca: stack.authority,
      ...{ servername: url.hostname },
      headers: { host: url.host, authorization: `Bearer ${desk}` },
    });
    socket.on('error', () => {});
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    const events = get('/events');
    await until('both open', () => socket.readyState === WebSocket.OPEN && watch.seen.length === 2, BOUND_MS);
    await sleep(300);
    const termedAt = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
    figures.endlessEndedAfterMs = Math.round(performance.now() - termedAt);
    expect(figures.endlessEndedAfterMs).toBeLessThan(DRAIN_MS);
    expect(await closed).toBe(1006);
    expect(await events).toMatchObject({ status: 200, complete: false });
    await watch.stop();
    const { requests } = await readLedger(stack.layout.activity);
    for (const { requestId } of watch.seen) {
      expect(requests.get(requestId)?.interrupted).toMatchObject([{ by: 'gateway' }]);
    }
  });

  it('longer than the drain time nobody is waited for, and what was begun has its outcome', async () => {
    configure('1s');
    const { child, ended } = await startGateway();
    const watch = await EmrWatch.start(stack.tenants.north.emr.origin);
    const slow = get('/slow?ms=20000').catch(() => undefined);
    await until('the slow request', () => watch.seen.length === 1, BOUND_MS);
    const termedAt = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, signal: null });
    figures.cutAfterMs = Math.round(performance.now() - termedAt);
    // The drain time, and what it takes to end two processes on a busy machine.
    expect(figures.cutAfterMs).toBeLessThan(4_000);
    expect((await slow)?.status).not.toBe(200);
    await watch.stop();
    const { requests } = await readLedger(stack.layout.activity);
    const account = requests.get(watch.seen[0]?.requestId ?? '');
    expect(account?.intents).toHaveLength(1);
    expect(account?.outcomes).toMatchObject([{ outcome: 'failed' }]);
  });

  it('SIGTERM and SIGHUP together end it all the same', async () => {
    configure(`${DRAIN_MS}ms`);
    const { child, ended } = await startGateway();
    expect(
      (await ask({ url: `${stack.tenants.north.origin}/fhir/Patient/1`, authority: stack.authority })).status,
    ).toBe(401);
    child.kill('SIGHUP');
    child.kill('SIGTERM');
    child.kill('SIGHUP');
    expect(await ended).toEqual({ code: 0, signal: null });
  });
});
