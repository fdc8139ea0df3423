import type { Part } from '../integrity/parts.ts';
import type { MeasureOptions } from '../report.ts';

type Run = (options: MeasureOptions) => Promise<Part>;

/**
 * What is measured of the tenant router, in the order in which it runs. Each part stops what it started, and is
 * loaded only when it runs.
 */
export const PARTS: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['isolation', async (options) => (await import('./isolation.ts')).measureIsolation(options)],
  ['scale', async (options) => (await import('./scale.ts')).measureScale(options)],
  ['fleet', async (options) => (await import('./fleet.ts')).measureFleet(options)],
  ['faults', async (options) => (await import('./faults.ts')).measureFaults(options)],
  ['replica', async (options) => (await import('./replica.ts')).measureReplica(options)],
]);
