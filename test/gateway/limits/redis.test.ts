import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { secretOf } from '../../../config/secret.ts';
import { systemClock } from '../../../contracts/clock.ts';
import type { RedisSettings } from '../../../contracts/limits.ts';
import { createAuthority } from '../../../examples/support/local-authority.ts';
import { freePort } from '../../../examples/support/ports.ts';
import { type PrivateRedis, startPrivateRedis } from '../../../examples/support/private-redis.ts';
import { createLimits, type Limits } from '../../../gateway/limits/index.ts';
import { RedisStore } from '../../../gateway/limits/redis.ts';
import { until } from '../../support/process.ts';
import { per, settingsOf, type Wanted, workersWith } from './support.ts';

const PASSWORD = 'only-for-this-test';
const RULES =
  '~chartgate:* resetchannels -@all +ping +info +hello +client|setname +select +eval +evalsha +set +incrby +pttl ' +
  '+pexpire +sadd +scard +del +exists +multi +exec +discard +cluster|slots +cluster|info';
const directory = join(import.meta.dirname, '..', '..', '..', '.work', 'limits-redis');
let redis: PrivateRedis;
let port: number;

const start = () => startPrivateRedis({ directory, port, password: PASSWORD });
const settings = (more: Partial<RedisSettings> = {}): RedisSettings => ({
  host: '127.0.0.1',
  port,
  socketPath: undefined,
  authority: undefined,
  user: undefined,
  password: secretOf(Buffer.from(PASSWORD)),
  database: 0,
  gateways: 2,
  timeoutMs: 100,
  ...more,
});

beforeAll(async () => {
  port = await freePort();
  redis = await start();
});
afterAll(() => redis?.stop());

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** One worker of each of several gateways, which only Redis joins. */
async function gateways(count: number, wanted: Wanted): Promise<Limits[]> {
  const limits = Array.from({ length: count }, () =>
    createLimits({
      limits: settingsOf({ redis: settings({ gateways: count }), ...wanted }),
      tenants: [],
      workers: 1,
      desk: undefined,
      clock: systemClock,
    }),
  );
  open.push(...limits);
  await shared(limits);
  return limits;
}

const shared = (limits: readonly Limits[]) =>
  until('Redis is used', () => limits.every((each) => each.redis?.available === true), 5000);

async function passing(limits: Limits | undefined, peer: string, count: number): Promise<number> {
  let passed = 0;
  for (let n = 0; n < count; n += 1) if ((await limits?.peer(peer)) === undefined) passed += 1;
  return passed;
}

describe('gateways that share Redis', () => {
  it.each([
    [10, 2],
    [1000, 2],
    [300, 3],
  ])('let %i pass over %i of them together', async (requests, count) => {
    const limits = await gateways(count, { perPeer: [per(requests, 60)] });
    const peer = `192.0.2.${requests % 250}`;
    const passed = await Promise.all(
      limits.map((each, index) => passing(each, peer, index === 0 ? requests * 5 : requests)),
    );
    const sum = passed.reduce((a, b) => a + b, 0);
    expect(sum).toBeLessThanOrEqual(requests);
    expect(sum).toBeGreaterThanOrEqual(Math.floor(requests * 0.98));
  });

  it('see nothing there of who they count', async () => {
    const [limits] = await gateways(1, { perPeer: [per(10, 60)] });
    await limits?.peer('192.0.2.99');
    const { Redis } = await import('ioredis');
    const client = new Redis({ host: '127.0.0.1', port, password: PASSWORD });
    const keys = await client.keys('*');
    client.disconnect();
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.join(' ')).not.toContain('192.0.2');
    for (const key of keys) expect(key).toMatch(/^chartgate:(limit|guard):\{?[\w-]{22}\}?(:[\w-]+)?$/);
  });

  it('have each their part while it is away, and count together again when it is back', async () => {
    const limits = await gateways(2, { perPeer: [per(100, 3)] });
    await redis.kill();
    await until('its loss is noticed', () => limits.every((each) => each.redis?.available === false), 3000);
    const alone = await Promise.all(limits.map((each) => passing(each, '192.0.2.50', 300)));
    expect(alone).toEqual([50, 50]);
    redis = await start();
    await shared(limits);
    await sleep(3100);
    const together = await Promise.all(limits.map((each) => passing(each, '192.0.2.50', 300)));
    const sum = (together[0] ?? 0) + (together[1] ?? 0);
    expect(sum).toBeLessThanOrEqual(100);
    expect(sum).toBeGreaterThanOrEqual(98);
  }, 20_000);

  it('do not begin anew when it is lost in the middle of a window', async () => {
    const limits = await gateways(2, { perPeer: [per(100, 20)] });
    const before = await passing(limits[0], '192.0.2.60', 80);
    expect(before).toBe(80);
    await redis.kill();
    await until('its loss is noticed', () => limits.every((each) => each.redis?.available === false), 3000);
    // 80 of its own part of 50 have passed already, but for what it holds.
    expect(await passing(limits[0], '192.0.2.60', 100)).toBeLessThanOrEqual(1);
    expect(await passing(limits[1], '192.0.2.60', 100)).toBeLessThanOrEqual(50);
    redis = await start();
  }, 20_000);

  it('wait once, and then for nobody, when it stands still', async () => {
    const limits = await gateways(2, { perPeer: [per(100, 60)] });
    redis.pause();
    try {
      const begun = performance.now();
      expect(await passing(limits[0], '192.0.2.70', 200)).toBe(50);
      // One time limit of 100 ms; a time limit for each request would be seconds.
      expect(performance.now() - begun).toBeLessThan(1500);
    } finally {
      redis.resume();
    }
    await shared([limits[0]].flatMap((each) => each ?? []));
  }, 20_000);

  it('count over the workers of one gateway too while it is away', async () => {
    const wanted = { perPeer: [per(100, 60)], redis: settings({ gateways: 2, port: await freePort() }) };
    const workers = workersWith(wanted, 2);
    open.push(workers);
    const passed = await Promise.all(workers.limits.map((each) => passing(each, '192.0.2.80', 300)));
    const sum = (passed[0] ?? 0) + (passed[1] ?? 0);
    expect(sum).toBeLessThanOrEqual(50);
    expect(sum).toBeGreaterThanOrEqual(48);
  });

  it.each([
    ['another password', { password: secretOf(Buffer.from('another')) }],
    ['no password', { password: undefined }],
    ['a user that is not there', { user: 'nobody' }],
  ])('with %s have their part alone', async (_, more) => {
    const limits = createLimits({
      limits: settingsOf({ redis: settings(more), perPeer: [per(10, 60)] }),
      tenants: [],
      workers: 1,
      desk: undefined,
      clock: systemClock,
    });
    open.push(limits);
    await sleep(700);
    expect(limits.redis?.available).toBe(false);
    expect(await passing(limits, '192.0.2.90', 30)).toBe(5);
  });
});

describe('what the guards saw, in Redis', () => {
  it('is added up, each patient once, and ends with its window', async () => {
    const stores = [new RedisStore(settings()), new RedisStore(settings())];
    open.push(...stores);
    await until('both are connected', () => stores.every((each) => each.available), 5000);
    const report = (store: number, misses: number, patients: string[]) =>
      stores[store]?.tally({ key: 'somebody', windowMs: 1200, misses, patients });
    expect(await report(0, 2, ['a', 'b'])).toMatchObject({ misses: 2, patients: 2 });
    expect(await report(1, 1, ['b', 'c'])).toMatchObject({ misses: 3, patients: 3 });
    expect(await report(1, 0, [])).toMatchObject({ misses: 3, patients: 3 });
    await sleep(1300);
    expect(await report(0, 1, [])).toMatchObject({ misses: 1, patients: 0 });
  });
});

describe('marks in Redis', () => {
  it('hold at every gateway, end with their time, and count as forgotten once it was lost', async () => {
    const stores = [new RedisStore(settings()), new RedisStore(settings())];
    open.push(...stores);
    const [one, other] = stores;
    await until('both are connected', () => stores.every((each) => each.available), 5000);
    // Whatever was marked before it was connected to cannot be known.
    await expect(other?.marked('uma')).rejects.toThrow(/forgotten/);
    expect(await other?.marked('uma')).toBe(false);
    await one?.mark('uma', 400);
    expect(await other?.marked('uma')).toBe(true);
    expect(await other?.marked('boris')).toBe(false);
    await sleep(450);
    expect(await other?.marked('uma')).toBe(false);
    await one?.mark('uma', 60_000);
    await redis.kill();
    await expect(other?.marked('uma')).rejects.toThrow();
    await expect(one?.mark('uma', 60_000)).rejects.toThrow();
    redis = await start();
    await until('both are connected again', () => stores.every((each) => each.available), 5000);
    await expect(other?.marked('uma')).rejects.toThrow(/forgotten/);
    expect(await other?.marked('uma')).toBe(false);
  }, 20_000);
});

describe('an account that may do no more than the gateways need', () => {
  it('is enough, and reaches nothing of others', async () => {
    const { Redis } = await import('ioredis');
    const client = new Redis({ host: '127.0.0.1', port, password: PASSWORD });
    // As docs/several-gateways.md has it.
    await client.call('ACL', 'SETUSER', 'gate', 'on', `>${PASSWORD}`, ...RULES.split(' '));
    await client.set('others', '1');
    await client.call('ACL', 'LOG', 'RESET');
    const store = new RedisStore(settings({ user: 'gate' }));
    open.push(store);
    await until('it is used', () => store.available, 5000);
    const lease = { limiter: 'l', demand: per(10, 60), key: 'k', want: 4, used: 0 };
    expect(await store.lease(lease)).toMatchObject({ granted: 4, rest: 6 });
    expect(
      await store.tally({ key: 'somebody else', windowMs: 1200, misses: 1, patients: ['a'] }),
    ).toMatchObject({ misses: 1, patients: 1 });
    await store.forget('somebody else');
    await store.mark('m', 60_000);
    await expect(store.marked('m')).rejects.toThrow(/forgotten/);
    expect(await store.marked('m')).toBe(true);
    expect(store.available).toBe(true);
    const gate = new Redis({
      host: '127.0.0.1',
      port,
      username: 'gate',
      password: PASSWORD,
      disableClientInfo: true,
    });
    gate.on('error', () => {});
    for (const call of [
      ['GET', 'others'],
      ['DEL', 'others'],
      ['KEYS', '*'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
    ])
      await expect(gate.call(call[0] ?? '', ...call.slice(1))).rejects.toThrow(/NOPERM/);
    gate.disconnect();
    const denied = (await client.call('ACL', 'LOG')) as unknown[];
    // Those five and none of the gateway's own.
    expect(denied.length).toBe(5);
    client.disconnect();
  });
});

describe('Redis with TLS', () => {
  it('is used when its certificate is of the authority, and not otherwise', async () => {
    const folder = join(directory, 'tls');
    mkdirSync(folder, { recursive: true });
    const authority = await createAuthority('Redis test');
    const other = await createAuthority('Another');
    const issued = await authority.issue({ commonName: 'localhost', hosts: ['127.0.0.1', 'localhost'] });
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const tls = {
      certificate: file('certificate.pem', issued.certificatePem),
      key: file('key.pem', issued.keyPem),
      authority: file('authority.pem', authority.certificatePem),
    };
    const secure = await startPrivateRedis({ directory: folder, tls });
    try {
      const to = (pem: string) =>
        new RedisStore(
          settings({
            host: 'localhost',
            port: secure.port,
            password: undefined,
            authority: Buffer.from(pem),
          }),
        );
      const good = to(authority.certificatePem);
      const bad = to(other.certificatePem);
      open.push(good, bad);
      await until('it is used', () => good.available, 5000);
      await sleep(700);
      expect(bad.available).toBe(false);
    } finally {
      await secure.stop();
    }
  }, 20_000);
});
