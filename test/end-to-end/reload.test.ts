import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { metric } from '../../examples/demo/evidence.ts';
import { give } from '../../examples/demo/isolation.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { ask } from '../../examples/support/https-client.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import { readLedger } from '../support/ledger.ts';
import { good, Load } from '../support/load.ts';
import { childrenOf, showFigures, until } from '../support/process.ts';
import { stackFor } from '../support/stack.ts';

/** SIGHUP: the whole new configuration in every worker, or the old one and a reason. */

/** A bound on hanging. */
const BOUND_MS = 20_000;
/** New connections, so that each worker is asked. */
const PROBES = 12;

let stack: Stack;
let load: Load | undefined;
/** The key of some other certificate. */
let otherKey = '';
const original: Record<string, string> = {};
const figures: Record<string, unknown> = {};

const path = (name: string): string => join(stack.layout.gateway, name);
const logText = (): string => readFileSync(join(stack.layout.logs, 'gateway.log'), 'utf8');
const occurrences = (text: string): number => logText().split(`"${text}"`).length - 1;

function write(name: string, text: string): void {
  writeFileSync(path(name), text);
}

function edit(name: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path(name), 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`${name} has no ${from}`);
  write(name, changed);
}

/** Sends SIGHUP and waits until it was taken or refused. @returns what the log says of a refusal */
async function reload(expected: 'reloaded' | 'reload-refused'): Promise<string> {
  const before = occurrences(expected);
  stack.gateway.signal('SIGHUP');
  await until(expected, () => occurrences(expected) > before, BOUND_MS).catch((error: Error) => {
    throw new Error(`${error.message}\n${logText().slice(-2000)}`);
  });
  const line = logText()
    .split('\n')
    .findLast((each) => each.includes(`"${expected}"`));
  return String((JSON.parse(line ?? '{}') as { message?: string }).message ?? '');
}

/** SHA-256 of the policies in force, from the metrics. */
async function digest(): Promise<string> {
  const text = await (await fetch(`${stack.operationsUrl}/metrics`)).text();
  return /chartgate_build_info\{[^}]*policy="([0-9a-f]{64})"/.exec(text)?.[1] ?? '';
}

const get = (at: string, token?: string) =>
  ask({ url: `${stack.tenants.north.origin}${at}`, authority: stack.authority, token });

/** Statuses of the same request over connections of its own, each. */
async function probe(at: string, token: string): Promise<number[]> {
  const replies = await Promise.all(Array.from({ length: PROBES }, () => get(at, token)));
  return [...new Set(replies.map(({ status }) => status))].sort();
}

/** A connection with these limits; rejects when there is none. */
function handshake(options: { maxVersion?: 'TLSv1.2'; ciphers?: string }): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const url = new URL(stack.tenants.north.origin);
  const socket = connect(
    {
      host: '127.0.0.1',
      port: Number(url.port),
      servername: url.hostname,
      rejectUnauthorized: false,
      ...options,
    },
    () => resolve(socket),
  );
  socket.once('error', reject);
  return promise;
}

beforeAll(async () => {
  const plenty = { requests: 1_000_000, window: '10s' };
  stack = await stackFor('reload', { workers: 2, limits: { perPeer: plenty, perPrincipal: plenty } });
  for (const name of ['gateway.yaml', 'policy.yaml', 'certificate.key', 'certificate.pem']) {
    original[name] = readFileSync(path(name), 'utf8');
  }
  const other = await createAuthority('Another authority');
  otherKey = (await other.issue({ commonName: 'localhost', hosts: ['localhost'] })).keyPem;
});
afterAll(async () => {
  showFigures('reload', figures);
  await stack?.stop();
});
beforeEach(async () => {
  load = await Load.start(stack, { readers: 2, writers: 1 });
  await load.content(performance.now(), BOUND_MS);
});
afterEach(async () => {
  await load?.stop();
  load = undefined;
});

/** Ends the load; every request of it must have been served. */
async function nothingLost(): Promise<number> {
  const samples = (await load?.stop()) ?? [];
  load = undefined;
  expect(samples.filter((sample) => !good(sample))).toEqual([]);
  return samples.length;
}

describe('a good change', () => {
  it('of a scope and of a limit takes effect in every worker, and no request is lost', async () => {
    const token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/metadata'] });
    const before = await digest();
    expect(await probe('/fhir/metadata', token)).toEqual([200]);

    edit('policy.yaml', 'scopes: [emr/metadata]', 'scopes: [emr/pages]');
    const begun = performance.now();
    await reload('reloaded');
    figures.reloadMs = Math.round(performance.now() - begun);
    expect(await probe('/fhir/metadata', token)).toEqual([403]);
    const after = await digest();
    expect(after).not.toBe(before);

    write('policy.yaml', original['policy.yaml'] ?? '');
    edit(
      'policy.yaml',
      'scopes: [emr/metadata]',
      'scopes: [emr/metadata]\n    limit: { requests: 2, window: 1m }',
    );
    await reload('reloaded');
    expect(await probe('/fhir/metadata', token)).toContain(429);

    write('policy.yaml', original['policy.yaml'] ?? '');
    await reload('reloaded');
    expect(await probe('/fhir/metadata', token)).toEqual([200]);
    expect(await digest()).toBe(before);
    figures.requests = await nothingLost();
  });

  it('of the certificate and of the TLS version leaves the cipher suites and groups as they were', async () => {
    const other = await createAuthority('Another authority');
    const pair = await other.issue({
      commonName: 'localhost',
      hosts: ['north.localhost', 'south.localhost'],
    });
    const first = await handshake({});
    const former = first.getPeerCertificate().fingerprint256;
    const group = JSON.stringify(first.getEphemeralKeyInfo());
    first.destroy();
    await expect(handshake({ maxVersion: 'TLSv1.2' })).rejects.toThrow();

    write('certificate.pem', pair.certificatePem);
    write('certificate.key', pair.keyPem);
    edit('gateway.yaml', '  certificate:', '  minimumTls: TLSv1.2\n  certificate:');
    await reload('reloaded');
    const second = await handshake({});
    expect(second.getPeerCertificate().fingerprint256).not.toBe(former);
    expect(JSON.stringify(second.getEphemeralKeyInfo())).toBe(group);
    second.destroy();
    const sealed = await handshake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
    expect(sealed.getProtocol()).toBe('TLSv1.2');
    sealed.destroy();
    await expect(
      handshake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA' }),
    ).rejects.toThrow();

    for (const name of ['gateway.yaml', 'certificate.pem', 'certificate.key'])
      write(name, original[name] ?? '');
    await reload('reloaded');
    await expect(handshake({ maxVersion: 'TLSv1.2' })).rejects.toThrow();
    await nothingLost();
  });

  it('cuts what is open and would not be permitted now, and leaves the rest', async () => {
    const token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/feed'] });
    const events = () => {
      const url = new URL('/events', stack.tenants.north.origin);
      const ended = Promise.withResolvers<string>();
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: url.port,
          servername: url.hostname,
          path: '/events',
          ca: stack.authority,
          agent: false,
          headers: { host: url.host, authorization: `Bearer ${token}` },
        },
        (incoming) => {
          incoming.on('data', () => (stream.ticks += 1));
          incoming.on('error', (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? 'error'));
          incoming.on('end', () => ended.resolve('end'));
        },
      );
      outgoing.on('error', (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? 'error'));
      outgoing.end();
      const stream = { ticks: 0, ended: ended.promise, close: () => outgoing.destroy() };
      return stream;
    };
    const stream = events();
    await until('the first event', () => stream.ticks > 0, BOUND_MS);

    edit('policy.yaml', 'scopes: [emr/documents]', 'scopes: [emr/documents, emr/pages]');
    await reload('reloaded');
    const then = stream.ticks;
    await until('further events', () => stream.ticks > then + 10, BOUND_MS);

    // Both routes of the feed, so that nothing is left of it.
    write(
      'policy.yaml',
      (original['policy.yaml'] ?? '').replaceAll('scopes: [emr/feed]', 'scopes: [emr/pages]'),
    );
    const begun = performance.now();
    await reload('reloaded');
    expect(await stream.ended).toBe('ECONNRESET');
    figures.streamCutMs = Math.round(performance.now() - begun);
    write('policy.yaml', original['policy.yaml'] ?? '');
    await reload('reloaded');
    await nothingLost();
  });

  it('reaches a worker that is being started again meanwhile, and the last of several wins', async () => {
    const token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/metadata'] });
    const workers = childrenOf(stack.gateway.pid);
    process.kill(workers[0] ?? 0, 'SIGKILL');
    // Reloads while the new worker is not there, is starting, and has just come up.
    for (const ms of [0, 150, 150, 150]) {
      await sleep(ms);
      write('policy.yaml', original['policy.yaml'] ?? '');
      edit('policy.yaml', 'scopes: [emr/metadata]', `scopes: [emr/metadata, emr/x${ms}]`);
      stack.gateway.signal('SIGHUP');
    }
    write('policy.yaml', original['policy.yaml'] ?? '');
    edit('policy.yaml', 'scopes: [emr/metadata]', 'scopes: [emr/pages]');
    await reload('reloaded');
    await until('the worker', () => childrenOf(stack.gateway.pid).length === workers.length, BOUND_MS);
    await until('the new worker up', () => occurrences('worker-restarted') === 1, BOUND_MS);
    expect(await probe('/fhir/metadata', token)).toEqual([403]);
    write('policy.yaml', original['policy.yaml'] ?? '');
    await reload('reloaded');
    expect(await probe('/fhir/metadata', token)).toEqual([200]);
  });
});

describe('a bad change is refused, and the old configuration serves on', () => {
  const replaced = (name: string, from: string | RegExp, to: string) => () => edit(name, from, to);
  it.each<[string, () => void, RegExp]>([
    ['broken YAML', replaced('gateway.yaml', 'listen:', 'listen: [\n'), /gateway\.yaml/],
    ['an unknown key', replaced('gateway.yaml', 'workers:', 'wrokers:'), /wrokers/],
    ['broken YAML in a policy', replaced('policy.yaml', 'routes:', 'routes: {'), /policy\.yaml/],
    ['a fault in a policy', replaced('policy.yaml', 'permission: r }', 'permission: q }'), /policy\.yaml/],
    [
      'a policy that is not there',
      replaced('gateway.yaml', /policy: emr$/m, 'policy: nowhere'),
      /tenants\[0\]\.policy: names no policy/,
    ],
    [
      'a policy file that is not there',
      replaced('gateway.yaml', 'policy.yaml', 'gone.yaml'),
      /policies\.emr: the file does not exist/,
    ],
    [
      'a key that is not there',
      replaced('gateway.yaml', 'key: certificate.key', 'key: gone.key'),
      /listen\.key: the file does not exist/,
    ],
    [
      'a key that others can read',
      () => chmodSync(path('certificate.key'), 0o644),
      /listen\.key: the file's mode is 0644/,
    ],
    [
      "another key than the certificate's",
      () => {
        write('other.key', otherKey);
        chmodSync(path('other.key'), 0o600);
        give(path('other.key'), stack.isolation.gateway);
        edit('gateway.yaml', 'key: certificate.key', 'key: other.key');
      },
      /not the key of the certificate/,
    ],
    [
      'two tenants with one host',
      replaced('gateway.yaml', /- south\.localhost/, '- north.localhost'),
      /a host belongs to one tenant/,
    ],
  ])('%s', async (_what, spoil, message) => {
    const before = await digest();
    const alarms = await metric(stack, 'chartgate_alarms_total', { alarm: 'reload-refused' });
    const records = (await readLedger(stack.layout.activity)).processes.length;
    try {
      spoil();
      expect(await reload('reload-refused')).toMatch(message);
    } finally {
      for (const [name, text] of Object.entries(original)) write(name, text);
      chmodSync(path('certificate.key'), 0o600);
    }
    await until(
      'the alarm',
      async () => (await metric(stack, 'chartgate_alarms_total', { alarm: 'reload-refused' })) === alarms + 1,
      BOUND_MS,
    );
    expect(await digest()).toBe(before);
    await until(
      'a record of every worker',
      async () =>
        (await readLedger(stack.layout.activity)).processes
          .slice(records)
          .filter(({ event }) => event === 'reload-refused').length >= 2,
      BOUND_MS,
    );
    expect((await get('/fhir/Patient/1')).status).toBe(401);
    await nothingLost();
  });
});
