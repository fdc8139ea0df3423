import { createServer, type Server } from 'node:net';
import type { DatabaseId, TenantId } from '../../contracts/identifiers.ts';
import type { BackendSettings, TenantSettings } from '../../contracts/settings.ts';

export function tenant(id: string, hosts: readonly string[], ...backends: BackendSettings[]): TenantSettings {
  return Object.freeze({
    id: id as TenantId,
    hosts,
    audience: `https://${hosts[0]}`,
    issuers: ['issuer'],
    database: 'emr' as DatabaseId,
    policy: 'main',
    identityHeader: undefined,
    backends,
  });
}

export function backend(origin: string, more: Partial<BackendSettings> = {}): BackendSettings {
  return Object.freeze({ origin, authority: undefined, connections: 8, ...more });
}

/** Listens on a free loopback port. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export async function stop(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  server.closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
}

/** A port on which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await stop(server);
  return port;
}
