import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyActivityLog } from '../../activity-log/index.ts';
import { metric } from '../../examples/demo/evidence.ts';
import { type Stack, TENANTS, type TenantName } from '../../examples/demo/stack.ts';
import { type LaunchedEmr, launchEmr } from '../../examples/legacy-emr/launch.ts';
import {
  alive,
  childrenOf,
  EmrWatch,
  good,
  Load,
  observations,
  readLedger,
  type Sample,
  until,
} from '../support/load.ts';
import { stackFor } from '../support/stack.ts';

/** `kill -9` of each process, one after the other, under a load that never stops. */

/** Milliseconds within which there is service again once the cause has ended. */
const RECOVERY_MS = 5_000;
/** The age up to which the demo's policy lets a read use a verdict. */
const BOUNDED_MS = 1_000;
/** The checker's time limit is 1 s; the rest is what a busy machine may take. A bound on hanging. */
const PROMPT_MS = 3_000;

let stack: Stack;
let load: Load | undefined;
const emrs = {} as Record<TenantName, EmrWatch>;
const figures: Record<string, unknown> = {};

beforeAll(async () => {
  const plenty = { requests: 1_000_000, window: '10s' };
  stack = await stackFor('kill-processes', { workers: 2, limits: { perPeer: plenty, perPrincipal: plenty } });
});
afterAll(async () => {
  console.info(JSON.stringify(figures, undefined, 1));
  await stack?.stop();
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
});

async function begin(): Promise<Load> {
  for (const tenant of TENANTS) emrs[tenant] = await EmrWatch.start(stack.tenants[tenant].emr.origin);
  load = await Load.start(stack, { readers: 2, writers: 2 });
  await load.content(performance.now(), 20_000);
  return load;
}

/** Ends the load and holds what clients were told against the activity log, the EMRs and their databases. */
async function prove(running: Load): Promise<Record<string, number>> {
  const samples = await running.stop();
  for (const tenant of TENANTS) await emrs[tenant].stop();
  // A worker's last records may be on their way to the disk still.
  await sleep(100);
  const report = await verifyActivityLog(stack.layout.activity);
  expect(report.faults).toEqual([]);
  const { requests } = await readLedger(stack.layout.activity);

  const unaccounted: unknown[] = [];
  for (const sample of samples) {
    if (sample.status === 0) continue;
    const account = requests.get(sample.requestId);
    const outcome = account?.outcomes[0];
    const right =
      account?.outcomes.length === 1 &&
      outcome?.status === sample.status &&
      (!good(sample) || (account.intents.length === 1 && outcome.outcome === 'permitted'));
    if (!right) unaccounted.push({ sample, account });
  }
  expect(unaccounted, 'every answer has its records').toEqual([]);

  let seen = 0;
  for (const tenant of TENANTS) {
    expect(emrs[tenant].missed, 'requests that this test did not see').toBe(0);
    const unannounced = emrs[tenant].seen.filter(
      ({ requestId }) => requests.get(requestId)?.intents.length !== 1,
    );
    expect(unannounced, 'nothing reached the EMR without an intent').toEqual([]);
    seen += emrs[tenant].seen.length;

    const { rows, audited } = await observations(stack, stack.tenants[tenant]);
    const made = samples.filter((sample) => sample.tenant === tenant && sample.status === 201);
    expect(made.filter((sample) => sample.made === '')).toEqual([]);
    expect(
      made.filter(({ made: id }) => !rows.has(id) || !audited.has(id)),
      'every write that was answered has its row and its audit row',
    ).toEqual([]);
  }
  return {
    requests: samples.length,
    served: samples.filter(good).length,
    refused: samples.filter((sample) => sample.status >= 400).length,
    unanswered: samples.filter((sample) => sample.status === 0).length,
    seenByEmrs: seen,
    records: report.records,
  };
}

/** Requests that were sent after `from` and answered before `to`. */
const between = (samples: readonly Sample[], from: number, to: number): Sample[] =>
  samples.filter((sample) => sample.startedAt > from && sample.endedAt < to);

const slowest = (samples: readonly Sample[]): number =>
  Math.round(Math.max(0, ...samples.map((sample) => sample.endedAt - sample.startedAt)));

/** While integrity cannot be verified: no write, no read past its bound, and nobody is left waiting. */
function expectNothingServed(samples: readonly Sample[], killedAt: number, endedAt: number): void {
  const writes = between(samples, killedAt, endedAt).filter(({ kind }) => kind === 'write');
  const reads = between(samples, killedAt + BOUNDED_MS, endedAt).filter(({ kind }) => kind === 'read');
  expect(writes.length).toBeGreaterThan(10);
  expect(reads.length).toBeGreaterThan(10);
  for (const sample of [...writes, ...reads])
    expect(sample, 'an unverified answer').toMatchObject({ status: 503 });
  expect(slowest(between(samples, killedAt, endedAt))).toBeLessThan(PROMPT_MS);
}

describe('kill -9 under load', () => {
  it('of a worker: the other serves, a new one takes its place', async () => {
    const running = await begin();
    const before = childrenOf(stack.gateway.pid);
    const victim = before[0] ?? 0;
    const killedAt = performance.now();
    process.kill(victim, 'SIGKILL');
    const served = await running.content(killedAt, RECOVERY_MS);
    await until('a new worker', () => childrenOf(stack.gateway.pid).length === before.length, 20_000);
    const replaced = Math.round(performance.now() - killedAt);
    await until(
      'the alarm',
      async () => (await metric(stack, 'chartgate_alarms_total', { alarm: 'worker-exit' })) === 1,
      5_000,
    );
    const counts = await prove(running);
    // Each client may lose the request that it had under way, and no other.
    expect(counts.unanswered).toBeLessThanOrEqual(8);
    figures.worker = { ...counts, served, replaced };
  });

  it('of the checker: nothing is served unverified, and the EMR is left alone', async () => {
    const running = await begin();
    const killedAt = performance.now();
    await stack.checker.kill();
    await sleep(BOUNDED_MS + 100);
    await Promise.all(TENANTS.map((tenant) => emrs[tenant].look()));
    const quiet = TENANTS.map((tenant) => emrs[tenant].total);
    await sleep(700);
    await Promise.all(TENANTS.map((tenant) => emrs[tenant].look()));
    expect(TENANTS.map((tenant) => emrs[tenant].total)).toEqual(quiet);
    const endedAt = performance.now();
    await stack.checker.start();
    const startedAt = performance.now();
    const back = await running.content(startedAt, RECOVERY_MS);
    const counts = await prove(running);
    expectNothingServed(running.samples, killedAt, endedAt);
    figures.checker = {
      ...counts,
      back,
      start: Math.round(startedAt - endedAt),
      slowest: slowest(between(running.samples, killedAt, endedAt)),
    };
  });

  it('of the database: nothing is served unverified, and what was answered is in it afterwards', async () => {
    const running = await begin();
    const killedAt = performance.now();
    await stack.mariadb.kill();
    await sleep(BOUNDED_MS + 800);
    const endedAt = performance.now();
    await stack.mariadb.restart();
    const startedAt = performance.now();
    const back = await running.content(startedAt, RECOVERY_MS);
    const counts = await prove(running);
    expectNothingServed(running.samples, killedAt, endedAt);
    figures.mariadb = {
      ...counts,
      back,
      start: Math.round(startedAt - endedAt),
      slowest: slowest(between(running.samples, killedAt, endedAt)),
    };
  });
});
