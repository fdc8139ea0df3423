import { merge, type Part } from '../integrity/parts.ts';
import { describeMachine } from '../machine.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { runBusy } from './busy.ts';
import { runCost } from './cost.ts';
import { runDump } from './dump.ts';
import { runNegative } from './negative/run.ts';
import { runReplay } from './replay.ts';
import { runTiming } from './timing.ts';

/** What can be asked for by itself (`--only`). */
const PARTS: Readonly<Record<string, (options: MeasureOptions) => Promise<Part>>> = Object.freeze({
  negative: runNegative,
  replay: runReplay,
  dump: runDump,
  cost: runCost,
  busy: runBusy,
  timing: runTiming,
});

export async function measureIdentity(options: MeasureOptions): Promise<MeasureResult> {
  const unknown = [...(options.only ?? [])].filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0)
    throw new Error(`there is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  const parts: Part[] = [];
  for (const [name, run] of Object.entries(PARTS)) {
    if (options.only === undefined || options.only.has(name)) parts.push(await run(options));
  }
  const merged = merge(parts);
  return { ...merged, figures: { machine: describeMachine(), ...merged.figures } };
}
