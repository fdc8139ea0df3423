import type { MeasureOptions, MeasureResult } from '../report.ts';
import { measureParts } from '../together.ts';
import { PARTS } from './parts.ts';

const TOGETHER: ReadonlySet<string> = new Set(['isolation', 'replica']);
/** Three gateways take their time to start; test/end-to-end/fleet.test.ts is their short form. */
const LONG: ReadonlySet<string> = new Set(['fleet']);

/**
 * Proves through real gateways what the tenant router promises: no clinic's request reaches another's back end, ten
 * thousand tenants cost no more than two, back ends that fail, reads after writes, several gateways.
 * @param options.only names of `PARTS`
 */
export function measureRouter(options: MeasureOptions): Promise<MeasureResult> {
  return measureParts(PARTS, options, TOGETHER, LONG);
}
