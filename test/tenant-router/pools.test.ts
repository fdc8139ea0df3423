import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { BackendSettings } from '../../contracts/settings.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import {
  type Backend,
  type BackendOutcome,
  createTenantRouter,
  outcomeOfError,
  type TenantRouter,
  type TenantRouterOptions,
} from '../../tenant-router/index.ts';
import { backend, deadPort, listen, stop, tenant } from './support.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(server: Server): Promise<number> {
  cleanups.push(() => stop(server));
  return listen(server);
}

function route(settings: readonly BackendSettings[], options: TenantRouterOptions = {}): TenantRouter {
  const router = createTenantRouter([tenant('a', ['a.example'], ...settings)], options);
  cleanups.push(() => router.close(0));
  return router;
}

function pick(router: TenantRouter): Backend {
  const picked = router.tenants[0]?.pick();
  if (picked === undefined) throw new Error('nobody to pick');
  return picked;
}

/** Asks as the gateway would, reports, and says what came. */
async function ask(to: Backend, host = 'a.example'): Promise<BackendOutcome | 'none' | string> {
  try {
    const answer = await to.dispatcher.request({
      method: 'GET',
      path: '/',
      headers: { host },
      headersTimeout: 300,
      bodyTimeout: 300,
    });
    const text = await answer.body.text();
    to.report('ok');
    // undici frees the connection a moment after the body has ended.
    await wait(5);
    return text;
  } catch (error) {
    const outcome = outcomeOfError(error);
    if (outcome !== undefined) to.report(outcome);
    return outcome ?? 'none';
  }
}

const hello = () => createHttpServer((request, response) => response.end(`hello ${request.headers.host}`));

describe('back ends as they come', () => {
  test('a good one answers, and its connection is kept', async () => {
    const router = route([backend(`http://127.0.0.1:${await serve(hello())}`)]);
    expect(await ask(pick(router))).toBe('hello a.example');
    expect(await ask(pick(router))).toBe('hello a.example');
    expect(router.stats()).toMatchObject([
      { tenant: 'a', connected: 1, pending: 0, running: 0, ejected: false },
    ]);
  });

  test('one that refuses is a connection failure, and is ejected after three', async () => {
    const router = route([backend(`http://127.0.0.1:${await deadPort()}`)]);
    for (let i = 0; i < 3; i++) expect(await ask(pick(router))).toBe('connect-failed');
    expect(router.tenants[0]?.pick()).toBeUndefined();
  });

  test('one that comes back is found again', async () => {
    const port = await deadPort();
    const router = route([backend(`http://127.0.0.1:${port}`)], { circuit: { firstEjectionMs: 10 } });
    for (let i = 0; i < 3; i++) await ask(pick(router));
    const server = hello();
    cleanups.push(() => stop(server));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await wait(30);
    expect(await ask(pick(router))).toBe('hello a.example');
    expect(router.stats()[0]?.ejected).toBe(false);
  });

  test('one that hangs is a time-out', async () => {
    const router = route([backend(`http://127.0.0.1:${await serve(createHttpServer(() => undefined))}`)]);
    expect(await ask(pick(router))).toBe('timeout');
  });

  test('one that resets is a broken answer', async () => {
    const server = createServer((socket: Socket) => socket.once('data', () => socket.resetAndDestroy()));
    const router = route([backend(`http://127.0.0.1:${await serve(server)}`)]);
    expect(await ask(pick(router))).toBe('protocol');
  });

  test('one that speaks something else is a broken answer', async () => {
    const server = createServer((socket: Socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n')));
    const router = route([backend(`http://127.0.0.1:${await serve(server)}`)]);
    expect(await ask(pick(router))).toBe('protocol');
  });

  test('one that closes after the head is a broken answer', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc';
    const server = createServer((socket: Socket) => socket.once('data', () => socket.end(head)));
    const router = route([backend(`http://127.0.0.1:${await serve(server)}`)]);
    expect(await ask(pick(router))).toBe('protocol');
  });

  test('a good one carries on beside a dead one', async () => {
    const dead = backend(`http://127.0.0.1:${await deadPort()}`);
    const router = route([dead, backend(`http://127.0.0.1:${await serve(hello())}`)], {
      circuit: { firstEjectionMs: 60_000 },
    });
    const answers: string[] = [];
    for (let i = 0; i < 20; i++) answers.push(await ask(pick(router)));
    expect(answers.filter((answer) => answer === 'connect-failed')).toHaveLength(3);
    expect(answers.slice(6).every((answer) => answer === 'hello a.example')).toBe(true);
  });

  test('one request at a time on a connection, no more connections than configured', async () => {
    let most = 0;
    let now = 0;
    const server = createHttpServer((_request, response) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        response.end('done');
      }, 50);
    });
    const router = route([backend(`http://127.0.0.1:${await serve(server)}`, { connections: 2 })]);
    const answers = Array.from({ length: 6 }, () => ask(pick(router)));
    await wait(15);
    expect(router.stats()[0]).toMatchObject({ connected: 2, running: 2, pending: 4 });
    expect(await Promise.all(answers)).toEqual(Array(6).fill('done'));
    expect(most).toBe(2);
  });
});

describe('TLS to a back end', () => {
  async function secure(host: string) {
    const authority = await createAuthority('Test authority');
    const { certificatePem, keyPem } = await authority.issue({ commonName: 'back end', hosts: [host] });
    const server = createHttpsServer({ cert: certificatePem, key: keyPem }, (request, response) => {
      const { servername, alpnProtocol } = request.socket as TLSSocket;
      response.end(`${servername || 'none'} ${alpnProtocol} ${request.socket.remotePort}`);
    });
    return { port: await serve(server), authority: Buffer.from(authority.certificatePem) };
  }

  test('is verified by the name of the origin, whatever Host says, over one kept connection', async () => {
    const { port, authority } = await secure('localhost');
    const router = route([backend(`https://localhost:${port}`, { authority })]);
    const first = await ask(pick(router), 'a.example');
    expect(first).toMatch(/^localhost (?:http\/1\.1|false) \d+$/);
    expect(await ask(pick(router), 'other.example')).toBe(first);
    expect(await ask(pick(router), 'a.example')).toBe(first);
  });

  test('is verified by the address when the origin has one', async () => {
    const { port, authority } = await secure('127.0.0.1');
    const router = route([backend(`https://127.0.0.1:${port}`, { authority })]);
    const first = await ask(pick(router), 'a.example');
    expect(first).toMatch(/^none /);
    expect(await ask(pick(router), 'other.example')).toBe(first);
  });

  test('fails for an unknown authority', async () => {
    const { port } = await secure('localhost');
    const router = route([backend(`https://localhost:${port}`)]);
    expect(await ask(pick(router))).toBe('connect-failed');
  });

  test('fails for another name, even the one in Host', async () => {
    const { port, authority } = await secure('a.example');
    const router = route([backend(`https://localhost:${port}`, { authority })]);
    expect(await ask(pick(router), 'a.example')).toBe('connect-failed');
  });

  test('fails also when the environment turns verification off', async () => {
    const { port } = await secure('localhost');
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const router = route([backend(`https://localhost:${port}`)]);
      expect(await ask(pick(router))).toBe('connect-failed');
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
});

describe('replace and close', () => {
  /** Answers when told to. */
  async function slow() {
    const waiting: (() => void)[] = [];
    const server = createHttpServer((_request, response) => {
      waiting.push(() => response.end('late'));
    });
    return { origin: `http://127.0.0.1:${await serve(server)}`, waiting };
  }
  const arrived = async (waiting: readonly unknown[]) => {
    while (waiting.length === 0) await wait(5);
  };

  test('an unchanged back end keeps its pool and its breaker; a changed one gets another', async () => {
    const kept = backend('http://127.0.0.1:9001');
    const router = route([kept, backend('http://127.0.0.1:9002')]);
    const [first, second] = [pick(router), pick(router)];
    for (let i = 0; i < 3; i++) first.report('connect-failed');
    await router.replace(
      [tenant('a', ['b.example'], backend('http://127.0.0.1:9002', { connections: 4 }), { ...kept })],
      0,
    );
    expect(router.route('a.example', 'a.example')).toEqual({ ok: false, reason: 'tenant-unknown' });
    expect(router.stats().map(({ origin, index, ejected }) => [origin, index, ejected])).toEqual([
      ['http://127.0.0.1:9001', 1, true],
    ]);
    expect(pick(router).dispatcher).not.toBe(second.dispatcher);
    expect(second.dispatcher.destroyed).toBe(true);
    expect(first.dispatcher.destroyed).toBe(false);
  });

  test('a request that chose a back end before a reload is served by it after', async () => {
    const { origin, waiting } = await slow();
    const router = route([backend(origin)]);
    const before = pick(router);
    const replaced = router.replace([tenant('a', ['a.example'], backend('http://127.0.0.1:9001'))], 200);
    const answer = ask(before);
    await arrived(waiting);
    waiting[0]?.();
    expect(await answer).toBe('late');
    await replaced;
    expect(before.dispatcher.destroyed).toBe(true);
  });

  test('closing waits for what is under way', async () => {
    const { origin, waiting } = await slow();
    const router = route([backend(origin)]);
    const answer = ask(pick(router));
    await arrived(waiting);
    const closed = router.close(5_000);
    waiting[0]?.();
    expect(await answer).toBe('late');
    await closed;
  });

  test('closing cuts what takes longer than the grace, and what waits for a connection', async () => {
    const { origin, waiting } = await slow();
    const router = route([backend(origin, { connections: 1 })]);
    const answers = [ask(pick(router)), ask(pick(router))];
    await arrived(waiting);
    await router.close(20);
    expect(await Promise.all(answers)).toEqual(['none', 'none']);
  });

  test('closing also ends back ends that a reload left behind, at once', async () => {
    const router = route([backend('http://127.0.0.1:9001')]);
    const old = pick(router);
    const replaced = router.replace(
      [tenant('a', ['a.example'], backend('http://127.0.0.1:9002'))],
      3_600_000,
    );
    await router.close(0);
    await replaced;
    expect(old.dispatcher.destroyed).toBe(true);
  });
});
