import { merge, type Part } from '../integrity/parts.ts';
import { describeMachine } from '../machine.ts';
import { stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { PARTS } from './parts.ts';

/**
 * Proves through real gateways what the tenant router promises: no clinic's request reaches another's back end, ten
 * thousand tenants cost no more than two, back ends that fail, reads after writes, several gateways.
 * @param options.only names of `PARTS`
 */
export async function measureRouter(options: MeasureOptions): Promise<MeasureResult> {
  const unknown = [...(options.only ?? [])].filter((name) => !PARTS.has(name));
  if (unknown.length > 0)
    throw new Error(
      `--only: there is no part ${unknown.join(', ')}; there are ${[...PARTS.keys()].join(', ')}`,
    );
  const found: Part[] = [];
  for (const [name, run] of PARTS) {
    if (options.only?.has(name) === false) continue;
    options.progress(name);
    try {
      found.push(
        await run({ ...options, only: undefined, progress: (line) => options.progress(`${name}: ${line}`) }),
      );
    } finally {
      await stopEverything();
    }
  }
  const merged = merge(found);
  return { ...merged, figures: { machine: describeMachine(), ...merged.figures } };
}
