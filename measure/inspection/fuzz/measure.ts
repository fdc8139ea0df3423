import { atLeast, atMost, table } from '../../integrity/parts.ts';
import type { MeasureOptions, MeasureResult } from '../../report.ts';
import { mutated, Random } from './mutate.ts';
import { TARGETS, type Target } from './targets.ts';

/** Milliseconds for each parser. */
const LONG_MS = 600_000;
const SHORT_MS = 1500;
/** Inputs that were taken, kept to be changed further. */
const KEPT = 2000;

interface Fuzzed {
  readonly target: Target;
  readonly inputs: number;
  readonly taken: number;
  /** What was against the promise, with the input that showed it. */
  readonly faults: readonly string[];
}

/**
 * Throws changed inputs at every parser that reads what strangers send, for ten minutes each: it may take or refuse,
 * as long as it fails in no undeclared way and what it took means the same to a second reader. What was taken is
 * changed further, so that inputs get deep into the grammar.
 */
export async function measureFuzz(options: MeasureOptions): Promise<MeasureResult> {
  const results: Fuzzed[] = [];
  for (const target of TARGETS) {
    options.progress(`fuzz: ${target.name}`);
    results.push(await fuzz(target, options.short ? SHORT_MS : LONG_MS));
  }
  const faults = results.flatMap((each) => each.faults.map((fault) => `${each.target.name}: ${fault}`));
  return {
    tables: [
      table(
        'Changed inputs at every parser',
        ['parser', 'inputs', 'taken', 'faults'],
        results.map(({ target, inputs, taken, faults: found }) => [
          target.name,
          String(inputs),
          String(taken),
          String(found.length),
        ]),
      ),
    ],
    floors: [
      atMost('fuzz: faults', faults.length),
      atLeast(
        'fuzz: fewest inputs of a parser',
        Math.min(...results.map(({ inputs }) => inputs)),
        options.short ? 1000 : 1_000_000,
      ),
    ],
    problems: [],
    notes: faults.slice(0, 20),
    figures: {
      fuzz: Object.fromEntries(
        results.map(({ target, inputs, taken, faults: found }) => [
          target.name,
          { inputs, taken, faults: found.length },
        ]),
      ),
    },
  };
}

export async function fuzz(target: Target, limitMs: number, seed = 20261122): Promise<Fuzzed> {
  const random = new Random(seed);
  const words = target.words.map((word) => Buffer.from(word));
  const corpus: Buffer[] = target.seeds.map((text) => Buffer.from(text));
  const faults: string[] = [];
  let inputs = 0;
  let taken = 0;
  const end = performance.now() + limitMs;
  while (performance.now() < end && faults.length < 20) {
    for (let round = 0; round < 500; round += 1) {
      const input = mutated(random.of(corpus), random.of(corpus), random, words);
      inputs += 1;
      try {
        if (!target.run(input)) continue;
      } catch (error) {
        faults.push(
          `${error instanceof Error ? error.message : String(error)}: ${JSON.stringify(input.toString('latin1').slice(0, 400))}`,
        );
        if (faults.length >= 20) break;
        continue;
      }
      taken += 1;
      if (corpus.length < KEPT) corpus.push(input);
      else corpus[target.seeds.length + random.below(KEPT - target.seeds.length)] = input;
    }
    // Others of this process get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { target, inputs, taken, faults };
}
