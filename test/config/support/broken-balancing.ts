import type { BrokenFile } from './broken.ts';

const BACKEND = '      - origin: http://127.0.0.1:9001';
const balancing = (text: string): readonly [string, string] => [
  `    backends:\n${BACKEND}`,
  `    balancing:\n${text}\n    backends:\n${BACKEND}`,
];

/** Faults of how requests are spread over back ends. */
export const BROKEN_BALANCING: readonly BrokenFile[] = [
  {
    because: 'a method that there is not',
    change: balancing('      method: random'),
    faults: ['39:15: tenants[0].balancing.method: must be one of round-robin, least-requests, sticky'],
  },
  {
    because: 'a check that takes longer than until the next one',
    change: balancing('      healthCheck: { path: /health, interval: 1s, timeout: 2s }'),
    faults: [
      '39:60: tenants[0].balancing.healthCheck.timeout: must not be longer than "interval": a check ends before the next one begins',
    ],
  },
  {
    because: 'a check of something that is no path',
    change: balancing('      healthCheck: { path: "https://elsewhere.example/" }'),
    faults: ['39:28: tenants[0].balancing.healthCheck.path: must be a path such as /health, without spaces'],
  },
  {
    because: 'further attempts without a bound',
    change: balancing('      retry: { budget: 100 }'),
    faults: ['39:24: tenants[0].balancing.retry.budget: must be a whole number from 0 to 50'],
  },
  {
    because: 'replicas of nothing',
    change: [BACKEND, `${BACKEND}\n        role: replica`],
    faults: [
      '38:5: tenants[0].backends: has replicas only; one back end has to be the primary, where writes go',
    ],
  },
  {
    because: 'a role that there is not',
    change: [BACKEND, `${BACKEND}\n        role: standby`],
    faults: ['40:15: tenants[0].backends[0].role: must be one of primary, replica'],
  },
];
