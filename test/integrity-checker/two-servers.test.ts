import { cp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Baseline, openBaseline } from '../../audit-sql/fingerprint/index.ts';
import type { PrivateDatabase } from '../../examples/support/private-database.ts';
import { startPrivateMariadb } from '../../examples/support/private-mariadb.ts';
import { BaselineFile } from '../../integrity-checker/database/baseline-file.ts';
import { openSession } from '../../integrity-checker/database/session.ts';
import { DatabaseWatch } from '../../integrity-checker/watch/watch.ts';
import { startServer } from '../audit-sql/support.ts';
import { type ProtectedDatabase, protectDatabase } from './support/protected-database.ts';
import { until } from './support/wait.ts';

describe('an address behind which there are two servers with the same data', () => {
  let first: PrivateDatabase;
  let second: PrivateDatabase | undefined;
  let clinic: ProtectedDatabase;
  let balancer: Server;
  let one = false;
  let turn = 0;

  beforeAll(async () => {
    first = await startServer('integrity-checker-two', 'mariadb');
    clinic = await protectDatabase(first, 'clinic', 600_000);
    await first.stop();
    const copy = `${first.directory}-copy`;
    await rm(copy, { recursive: true, force: true });
    await cp(first.directory, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    await first.restart();
    second = await startPrivateMariadb({ directory: copy, keep: true });
    balancer = createServer((client) => {
      const server = one || turn++ % 2 === 0 ? first : second;
      const upstream = connect(server?.port ?? 0, '127.0.0.1');
      client.pipe(upstream).pipe(client);
      client.on('error', () => upstream.destroy());
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
  }, 60_000);
  afterAll(async () => {
    balancer?.close();
    await first?.stop();
    await second?.stop();
    await rm(`${first.directory}-copy`, { recursive: true, force: true });
  });

  it('is never intact while the checker is given both, and is when it is given one', async () => {
    const settings = { ...clinic.settings, port: (balancer.address() as AddressInfo).port };
    const file = new BaselineFile<Baseline>(settings.baseline, (bytes) =>
      openBaseline(bytes, settings.baselineTrust),
    );
    await file.refresh();
    const watch = new DatabaseWatch({
      id: settings.id,
      open: () => openSession(settings, file, undefined),
      fullCheckMs: 600_000,
      timeoutMs: 2_000,
      log: () => {},
    });
    const administrator = await first.connect();
    try {
      // What the checker would compare is the other server's, where all is as approved.
      await administrator.query(`DROP TRIGGER clinic.${clinic.trigger}`);
      await until(async () => (await watch.attest()).findings.includes('database-elsewhere'));
      for (let i = 0; i < 20; i++) expect((await watch.attest()).state).not.toBe('intact');
      await administrator.query('USE clinic');
      await clinic.restoreTrigger(administrator);
      one = true;
      await until(async () => (await watch.attest()).state === 'intact');
    } finally {
      await watch.close();
      await administrator.end();
    }
  });
});
