import { merge, type Part } from '../integrity/parts.ts';
import { describeMachine } from '../machine.ts';
import type { MeasureOptions, MeasureResult } from '../report.ts';

/** What can be asked for by itself (`--only`). Each is loaded only when it runs. */
const PARTS: Readonly<Record<string, (options: MeasureOptions) => Promise<Part>>> = Object.freeze({
  differential: async (options) => (await import('./differential/run.ts')).runDifferential(options),
  cost: async (options) => (await import('./cost/run.ts')).runCost(options),
  crawl: async (options) => (await import('./crawl/run.ts')).runCrawl(options),
  consent: async (options) => (await import('./consent/run.ts')).runConsent(options),
  reload: async (options) => (await import('./reload.ts')).runReload(options),
  limits: async (options) => (await import('./limits.ts')).runLimits(options),
});

/** What has seconds of room in what it promises, and mostly waits: with `--short` at the same time, or it would take minutes. */
const TOGETHER: ReadonlySet<string> = new Set(['crawl', 'consent', 'reload']);

async function runPart(name: string, options: MeasureOptions): Promise<Part> {
  const run = PARTS[name];
  if (run === undefined) throw new Error(`there is no part ${name}`);
  return run(options);
}

/** Proves what policies promise: decisions, their cost, who gets what through the whole gateway, limits. */
export async function measurePolicies(options: MeasureOptions): Promise<MeasureResult> {
  const unknown = [...(options.only ?? [])].filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0)
    throw new Error(`there is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  const parts: Part[] = [];
  const wanted = Object.keys(PARTS).filter((name) => options.only === undefined || options.only.has(name));
  const together = options.short ? wanted.filter((name) => TOGETHER.has(name)) : [];
  for (const name of wanted) if (!together.includes(name)) parts.push(await runPart(name, options));
  parts.push(...(await Promise.all(together.map((name) => runPart(name, options)))));
  const merged = merge(parts);
  return { ...merged, figures: { machine: describeMachine(), ...merged.figures } };
}
