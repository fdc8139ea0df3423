import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../examples/support/ports.ts';
import type { ServerSettings } from '../../measure/hot-path/servers/listen.ts';
import { makeCertificates } from '../../measure/hot-path/starting.ts';
import { residentBytes } from '../../measure/machine.ts';
import { watchTransfers } from '../../measure/memory/measure.ts';
import { warmUp } from '../../measure/memory/transfers.ts';
import { launch, stopEverything } from '../../measure/processes.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = join(root, '.work', 'measure-test-memory');
const BYTES = 50 * 1024 * 1024;

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

afterAll(async () => {
  await stopEverything();
  backEnd.closeAllConnections();
  backEnd.close();
});

test('50 MB pass through a proxy that streams, every way, complete and unchanged', async () => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await new Promise<void>((resolve) => backEnd.listen(0, '127.0.0.1', resolve));
  const certificates = await makeCertificates(directory);
  const bodyFile = join(directory, 'unused');
  writeFileSync(bodyFile, '');
  const settings: ServerSettings = {
    certificate: certificates.certificateFile,
    key: certificates.keyFile,
    http1Port: await freePort(),
    // The clients take HTTP/1.1 and HTTP/2 from one port, as the gateway offers them.
    http2Port: await freePort(),
    backEnd: { host: '127.0.0.1', port: (backEnd.address() as AddressInfo).port },
    bodyFile,
  };
  const proxy = await launch({
    name: 'pass-through',
    command: process.execPath,
    args: [join(root, 'measure', 'hot-path', 'servers', 'undici.ts'), JSON.stringify(settings)],
    core: undefined,
    log: join(directory, 'proxy.log'),
    port: settings.http1Port,
  });
  const destination = async () => ({
    authority: `localhost:${settings.http2Port}`,
    trust: certificates.authority,
    token: 'x',
  });
  await warmUp(await destination(), 20);
  const { rows, problems } = await watchTransfers({
    pids: [proxy.pid],
    baseline: residentBytes([proxy.pid]),
    destination,
    rounds: 1,
    slow: { bytesPerSecond: 100e6, stallMs: 100 },
    progress: () => {},
  });
  expect(problems).toEqual([]);
  expect(rows.map((row) => row.title)).toHaveLength(6);
  // The figures are judged by the measurement, not here: a shared machine's memory proves nothing.
  for (const row of rows) expect(Number.isFinite(row.peak)).toBe(true);
});
