import type {
  LimitSettings,
  RedisNode,
  RedisSentinelSettings,
  RedisSettings,
  TenantLimitSettings,
} from '../contracts/limits.ts';
import type { LimitDemand } from '../contracts/policy.ts';
import type { RouteDocument } from '../contracts/settings.ts';
import { isLoopback } from './addresses.ts';
import { authorityOf } from './authority.ts';
import { readSecret, type Surroundings, socketPath } from './references.ts';
import type { View } from './view.ts';

const DEFAULT_PORT = 6379;
const SENTINEL_PORT = 26_379;

/** One limit as it is, or several as a list. */
export function limitsOf(view: View): LimitDemand | readonly LimitDemand[] {
  if (view.items.length === 0) return limitOf(view);
  return listOf(view);
}

function limitOf(view: View): LimitDemand {
  return {
    requests: view.at('requests').integer ?? 0,
    windowSeconds: (view.at('window').milliseconds ?? 0) / 1000,
  };
}

/** One limit is a list of one; none is an empty one. */
function listOf(view: View): readonly LimitDemand[] {
  if (!view.exists) return [];
  if (view.items.length === 0) return [limitOf(view)];
  const demands = view.items.map(limitOf);
  demands.forEach((demand, index) => {
    const place = view.items[index];
    for (const [earlier, other] of demands.slice(0, index).entries()) {
      const fault = contradiction(demand, other);
      if (fault !== undefined) place?.fault(`${fault} (entry ${earlier}, counted from 0)`);
    }
  });
  return demands;
}

/** Of two limits on the same thing, one that can never be met first means nothing, and was hardly meant. */
function contradiction(one: LimitDemand, other: LimitDemand): string | undefined {
  if (one.windowSeconds === 0 || other.windowSeconds === 0) return undefined;
  if (one.windowSeconds === other.windowSeconds) return 'has the same window as another entry';
  const [short, long] = one.windowSeconds < other.windowSeconds ? [one, other] : [other, one];
  if (short.requests >= long.requests)
    return 'means nothing beside another entry: the shorter window must allow fewer requests than the longer one';
  return undefined;
}

function optionalList(view: View): readonly LimitDemand[] | undefined {
  return view.exists ? listOf(view) : undefined;
}

/** Limits of the whole gateway. */
export function limitSettingsOf(view: View, around: Surroundings): LimitSettings {
  const concurrency = view.at('concurrency');
  return {
    perPeer: listOf(view.at('perPeer')),
    perPrincipal: listOf(view.at('perPrincipal')),
    perClient: listOf(view.at('perClient')),
    perTenant: listOf(view.at('perTenant')),
    concurrency: {
      perPeer: concurrency.at('perPeer').integer,
      perPrincipal: concurrency.at('perPrincipal').integer,
      perClient: concurrency.at('perClient').integer,
      perTenant: concurrency.at('perTenant').integer,
    },
    headers: view.at('headers').text === 'always' ? 'always' : 'refused',
    redis: redisOf(view.at('redis'), around),
  };
}

export function tenantLimitsOf(view: View): TenantLimitSettings | undefined {
  if (!view.exists) return undefined;
  const concurrency = view.at('concurrency');
  return {
    perPrincipal: optionalList(view.at('perPrincipal')),
    perClient: optionalList(view.at('perClient')),
    perTenant: optionalList(view.at('perTenant')),
    concurrency: {
      perPrincipal: concurrency.at('perPrincipal').integer,
      perClient: concurrency.at('perClient').integer,
      perTenant: concurrency.at('perTenant').integer,
    },
  };
}

const ROUTE_KINDS = ['perPrincipal', 'perClient', 'perRoute'] as const;

export function routeLimitsOf(view: View): RouteDocument['limits'] {
  if (!view.exists) return undefined;
  const limits: { [Kind in (typeof ROUTE_KINDS)[number]]?: readonly LimitDemand[] } = {};
  for (const kind of ROUTE_KINDS) {
    const list = optionalList(view.at(kind));
    if (list !== undefined) limits[kind] = list;
  }
  return limits;
}

export function routeConcurrencyOf(view: View): RouteDocument['concurrency'] {
  if (!view.exists) return undefined;
  const limits: { [Kind in (typeof ROUTE_KINDS)[number]]?: number } = {};
  for (const kind of ROUTE_KINDS) {
    const number = view.at(kind).integer;
    if (number !== undefined) limits[kind] = number;
  }
  return limits;
}

/** The four ways to say where it is; exactly one of them. */
const PLACES = ['host', 'socketPath', 'sentinel', 'cluster'] as const;
type Place = (typeof PLACES)[number];

function redisOf(view: View, around: Surroundings): RedisSettings | undefined {
  if (!view.exists) return undefined;
  const place = placeOf(view);
  const authority = view.at('authority');
  const password = view.at('password');
  const sentinel = view.at('sentinel');
  const nodes = place === 'sentinel' ? sentinel.at('nodes') : view.at('cluster');
  const hosts = place === 'host' ? [view.at('host')] : nodes.items.map((node) => node.at('host'));
  if (place !== 'socketPath' && hosts.some(({ text }) => text !== undefined && !isLoopback(text))) {
    if (!authority.exists)
      authority.fault(
        'is missing: a server beyond loopback is reached with TLS only, and this is the authority of its certificate',
      );
    if (!password.exists)
      password.fault('is missing: whoever reaches a server without one could lift every limit');
  }
  if (view.at('user').exists && !password.exists) password.fault('is missing: "user" needs it');
  if (place === 'cluster' && (view.at('database').integer ?? 0) !== 0)
    view.at('database').fault('must be 0: a Redis Cluster has no other');
  const onSocket = place === 'socketPath';
  return {
    host: place === 'host' ? view.at('host').text : undefined,
    port: place === 'host' ? (view.at('port').integer ?? DEFAULT_PORT) : undefined,
    socketPath: onSocket ? socketPath(view.at('socketPath'), around) : undefined,
    sentinel: place === 'sentinel' ? sentinelOf(sentinel, around) : undefined,
    cluster: place === 'cluster' ? nodesOf(nodes, DEFAULT_PORT) : undefined,
    authority: onSocket ? undefined : authorityOf(authority, around),
    user: view.at('user').text,
    password: password.exists ? readSecret(password, around) : undefined,
    database: view.at('database').integer ?? 0,
    gateways: view.at('gateways').integer ?? 1,
    timeoutMs: view.at('timeout').milliseconds ?? 100,
  };
}

function placeOf(view: View): Place | undefined {
  const given = PLACES.filter((name) => view.at(name).exists);
  const place = given.at(-1);
  if (place === undefined)
    view.fault('needs "host" (and "port"), "socketPath", "sentinel" or "cluster", to reach the server');
  for (const name of given.slice(0, -1))
    view.at(name).fault(`excludes "${place}"; give one or the other`, true);
  for (const name of place === 'socketPath' ? ['port', 'authority'] : place === 'host' ? [] : ['port'])
    if (view.at(name).exists) view.at(name).fault(`excludes "${place}"; give one or the other`, true);
  return place;
}

function sentinelOf(view: View, around: Surroundings): RedisSentinelSettings {
  const password = view.at('password');
  if (view.at('user').exists && !password.exists) password.fault('is missing: "user" needs it');
  return {
    name: view.at('name').text ?? '',
    nodes: nodesOf(view.at('nodes'), SENTINEL_PORT),
    user: view.at('user').text,
    password: password.exists ? readSecret(password, around) : undefined,
  };
}

function nodesOf(view: View, port: number): readonly RedisNode[] {
  return view.items.map((node) => ({
    host: node.at('host').text ?? '',
    port: node.at('port').integer ?? port,
  }));
}
