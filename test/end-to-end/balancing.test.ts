import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metric } from '../../examples/demo/evidence.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask, type Reply } from '../../examples/support/https-client.ts';
import { FaultyEmr, type Mode } from '../../measure/router/faults/back-end.ts';
import { LaggingEmrs } from '../../measure/router/faults/lagging.ts';
import { startScene } from '../../measure/router/faults/scene.ts';
import { until } from '../support/process.ts';

const DELAY_MS = 400;
const BOUND_MS = 10_000;

/** Two workers; `north` has three back ends, `south` a primary and two replicas, a third tenant one that is easily busy. */
describe('several back ends behind a running gateway', () => {
  const faulty = new FaultyEmr();
  const sound = [new FaultyEmr(), new FaultyEmr()];
  const busy = new FaultyEmr();
  // Always less than what is configured, as an administrator would measure it.
  const lagging = new LaggingEmrs(() => 0.9 * DELAY_MS);
  let stack: Stack;
  let north: string;
  const south: string[] = [];

  beforeAll(async () => {
    const origins = await Promise.all([faulty, ...sound].map((emr) => emr.start()));
    stack = await startScene({
      directory: new URL('../../.work/balancing', import.meta.url).pathname,
      workers: 2,
      backendTimeout: '2s',
      clients: ['anna', 'boris'],
      tenants: {
        north: {
          backends: origins.map((origin) => ({ origin })),
          balancing: {
            slowStart: '0s',
            // Each of these tests is a bad minute by itself.
            retry: { budget: 50 },
            healthCheck: { path: '/health', interval: '1s', timeout: '1s' },
          },
        },
        south: {
          backends: [
            { origin: await lagging.start('primary'), role: 'primary' },
            { origin: await lagging.start('replica'), role: 'replica' },
            { origin: await lagging.start('replica'), role: 'replica' },
          ],
          balancing: { replicationDelay: `${DELAY_MS}ms` },
        },
      },
      third: {
        backends: [{ origin: await busy.start(), connections: 1 }],
        balancing: { queue: { length: 1, wait: '300ms' } },
      },
    });
    north = await stack.token({ tenant: 'north', scopes: ['system/Patient.cruds'] });
    for (const client of ['anna', 'boris'])
      south.push(await stack.token({ tenant: 'south', client, scopes: ['system/Patient.cruds'] }));
  });
  afterAll(async () => {
    await stack?.stop();
    for (const each of [faulty, ...sound, busy, lagging]) await each.stop();
  });

  const read = (id: number): Promise<Reply> =>
    ask({
      url: `${stack.tenants.north.origin}/fhir/Patient/${id}`,
      authority: stack.authority,
      token: north,
    });
  const create = (): Promise<Reply> =>
    ask({
      url: `${stack.tenants.north.origin}/fhir/Patient`,
      authority: stack.authority,
      token: north,
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: '{"resourceType":"Patient"}',
    });
  const logo = (): Promise<Reply> => {
    const { port } = new URL(stack.tenants.north.origin);
    return ask({ url: `https://localhost:${port}/static/logo.svg`, authority: stack.authority });
  };
  const attempts = () => faulty.attempts + sound.reduce((sum, emr) => sum + emr.attempts, 0);

  async function recovered(): Promise<void> {
    await faulty.become('well');
    const before = faulty.attempts;
    await until(
      'it to be asked again',
      async () => (await read(1)).status === 200 && faulty.attempts > before,
      BOUND_MS,
    );
  }

  it.each<readonly [string, Mode]>([
    ['resets connections', 'resets'],
    ['answers garbage', 'garbage'],
    ['closes after its headers', 'closes-after-headers'],
    ['refuses connections', 'refuses'],
    ['says that it cannot serve', 'unwell'],
    ['hangs', 'hangs'],
  ])(
    'one that %s costs readers nothing, and no more than a few further attempts',
    async (_what, mode) => {
      await recovered();
      const before = attempts();
      await faulty.become(mode);
      const replies = await Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          await sleep(n * 10);
          return read(n + 1);
        }),
      );
      expect(replies.map(({ status }) => status)).toEqual(Array(60).fill(200));
      expect(replies.map(({ text }) => (JSON.parse(text) as { id: string }).id)).toEqual(
        Array.from({ length: 60 }, (_, n) => String(n + 1)),
      );
      expect(attempts() - before).toBeLessThan(60 + 30);
    },
    30_000,
  );

  it('a write is never sent twice, unless nobody got it', async () => {
    await recovered();
    await faulty.become('resets');
    const writes = () => faulty.writes + sound.reduce((sum, emr) => sum + emr.writes, 0);
    const before = writes();
    const replies: Reply[] = [];
    for (let n = 0; n < 12; n += 1) replies.push(await create());
    expect(writes() - before).toBe(12);
    // What was lost with the connection is not known to have been done, and is said so.
    expect(replies.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(6);
    await recovered();
    await faulty.become('refuses');
    for (let n = 0; n < 6; n += 1) expect((await create()).status).toBe(201);
  }, 30_000);

  it('a kept connection that breaks when it is used again is no failure, though there is no other back end', async () => {
    await busy.become('closes-idle');
    for (let n = 1; n <= 8; n += 1) expect((await logo()).status).toBe(200);
    expect(busy.attempts).toBeGreaterThan(8);
  });

  it('counts in the metrics what it sent again, and which one is left out', async () => {
    await faulty.become('refuses');
    await until(
      'it to be left out',
      async () => {
        await read(1);
        const at = { tenant: 'north', backend: '0' };
        return (
          (await metric(stack, 'chartgate_backend_unhealthy', at)) === 2 &&
          (await metric(stack, 'chartgate_backend_retries_total', { tenant: 'north' })) > 0
        );
      },
      BOUND_MS,
    );
    await faulty.become('well');
  });

  it('whoever has written reads what they wrote, at once and at whichever worker; others read from replicas', async () => {
    const { origin } = stack.tenants.south;
    const patient = (who: number, method: string, body?: string) =>
      ask({
        url: `${origin}/fhir/Patient/${who + 1}`,
        authority: stack.authority,
        token: south[who],
        method,
        ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/fhir+json' } }),
      });
    // Neither worker reads from a replica before it can know who writes.
    await sleep(1_100);
    const before = { ...lagging.reads };
    for (let n = 0; n < 10; n += 1) expect((await patient(1, 'GET')).status).toBe(200);
    expect(lagging.reads.replica - before.replica).toBe(10);
    for (let value = 1; value <= 8; value += 1) {
      const body = JSON.stringify({ resourceType: 'Patient', id: '1', multipleBirthInteger: value });
      expect((await patient(0, 'PUT', body)).status).toBe(200);
      // Connections of their own: each may be at the other worker.
      const seen = await Promise.all(Array.from({ length: 6 }, () => patient(0, 'GET')));
      for (const { text } of seen)
        expect((JSON.parse(text) as { multipleBirthInteger: number }).multipleBirthInteger).toBe(value);
    }
    const others = lagging.reads.replica;
    for (let n = 0; n < 10; n += 1) await patient(1, 'GET');
    expect(lagging.reads.replica - others).toBe(10);
    expect(lagging.writesAtReplicas).toBe(0);
  });

  it('who finds no room is told at once when to ask again, and who waits too long is too', async () => {
    const get = async () => {
      const begun = performance.now();
      const { status, headers } = await logo();
      return { status, again: headers['retry-after'], ms: performance.now() - begun };
    };
    await busy.become('hangs');
    // Two workers, each with one connection and room for one more to wait.
    const replies = await Promise.all(Array.from({ length: 16 }, get));
    const refused = replies.filter(({ status }) => status === 503);
    expect(replies.filter(({ status }) => status === 504).length).toBeGreaterThanOrEqual(1);
    expect(refused.length).toBeGreaterThanOrEqual(12);
    for (const { again } of refused) expect(again).toBe('1');
    const waited = replies.filter(({ status }) => status === 504).map(({ ms }) => ms);
    expect(Math.min(...refused.map(({ ms }) => ms))).toBeLessThan(Math.min(...waited));
  });
});
