import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Stack } from '../../../examples/demo/stack.ts';
import { type Ask, ask } from '../../../examples/support/https-client.ts';
import { createAuthority } from '../../../examples/support/local-authority.ts';
import { HostileEmr } from '../../support/hostile-emr.ts';
import { stackFor } from '../../support/stack.ts';
import { SCRIPTS } from './scripts.ts';

export let stack: Stack;
export let emr: HostileEmr;
export let secure: HostileEmr;
export let impostor: HostileEmr;
export let reader: string;
export let writer: string;
export let desk: string;
export let southDesk: string;
export let pids: readonly number[];

/** Once for all that is described here. */
export async function startScene(): Promise<void> {
  emr = new HostileEmr(SCRIPTS);
  await emr.listen();
  const authority = await createAuthority('Back end tests');
  const pair = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  secure = new HostileEmr(SCRIPTS, { cert: pair.certificatePem, key: pair.keyPem });
  await secure.listen();
  const other = await authority.issue({ commonName: 'other.example', hosts: ['south.localhost'] });
  impostor = new HostileEmr(SCRIPTS, { cert: other.certificatePem, key: other.keyPem });
  await impostor.listen();

  stack = await stackFor('hostile', {
    workers: 1,
    limits: {
      perPeer: { requests: 100_000, window: '10s' },
      perPrincipal: { requests: 100_000, window: '10s' },
    },
    backends: { north: `http://127.0.0.1:${emr.port}` },
  });
  // The demo's own times are for people; here every client and back end runs into them.
  await stack.gateway.stop();
  const file = join(stack.layout.gateway, 'gateway.yaml');
  const settings = parse(readFileSync(file, 'utf8'));
  settings.timeouts = { headers: '2s', request: '3s', idle: '2s', drain: '1s' };
  for (const tenant of settings.tenants) tenant.backends[0].connections = 32;
  const [, south] = settings.tenants;
  writeFileSync(join(stack.layout.gateway, 'emr-authority.pem'), authority.certificatePem);
  south.backends = [{ origin: `https://localhost:${secure.port}`, authority: 'emr-authority.pem' }];
  writeFileSync(file, stringify(settings, { aliasDuplicateObjects: false }));
  const policyFile = join(stack.layout.gateway, 'policy.yaml');
  const policy = readFileSync(policyFile, 'utf8').replaceAll(/backendTimeout: \w+/g, 'backendTimeout: 1s');
  writeFileSync(policyFile, policy);
  await stack.gateway.start();
  pids = stack.gatewayPids();

  reader = await stack.token({ tenant: 'north', scopes: ['system/Patient.rs'] });
  writer = await stack.token({
    tenant: 'north',
    scopes: ['system/Patient.cruds', 'system/Observation.cruds'],
  });
  const scopes = ['emr/pages', 'emr/documents', 'emr/feed', 'emr/metadata'];
  desk = await stack.token({ tenant: 'north', client: 'front-desk', scopes });
  southDesk = await stack.token({ tenant: 'south', client: 'front-desk', scopes });
}

export async function allIsFine(): Promise<void> {
  // Whatever happened: nothing crashed, and the next request is served.
  const fine = await north('/patients', { token: desk });
  expect(fine.status).toBe(200);
  expect(fine.text).toBe('ok');
  expect(readFileSync(join(stack.layout.logs, 'gateway.log'), 'utf8')).not.toMatch(/"uncaught"|worker-exit/);
  expect(pids.every((pid) => alive(pid))).toBe(true);
}

export async function stopScene(): Promise<void> {
  await stack?.stop();
  await Promise.all([emr?.close(), secure?.close(), impostor?.close()]);
}

export function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export const north = (path: string, more: Omit<Ask, 'url' | 'authority'> = {}) =>
  ask({ url: `${stack.tenants.north.origin}${path}`, authority: stack.authority, ...more });

export const host = () => new URL(stack.tenants.north.origin).host;

/** A raw connection over TLS to the gateway. */
export async function dial(
  protocol: 'http/1.1' | 'h2' = 'http/1.1',
  tenant: 'north' | 'south' = 'north',
): Promise<TLSSocket> {
  const url = new URL(stack.tenants[tenant].origin);
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(url.port),
    servername: url.hostname,
    ca: stack.authority,
    ALPNProtocols: [protocol],
  });
  socket.on('error', () => {});
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('close', () => reject(new Error('not connected')));
  });
  return socket;
}

export function session(): ClientHttp2Session {
  const url = new URL(stack.tenants.north.origin);
  const made = connectHttp2(`https://127.0.0.1:${url.port}`, {
    ca: stack.authority,
    servername: url.hostname,
  });
  made.on('error', () => {});
  return made;
}

export function open(
  on: ClientHttp2Session,
  path: string,
  options: {
    token?: string;
    method?: string;
    script?: string;
    headers?: Record<string, string>;
    body?: boolean;
  } = {},
): ClientHttp2Stream {
  const stream = on.request(
    {
      ':method': options.method ?? 'GET',
      ':path': path,
      ':scheme': 'https',
      ':authority': host(),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.script === undefined ? {} : { 'x-script': options.script }),
      ...options.headers,
    },
    { endStream: options.body !== true },
  );
  stream.on('error', () => {});
  return stream;
}

export interface Seen {
  status: number;
  rawHeaders: string[];
  text: string;
  code: number;
}

export function settled(stream: ClientHttp2Stream): Promise<Seen> {
  const seen: Seen = { status: 0, rawHeaders: [], text: '', code: -1 };
  stream.on('response', (headers, _flags, list: string[] = []) => {
    seen.status = Number(headers[':status']);
    seen.rawHeaders = list.length > 0 ? list : Object.entries(headers).flatMap(([k, v]) => [k, String(v)]);
  });
  stream.setEncoding('latin1');
  stream.on('data', (text: string) => {
    seen.text += text;
  });
  return new Promise((resolve) =>
    stream.once('close', () => {
      seen.code = stream.rstCode;
      resolve(seen);
    }),
  );
}

export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  limitMs = 12_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await sleep(50);
  }
}
