import { isIP } from 'node:net';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisSettings } from '../../contracts/limits.ts';

const CONNECT_MS = 2000;
/** Milliseconds between two looks at who of a cluster holds what. */
const SLOTS_MS = 5000;
/** Milliseconds for which the nodes of a cluster are asked about it. */
const SLOTS_LIMIT_MS = 500;
/** A slot that has just moved is looked for once more; whoever asks does not wait longer than that. */
const MOST_REDIRECTIONS = 3;

export type RedisClient = Redis | Cluster;

const retryIn = (times: number): number => Math.min(1000, 50 * 2 ** Math.min(times, 5));

/** A connection to one Redis, to the primary that sentinels name, or to all primaries of a cluster. */
export function redisClient(settings: RedisSettings): RedisClient {
  const { host, port, socketPath, sentinel, cluster, authority } = settings;
  const common = {
    ...(settings.user === undefined ? {} : { username: settings.user }),
    ...(settings.password === undefined ? {} : { password: settings.password.reveal().toString() }),
    ...(authority === undefined ? {} : { tls: tlsOf(authority, host) }),
    // Whatever cannot be done now is not done later: the request that it was for has been answered by then.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: settings.timeoutMs,
    connectTimeout: CONNECT_MS,
    // A Redis that is not the primary any more is left, also where it still answers.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    connectionName: 'chartgate',
    disableClientInfo: true,
  } satisfies RedisOptions;
  if (cluster !== undefined) {
    return new Cluster([...cluster], {
      redisOptions: common,
      enableOfflineQueue: false,
      clusterRetryStrategy: retryIn,
      maxRedirections: MOST_REDIRECTIONS,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      slotsRefreshTimeout: SLOTS_LIMIT_MS,
      slotsRefreshInterval: SLOTS_MS,
    });
  }
  const single = {
    ...common,
    db: settings.database,
    enableOfflineQueue: false,
    retryStrategy: retryIn,
  } satisfies RedisOptions;
  if (sentinel === undefined) {
    return new Redis({
      ...single,
      ...(socketPath === undefined
        ? { host: host ?? '127.0.0.1', port: port ?? 6379 }
        : { path: socketPath }),
    });
  }
  return new Redis({
    ...single,
    sentinels: [...sentinel.nodes],
    name: sentinel.name,
    ...(sentinel.user === undefined ? {} : { sentinelUsername: sentinel.user }),
    ...(sentinel.password === undefined ? {} : { sentinelPassword: sentinel.password.reveal().toString() }),
    ...(authority === undefined
      ? {}
      : { enableTLSForSentinelMode: true, sentinelTLS: tlsOf(authority, undefined) }),
    sentinelCommandTimeout: CONNECT_MS,
    sentinelRetryStrategy: retryIn,
    sentinelReconnectStrategy: retryIn,
    // A primary that stands still closes no connection: the sentinels tell when there is another.
    failoverDetector: true,
  });
}

/**
 * Whether all of it is there. In a cluster: every primary answers, and says that each slot is held by somebody; with a
 * part of the keys away, limits would be counted here and there in turns. Rejects where it is not.
 */
export async function answers(client: RedisClient): Promise<boolean> {
  if (!(client instanceof Cluster)) return (await client.ping()) === 'PONG';
  await new Promise<void>((resolve, reject) =>
    client.refreshSlotsCache((error) => (error instanceof Error ? reject(error) : resolve())),
  );
  const primaries = client.nodes('master');
  const said = await Promise.all(primaries.map((node) => node.cluster('INFO')));
  return (
    primaries.length > 0 &&
    said.every((text) => /^cluster_state:ok\s*$/m.test(text) && /^cluster_slots_ok:16384\s*$/m.test(text))
  );
}

function tlsOf(authority: Buffer, host: string | undefined) {
  return {
    ca: authority,
    minVersion: 'TLSv1.2' as const,
    // An address is no server name (RFC 6066 §3); the certificate is judged by it all the same.
    ...(host === undefined || isIP(host) !== 0 ? {} : { servername: host }),
  };
}
