import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { RedisSettings } from '../../../contracts/limits.ts';
import { type PrivateRedis, startPrivateRedis } from '../../../examples/support/private-redis.ts';
import { Counts } from '../../../gateway/guard/counts.ts';
import { RedisStore } from '../../../gateway/limits/redis.ts';
import { until } from '../../support/process.ts';

const KEY = JSON.stringify(['north', 'somebody']);
const BOUND_MS = 10_000;
let redis: PrivateRedis;
let stores: RedisStore[];
let counts: Counts[];

beforeAll(async () => {
  redis = await startPrivateRedis({
    directory: join(import.meta.dirname, '..', '..', '..', '.work', 'guard-redis'),
  });
  const settings: RedisSettings = {
    host: redis.host,
    port: redis.port,
    socketPath: undefined,
    authority: undefined,
    user: undefined,
    password: undefined,
    database: 0,
    gateways: 2,
    timeoutMs: 500,
  };
  stores = [new RedisStore(settings), new RedisStore(settings)];
  counts = stores.map(
    (store) =>
      new Counts({
        windowMs: 60_000,
        key: Buffer.from('the same at both'),
        desk: undefined,
        redis: store,
        clock: systemClock,
      }),
  );
  await until('both are connected', () => stores.every((each) => each.available), BOUND_MS);
});
afterAll(async () => {
  for (const each of counts ?? []) each.close();
  for (const each of stores ?? []) await each.close();
  await redis?.stop();
});

it('two gateways add up in Redis, a patient that both saw once', async () => {
  counts[0]?.report(KEY, 3, ['1', '2', '3']);
  await sleep(100);
  counts[1]?.report(KEY, 2, ['3', '4']);
  await until('the second knows', () => counts[1]?.of(KEY)?.misses === 5, BOUND_MS);
  expect(counts[1]?.of(KEY)).toMatchObject({ misses: 5, patients: 4 });
  // The first learns of it with what it reports next.
  counts[0]?.report(KEY, 1, []);
  await until('the first knows', () => counts[0]?.of(KEY)?.misses === 6, BOUND_MS);
  expect(counts[0]?.of(KEY)?.patients).toBe(4);
});

it('each goes on by itself while Redis is away', async () => {
  await redis.kill();
  await until('its loss is noticed', () => stores.every((each) => !each.available), BOUND_MS);
  counts[0]?.report(KEY, 1, ['9']);
  await sleep(100);
  // Nothing is forgotten that was known before.
  expect(counts[0]?.of(KEY)).toMatchObject({ misses: 7, patients: 4 });
});
