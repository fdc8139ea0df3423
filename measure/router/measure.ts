import type { MeasureOptions, MeasureResult } from '../report.ts';
import { measureParts } from '../together.ts';
import { PARTS } from './parts.ts';

const TOGETHER: ReadonlySet<string> = new Set(['isolation', 'fleet', 'replica']);

/**
 * Proves through real gateways what the tenant router promises: no clinic's request reaches another's back end, ten
 * thousand tenants cost no more than two, back ends that fail, reads after writes, several gateways.
 * @param options.only names of `PARTS`
 */
export function measureRouter(options: MeasureOptions): Promise<MeasureResult> {
  return measureParts(PARTS, options, TOGETHER);
}
