import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../examples/support/ports.ts';
import type { ServerSettings } from '../../measure/hot-path/servers/listen.ts';
import { makeCertificates } from '../../measure/hot-path/starting.ts';
import { residentBytes } from '../../measure/machine.ts';
import { MEMORY_FLOOR, watchTransfers } from '../../measure/memory/measure.ts';
import { warmUp } from '../../measure/memory/transfers.ts';
import { launch, stopEverything } from '../../measure/processes.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = join(root, '.work', 'measure-test-memory');
const BYTES = 50 * 1024 * 1024;
const WAYS = 6;

/** What the measurement expects of the EMR. */
const backEnd = createServer(async (request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-length': BYTES });
    for (let sent = 0; sent < BYTES; sent += 65_536) {
      if (!response.write(Buffer.alloc(65_536, sent % 251))) {
        await new Promise((resolve) => response.once('drain', resolve));
      }
    }
    response.end();
    return;
  }
  const hash = createHash('sha256');
  for await (const chunk of request) hash.update(chunk as Buffer);
  response.writeHead(201).end(JSON.stringify({ sha256: hash.digest('hex') }));
});

beforeAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await new Promise<void>((resolve) => backEnd.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await stopEverything();
  backEnd.closeAllConnections();
  backEnd.close();
});

async function watchedThrough(server: string) {
  const certificates = await makeCertificates(directory);
  const settings: ServerSettings = {
    certificate: certificates.certificateFile,
    key: certificates.keyFile,
    http1Port: await freePort(),
    // This one speaks both, as the gateway does, so it is the one that is used.
    http2Port: await freePort(),
    backEnd: { host: '127.0.0.1', port: (backEnd.address() as AddressInfo).port },
    bodyFile: '',
  };
  const proxy = await launch({
    name: 'proxy',
    command: process.execPath,
    args: [join(root, server), JSON.stringify(settings)],
    core: undefined,
    log: join(directory, 'proxy.log'),
    port: settings.http1Port,
  });
  const destination = async () => ({
    authority: `localhost:${settings.http2Port}`,
    trust: certificates.authority,
    token: 'unchecked',
  });
  await warmUp(await destination(), 20);
  const watched = await watchTransfers({
    pids: [proxy.pid],
    baseline: residentBytes([proxy.pid]),
    destination,
    rounds: 1,
    slow: { bytesPerSecond: 200e6, stallMs: 100 },
    progress: () => {},
  });
  await proxy.stop();
  return watched;
}

test('50 MB pass through a proxy that streams, every way, complete and unchanged', async () => {
  const { rows, problems } = await watchedThrough('measure/hot-path/servers/undici.ts');
  expect(problems).toEqual([]);
  expect(rows).toHaveLength(WAYS);
});

test('a proxy that keeps the whole body in memory is found out', async () => {
  const { rows, problems } = await watchedThrough('test/measure/buffering-proxy.ts');
  expect(problems).toEqual([]);
  for (const { direction, peak } of rows) {
    if (direction === 'download') expect(peak).toBeGreaterThan(MEMORY_FLOOR);
  }
});
