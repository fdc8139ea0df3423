import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { give } from '../../../examples/demo/isolation.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import type { BeforeGateway, Stack, StackOptions } from '../../../examples/demo/stack.ts';
import { freePort } from '../../../examples/support/ports.ts';
import { type PrivateRedis, startPrivateRedis } from '../../../examples/support/private-redis.ts';
import { Service } from '../../../examples/support/service.ts';
import { Haproxy, type Place } from './haproxy.ts';

export const GATEWAYS = 3;
/** Longer than HAProxy takes to notice (`CHECK_MS`), and than a client waits between two requests. */
const LEAVE = '1500ms';
const STATE_SCHEMA = 'chartgate_state';
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

export interface FleetGateway {
  readonly place: Place;
  readonly operations: { readonly port: number };
  readonly service: Service;
  /** Its configuration file. */
  readonly file: string;
  readonly activity: string;
  readonly log: string;
}

export interface FleetOptions {
  /** Limits of the tenant `south`; the gateways' own are as wide as can be. */
  readonly southLimits: object;
  /** People give a second factor to the gateway, whatever they gave to their issuer. */
  readonly secondFactorAtGateway?: boolean;
  /** Workers of each gateway; one unless told. */
  readonly workers?: number;
}

/** What is started before the first gateway is, and started with it. */
export interface PreparedFleet {
  readonly adjust: NonNullable<StackOptions['adjust']>;
  readonly stop: () => Promise<void>;
  /** Starts the others. */
  complete(stack: Stack): Promise<Fleet>;
}

/** Three gateways that share one Redis and one database, with HAProxy where clients connect. */
export interface Fleet {
  readonly stack: Stack;
  /** Counted from 1: `gateway(1)` is the stack's own. */
  gateway(n: number): FleetGateway;
  readonly haproxy: Haproxy;
  readonly redis: PrivateRedis;
  /** Starts Redis again on the same port, empty. */
  redisAgain(): Promise<void>;
  /** `kill -9` of every process of a gateway at the same moment, as when its machine is lost. */
  lose(n: number): Promise<void>;
  /** Rewrites the configuration of all of them. */
  configure(change: (configuration: Record<string, unknown>) => void): void;
  /** Ends the gateways but the first, which is the stack's. */
  stop(): Promise<void>;
}

const PLENTY = { requests: 10_000_000, window: '10s' };
const yaml = (value: unknown): string => stringify(value, { aliasDuplicateObjects: false });

export async function prepareFleet(around: BeforeGateway, options: FleetOptions): Promise<PreparedFleet> {
  const { layout, isolation, gatewayPort } = around;
  const directory = join(dirname(layout.gateway), 'fleet');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const places: Place[] = [];
  const operations: number[] = [];
  for (let n = 1; n <= GATEWAYS; n += 1) {
    // Addresses of their own, as machines have.
    places.push({ host: `127.0.0.${n}`, port, readyPort: await freePort() });
    operations.push(await freePort());
  }
  let redis = await startRedis(await freePort());
  const password = randomBytes(18).toString('base64url');
  await makeState(around, password);
  writeSecret(join(layout.gateway, 'fleet-state.password'), password, isolation.gateway);
  writeSecret(join(layout.gateway, 'fleet-state.key'), randomBytes(32).toString('hex'), isolation.gateway);
  const haproxy = new Haproxy({ directory, port: gatewayPort, gateways: places });
  await haproxy.start();
  await haproxy.believeFirst(true);

  function startRedis(at: number): Promise<PrivateRedis> {
    return startPrivateRedis({ directory: join(directory, 'redis'), port: at });
  }

  /** What gateway `n` has of its own. */
  const own = (n: number) => {
    const [place, at] = [places[n - 1], operations[n - 1]];
    if (place === undefined || at === undefined) throw new Error(`there is no gateway ${n}`);
    return {
      place,
      operations: { port: at, balancer: { host: place.host, port: place.readyPort } },
      activity: join(layout.gateway, `activity${n === 1 ? '' : `-${n}`}`),
      file: join(layout.gateway, n === 1 ? 'gateway.yaml' : `gateway-${n}.yaml`),
      log: join(layout.logs, n === 1 ? 'gateway.log' : `gateway-${n}.log`),
    };
  };

  const adjust: PreparedFleet['adjust'] = (usual) => ({
    ...usual,
    listen: {
      ...(usual.listen as object),
      host: own(1).place.host,
      port,
      trustedProxies: ['127.0.0.1'],
      proxyProtocol: 'required',
    },
    operations: own(1).operations,
    workers: options.workers ?? 1,
    timeouts: { leave: LEAVE, drain: '10s' },
    state: {
      server: {
        host: around.mariadb.host,
        port: around.mariadb.port,
        database: STATE_SCHEMA,
        user: STATE_SCHEMA,
        password: { file: 'fleet-state.password' },
      },
      keys: [{ file: 'fleet-state.key' }],
    },
    limits: {
      perPeer: PLENTY,
      perPrincipal: PLENTY,
      redis: { host: redis.host, port: redis.port, gateways: GATEWAYS, timeout: '250ms' },
    },
    issuers: (usual.issuers as { readonly relyingParty?: object }[]).map((issuer) =>
      options.secondFactorAtGateway === true && issuer.relyingParty !== undefined
        ? { ...issuer, secondFactor: { by: 'gateway' } }
        : issuer,
    ),
    tenants: (usual.tenants as { readonly id: string }[]).map((tenant) =>
      tenant.id === 'south' ? { ...tenant, limits: options.southLimits } : tenant,
    ),
  });

  const services: Service[] = [];
  async function stop(): Promise<void> {
    await Promise.all(services.map((service) => service.stop()));
    await haproxy.stop();
    await redis.stop();
  }

  async function complete(stack: Stack): Promise<Fleet> {
    const first = parse(readFileSync(own(1).file, 'utf8')) as Record<string, unknown>;
    const gateways: FleetGateway[] = [{ ...own(1), service: stack.gateway }];
    write(first);
    for (let n = 2; n <= GATEWAYS; n += 1) {
      const mine = own(n);
      const { activity, file, log } = mine;
      mkdirSync(activity, { mode: 0o700 });
      give(activity, isolation.gateway);
      const service = new Service({
        name: `gateway ${n}`,
        command: process.execPath,
        args: [join(root, 'bin', 'chartgate.mjs'), 'start', '--config', file],
        ready: /"ready"/,
        logFile: log,
        account: isolation.gateway,
      });
      services.push(service);
      gateways.push({ ...mine, service });
    }
    await Promise.all(services.map((service) => service.start()));

    /** One configuration, and each gateway's own addresses and log. */
    function write(configuration: Record<string, unknown>): void {
      for (let n = 1; n <= GATEWAYS; n += 1) {
        const { file, place, operations: asked, activity } = own(n);
        const listen = { ...(configuration.listen as object), host: place.host };
        const mine = { ...configuration, listen, operations: asked, activityLog: { directory: activity } };
        writeSecret(file, yaml(mine), isolation.gateway);
      }
    }

    function gateway(n: number): FleetGateway {
      const found = gateways[n - 1];
      if (found === undefined) throw new Error(`there is no gateway ${n}`);
      return found;
    }

    await haproxy.believeFirst(false);
    await haproxy.all();
    return {
      stack,
      gateway,
      haproxy,
      get redis() {
        return redis;
      },
      async redisAgain() {
        redis = await startRedis(redis.port);
      },
      async lose(n) {
        const { service } = gateway(n);
        const { workers } = JSON.parse(service.readyLine) as { readonly workers: readonly number[] };
        const ended = service.kill();
        for (const pid of workers) process.kill(pid, 'SIGKILL');
        await ended;
      },
      configure(change) {
        change(first);
        write(first);
      },
      stop: async () => void (await Promise.all(services.map((service) => service.stop()))),
    };
  }

  return { adjust, stop, complete };
}

/** The gateways' schema and account. It may make its tables itself; on a server that others use it could not. */
async function makeState({ mariadb }: BeforeGateway, password: string): Promise<void> {
  const connection = await mariadb.connect();
  try {
    await connection.query('CREATE DATABASE ?? CHARACTER SET utf8mb4', [STATE_SCHEMA]);
    await connection.query("CREATE USER ?@'127.0.0.1' IDENTIFIED BY ?", [STATE_SCHEMA, password]);
    await connection.query(
      "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON ??.* TO ?@'127.0.0.1'",
      [STATE_SCHEMA, STATE_SCHEMA],
    );
  } finally {
    await connection.end();
  }
}
