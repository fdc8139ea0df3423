import type { Measurement } from './report.ts';

/** Every measurement by the name it is asked for. Each loads what it needs only when it is run. */
export const MEASUREMENTS: ReadonlyMap<string, Measurement> = new Map<string, Measurement>([
  [
    'audit',
    {
      title: 'the audit trail: rebuilding from it, the binary log beside it, its cost',
      run: async (options) => (await import('./audit/measure.ts')).measureAudit(options),
    },
  ],
  [
    'hiding',
    {
      title: 'existence hiding: times, order, bytes, a classifier, what it costs',
      run: async (options) => (await import('./hiding/measure.ts')).measureHiding(options),
    },
  ],
  [
    'hot-path',
    {
      title: 'requests per second of an authorised read, beside other proxies',
      run: async (options) => (await import('./hot-path/measure.ts')).measureHotPath(options),
    },
  ],
  [
    'identity',
    {
      title: 'identity: negative cases, replays, guesses, timing, cost, a stolen store',
      run: async (options) => (await import('./identity/measure.ts')).measureIdentity(options),
    },
  ],
  [
    'inspection',
    {
      title: 'request inspection: attacks, clinical text, framing, paths, cost',
      run: async (options) => (await import('./inspection/measure.ts')).measureInspection(options),
    },
  ],
  [
    'integrity',
    {
      title: 'the integrity checker: tampers, races, stolen credentials, cost, faults',
      run: async (options) => (await import('./integrity/measure.ts')).measureIntegrity(options),
    },
  ],
  [
    'memory',
    {
      title: 'memory of the gateway while 50 MB stream through it, both ways',
      run: async (options) => (await import('./memory/measure.ts')).measureMemory(options),
    },
  ],
  [
    'policies',
    {
      title: 'policies: decisions beside a literal reading, their cost, a crawl, limits',
      run: async (options) => (await import('./policies/measure.ts')).measurePolicies(options),
    },
  ],
  [
    'router',
    {
      title: 'the tenant router: isolation, scale, back ends that fail, replicas, several gateways',
      run: async (options) => (await import('./router/measure.ts')).measureRouter(options),
    },
  ],
]);
