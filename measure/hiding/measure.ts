import { merge, type Part } from '../integrity/parts.ts';
import { describeMachine } from '../machine.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';
import { openRun, type Run } from './scene-of-run.ts';

/** What can be asked for by itself (`--only`). Each is loaded only when it runs; all of them share one scene. */
const PARTS: Readonly<Record<string, (run: Run) => Promise<Part>>> = Object.freeze({
  timing: async (run) => (await import('./timing.ts')).runTiming(run),
  order: async (run) => (await import('./order.ts')).runOrder(run),
  bytes: async (run) => (await import('./bytes.ts')).runBytes(run),
  classifier: async (run) => (await import('./classify.ts')).runClassifier(run),
  contrast: async (run) => (await import('./contrast.ts')).runContrast(run),
  cost: async (run) => (await import('./cost.ts')).runCost(run),
});
/**
 * Only when asked for by name: sizes of what is known to remain, and 10,000 samples of every case of every method, which
 * take most of an hour.
 */
const BY_NAME: typeof PARTS = Object.freeze({
  residual: async (run) => (await import('./residual.ts')).runResidual(run),
  thorough: async (run) => (await import('./timing.ts')).runThorough(run),
});

/** Whether anybody can find out from outside that a record exists. */
export async function measureHiding(options: MeasureOptions): Promise<MeasureResult> {
  const all = { ...PARTS, ...BY_NAME };
  const unknown = [...(options.only ?? [])].filter((name) => !Object.hasOwn(all, name));
  if (unknown.length > 0)
    throw new Error(`there is no part ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}`);
  const wanted = Object.entries(options.only === undefined ? PARTS : all).filter(
    ([name]) => options.only === undefined || options.only.has(name),
  );
  const run = await openRun(options);
  try {
    const parts: Part[] = [];
    for (const [, of] of wanted) parts.push(await of(run));
    const merged = merge(parts);
    return { ...merged, figures: { machine: describeMachine(), ...merged.figures } };
  } finally {
    await run.stop();
  }
}
