import type { MeasureOptions, MeasureResult } from '../report.ts';
import { measureParts } from '../together.ts';
import { PARTS } from './parts.ts';

const TOGETHER: ReadonlySet<string> = new Set(['attacks', 'clinical', 'payload', 'framing', 'paths', 'fuzz']);
/** A thousand slow connections take their time to be made, four times. */
const LONG: ReadonlySet<string> = new Set(['slow']);

/**
 * Proves through real gateways what request inspection promises: attacks refused, clinical text let through, one
 * meaning for each request, and what all of it costs.
 * @param options.only names of `PARTS`; `fuzz:NAME` is one parser
 */
export function measureInspection(options: MeasureOptions): Promise<MeasureResult> {
  return measureParts(PARTS, options, TOGETHER, LONG);
}
