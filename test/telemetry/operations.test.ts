import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  createOperationsServer,
  type OperationsOptions,
  startWorkerTelemetry,
} from '../../telemetry/index.ts';
import { publish, requestEvent } from './support/events.ts';
import { parseExposition, sampleValue } from './support/exposition.ts';

async function serve(change: Partial<OperationsOptions> = {}): Promise<number> {
  const server = await createOperationsServer({
    host: '127.0.0.1',
    port: 0,
    collect: () => [],
    ready: () => ({ ready: true, reasons: [] }),
    buildInfo: () => ({ version: '0.1.0', policyDigest: 'abc123' }),
    ...change,
  });
  onTestFinished(() => server.close());
  return server.port;
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

function send(
  port: number,
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function child(...args: string[]): Promise<() => Promise<unknown>> {
  const process_ = fork(join(import.meta.dirname, 'support', 'worker.ts'), args);
  onTestFinished(() => void process_.kill('SIGKILL'));
  await once(process_, 'message');
  return async () => {
    process_.send('snapshot');
    const [snapshot] = await once(process_, 'message');
    return snapshot;
  };
}

it('serves every metric in the Prometheus text format with HELP and TYPE', async () => {
  const telemetry = startWorkerTelemetry({ worker: 'worker-1' });
  onTestFinished(() => telemetry.stop());
  publish('request', requestEvent());
  const port = await serve({
    collect: () => [telemetry.snapshot()],
    certificates: () => [
      { kind: 'listener', tenant: '', of: '', expiresAt: Date.now() + 7_200_000 },
      {
        kind: 'backend-authority',
        tenant: 'north',
        of: 'https://emr.north.example',
        expiresAt: Date.now() + 3_600_000,
      },
    ],
  });
  const { status, headers, body } = await send(port, '/metrics');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const found = parseExposition(body);
  for (const name of [
    'chartgate_requests_total',
    'chartgate_denials_total',
    'chartgate_gateway_seconds',
    'chartgate_backend_seconds',
    'chartgate_integrity_state',
    'chartgate_integrity_age_seconds',
    'chartgate_integrity_findings',
    'chartgate_attestation_seconds',
    'chartgate_limited_total',
    'chartgate_findings_reported_total',
    'chartgate_alarms_total',
    'chartgate_backend_pool',
    'chartgate_event_loop_lag_seconds',
    'chartgate_workers',
    'process_cpu_seconds_total',
  ]) {
    expect(found.get(name)?.help, name).toMatch(/\w/);
  }
  const build = { version: '0.1.0', node: process.version, policy: 'abc123' };
  expect(sampleValue(found, 'chartgate_build_info', build)).toBe(1);
  const expiry = (kind: string, tenant: string) =>
    sampleValue(found, 'chartgate_certificate_expiry_seconds', { kind, tenant });
  expect(expiry('listener', '')).toBeGreaterThan(7000);
  expect(expiry('backend-authority', 'north')).toBeLessThan(3601);
});

it('adds up two worker processes', async () => {
  const ask = await Promise.all([child('worker-1', '3', 'broken'), child('worker-2', '4')]);
  const port = await serve({ collect: () => ask.map((one) => one()), collectTimeoutMs: 20_000 });
  const found = parseExposition((await send(port, '/metrics')).body);
  const at = { tenant: 'clinic-a', route: 'patient-read' };
  expect(sampleValue(found, 'chartgate_requests_total', { ...at, outcome: 'permitted', status: '2xx' })).toBe(
    7,
  );
  expect(sampleValue(found, 'chartgate_gateway_seconds_count', at)).toBe(7);
  expect(sampleValue(found, 'chartgate_gateway_seconds_bucket', { ...at, le: '0.0005' })).toBe(7);
  expect(sampleValue(found, 'chartgate_backend_seconds_sum', at)).toBeCloseTo(0.021);
  expect(
    sampleValue(found, 'chartgate_backend_pool', { tenant: 'clinic-a', backend: '0', state: 'connected' }),
  ).toBe(6);
  expect(sampleValue(found, 'chartgate_backend_ejected', { tenant: 'clinic-a', backend: '1' })).toBe(2);
  expect(sampleValue(found, 'chartgate_workers', { state: 'reporting' })).toBe(2);
  for (const worker of ['worker-1', 'worker-2']) {
    expect(sampleValue(found, 'process_resident_memory_bytes', { worker })).toBeGreaterThan(1e6);
  }
});

it('lets no count go back when a worker is slow, ends, or is followed by another of its name', async () => {
  let answers: Promise<unknown>[] = [];
  const port = await serve({ collect: () => answers, collectTimeoutMs: 5000 });
  const total = async (): Promise<number | undefined> =>
    sampleValue(parseExposition((await send(port, '/metrics')).body), 'chartgate_backend_seconds_count', {
      tenant: 'clinic-a',
      route: 'patient-read',
    });
  const first = await (await child('worker-1', '3'))();
  const other = await (await child('worker-2', '10'))();
  const next = await (await child('worker-1', '2'))();
  answers = [Promise.resolve(first), Promise.resolve(other)];
  expect(await total()).toBe(13);
  expect(await total()).toBe(13);
  answers = [Promise.resolve(first), Promise.resolve(undefined)];
  expect(await total()).toBe(13);
  answers = [Promise.resolve(next), Promise.resolve(other)];
  expect(await total()).toBe(15);
  answers = [];
  expect(await total()).toBe(15);
});

it('shows the youngest verdict of all workers, not the worst and not the sum', async () => {
  const reading = (state: string, ageSeconds: number, findings: string[]) =>
    snapshot([{ database: 'emr-a', state, ageSeconds, findings }]);
  const port = await serve({
    collect: async () => [
      reading('broken', 300, ['trigger-missing']),
      reading('intact', 0.5, []),
      reading('intact', 7, []),
    ],
  });
  const found = parseExposition((await send(port, '/metrics')).body);
  expect(sampleValue(found, 'chartgate_integrity_state', { database: 'emr-a' })).toBe(1);
  expect(sampleValue(found, 'chartgate_integrity_age_seconds', { database: 'emr-a' })).toBe(0.5);
  expect(found.get('chartgate_integrity_findings')?.samples).toEqual([]);
});

const SILENT: readonly [string, OperationsOptions['collect'], number, number][] = [
  ['never answers', () => [new Promise(() => undefined), good()], 1, 1],
  ['fails', () => [Promise.reject(new Error('gone')), good()], 1, 1],
  ['answers nonsense', () => [Promise.resolve({ ...snapshot(), metrics: [{}] }), good()], 1, 1],
  ['answers nothing', async () => [undefined, await good()], 1, 1],
  ['keeps all from answering', () => new Promise(() => undefined), 0, 1],
  [
    'cannot be asked',
    () => {
      throw new Error('no workers');
    },
    0,
    1,
  ],
];

function snapshot(integrity: readonly unknown[] = []): object {
  const events = {
    requests: [],
    denials: [],
    limited: [],
    reported: [],
    hidden: [],
    overruns: [],
    alarms: [],
    sessionEvents: [],
    sessionChanges: [],
    factors: [],
    issuers: [],
    clientSecrets: [],
    attestation: { counts: [], sum: 0 },
    integrity,
  };
  return { format: 1, worker: 'worker-2', instance: randomUUID(), events, metrics: [] };
}

function good(): Promise<unknown> {
  return Promise.resolve(snapshot());
}

it.each(SILENT)('goes on without a worker that %s, and says so', async (_why, collect, reporting, silent) => {
  const port = await serve({ collect, collectTimeoutMs: 50 });
  const { status, body } = await send(port, '/metrics');
  expect(status).toBe(200);
  const found = parseExposition(body);
  expect(sampleValue(found, 'chartgate_workers', { state: 'reporting' })).toBe(reporting);
  expect(sampleValue(found, 'chartgate_workers', { state: 'silent' })).toBe(silent);
});

it('is ready with 200 and not ready with 503 and the reasons', async () => {
  let state = { ready: false, reasons: ['first attestation of emr-a is missing'] };
  const port = await serve({ ready: () => state });
  const before = await send(port, '/ready');
  expect([before.status, JSON.parse(before.body)]).toEqual([503, state]);
  state = { ready: true, reasons: [] };
  const after = await send(port, '/ready');
  expect([after.status, JSON.parse(after.body)]).toEqual([200, state]);
  const broken = await serve({
    ready: () => {
      throw new Error('secret detail');
    },
  });
  const failed = await send(broken, '/ready');
  expect([failed.status, failed.body.includes('secret')]).toEqual([503, false]);
});

it('is alive even when it is not ready', async () => {
  const port = await serve({ ready: () => ({ ready: false, reasons: [] }) });
  expect((await send(port, '/live')).status).toBe(200);
});

it('answers HEAD like GET, without a body', async () => {
  const port = await serve();
  for (const path of ['/live', '/ready', '/metrics']) {
    const { status, headers, body } = await send(port, path, 'HEAD');
    expect([status, body, Number(headers['content-length']) > 0]).toEqual([200, '', true]);
  }
});

const REFUSED: readonly [string, string, string, Record<string, string>, number][] = [
  ['another path', 'GET', '/secret-path', {}, 404],
  ['the root', 'GET', '/', {}, 404],
  ['a name of the prototype', 'GET', '/__proto__', {}, 404],
  ['a longer path', 'GET', '/metrics/', {}, 404],
  ['an absolute form', 'GET', 'http://secret-path.example/metrics', {}, 404],
  ['a method that writes', 'POST', '/metrics', {}, 405],
  ['another method', 'DELETE', '/ready', {}, 405],
  ['a foreign host name, as in DNS rebinding', 'GET', '/metrics', { host: 'secret-path.example' }, 404],
];

it.each(REFUSED)('refuses %s and echoes nothing of it', async (_why, method, path, headers, expected) => {
  const port = await serve();
  const reply = await send(port, path, method, headers);
  expect(reply.status).toBe(expected);
  expect(JSON.stringify(reply)).not.toContain('secret-path');
});

it('closes a connection that speaks no HTTP', async () => {
  const port = await serve();
  const socket = connect(port, '127.0.0.1');
  socket.write('\u0016\u0003\u0001 this is no request\r\n\r\n');
  await once(socket, 'close');
  expect((await send(port, '/live')).status).toBe(200);
});

it('takes several scrapers at once for the price of one', async () => {
  let collections = 0;
  const port = await serve({
    collect: async () => {
      collections += 1;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return [];
    },
  });
  const replies = await Promise.all(Array.from({ length: 10 }, () => send(port, '/metrics')));
  expect(replies.every(({ status }) => status === 200)).toBe(true);
  expect(collections).toBeLessThan(10);
});

it('says which address cannot be listened on', async () => {
  const port = await serve();
  await expect(serve({ port })).rejects.toMatchObject({
    code: 'configuration-invalid',
    message: expect.stringContaining(`port ${port} (EADDRINUSE)`),
  });
});
