import { atLeast, atMost, table } from '../../integrity/parts.ts';
import type { MeasureOptions, MeasureResult } from '../../report.ts';
import { Coverage } from './coverage.ts';
import { mutated, Random } from './mutate.ts';
import { TARGETS, type Target } from './targets.ts';

/** Milliseconds for each parser, unless `--minutes` says otherwise. */
const LONG_MS = 10_000;
const SHORT_MS = 300;
/** Inputs between two looks at what code they reached. */
const ROUNDS = 1000;
/** Of each parser; less of the busy machine's slowest than it makes. */
const LEAST_A_MINUTE = 5_000;
/** Inputs that were taken, kept to be changed further. */
const KEPT = 2000;

interface Fuzzed {
  readonly target: Target;
  readonly inputs: number;
  readonly taken: number;
  /** Inputs that reached code which none before had reached. */
  readonly reaching: number;
  /** What was against the promise, with the input that showed it. */
  readonly faults: readonly string[];
}

/**
 * Throws changed inputs at every parser that reads what strangers send: it may take or refuse, as long as it fails in no
 * undeclared way and what it took means the same to a second reader. What was taken, and what reached code that nothing
 * had reached, is changed further, so that inputs get deep into the grammar and into every refusal.
 *
 * @param options.minutes for each parser; ten are the proof
 * @param options.only names of parsers
 */
export async function measureFuzz(options: MeasureOptions): Promise<MeasureResult> {
  const { only, minutes } = options;
  const targets = TARGETS.filter(({ name }) => only === undefined || only.has(name));
  const unknown = [...(only ?? [])].filter((name) => !TARGETS.some((target) => target.name === name));
  if (unknown.length > 0)
    throw new Error(
      `there is no parser ${unknown.join(', ')}; there are ${TARGETS.map(({ name }) => name).join(', ')}`,
    );
  const limitMs = minutes === undefined ? (options.short ? SHORT_MS : LONG_MS) : minutes * 60_000;
  const results: Fuzzed[] = [];
  for (const target of targets) {
    options.progress(`fuzz: ${target.name}`);
    // Looking at code takes time of its own, which a short run has not.
    const coverage = options.short ? undefined : new Coverage();
    try {
      results.push(await fuzz(target, limitMs, undefined, coverage));
    } finally {
      coverage?.close();
    }
  }
  const faults = results.flatMap((each) => each.faults.map((fault) => `${each.target.name}: ${fault}`));
  return {
    tables: [
      table(
        'Changed inputs at every parser',
        ['parser', 'inputs', 'taken', 'reached new code', 'faults'],
        results.map(({ target, inputs, taken, reaching, faults: found }) => [
          target.name,
          String(inputs),
          String(taken),
          String(reaching),
          String(found.length),
        ]),
      ),
    ],
    floors: [
      atMost('fuzz: faults', faults.length),
      atLeast(
        'fuzz: fewest inputs of a parser',
        Math.min(...results.map(({ inputs }) => inputs)),
        Math.floor(LEAST_A_MINUTE * (limitMs / 60_000)),
      ),
    ],
    problems: [],
    notes: faults.slice(0, 20),
    figures: {
      fuzz: {
        minutesEach: limitMs / 60_000,
        ...Object.fromEntries(
          results.map(({ target, inputs, taken, reaching, faults: found }) => [
            target.name,
            { inputs, taken, reaching, faults: found.length },
          ]),
        ),
      },
    },
  };
}

/**
 * @param coverage where given, an input is also kept when code ran for it that had not run before, taken or not
 */
export async function fuzz(
  target: Target,
  limitMs: number,
  seed = 20261122,
  coverage?: Coverage,
): Promise<Fuzzed> {
  const random = new Random(seed);
  const words = target.words.map((word) => Buffer.from(word));
  const corpus: Buffer[] = target.seeds.map((text) => Buffer.from(text));
  /** Each reached some code first; they are changed as often as all others together. */
  const reaching: Buffer[] = [...corpus];
  const faults: string[] = [];
  let inputs = 0;
  let taken = 0;
  const attempt = (input: Buffer): boolean => {
    try {
      return target.run(input);
    } catch (error) {
      faults.push(
        `${error instanceof Error ? error.message : String(error)}: ${JSON.stringify(input.toString('latin1').slice(0, 400))}`,
      );
      return false;
    }
  };
  for (const input of corpus) attempt(input);
  coverage?.fresh();
  const end = performance.now() + limitMs;
  while (performance.now() < end && faults.length < 20) {
    const known = coverage?.known();
    const batch: Buffer[] = [];
    for (let round = 0; round < ROUNDS && faults.length < 20; round += 1) {
      const from = random.below(2) === 0 ? reaching : corpus;
      const input = mutated(random.of(from), random.of(corpus), random, words);
      inputs += 1;
      batch.push(input);
      if (!attempt(input)) continue;
      taken += 1;
      if (corpus.length < KEPT) corpus.push(input);
      else corpus[target.seeds.length + random.below(KEPT - target.seeds.length)] = input;
    }
    if (coverage !== undefined && known !== undefined && coverage.fresh() > 0)
      for (const input of coverage.attributed(batch, known, quietly(target)))
        if (reaching.length < KEPT) reaching.push(input);
    // Others of this process get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    target,
    inputs,
    taken,
    reaching: reaching.length - target.seeds.length,
    faults: faults.slice(0, 20),
  };
}

/** What it threw was told when it ran first. */
function quietly(target: Target): (input: Buffer) => void {
  return (input) => {
    try {
      target.run(input);
    } catch {}
  };
}
