import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { secretOf } from '../../../config/secret.ts';
import { systemClock } from '../../../contracts/clock.ts';
import type { RedisNode, RedisSettings } from '../../../contracts/limits.ts';
import { guard } from '../../../examples/support/guardian.ts';
import { createAuthority } from '../../../examples/support/local-authority.ts';
import { freePort } from '../../../examples/support/ports.ts';
import {
  type PrivateRedis,
  redisProgram,
  startPrivateRedis,
} from '../../../examples/support/private-redis.ts';
import { createLimits, type Limits } from '../../../gateway/limits/index.ts';
import { RedisStore } from '../../../gateway/limits/redis.ts';
import { until } from '../../support/process.ts';
import { per, settingsOf } from './support.ts';

/** Limits that hold over gateways which share a Redis Cluster, or a primary that sentinels name. Real servers. */

const directory = join(import.meta.dirname, '..', '..', '..', '.work', 'limits-redis-several');
const BOUND_MS = 20_000;
const GATEWAYS = 2;
const NOWHERE = { host: undefined, port: undefined, socketPath: undefined };

const settings = (more: Partial<RedisSettings>): RedisSettings => ({
  ...NOWHERE,
  authority: undefined,
  user: undefined,
  password: undefined,
  database: 0,
  gateways: GATEWAYS,
  timeoutMs: 250,
  ...more,
});
const open: { close(): Promise<void> }[] = [];
const servers: PrivateRedis[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
afterAll(async () => {
  for (const each of servers) await each.stop();
});

async function start(name: string, extra: readonly string[], port?: number): Promise<PrivateRedis> {
  const server = await startPrivateRedis({
    directory: join(directory, name),
    ...(port === undefined ? {} : { port }),
    extra,
  });
  servers.push(server);
  return server;
}

function gateways(redis: RedisSettings, requests: number, windowSeconds: number): Limits[] {
  const limits = Array.from({ length: GATEWAYS }, () =>
    createLimits({
      limits: settingsOf({ redis, perPeer: [per(requests, windowSeconds)] }),
      tenants: [],
      workers: 1,
      desk: undefined,
      clock: systemClock,
    }),
  );
  open.push(...limits);
  return limits;
}

const shared = (limits: readonly Limits[], is: boolean) =>
  until(`shared: ${is}`, () => limits.every((each) => each.redis?.available === is), BOUND_MS);

async function passing(limits: readonly Limits[], peer: string, each: number): Promise<number[]> {
  return Promise.all(
    limits.map(async (one) => {
      let passed = 0;
      for (let n = 0; n < each; n += 1) if ((await one.peer(peer)) === undefined) passed += 1;
      return passed;
    }),
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe.runIf(redisProgram() !== undefined)('a Redis Cluster of three', () => {
  const nodes: RedisNode[] = [];
  beforeAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    const started = await Promise.all(
      [1, 2, 3].map((n) =>
        start(`cluster-${n}`, [
          'cluster-enabled yes',
          'cluster-config-file nodes.conf',
          'cluster-node-timeout 1000',
          'enable-debug-command no',
        ]),
      ),
    );
    nodes.push(...started.map(({ host, port }) => ({ host, port })));
    await joined(started);
  }, 30_000);

  /** As `redis-cli --cluster create` does, over the protocol. */
  async function joined(all: readonly PrivateRedis[]): Promise<void> {
    const clients = all.map(({ host, port }) => new Redis({ host, port, lazyConnect: true }));
    const slots = [0, 5461, 10923, 16384];
    try {
      for (const [index, client] of clients.entries()) {
        await client.cluster('ADDSLOTSRANGE', slots[index] ?? 0, (slots[index + 1] ?? 1) - 1);
        await client.cluster('SET-CONFIG-EPOCH', index + 1);
      }
      for (const { port } of all.slice(1)) await clients[0]?.cluster('MEET', '127.0.0.1', port);
      await until(
        'the cluster',
        async () => {
          const said = await Promise.all(clients.map((client) => client.cluster('INFO')));
          return said.every(
            (text) => text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:3'),
          );
        },
        BOUND_MS,
      );
    } finally {
      for (const client of clients) client.disconnect();
    }
  }

  it('counts limits together, whichever node a key lies on', async () => {
    const limits = gateways(settings({ cluster: nodes.slice(0, 1) }), 100, 60);
    await shared(limits, true);
    for (let peer = 1; peer <= 6; peer += 1) {
      const total = sum(await passing(limits, `192.0.2.${peer}`, 120));
      expect(total).toBeLessThanOrEqual(100);
      expect(total).toBeGreaterThanOrEqual(98);
    }
  });

  it('adds up what the guards saw: several keys, which lie together', async () => {
    const stores = [1, 2].map(() => new RedisStore(settings({ cluster: nodes })));
    open.push(...stores);
    await until('both are connected', () => stores.every((each) => each.available), BOUND_MS);
    for (const key of ['one', 'two', 'three', 'four', 'five']) {
      const report = (store: number, misses: number, patients: string[]) =>
        stores[store]?.tally({ key, windowMs: 60_000, misses, patients });
      expect(await report(0, 2, ['a', 'b'])).toMatchObject({ misses: 2, patients: 2 });
      expect(await report(1, 1, ['b', 'c'])).toMatchObject({ misses: 3, patients: 3 });
      await stores[0]?.forget(key);
      expect(await report(1, 1, [])).toMatchObject({ misses: 1, patients: 0 });
    }
    await stores[0]?.mark('somebody', 60_000);
    await expect(stores[1]?.marked('somebody')).rejects.toThrow(/forgotten/);
    expect(await stores[1]?.marked('somebody')).toBe(true);
    expect(await stores[1]?.marked('somebody else')).toBe(false);
  });

  it('of which a node is away leaves each gateway its part, for every key, until it is back', async () => {
    const limits = gateways(settings({ cluster: nodes }), 100, 60);
    await shared(limits, true);
    const third = servers[2];
    await third?.kill();
    // Whoever asks for a key of that node notices; from then on nobody counts here and there.
    for (let peer = 0; limits.some((each) => each.redis?.available === true); peer += 1) {
      await passing(limits, `198.51.100.${peer % 250}`, 1);
      await sleep(10);
    }
    await sleep(700);
    expect(limits.map((each) => each.redis?.available)).toEqual([false, false]);
    for (let peer = 10; peer < 13; peer += 1)
      expect(await passing(limits, `192.0.2.${peer}`, 120)).toEqual([50, 50]);
    await start(
      'cluster-3',
      ['cluster-enabled yes', 'cluster-config-file nodes.conf', 'cluster-node-timeout 1000'],
      third?.port,
    );
    await shared(limits, true);
    expect(sum(await passing(limits, '192.0.2.20', 120))).toBeLessThanOrEqual(100);
  }, 40_000);
});

describe.runIf(redisProgram() !== undefined)('a primary that sentinels name', () => {
  const PASSWORD = 'only-for-this-test';
  it('is followed when it is lost: its part for each gateway, then the replica for all', async () => {
    const secret = secretOf(Buffer.from(PASSWORD));
    const access = [`requirepass ${PASSWORD}`, `masterauth ${PASSWORD}`];
    const primary = await start('primary', access);
    const replica = await start('replica', [...access, `replicaof 127.0.0.1 ${primary.port}`]);
    const sentinels = await Promise.all([1, 2, 3].map((n) => startSentinel(n, primary.port)));
    const redis = settings({
      sentinel: { name: 'chartgate', nodes: sentinels.slice(0, 2), user: undefined, password: secret },
      password: secret,
    });
    const limits = gateways(redis, 100, 30);
    await shared(limits, true);
    const before = sum(await passing(limits, '192.0.2.1', 120));
    expect(before).toBeLessThanOrEqual(100);
    expect(before).toBeGreaterThanOrEqual(98);
    await until('the replica follows', () => follows(replica), BOUND_MS);
    await primary.kill();
    await until('its loss is noticed', () => limits.every((each) => each.redis?.available === false), 5000);
    expect(await passing(limits, '192.0.2.2', 120)).toEqual([50, 50]);
    await shared(limits, true);
    // What was counted is still counted at the one that was a replica.
    expect(sum(await passing(limits, '192.0.2.1', 60))).toBe(0);
    const after = sum(await passing(limits, '192.0.2.3', 120));
    expect(after).toBeLessThanOrEqual(100);
    expect(after).toBeGreaterThanOrEqual(98);
  }, 60_000);

  async function follows({ port }: PrivateRedis): Promise<boolean> {
    const client = new Redis({ port, password: PASSWORD });
    try {
      return (await client.info('replication')).includes('master_link_status:up');
    } finally {
      client.disconnect();
    }
  }

  it('is reached by TLS, as the sentinels are, with certificates of the one authority alone', async () => {
    const folder = join(directory, 'tls');
    mkdirSync(folder, { recursive: true });
    const authority = await createAuthority('Redis test');
    const other = await createAuthority('Another');
    const issued = await authority.issue({ commonName: 'redis', hosts: ['127.0.0.1'] });
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const tls = {
      certificate: file('certificate.pem', issued.certificatePem),
      key: file('key.pem', issued.keyPem),
      authority: file('authority.pem', authority.certificatePem),
    };
    const primary = await startPrivateRedis({
      directory: join(folder, 'primary'),
      tls,
      extra: [`requirepass ${PASSWORD}`, `masterauth ${PASSWORD}`],
    });
    servers.push(primary);
    const lines = [
      'tls-auth-clients no',
      'tls-replication yes',
      `tls-cert-file ${tls.certificate}`,
      `tls-key-file ${tls.key}`,
      `tls-ca-cert-file ${tls.authority}`,
    ];
    const node = await startSentinel(4, primary.port, {
      quorum: 1,
      tls: lines,
      ca: authority.certificatePem,
    });
    const secret = secretOf(Buffer.from(PASSWORD));
    const to = (pem: string) =>
      new RedisStore(
        settings({
          sentinel: { name: 'chartgate', nodes: [node], user: undefined, password: secret },
          password: secret,
          authority: Buffer.from(pem),
        }),
      );
    const [good, bad] = [to(authority.certificatePem), to(other.certificatePem)];
    open.push(good, bad);
    await until('it is used', () => good.available, BOUND_MS);
    await sleep(700);
    expect(bad.available).toBe(false);
  }, 30_000);

  async function startSentinel(
    n: number,
    primaryPort: number,
    how: { readonly quorum: number; readonly tls?: readonly string[]; readonly ca?: string } = { quorum: 2 },
  ): Promise<RedisNode> {
    const port = await freePort();
    const folder = join(directory, `sentinel-${n}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, 'sentinel.conf');
    writeFileSync(
      file,
      `bind 127.0.0.1
${how.tls === undefined ? `port ${port}` : ['port 0', `tls-port ${port}`, ...how.tls].join('\n')}
dir ${folder}
logfile ${join(folder, 'sentinel.log')}
requirepass ${PASSWORD}
sentinel sentinel-pass ${PASSWORD}
sentinel monitor chartgate 127.0.0.1 ${primaryPort} ${how.quorum}
sentinel auth-pass chartgate ${PASSWORD}
sentinel down-after-milliseconds chartgate 700
sentinel failover-timeout chartgate 3000
`,
      { mode: 0o600 },
    );
    const child = spawn(redisProgram() ?? '', [file, '--sentinel'], { stdio: 'ignore' });
    guard(child);
    open.push({ close: async () => void child.kill('SIGKILL') });
    const client = new Redis({
      port,
      password: PASSWORD,
      host: '127.0.0.1',
      enableReadyCheck: false,
      lazyConnect: true,
      ...(how.ca === undefined ? {} : { tls: { ca: how.ca } }),
    });
    client.on('error', () => {});
    await until(
      'a sentinel that knows the others and the replica',
      async () => {
        try {
          const said = await client.info('sentinel');
          return said.includes(how.quorum === 1 ? 'status=ok' : 'slaves=1,sentinels=3');
        } catch {
          return false;
        }
      },
      BOUND_MS,
    );
    client.disconnect();
    return { host: '127.0.0.1', port };
  }
});
