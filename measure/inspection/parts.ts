import type { MeasureOptions, MeasureResult } from '../report.ts';

/** What is measured of request inspection, in the order in which it runs. Each part stops what it started. */
export const PARTS: ReadonlyMap<string, (options: MeasureOptions) => Promise<MeasureResult>> = new Map<
  string,
  (options: MeasureOptions) => Promise<MeasureResult>
>([
  ['attacks', async (options) => (await import('./attacks/measure.ts')).measureAttacks(options)],
  ['clinical', async (options) => (await import('./clinical/measure.ts')).measureClinical(options)],
  ['unseen', async (options) => (await import('./unseen/measure.ts')).measureUnseen(options)],
  ['cost', async (options) => (await import('./cost/measure.ts')).measureCost(options)],
  ['payload', async (options) => (await import('./payload/measure.ts')).measurePayload(options)],
  ['framing', async (options) => (await import('./framing.ts')).measureFraming(options)],
  ['paths', async (options) => (await import('./paths.ts')).measurePaths(options)],
  ['fuzz', async (options) => (await import('./fuzz/measure.ts')).measureFuzz(options)],
  ['slow', async (options) => (await import('./slow.ts')).measureSlow(options)],
]);
