import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { CHANNELS } from '../../contracts/events.ts';
import { CounterMemory } from '../../telemetry/event-totals.ts';
import { exposition } from '../../telemetry/exposition.ts';
import { startWorkerTelemetry, type WorkerTelemetryOptions } from '../../telemetry/index.ts';
import { publish, requestEvent } from './support/events.ts';
import { type Family, parseExposition, sampleValue } from './support/exposition.ts';

const OWN = { build: { version: '1', policyDigest: 'd' }, certificates: [], silent: 0 };

function start(options: Partial<WorkerTelemetryOptions> = {}): () => Promise<Map<string, Family>> {
  const telemetry = startWorkerTelemetry({ worker: 'worker-1', ...options });
  onTestFinished(() => telemetry.stop());
  return async () => {
    // As between processes: what cannot be cloned would fail here.
    const snapshot = structuredClone(await telemetry.snapshot());
    return parseExposition(
      (await exposition([JSON.parse(JSON.stringify(snapshot))], OWN, new CounterMemory())).text,
    );
  };
}

it('counts requests by tenant, route, outcome and class of status', async () => {
  const read = start();
  for (let i = 0; i < 3; i += 1) publish('request', requestEvent());
  publish(
    'request',
    requestEvent({ outcome: 'denied', reason: 'scope-missing', status: 403, backendSeconds: undefined }),
  );
  publish('request', requestEvent({ outcome: 'failed', reason: 'client-gone', status: 0 }));
  const found = await read();
  const at = { tenant: 'clinic-a', route: 'patient-read' };
  expect(sampleValue(found, 'chartgate_requests_total', { ...at, outcome: 'permitted', status: '2xx' })).toBe(
    3,
  );
  expect(sampleValue(found, 'chartgate_requests_total', { ...at, outcome: 'denied', status: '4xx' })).toBe(1);
  expect(sampleValue(found, 'chartgate_requests_total', { ...at, outcome: 'failed', status: 'none' })).toBe(
    1,
  );
  expect(sampleValue(found, 'chartgate_denials_total', { tenant: 'clinic-a', reason: 'scope-missing' })).toBe(
    1,
  );
  expect(sampleValue(found, 'chartgate_denials_total', { tenant: 'clinic-a', reason: 'client-gone' })).toBe(
    1,
  );
  expect(
    sampleValue(found, 'chartgate_denials_total', { tenant: 'clinic-a', reason: 'scope-present' }),
  ).toBeUndefined();
  expect(sampleValue(found, 'chartgate_gateway_seconds_count', at)).toBe(5);
  expect(sampleValue(found, 'chartgate_backend_seconds_count', at)).toBe(4);
  expect(sampleValue(found, 'chartgate_backend_seconds_sum', at)).toBeCloseTo(0.012);
});

it('puts durations into cumulative buckets, a bound belonging to its own', async () => {
  const read = start();
  const times = [0.0001, 0.00025, 0.0026, 11, -1, Number.NaN, Number.POSITIVE_INFINITY];
  for (const gatewaySeconds of times) publish('request', requestEvent({ gatewaySeconds }));
  const found = await read();
  const bucket = (le: string): number | undefined =>
    sampleValue(found, 'chartgate_gateway_seconds_bucket', { tenant: 'clinic-a', route: 'patient-read', le });
  expect([bucket('0.00025'), bucket('0.0025'), bucket('0.005'), bucket('10'), bucket('+Inf')]).toEqual([
    2, 2, 3, 3, 4,
  ]);
});

it('shows the last verdict on a database, its age and its findings', async () => {
  const read = start();
  publish('attestation', { database: 'emr-a', state: 'intact', seconds: 0.0004, findings: [] });
  publish('attestation', {
    database: 'emr-b',
    state: 'broken',
    seconds: 0.05,
    findings: ['trigger-missing', 'grant-added'],
  });
  publish('attestation', { database: 'emr-c', state: 'not a state', seconds: 0.05, findings: [] });
  await sleep(20);
  let found = await read();
  expect(sampleValue(found, 'chartgate_integrity_state', { database: 'emr-a' })).toBe(1);
  expect(sampleValue(found, 'chartgate_integrity_state', { database: 'emr-b' })).toBe(0);
  expect(sampleValue(found, 'chartgate_integrity_state', { database: 'emr-c' })).toBe(0);
  expect(sampleValue(found, 'chartgate_integrity_age_seconds', { database: 'emr-a' })).toBeGreaterThan(0.01);
  expect(sampleValue(found, 'chartgate_integrity_findings', { database: 'emr-b', code: 'grant-added' })).toBe(
    1,
  );
  expect(sampleValue(found, 'chartgate_attestation_seconds_count')).toBe(3);
  publish('attestation', { database: 'emr-b', state: 'intact', seconds: 0.0004, findings: [] });
  found = await read();
  expect(sampleValue(found, 'chartgate_integrity_state', { database: 'emr-b' })).toBe(1);
  expect(found.get('chartgate_integrity_findings')?.samples).toEqual([]);
});

it('counts limits and alarms', async () => {
  const read = start();
  publish('limit', { limit: 'principal', tenant: 'clinic-a' });
  publish('limit', { limit: 'peer', tenant: '' });
  publish('limit', { limit: 'peer', tenant: '' });
  publish('alarm', { alarm: 'activity-log', tenant: '' });
  const found = await read();
  expect(sampleValue(found, 'chartgate_limited_total', { limit: 'peer', tenant: '' })).toBe(2);
  expect(sampleValue(found, 'chartgate_limited_total', { limit: 'principal', tenant: 'clinic-a' })).toBe(1);
  expect(sampleValue(found, 'chartgate_alarms_total', { alarm: 'activity-log', tenant: '' })).toBe(1);
});

it('labels back ends by number, never by address', async () => {
  const pool = {
    index: 0,
    connected: 2,
    free: 1,
    pending: 0,
    running: 1,
    ejected: false,
    healthy: true,
    retries: 4,
  };
  const read = start({
    pools: () => [
      { tenant: 'clinic-a', origin: 'http://10.1.2.3:9001', ...pool },
      { tenant: 'clinic-b', origin: 'http://10.1.2.4:9001', ...pool },
      {
        tenant: 'clinic-a',
        origin: 'http://10.1.2.5:9001',
        ...pool,
        index: 1,
        ejected: true,
        healthy: false,
        retries: 0,
      },
    ],
  });
  const found = await read();
  const at = { tenant: 'clinic-a', backend: '1' };
  expect(sampleValue(found, 'chartgate_backend_ejected', at)).toBe(1);
  expect(sampleValue(found, 'chartgate_backend_unhealthy', at)).toBe(1);
  expect(sampleValue(found, 'chartgate_backend_retries_total', { tenant: 'clinic-a' })).toBe(4);
  expect(sampleValue(found, 'chartgate_backend_pool', { ...at, state: 'connected' })).toBe(2);
  expect(sampleValue(found, 'chartgate_backend_ejected', { tenant: 'clinic-b', backend: '0' })).toBe(0);
  expect(JSON.stringify([...found])).not.toContain('10.1.2');
});

it('cannot be made to grow by what comes from outside', async () => {
  const read = start();
  for (let i = 0; i < 2500; i += 1) {
    publish(
      'request',
      requestEvent({
        tenant: `Host ${i}.example`,
        route: `/etc/${i}`,
        outcome: 'denied',
        reason: `r${i}` as never,
        status: i,
      }),
    );
    publish(
      'request',
      requestEvent({
        tenant: `tenant-${i}`,
        route: `route-${i}`,
        outcome: 'denied',
        reason: 'route-unknown',
      }),
    );
    publish('limit', { limit: `kind-${i}`, tenant: `tenant-${i}` });
    publish('alarm', { alarm: `kind-${i}`, tenant: `tenant-${i}` });
    publish('attestation', {
      database: `db-${i}`,
      state: 'broken',
      seconds: 1,
      findings: [`code-${i}`, `Patient ${i}`],
    });
  }
  const found = await read();
  const size = (name: string): number => found.get(name)?.samples.length ?? 0;
  expect(size('chartgate_requests_total')).toBeLessThan(2048 + 40);
  expect(size('chartgate_denials_total')).toBeLessThanOrEqual(2049);
  expect(size('chartgate_limited_total')).toBeLessThanOrEqual(2049);
  expect(size('chartgate_alarms_total')).toBeLessThanOrEqual(2049);
  expect(size('chartgate_integrity_state')).toBeLessThanOrEqual(1024);
  const text = JSON.stringify([...found]);
  for (const foreign of ['example', '/etc/', 'Patient', '"r5"']) expect(text).not.toContain(foreign);
  const all = found.get('chartgate_requests_total')?.samples.reduce((sum, { value }) => sum + value, 0);
  expect(all).toBe(5000);
});

it('never throws at a publisher, whatever is published', async () => {
  const read = start({
    pools: () => {
      throw new Error('pools are gone');
    },
  });
  const uncaught: unknown[] = [];
  const listener = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', listener);
  onTestFinished(() => void process.off('uncaughtException', listener));
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no such field');
      },
    },
  );
  for (const event of [undefined, null, 1, 'x', {}, trap, { findings: 7 }]) {
    for (const name of Object.keys(CHANNELS) as (keyof typeof CHANNELS)[]) {
      expect(() => publish(name, event)).not.toThrow();
    }
  }
  publish('request', requestEvent());
  await sleep(10);
  expect(uncaught).toEqual([]);
  const found = await read();
  expect(sampleValue(found, 'chartgate_telemetry_errors_total')).toBeGreaterThan(5);
  expect(
    sampleValue(found, 'chartgate_backend_seconds_count', { tenant: 'clinic-a', route: 'patient-read' }),
  ).toBe(1);
});

it('shows the event loop and the process, by worker', async () => {
  const read = start();
  await sleep(50);
  const found = await read();
  const lag = (quantile: string): number | undefined =>
    sampleValue(found, 'chartgate_event_loop_lag_seconds', { worker: 'worker-1', quantile });
  expect(lag('0.5')).toBeGreaterThanOrEqual(0);
  expect(lag('0.99')).toBeGreaterThanOrEqual(lag('0.5') ?? 0);
  expect(sampleValue(found, 'process_resident_memory_bytes', { worker: 'worker-1' })).toBeGreaterThan(1e6);
  expect(sampleValue(found, 'process_start_time_seconds', { worker: 'worker-1' })).toBeGreaterThan(1e9);
});

it('leaves the channels alone after stop', () => {
  const telemetry = startWorkerTelemetry({ worker: 'worker-1' });
  const { request, attestation, limit, alarm } = CHANNELS;
  for (const name of [request, attestation, limit, alarm]) expect(channel(name).hasSubscribers).toBe(true);
  telemetry.stop();
  for (const name of Object.values(CHANNELS)) expect(channel(name).hasSubscribers).toBe(false);
});

it('counts sign-ins, sessions, second factors and issuers by bounded labels, and names nobody', async () => {
  const read = start();
  publish('session', { tenant: 'clinic-a', event: 'signed-in', count: 1 });
  publish('session', { tenant: 'clinic-a', event: 'sign-in-failed', count: 1 });
  publish('session', { tenant: 'clinic-a', change: 'opened', count: 1 });
  publish('session', { tenant: '', change: 'ended-by-issuer', count: 3 });
  for (const count of [-1, Number.NaN, '7'])
    publish('session', { tenant: 'clinic-a', change: 'opened', count });
  const factor = { principal: 'of nurse-1', why: 'code-wrong', actor: undefined, at: 0 };
  publish('factor', { ...factor, what: 'refused', method: 'totp' });
  publish('factor', { ...factor, what: 'locked', method: undefined });
  publish('factor', { ...factor, what: 'Nurse One', method: 'totp' });
  publish('issuer', { issuer: 'clinic-sso', ok: true });
  publish('issuer', { issuer: 'https://id.example/nurse-1', ok: false });
  const found = await read();
  const value = (name: string, labels: Record<string, string>) => sampleValue(found, name, labels);
  expect(value('chartgate_session_events_total', { tenant: 'clinic-a', event: 'signed-in' })).toBe(1);
  expect(value('chartgate_session_events_total', { tenant: 'clinic-a', event: 'sign-in-failed' })).toBe(1);
  expect(value('chartgate_session_changes_total', { tenant: 'clinic-a', change: 'opened' })).toBe(1);
  expect(value('chartgate_session_changes_total', { tenant: '', change: 'ended-by-issuer' })).toBe(3);
  expect(value('chartgate_second_factors_total', { method: 'totp', outcome: 'refused' })).toBe(1);
  expect(value('chartgate_second_factors_total', { method: 'any', outcome: 'locked' })).toBe(1);
  expect(value('chartgate_second_factors_total', { method: 'totp', outcome: '_other' })).toBe(1);
  expect(value('chartgate_issuer_requests_total', { issuer: 'clinic-sso', outcome: 'answered' })).toBe(1);
  expect(value('chartgate_issuer_requests_total', { issuer: '', outcome: 'failed' })).toBe(1);
  expect(JSON.stringify([...found])).not.toMatch(/nurse/i);
});

it('says when the first secret of a tenant’s API clients ends, until there is none any more', async () => {
  const read = start();
  const left = async (): Promise<number | undefined> =>
    sampleValue(await read(), 'chartgate_client_secret_expiry_seconds', { tenant: 'clinic-a' });
  expect(await left()).toBeUndefined();
  publish('clientSecrets', { tenant: 'clinic-a', expiresAt: Date.now() + 3_600_000 });
  expect(await left()).toBeCloseTo(3600, -1);
  publish('clientSecrets', { tenant: 'clinic-a', expiresAt: undefined });
  expect(await left()).toBeUndefined();
});
