import { merge, type Part } from '../integrity/parts.ts';
import { describeMachine } from '../machine.ts';
import { stopEverything } from '../processes.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { PARTS } from './parts.ts';

/**
 * Proves through real gateways what request inspection promises: attacks refused, clinical text let through, one
 * meaning for each request, and what all of it costs.
 * @param options.only names of `PARTS`; `PART:NAME` is something of a part that has names, such as a parser of `fuzz`
 */
export async function measureInspection(options: MeasureOptions): Promise<MeasureResult> {
  const unknown = [...(options.only ?? [])].filter((name) => !PARTS.has(partOf(name)));
  if (unknown.length > 0)
    throw new Error(
      `--only: there is no part ${unknown.join(', ')}; there are ${[...PARTS.keys()].join(', ')}`,
    );
  const found: Part[] = [];
  for (const [name, run] of PARTS) {
    const wanted =
      options.only === undefined ? undefined : [...options.only].filter((each) => partOf(each) === name);
    if (wanted?.length === 0) continue;
    const below = wanted?.includes(name) ? undefined : wanted?.map((each) => each.slice(name.length + 1));
    options.progress(name);
    try {
      found.push(
        await run({
          ...options,
          only: below === undefined ? undefined : new Set(below),
          progress: (line) => options.progress(`${name}: ${line}`),
        }),
      );
    } finally {
      await stopEverything();
    }
  }
  const merged = merge(found);
  return { ...merged, figures: { machine: describeMachine(), ...merged.figures } };
}

function partOf(name: string): string {
  return name.split(':', 1)[0] ?? '';
}
