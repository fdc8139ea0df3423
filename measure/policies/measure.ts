import type { MeasureOptions, MeasureResult } from '../report.ts';
import { measureParts, type Parts } from '../together.ts';

const PARTS: Parts = new Map([
  ['differential', async (options) => (await import('./differential/run.ts')).runDifferential(options)],
  ['cost', async (options) => (await import('./cost/run.ts')).runCost(options)],
  ['limits', async (options) => (await import('./limits.ts')).runLimits(options)],
  ['crawl', async (options) => (await import('./crawl/run.ts')).runCrawl(options)],
  ['consent', async (options) => (await import('./consent/run.ts')).runConsent(options)],
  ['reload', async (options) => (await import('./reload.ts')).runReload(options)],
] as [string, (options: MeasureOptions) => Promise<MeasureResult>][]);

const TOGETHER: ReadonlySet<string> = new Set(['limits', 'crawl', 'consent', 'reload']);

/**
 * Proves what policies promise: decisions, their cost, who gets what through the whole gateway, limits.
 * @param options.only names of `PARTS`
 */
export function measurePolicies(options: MeasureOptions): Promise<MeasureResult> {
  return measureParts(PARTS, options, TOGETHER);
}
