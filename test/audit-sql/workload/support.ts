import { join } from 'node:path';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import type { ServerKind } from '../../../measure/audit/plan.ts';
import { startMeasured } from '../../../measure/audit/servers.ts';

const running = new Map<string, PrivateDatabase>();

/** A server with a row-based binary log, shared by the tests of one file that want the same kind. */
export async function startWorkloadServer(suite: string, kind: ServerKind): Promise<PrivateDatabase> {
  const key = JSON.stringify([suite, kind.title]);
  const there = running.get(key);
  if (there !== undefined) return there;
  const folder = join(import.meta.dirname, '../../../.work', `audit-workload-${suite}-${running.size}`);
  const server = await startMeasured(kind.engine, folder, {
    durable: false,
    binaryLog: true,
    extra: kind.extra,
  });
  running.set(key, server);
  return server;
}

export async function stopWorkloadServers(): Promise<void> {
  for (const server of running.values()) await server.stop();
  running.clear();
}
