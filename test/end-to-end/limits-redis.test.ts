import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metric } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask } from '../../examples/support/https-client.ts';
import { freePort } from '../../examples/support/ports.ts';
import { type PrivateRedis, startPrivateRedis } from '../../examples/support/private-redis.ts';
import { until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

const BOUND_MS = 10_000;
const WINDOW_S = 3;
const PLENTY = { requests: 1_000_000, window: '10s' };

describe('a gateway that shares limits with another in Redis', () => {
  let stack: Stack;
  let redis: PrivateRedis;
  let port: number;
  let token: string;
  const directory = join(import.meta.dirname, '..', '..', '.work', 'limits-redis-server');
  beforeAll(async () => {
    port = await freePort();
    redis = await startPrivateRedis({ directory, port });
    stack = await stackFor('limits-redis', {
      workers: 2,
      limits: {
        perPeer: PLENTY,
        perPrincipal: { requests: 40, window: `${WINDOW_S}s` },
        redis: { host: '127.0.0.1', port, gateways: 2 },
      },
    });
    token = await stack.token({ tenant: 'north', scopes: ['system/Patient.r'] });
  });
  afterAll(async () => {
    await stack?.stop();
    await redis?.stop();
  });

  /** Requests of which this many pass in a window that begins with the first of them. */
  const passing = async (): Promise<number> => {
    for (;;) {
      await sleep(WINDOW_S * 1000 + 200);
      const begun = performance.now();
      const replies = await Promise.all(
        Array.from({ length: 60 }, () =>
          ask({ url: `${stack.tenants.north.origin}/fhir/Patient/1`, authority: stack.authority, token }),
        ),
      );
      for (const { status } of replies) expect([200, 429]).toContain(status);
      // On a machine that took longer than that, two windows were met, and nothing was learned.
      if (performance.now() - begun < WINDOW_S * 1000)
        return replies.filter(({ status }) => status === 200).length;
    }
  };
  const shared = (value: number) =>
    until(
      `both workers say ${value}`,
      async () => {
        const text = await (await fetch(`${stack.operationsUrl}/metrics`)).text();
        return text.match(new RegExp(`^chartgate_limits_shared\\{.*\\} ${value}$`, 'gm'))?.length === 2;
      },
      BOUND_MS,
    );

  it('lets the whole limit pass, its own part while Redis is away, and the whole again; nobody fails', async () => {
    await shared(1);
    expect(await passing()).toBe(40);
    await redis.kill();
    await shared(0);
    expect(await metric(stack, 'chartgate_alarms_total', { alarm: 'limits-unshared' })).toBe(2);
    expect(await passing()).toBe(20);
    redis = await startPrivateRedis({ directory, port });
    await shared(1);
    expect(await passing()).toBe(40);
  }, 60_000);
});
