import { merge, type Part } from './integrity/parts.ts';
import { describeMachine } from './machine.ts';
import { stopEverything } from './processes.ts';
import type { MeasureOptions, MeasureResult } from './report.ts';

type Run = (options: MeasureOptions) => Promise<Part | MeasureResult>;

/** Parts of one measurement by name, in the order in which they run. Each is loaded only when it runs. */
export type Parts = ReadonlyMap<string, Run>;

/**
 * Runs the parts that are asked for, one after the other, and stops what each has started.
 * @param options.only names of parts; `PART:NAME` is something of a part that has names, such as a parser of `fuzz`
 * @param together what promises no times, and mostly waits: with `--short` at the same time, after the others, so that
 * the whole stays below 45 seconds
 * @param long with `--short` only where it is asked for by its name
 * @throws Error for a name that is no part's
 */
export async function measureParts(
  parts: Parts,
  options: MeasureOptions,
  together: ReadonlySet<string> = new Set(),
  long: ReadonlySet<string> = new Set(),
): Promise<MeasureResult> {
  const asked = [...(options.only ?? [])];
  const unknown = asked.filter((name) => !parts.has(partOf(name)));
  if (unknown.length > 0)
    throw new Error(
      `--only: there is no part ${unknown.join(', ')}; there are ${[...parts.keys()].join(', ')}`,
    );
  const wanted = [...parts.keys()].filter((name) =>
    options.only === undefined
      ? !(options.short && long.has(name))
      : asked.some((each) => partOf(each) === name),
  );
  const last = options.short ? wanted.filter((name) => together.has(name)) : [];
  const alone = wanted.filter((name) => !last.includes(name));
  const found: (Part | MeasureResult)[] = [];
  for (const names of [...alone.map((name) => [name]), last]) {
    try {
      found.push(...(await Promise.all(names.map((name) => runPart(parts, name, options)))));
    } finally {
      await stopEverything();
    }
  }
  const merged = merge(found);
  const left = options.only === undefined && options.short ? [...long] : [];
  const notes = [
    ...merged.notes,
    ...left.map((name) => `${name} takes longer than a short form may: --only ${name} --short`),
  ];
  return { ...merged, notes, figures: { machine: describeMachine(), ...merged.figures } };
}

async function runPart(parts: Parts, name: string, options: MeasureOptions): Promise<Part | MeasureResult> {
  const run = parts.get(name);
  if (run === undefined) throw new Error(`there is no part ${name}`);
  const below = [...(options.only ?? [])].filter((each) => each.startsWith(`${name}:`));
  const whole = options.only === undefined || options.only.has(name);
  options.progress(name);
  return run({
    ...options,
    only: whole ? undefined : new Set(below.map((each) => each.slice(name.length + 1))),
    progress: (line) => options.progress(`${name}: ${line}`),
  });
}

function partOf(name: string): string {
  return name.split(':', 1)[0] ?? '';
}
