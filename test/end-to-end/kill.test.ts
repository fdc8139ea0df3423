import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyActivityLog } from '../../activity-log/index.ts';
import { metric } from '../../examples/demo/evidence.ts';
import { type Stack, TENANTS, type TenantName } from '../../examples/demo/stack.ts';
import { type LaunchedEmr, launchEmr } from '../../examples/legacy-emr/launch.ts';
import { ask, type Reply } from '../../examples/support/https-client.ts';
import { EmrWatch, observations, readLedger } from '../support/ledger.ts';
import { good, Load, observationOf, type Sample } from '../support/load.ts';
import { alive, childrenOf, showFigures, until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

/** `kill -9` of each process, one after the other, under a load that never stops. */

/** Milliseconds within which there is service again once the cause has ended. */
const RECOVERY_MS = 5_000;
/** The age up to which the demo's policy lets a read use a verdict. */
const BOUNDED_MS = 1_000;
/** The checker's time limit is 1 s; the rest is what a busy machine may take. A bound on hanging. */
const PROMPT_MS = 3_000;
/** Within which workers end whose supervisor is gone. */
const ORPHAN_MS = 5_000;

let stack: Stack;
let load: Load | undefined;
let extraEmr: LaunchedEmr | undefined;
const emrs = {} as Record<TenantName, EmrWatch>;
const figures: Record<string, unknown> = {};

beforeAll(async () => {
  const plenty = { requests: 1_000_000, window: '10s' };
  stack = await stackFor('kill-processes', { workers: 2, limits: { perPeer: plenty, perPrincipal: plenty } });
  // What an issuer confirmed is believed for a minute; here for a second, so that its loss shows.
  const file = join(stack.layout.gateway, 'gateway.yaml');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('    algorithms:', '    cache: { maxAge: 1s }\n    algorithms:'),
  );
  stack.gateway.signal('SIGHUP');
  const log = join(stack.layout.logs, 'gateway.log');
  await until('the reload', () => readFileSync(log, 'utf8').includes('"reloaded"'), 20_000);
});
afterAll(async () => {
  showFigures('kill', figures);
  await extraEmr?.stop();
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
  await sleep(400);
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
  for (const [request, { outcomes, unverified }] of requests) {
    // A write whose audit nobody can vouch for is never a success, and says so.
    const unvouched = outcomes.some(({ reason }) => reason === 'integrity-changed-during-write');
    if (unvouched !== (unverified.length === 1)) unaccounted.push({ request, outcomes, unverified });
    if (unvouched && outcomes.some(({ status }) => status !== 503)) unaccounted.push({ request, outcomes });
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
    unverifiedWrites: [...requests.values()].filter(({ unverified }) => unverified.length > 0).length,
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

  it('of the checker that hangs: the same, each request within the time limit', async () => {
    const running = await begin();
    const killedAt = performance.now();
    stack.checker.signal('SIGSTOP');
    await sleep(BOUNDED_MS + 1_500);
    const endedAt = performance.now();
    stack.checker.signal('SIGCONT');
    const back = await running.content(endedAt, RECOVERY_MS);
    const counts = await prove(running);
    const waited = between(running.samples, killedAt + BOUNDED_MS, endedAt);
    expect(waited.length).toBeGreaterThan(4);
    for (const sample of waited) expect(sample, 'an unverified answer').toMatchObject({ status: 503 });
    expect(slowest(waited)).toBeLessThan(PROMPT_MS);
    figures.hang = { ...counts, back, slowest: slowest(waited) };
  });

  it('of one EMR: its tenant is refused, the other tenant notices nothing', async () => {
    const running = await begin();
    const { north } = stack.tenants;
    const killedAt = performance.now();
    await north.emr.kill();
    const goneAt = performance.now();
    await sleep(1_500);
    const endedAt = performance.now();
    extraEmr = await launchEmr({
      clinic: north.clinic,
      port: north.emr.port,
      database: {
        host: stack.mariadb.host,
        port: stack.mariadb.port,
        name: north.schema,
        user: north.emrUser.user,
        passwordFile: join(stack.layout.emr, 'north.password'),
      },
    });
    const startedAt = performance.now();
    const before = emrs.north;
    await before.stop().catch(() => {});
    emrs.north = await EmrWatch.start(north.emr.origin, 0);
    const back = await running.content(startedAt, RECOVERY_MS);
    const counts = await prove(running);
    const refused = between(running.samples, goneAt, endedAt).filter(({ tenant }) => tenant === 'north');
    expect(refused.length).toBeGreaterThan(10);
    // What hides says "not found" or "not processed" until the breaker knows that nobody is there.
    for (const { status } of refused) expect([404, 422, 503]).toContain(status);
    expect(slowest(refused)).toBeLessThan(PROMPT_MS);
    const elsewhere = running.samples.filter(
      ({ tenant, startedAt: at }) => tenant === 'south' && at > killedAt,
    );
    expect(elsewhere.length).toBeGreaterThan(10);
    expect(elsewhere.filter((sample) => !good(sample))).toEqual([]);
    figures.emr = { ...counts, back, start: Math.round(startedAt - endedAt), slowest: slowest(refused) };
  });

  it('of the issuer: known keys go on verifying, what must be introspected is refused', async () => {
    const fresh = {
      read: await stack.token({ tenant: 'north', scopes: ['system/Patient.rs'] }),
      write: await stack.token({ tenant: 'north', scopes: ['system/Observation.cruds'] }),
    };
    const running = await begin();
    const killedAt = performance.now();
    await stack.issuer.kill();
    const read = await ask({
      url: `${stack.tenants.north.origin}/fhir/Patient/1`,
      authority: stack.authority,
      token: fresh.read,
    });
    expect(read.status, 'a token never seen, of a key that is known').toBe(200);
    const write = await create(fresh.write);
    expect(write.status, 'a token that nobody can be asked about').toBe(503);
    await sleep(2_000);
    const endedAt = performance.now();
    const counts = await prove(running);
    const reads = between(running.samples, killedAt, endedAt).filter(({ kind }) => kind === 'read');
    expect(reads.length).toBeGreaterThan(10);
    expect(reads.filter((sample) => !good(sample))).toEqual([]);
    const writes = between(running.samples, killedAt + 1_000, endedAt).filter(({ kind }) => kind === 'write');
    expect(writes.length).toBeGreaterThan(10);
    for (const sample of writes) expect(sample, 'a write nobody confirmed').toMatchObject({ status: 503 });
    expect(slowest(writes)).toBeLessThan(PROMPT_MS);

    // It has new keys when it is back, so that there are new tokens too.
    await stack.issuer.start();
    const startedAt = performance.now();
    load = await Load.start(stack, { readers: 2, writers: 2 });
    const back = await load.content(startedAt, RECOVERY_MS);
    figures.issuer = { ...counts, back, slowest: slowest(writes) };
  });

  it('of the supervisor: its workers end by themselves, and another gateway can take over', async () => {
    const running = await begin();
    const workers = childrenOf(stack.gateway.pid);
    expect(workers).toHaveLength(2);
    // Longer than an orphan may live.
    const slow = ask({
      url: `${stack.tenants.north.origin}/slow?ms=10000`,
      authority: stack.authority,
      token: await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/pages'] }),
    }).then(
      (reply) => reply.status,
      () => 0,
    );
    await until('the slow request', () => emrs.north.seen.some(({ url }) => url.startsWith('/slow')), 10_000);
    const killedAt = performance.now();
    await stack.gateway.kill();
    // As a service manager would: at once, while the old workers still hold the log.
    const starting = stack.gateway.start();
    const ended = await until('the end of the workers', () => !workers.some(alive), ORPHAN_MS);
    expect(await slow).not.toBe(200);
    await starting;
    const started = performance.now() - killedAt;
    const back = await running.content(killedAt, RECOVERY_MS);
    const counts = await prove(running);
    figures.supervisor = {
      ...counts,
      back,
      ended: Math.round(ended),
      started: Math.round(started),
    };
  });
});

function create(token: string): Promise<Reply> {
  return ask({
    url: `${stack.tenants.north.origin}/fhir/Observation`,
    authority: stack.authority,
    method: 'POST',
    token,
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(observationOf(1, 70)),
  });
}
