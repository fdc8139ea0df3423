import type { Schema } from './schema.ts';
import { choice, duration, integer, limit, object, path, secret } from './values.ts';

const AT_ONCE = 1_000_000;

const atOnce = (description: string, example: number): Schema =>
  integer({ description, examples: [example] }, 1, AT_ONCE);

/** A list of servers. @param port the one that counts where none is given */
function nodes(title: string, description: string, port: number): Schema {
  return {
    type: 'array',
    title,
    description,
    minItems: 1,
    maxItems: 32,
    items: object(
      { title: 'Node', description: 'Where it listens.' },
      {
        host: redisHost('Host name or IP address.', 'redis-1.clinic.example'),
        port: integer({ description: `TCP port; ${port} unless given.`, examples: [port] }, 1, 65_535),
      },
      ['host'],
    ),
  };
}

const redisHost = (description: string, example: string): Schema => ({
  type: 'string',
  description,
  examples: [example],
  pattern: '^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45})$',
  errorMessage: 'must be a host name or an IP address, without scheme or port',
  'x-kind': 'host',
});

const account = (description: string, example: string): Schema => ({
  type: 'string',
  description,
  examples: [example],
  pattern: '^[!-~]{1,64}$',
  errorMessage: 'must be 1 to 64 visible ASCII characters',
});

const SENTINEL = object(
  {
    title: 'Redis Sentinel',
    description:
      'Sentinels that say which Redis is the primary now, in place of `host`. `user`, `password` and `authority` above ' +
      'are the primary’s; the authority is that of the sentinels’ certificates too.',
  },
  {
    name: account('What the sentinels call the primary (`sentinel monitor NAME …`).', 'chartgate'),
    nodes: nodes('Sentinels', 'Where they listen; the others are learned from them.', 26_379),
    user: account('Account of the sentinels; none unless given.', 'chartgate'),
    password: secret({
      description: 'Password of the sentinels; none unless given.',
      examples: ['secrets/sentinel-password'],
    }),
  },
  ['name', 'nodes'],
);

const REDIS = object(
  {
    title: 'Redis',
    description:
      'Redis (6.2 or newer) or Valkey, for several gateways: limits and the enumeration guard then hold over all of ' +
      'them. While it is away each gateway lets its part of every limit pass, never more.',
  },
  {
    host: redisHost(
      'Host name or IP address of the server. Excludes `socketPath`, `sentinel` and `cluster`.',
      'redis.clinic.example',
    ),
    port: integer({ description: 'TCP port; 6379 unless given.', examples: [6379] }, 1, 65_535),
    socketPath: path(
      {
        description: 'Unix socket of the server. Excludes `host`, `port` and `authority`.',
        examples: ['/run/redis/redis.sock'],
      },
      'socket',
    ),
    sentinel: SENTINEL,
    cluster: nodes(
      'Redis Cluster',
      'Nodes of a Redis Cluster to begin with, in place of `host`; the others are learned from them.',
      6379,
    ),
    authority: path({
      description: "PEM file with the authority of the server's certificate; required beyond loopback.",
      examples: ['tls/redis-authority.pem'],
    }),
    user: account(
      'Account (ACL) of the gateways; the default one unless given. The same one, with the same password, at all of them.',
      'chartgate',
    ),
    password: secret({
      description: 'Its password; required beyond loopback.',
      examples: ['secrets/redis-password'],
    }),
    database: integer({ description: 'Number of the database.', default: 0, examples: [0] }, 0, 65_535),
    gateways: integer(
      {
        description:
          'How many gateways share it. While Redis is away each lets this part of every limit pass by itself.',
        examples: [2],
      },
      1,
      1000,
    ),
    timeout: duration(
      {
        description: 'An answer that takes longer counts as none.',
        default: '100ms',
        examples: ['100ms'],
      },
      '5ms',
      '5s',
    ),
  },
  ['gateways'],
);

export const LIMITS: Schema = object(
  {
    title: 'Limits',
    description:
      'Requests allowed before the answer is 429, everywhere; over all workers together. Each is one limit, or a list ' +
      'of up to four that all hold, such as a burst and a sustained one. Tenants and routes may have others of their own.',
    default: {},
  },
  {
    perPeer: limit({
      title: 'Limit per peer',
      description: 'For each client address (IPv6: each /64), before anybody is authenticated.',
      default: { requests: 3000, window: '1m' },
    }),
    perPrincipal: limit({
      title: 'Limit per principal',
      description: 'For each authenticated subject of an issuer, per tenant.',
      default: { requests: 600, window: '1m' },
    }),
    perClient: limit({
      title: 'Limit per client',
      description:
        'For each client (`client_id`) of an issuer, whoever uses it, per tenant. None unless given.',
    }),
    perTenant: limit({
      title: 'Limit per tenant',
      description: 'For all authenticated and anonymous requests to a tenant together. None unless given.',
    }),
    concurrency: object(
      {
        title: 'Requests at once',
        description:
          'Requests under way at one time, from arrival until the last byte of the answer, WebSockets included; over all ' +
          'workers of this gateway together. No limit unless given.',
        default: {},
      },
      {
        perPeer: atOnce('For each client address.', 200),
        perPrincipal: atOnce('For each authenticated subject of an issuer, per tenant.', 20),
        perClient: atOnce('For each client of an issuer, per tenant.', 100),
        perTenant: atOnce('For a tenant.', 1000),
      },
    ),
    headers: choice(
      {
        description:
          'Answers that carry `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): `refused`, those ' +
          'with status 429; `always`, hidden answers excepted, every one of a request that was counted.',
        default: 'refused',
        examples: ['always'],
      },
      ['refused', 'always'],
    ),
    redis: REDIS,
  },
);

export const TENANT_LIMITS: Schema = object(
  {
    title: "Tenant's limits",
    description: "In place of the gateway's limits of the same name, for this tenant alone.",
  },
  {
    perPrincipal: limit({
      title: 'Limit per principal',
      description: 'For each authenticated subject of an issuer.',
    }),
    perClient: limit({ title: 'Limit per client', description: 'For each client of an issuer.' }),
    perTenant: limit({ title: 'Limit per tenant', description: 'For all requests to the tenant together.' }),
    concurrency: object(
      { title: 'Requests at once', description: 'Requests under way at one time.' },
      {
        perPrincipal: atOnce('For each authenticated subject of an issuer.', 20),
        perClient: atOnce('For each client of an issuer.', 100),
        perTenant: atOnce('For the tenant.', 1000),
      },
    ),
  },
);

/** Keys of a route. */
export const ROUTE_LIMITS: Readonly<Record<'limit' | 'limits' | 'concurrency', Schema>> = {
  limit: limit({
    title: 'Route limit',
    description:
      'Extra limit per principal (per peer when anonymous) on this route: one, or a list of up to four that all hold.',
  }),
  limits: object(
    {
      title: "Route's limits",
      description:
        'Further limits on this route. `perPrincipal` is the same as `limit`; give one of the two.',
    },
    {
      perPrincipal: limit({
        title: 'Limit per principal',
        description: 'For each principal (peer when anonymous).',
      }),
      perClient: limit({ title: 'Limit per client', description: 'For each client of an issuer.' }),
      perRoute: limit({
        title: 'Limit of the route',
        description: "For all of a tenant's requests to the route together.",
      }),
    },
  ),
  concurrency: object(
    { title: 'Requests at once', description: 'Requests under way at one time on this route.' },
    {
      perPrincipal: atOnce('For each principal (peer when anonymous).', 4),
      perClient: atOnce('For each client of an issuer.', 20),
      perRoute: atOnce("For all of a tenant's requests to the route together.", 50),
    },
  ),
};

type Three = readonly [number, number, number];
const MOST = 100_000_000;

function steps(what: string, defaults: Three | undefined): Schema {
  const [slow, stepUp, lock] = defaults ?? [undefined, undefined, undefined];
  const step = (description: string, value: number | undefined, example: number) =>
    integer(
      { description, ...(value === undefined ? {} : { default: value }), examples: [example] },
      1,
      MOST,
    );
  return object(
    { title: 'Steps', description: what, ...(defaults === undefined ? {} : { default: {} }) },
    {
      slow: step('From so many on, each request waits for `slowBy`.', slow, 30),
      stepUp: step('From so many on, a second factor given afterwards is wanted.', stepUp, 60),
      lock: step('From so many on, nothing is answered for `lockFor`.', lock, 120),
    },
    defaults === undefined ? ['slow', 'stepUp', 'lock'] : [],
  );
}

function thresholds(title: string, description: string, misses?: Three, patients?: Three): Schema {
  return object(
    { title, description, ...(misses === undefined ? {} : { default: {} }) },
    {
      misses: steps('Requests that ended hidden, forbidden or absent, whatever the cause.', misses),
      patients: steps('Different patients that requests named, whether or not they are there.', patients),
    },
  );
}

export const GUARD: Schema = object(
  {
    title: 'Enumeration guard',
    description:
      'A principal that meets unusually many absent or forbidden records, or names unusually many patients, is slowed, ' +
      'then asked for a fresh second factor, then locked, each with a record and an alarm.',
    default: {},
  },
  {
    mode: choice(
      {
        description: '`enforce`; `report`: counted and reported, nobody is refused; `off`.',
        default: 'enforce',
        examples: ['report'],
      },
      ['enforce', 'report', 'off'],
    ),
    window: duration(
      { description: 'What is counted together, whole seconds.', default: '10m', examples: ['10m'] },
      '1s',
      '24h',
      '1s',
    ),
    slowBy: duration(
      { description: 'How long each request of a slowed principal waits.', default: '1s', examples: ['1s'] },
      '10ms',
      '10s',
    ),
    lockFor: duration(
      { description: 'How long a lock lasts.', default: '15m', examples: ['15m'] },
      '1s',
      '24h',
      '1s',
    ),
    patient: thresholds(
      'A patient',
      'For tokens and sessions with one patient as their context (SMART `patient`).',
      [10, 20, 40],
      [3, 6, 12],
    ),
    person: thresholds('A person', 'For everybody else.', [30, 60, 120], [300, 600, 1200]),
    system: thresholds(
      'A system',
      'For tokens that hold `system/` scopes and no other resource scope.',
      [100, 200, 400],
      [2000, 4000, 8000],
    ),
    roles: {
      type: 'object',
      title: 'Roles',
      description:
        'In place of those, by role: of several roles that somebody has, the most generous counts. What a role leaves out is as for `person`.',
      minProperties: 1,
      propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
      additionalProperties: thresholds('Role', 'What is unusual for whoever has this role.'),
    },
  },
);
