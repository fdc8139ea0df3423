import type { BrokenFile } from './broken.ts';

const PER_PEER = '  perPeer: { requests: 100, window: 1m }';
const limits = (text: string): readonly [string, string] => [PER_PEER, `${PER_PEER}\n${text}`];
const guard = (text: string): readonly [string, string] => [
  'hiding: { deadline: 250ms }',
  `hiding: { deadline: 250ms }\nguard:\n${text}`,
];

/** Faults of limits and of the enumeration guard. */
export const BROKEN_LIMITS: readonly BrokenFile[] = [
  {
    because: 'a limit that is a number',
    change: limits('  perClient: 100'),
    faults: [
      '27:14: limits.perClient: must be "{ requests: 600, window: 1m }", or a list of up to four of them',
    ],
  },
  {
    because: 'no limit where one is written',
    change: limits('  perClient: []'),
    faults: ['27:3: limits.perClient: must have at least one entry'],
  },
  {
    because: 'five windows of one limit',
    change: limits(
      `  perClient: [${[1, 2, 3, 4, 5].map((n) => `{ requests: ${n}, window: ${n}s }`).join(', ')}]`,
    ),
    faults: ['27:3: limits.perClient: must have at most 4 entries'],
  },
  {
    because: 'two limits in the same window',
    change: limits('  perClient: [{ requests: 5, window: 60s }, { requests: 9, window: 1m }]'),
    faults: ['27:45: limits.perClient[1]: has the same window as another entry (entry 0, counted from 0)'],
  },
  {
    because: 'a burst that is larger than what is sustained',
    change: limits('  perClient: [{ requests: 600, window: 1m }, { requests: 600, window: 1s }]'),
    faults: [
      '27:46: limits.perClient[1]: means nothing beside another entry: the shorter window must allow fewer requests than the longer one (entry 0, counted from 0)',
    ],
  },
  {
    because: 'a limit of nothing in a list',
    change: limits('  perTenant: [{ requests: 0, window: 1m }]'),
    faults: ['27:27: limits.perTenant[0].requests: must be a whole number from 1 to 100000000'],
  },
  {
    because: 'no request at once',
    change: limits('  concurrency: { perPeer: 0 }'),
    faults: ['27:27: limits.concurrency.perPeer: must be a whole number from 1 to 1000000'],
  },
  {
    because: 'half a request at once',
    change: limits('  concurrency: { perPrincipal: 2.5 }'),
    faults: [
      '27:32: limits.concurrency.perPrincipal: a number must be a plain decimal integer such as 8443; put it in quotes if it is a text',
    ],
  },
  {
    because: 'headers now and then',
    change: limits('  headers: sometimes'),
    faults: ['27:12: limits.headers: must be one of refused, always'],
  },
  {
    because: 'Redis beyond loopback without TLS and without a password',
    change: limits('  redis: { host: redis.example, gateways: 2 }'),
    faults: [
      '27:3: limits.redis.authority: is missing: a server beyond loopback is reached with TLS only, and this is the authority of its certificate',
      '27:3: limits.redis.password: is missing: whoever reaches a server without one could lift every limit',
    ],
  },
  {
    because: 'Redis without saying how many gateways share it',
    change: limits('  redis: { host: 127.0.0.1 }'),
    faults: ['27:3: limits.redis.gateways: is missing: How many gateways share it'],
  },
  {
    because: 'Redis that is nowhere',
    change: limits('  redis: { gateways: 2 }'),
    faults: [
      '27:3: limits.redis: needs "host" (and "port"), "socketPath", "sentinel" or "cluster", to reach the server',
    ],
  },
  {
    because: 'Redis at two places',
    change: limits('  redis: { host: 127.0.0.1, socketPath: /run/redis.sock, gateways: 2 }'),
    faults: ['27:12: limits.redis.host: excludes "socketPath"; give one or the other'],
  },
  {
    because: 'a Redis Cluster beside a single server',
    change: limits('  redis: { host: 127.0.0.1, cluster: [{ host: 127.0.0.1 }], gateways: 2 }'),
    faults: ['27:12: limits.redis.host: excludes "cluster"; give one or the other'],
  },
  {
    because: 'a numbered database of a Redis Cluster',
    change: limits('  redis: { cluster: [{ host: 127.0.0.1 }], database: 1, gateways: 2 }'),
    faults: ['27:54: limits.redis.database: must be 0: a Redis Cluster has no other'],
  },
  {
    because: 'one node of a cluster beyond loopback, without TLS and without a password',
    change: limits('  redis: { cluster: [{ host: 127.0.0.1 }, { host: 192.0.2.7 }], gateways: 2 }'),
    faults: [
      '27:3: limits.redis.authority: is missing: a server beyond loopback is reached with TLS only, and this is the authority of its certificate',
      '27:3: limits.redis.password: is missing: whoever reaches a server without one could lift every limit',
    ],
  },
  {
    because: 'sentinels that nobody named a primary to',
    change: limits('  redis: { sentinel: { nodes: [{ host: 127.0.0.1 }] }, gateways: 2 }'),
    faults: [
      '27:12: limits.redis.sentinel.name: is missing: What the sentinels call the primary (`sentinel monitor NAME …`)',
    ],
  },
  {
    because: 'an account of the sentinels without a password',
    change: limits(
      '  redis: { sentinel: { name: main, user: gate, nodes: [{ host: 127.0.0.1 }] }, gateways: 2 }',
    ),
    faults: ['27:12: limits.redis.sentinel.password: is missing: "user" needs it'],
  },
  {
    because: 'a password written into the settings',
    change: limits('  redis: { host: 127.0.0.1, gateways: 2, password: hunter2 }'),
    faults: [
      '27:52: limits.redis.password: must be "{ file: PATH }": a secret is never written into the configuration itself',
    ],
  },
  {
    because: 'a password that others can read',
    change: limits('  redis: { host: 127.0.0.1, gateways: 2, password: { file: group.secret } }'),
    faults: [
      "27:60: limits.redis.password.file: the file's mode is 0640: its group or others can get at the secret; allow its owner alone (chmod 600)",
    ],
  },
  {
    because: 'a user without a password',
    change: limits('  redis: { host: 127.0.0.1, gateways: 2, user: gate }'),
    faults: ['27:3: limits.redis.password: is missing: "user" needs it'],
  },
  {
    because: 'a guard that is on',
    change: guard('  mode: on'),
    faults: ['29:9: guard.mode: must be one of enforce, report, off'],
  },
  {
    because: 'steps in the wrong order',
    change: guard('  person:\n    misses: { slow: 60, stepUp: 30, lock: 90 }'),
    faults: [
      '30:33: guard.person.misses.stepUp: must not be less than "slow": a step begins where the one before it has not helped',
    ],
  },
  {
    because: 'one step moved past the default of the next',
    change: guard('  person:\n    misses: { slow: 500 }'),
    faults: [
      '30:5: guard.person.misses.stepUp: must not be less than "slow": a step begins where the one before it has not helped',
    ],
  },
  {
    because: 'a role with a step left out',
    change: guard('  roles:\n    physician:\n      misses: { slow: 5, lock: 9 }'),
    faults: [
      '31:7: guard.roles.physician.misses.stepUp: is missing: From so many on, a second factor given afterwards is wanted',
    ],
  },
  {
    because: 'a guard that never looks back',
    change: guard('  window: 0s'),
    faults: ['29:11: guard.window: must be a duration from 1s to 24h in whole seconds'],
  },
  {
    because: 'a tenant with a limit per peer, which is counted before the tenant is known',
    change: [
      '    database: north-emr',
      '    database: north-emr\n    limits: { perPeer: { requests: 1, window: 1s } }',
    ],
    faults: [
      '36:15: tenants[0].limits.perPeer: is not a known key. Allowed here: perPrincipal, perClient, perTenant, concurrency',
    ],
  },
];
