import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import type { TenantSettings } from '../../../contracts/settings.ts';
import type { Exchange } from '../../../gateway/pipeline/exchange.ts';
import { isGiven, judgeExisting } from '../../../gateway/pipeline/stages/judge-existing.ts';
import { createTenantRouter, type TenantRouter } from '../../../tenant-router/index.ts';
import { backend, listen, stop, tenant } from '../../tenant-router/support.ts';

/** Where the gateway looks before a change: real back ends, of which each knows its own sessions only. */

const seen: string[] = [];
let servers: readonly Server[] = [];
let ports: readonly number[] = [];
let router: TenantRouter;

beforeAll(async () => {
  servers = ['0', '1', '2'].map((name) =>
    createServer((request, response) => {
      seen.push(`${name} ${request.method} ${request.url}`);
      response.setHeader('content-type', 'application/json');
      response.end('{"clinic":"7"}');
    }),
  );
  ports = await Promise.all(servers.map(listen));
  const settings: TenantSettings = {
    ...tenant('north', ['north.example'], ...ports.map((port) => backend(`http://127.0.0.1:${port}`))),
    balancing: {
      method: 'sticky',
      replicationDelayMs: 0,
      queue: { length: 10, waitMs: 1_000 },
      retryPercent: 10,
      slowStartMs: 0,
      healthCheck: undefined,
    },
  };
  router = createTenantRouter([settings]);
});
afterAll(async () => {
  await router.close(0);
  await Promise.all(servers.map(stop));
});

function exchange(session: string, more: { facts?: Partial<RequestFacts>; route?: object } = {}): Exchange {
  const facts = {
    method: 'DELETE',
    path: { text: '/patient.php' },
    query: '',
    headers: new Map(),
    ...more.facts,
  };
  return {
    tenant: router.tenants[0],
    route: { backendTimeoutMs: 2_000, ...more.route },
    policy: {
      match: () => undefined,
      decide: () => ({
        effect: 'permit',
        obligations: { answer: () => ({ release: 'unchanged', reasons: [] }) },
      }),
    },
    obligations: { existing: () => ({ release: 'unchanged', reasons: [] }) },
    reasons: [],
    answerJudges: [],
    outgoing: {},
    intentRecorded: true,
    principal: { kind: 'anonymous' },
    session: { id: session },
    facts: { authority: 'north.example', peer: '127.0.0.1', body: { kind: 'none' }, ...facts },
    services: { clock: systemClock },
    client: { gone: false },
    runtime: { contentLimits: { jsonDepth: 32, answerBytes: 1_000_000 } },
    failed() {},
  } as unknown as Exchange;
}

describe('a look before a change', () => {
  test.each(['anna', 'boris', 'clara', 'dora'])(
    'goes where the session of %s lives, each time',
    async (session) => {
      const { origin = '' } = router.tenants[0]?.pick('primary', session) ?? {};
      const home = ports.indexOf(Number(new URL(origin).port));
      seen.length = 0;
      for (let n = 0; n < 6; n += 1) {
        const x = exchange(session);
        expect(await judgeExisting(x)).toBeUndefined();
        expect(await isGiven(x)).toBe(true);
      }
      expect(new Set(seen)).toEqual(new Set([`${home} GET /patient.php`]));
      expect(seen).toHaveLength(12);
    },
  );

  test.each([
    ['by the query that names the record', {}, 'id=9', '/patient.php?id=9'],
    [
      'without one, where FHIR names it by the path',
      { fhir: { interaction: 'delete' } },
      '_cascade=delete',
      '/patient.php',
    ],
  ])('is made %s', async (_, route, query, url) => {
    seen.length = 0;
    expect(await judgeExisting(exchange('anna', { route, facts: { query } }))).toBeUndefined();
    expect(seen.map((line) => line.slice(2))).toEqual([`GET ${url}`]);
  });
});
