import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type HealthCheckSettings, USUAL_BALANCING } from '../../contracts/balancing.ts';
import { createTenantRouter, type TenantRouter } from '../../tenant-router/index.ts';
import { until } from '../support/process.ts';
import { backend, listen, stop, tenant } from './support.ts';

const CHECK: HealthCheckSettings = {
  path: '/health?deep=1',
  intervalMs: 100,
  timeoutMs: 400,
  healthyAfter: 2,
  unhealthyAfter: 2,
};
const BOUND_MS = 5_000;
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  cleanups.push(() => stop(server));
  return `http://127.0.0.1:${await listen(server)}`;
}

function check(origins: readonly string[], more: Partial<HealthCheckSettings> = {}): TenantRouter {
  const router = createTenantRouter([
    {
      ...tenant('a', ['a.example', 'b.example'], ...origins.map((origin) => backend(origin))),
      balancing: { ...USUAL_BALANCING, slowStartMs: 0, healthCheck: { ...CHECK, ...more } },
    },
  ]);
  cleanups.push(() => router.close(0));
  return router;
}

const healthy = (router: TenantRouter) => {
  const known = new Map(router.stats().map(({ index, healthy }) => [index, healthy]));
  return [0, 1].map((index) => known.get(index) ?? true);
};
const picks = (router: TenantRouter) =>
  new Set(Array.from({ length: 6 }, () => router.tenants[0]?.pick()?.origin));

/** Answers its checks with this status; -1: never. */
function emr() {
  const asked: string[] = [];
  const state = { status: 200, asked };
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host}`);
    if (state.status < 0) return;
    response.writeHead(state.status);
    response.end('Patient Anna Example');
  });
  return { server, state };
}

describe('a back end that is asked how it is', () => {
  test.each([
    ['fails', 503],
    ['has lost its page', 404],
    ['hangs', -1],
  ])('and %s is left out, and is back when it is well', async (_what, status) => {
    const [first, second] = [emr(), emr()];
    const origins = [await serve(first.server), await serve(second.server)];
    const router = check(origins);
    await until('checks', () => first.state.asked.length > 1 && second.state.asked.length > 1, BOUND_MS);
    expect(first.state.asked[0]).toBe('GET /health?deep=1 a.example');
    expect(healthy(router)).toEqual([true, true]);
    first.state.status = status;
    await until('it to be left out', () => healthy(router)[0] === false, BOUND_MS);
    expect(picks(router)).toEqual(new Set([origins[1]]));
    first.state.status = 302;
    await until('it to be back', () => healthy(router)[0] === true, BOUND_MS);
    expect(picks(router)).toEqual(new Set(origins));
  });

  test('and refuses, or speaks something else, is left out', async () => {
    const good = emr();
    const odd = createTcpServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-OpenSSH\r\n'),
    );
    const router = check([await serve(odd), await serve(good.server)]);
    await until('it to be left out', () => healthy(router)[0] === false, BOUND_MS);
    expect(healthy(router)[1]).toBe(true);
  });

  test('where all of them fail, all of them are used: checks may be wrong', async () => {
    const [first, second] = [emr(), emr()];
    const origins = [await serve(first.server), await serve(second.server)];
    const router = check(origins, { path: '/nowhere' });
    first.state.status = 404;
    second.state.status = 404;
    await until('both to fail', () => healthy(router).every((each) => !each), BOUND_MS);
    expect(picks(router)).toEqual(new Set(origins));
  });

  test('is asked once each interval over one connection, and an endless answer is not read', async () => {
    let connections = 0;
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(200);
      const timer = setInterval(() => response.write(Buffer.alloc(16_384)), 1);
      response.once('close', () => clearInterval(timer));
    });
    server.on('connection', () => (connections += 1));
    const router = check([await serve(server)]);
    await until('checks', () => asked >= 4, BOUND_MS);
    expect(healthy(router)[0]).toBe(true);
    expect(connections).toBeLessThanOrEqual(asked);
  });
});

test('a reload without checks forgets what they said, and ends them', async () => {
  const { server, state } = emr();
  const origin = await serve(server);
  const router = check([origin]);
  state.status = 503;
  await until('it to be left out', () => healthy(router)[0] === false, BOUND_MS);
  await router.replace([tenant('a', ['a.example'], backend(origin))], 0);
  const asked = state.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(state.asked.length - asked).toBeLessThanOrEqual(1);
  expect(router.stats().every(({ healthy: well }) => well)).toBe(true);
});
