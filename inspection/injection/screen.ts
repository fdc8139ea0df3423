import type { InjectionException, InjectionRule } from '../../contracts/route-inspection.ts';
import { Engine, type Outcome } from './engine.ts';
import { mayMatter } from './prefilter.ts';
import { addressOf, READINGS, type Reading } from './rule.ts';
import { RULES } from './rules/index.ts';
import type { Sample, Sink } from './sample.ts';
import { variantsOf } from './variants.ts';

/** Why nothing is known of a request; the rule of the finding that refuses it. */
export type Failure = 'engine-timeout' | 'engine-cut' | 'engine-error' | 'texts-too-many';

export type Found =
  | { readonly place: string; readonly rule: InjectionRule }
  | { readonly place: string; readonly rule: undefined; readonly cause: Failure };

const CAUSES = { timeout: 'engine-timeout', cut: 'engine-cut', error: 'engine-error' } as const;

/** Milliseconds for one request's texts, and more for a long body: 1 ms for each 8 KB. */
const BUDGET_MS = 1000;
const BYTES_A_MS = 8192;
/** Texts of one request; what has more is refused. */
const MOST_SAMPLES = 100_000;

/** Under which addresses a text of each reading is put to the engine, and what it must have for that. */
const NEEDS: ReadonlyMap<
  Reading,
  readonly { readonly address: string; readonly test: RegExp | undefined }[]
> = new Map(
  READINGS.map((reading) => {
    const needs = new Set(RULES.filter((rule) => rule.readings.includes(reading)).map((rule) => rule.needs));
    return [
      reading,
      [...needs].map((each) => ({
        address: addressOf(reading, each),
        test: each === '' ? undefined : new RegExp(`[${each.replace(/[\\\]^-]/g, '\\$&')}]`),
      })),
    ];
  }),
);

/** Puts the texts of a request to the engine, the ones that cannot matter left out. */
export class Screen {
  readonly #engine = new Engine(RULES);

  /** The first finding that no exception covers. */
  first(except: readonly InjectionException[], collect: (sink: Sink) => void): Found | undefined {
    const samples: Sample[] = [];
    let size = 0;
    collect((place, reading, text) => {
      if (text === '' || !mayMatter(text, reading)) return;
      size += text.length;
      samples.push({ place, reading, text });
    });
    if (samples.length === 0) return undefined;
    if (samples.length > MOST_SAMPLES)
      return { place: samples[0]?.place ?? '/', rule: undefined, cause: 'texts-too-many' };
    return this.#judge(samples, except, BUDGET_MS + size / BYTES_A_MS);
  }

  /** What the engine itself says of one text, whatever the prefilter would: for the proof that it leaves nothing out. */
  raw(reading: Reading, text: string): string | undefined {
    const outcome = this.#ask([{ place: '/', reading, text }], BUDGET_MS);
    return outcome.ok ? outcome.found[0]?.rule : outcome.cause;
  }

  close(): void {
    this.#engine.close();
  }

  #judge(
    samples: readonly Sample[],
    except: readonly InjectionException[],
    budgetMs: number,
  ): Found | undefined {
    const outcome = this.#ask(samples, budgetMs);
    if (!outcome.ok) return { place: samples[0]?.place ?? '/', rule: undefined, cause: outcome.cause };
    if (outcome.found.length === 0) return undefined;
    const counting = outcome.found.find(({ place, rule }) => !isExcepted(except, place, rule));
    if (counting !== undefined) return counting;
    // All that was told is excepted. Of each rule the engine tells one match only, so that others may stand behind it:
    // the samples that were named are asked about one by one, with every rule, and the rest again without them.
    const named = new Set(outcome.samples);
    for (const sample of named) {
      const alone = this.#ask([sample], budgetMs);
      if (!alone.ok) return { place: sample.place, rule: undefined, cause: alone.cause };
      const other = alone.found.find(({ place, rule }) => !isExcepted(except, place, rule));
      if (other !== undefined) return other;
    }
    const rest = samples.filter((sample) => !named.has(sample));
    return rest.length === 0 ? undefined : this.#judge(rest, except, budgetMs);
  }

  #ask(
    samples: readonly Sample[],
    budgetMs: number,
  ):
    | { ok: true; found: readonly { place: string; rule: InjectionRule }[]; samples: readonly Sample[] }
    | { ok: false; cause: Failure } {
    const batch = new Map<string, string[]>();
    const origins = new Map<string, Sample[]>();
    for (const sample of samples) {
      const needs = NEEDS.get(sample.reading) ?? [];
      for (const variant of variantsOf(sample.text, sample.reading)) {
        for (const { address, test } of needs) {
          if (test !== undefined && !test.test(variant)) continue;
          const texts = batch.get(address);
          if (texts === undefined) {
            batch.set(address, [variant]);
            origins.set(address, [sample]);
          } else {
            texts.push(variant);
            origins.get(address)?.push(sample);
          }
        }
      }
    }
    const outcome: Outcome = this.#engine.run(batch, budgetMs);
    if (!outcome.ok) return { ok: false, cause: CAUSES[outcome.cause] };
    const found: { place: string; rule: InjectionRule }[] = [];
    const named: Sample[] = [];
    for (const { rule, address, index } of outcome.matches) {
      const sample = origins.get(address)?.[index];
      if (sample === undefined) return { ok: false, cause: 'engine-error' };
      found.push({ place: sample.place, rule });
      named.push(sample);
    }
    return { ok: true, found, samples: named };
  }
}

function isExcepted(except: readonly InjectionException[], place: string, rule: InjectionRule): boolean {
  return except.some((each) => each.rule === rule && matches(each.place, place));
}

/** Places word by word; in a pointer `*` is any one step. */
export function matches(pattern: string, place: string): boolean {
  if (pattern === place) return true;
  if (!pattern.startsWith('/') || !pattern.includes('*')) return false;
  const steps = pattern.split('/');
  const given = place.split('/');
  return steps.length === given.length && steps.every((each, at) => each === '*' || each === given[at]);
}
