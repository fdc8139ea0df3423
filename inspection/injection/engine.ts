import { createRequire } from 'node:module';
import { ChartgateError } from '../../contracts/errors.ts';
import type { InjectionRule } from '../../contracts/route-inspection.ts';
import { addressOf, type EngineRule } from './rule.ts';

/** What is put to the engine: texts by address (`addressOf`). */
export type Batch = ReadonlyMap<string, readonly string[]>;

/** One rule that held for one text of a batch. */
export interface Match {
  readonly rule: InjectionRule;
  readonly address: string;
  /** Position in the batch's list of this address. */
  readonly index: number;
}

export type Outcome =
  | { readonly ok: true; readonly matches: readonly Match[] }
  /** Nothing is known of the batch: what asked must refuse. */
  | { readonly ok: false; readonly cause: 'timeout' | 'cut' | 'error' };

interface EngineEvent {
  readonly rule: { readonly id: string };
  readonly rule_matches: readonly {
    readonly parameters: readonly { readonly address: string; readonly key_path: readonly string[] }[];
  }[];
}

interface EngineResult {
  readonly timeout: boolean;
  readonly events?: readonly EngineEvent[];
  readonly errorCode?: number;
  readonly metrics?: Readonly<Record<string, unknown>>;
}

interface NativeContext {
  run(payload: { ephemeral: object }, timeoutMicroseconds: number): EngineResult;
  dispose(): void;
}

interface NativeEngine {
  readonly diagnostics: {
    readonly rules?: { readonly failed?: readonly string[]; readonly skipped?: readonly string[] };
  };
  createContext(): NativeContext;
  dispose(): void;
}

type NativeConstructor = new (rules: object, path: string) => NativeEngine;

/**
 * What the engine reads of its input, found by experiment (test/inspection/injection/traps.test.ts): of a text 4,096
 * bytes, of a list 256 items, of nesting 19 levels. The rest it leaves out without an event. So texts are cut here,
 * into windows that overlap, and lists into lists; a result that speaks of a cut is no result.
 */
export const WINDOW = 1024;
/** No rule needs more context than this; windows share it. */
export const OVERLAP = 256;
const LIST = 256;
/** Windows of one batch: 256 lists of 256. More is for the caller to refuse. */
export const MOST_WINDOWS = LIST * LIST;

/** Windows of a text, each at most `WINDOW` UTF-16 units (3,072 bytes), overlapping, no pair of surrogates parted. */
export function windowsOf(text: string): readonly string[] {
  if (text.length <= WINDOW) return [text];
  const windows: string[] = [];
  for (let from = 0; ; ) {
    let end = Math.min(from + WINDOW, text.length);
    if (end < text.length && isHighSurrogate(text, end - 1)) end -= 1;
    windows.push(text.slice(from, end));
    if (end === text.length) return windows;
    from = end - OVERLAP;
    if (isHighSurrogate(text, from - 1)) from += 1;
  }
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}

/**
 * libddwaf with rules of our own. Synchronous.
 * @throws ChartgateError `internal` when the native module is missing or does not take every rule: a gateway that
 * cannot look does not start.
 */
export class Engine {
  readonly #native: NativeEngine;
  readonly #rules = new Map<string, InjectionRule>();

  constructor(rules: readonly EngineRule[]) {
    const Native = loadNative();
    const document = {
      version: '2.2',
      metadata: { rules_version: '1.0.0' },
      rules: rules.flatMap((rule) => conditionsOf(rule).map((condition) => this.#ruleOf(rule, condition))),
    };
    try {
      this.#native = new Native(document, 'chartgate/injection');
    } catch {
      throw new ChartgateError('internal', 'the injection engine does not take its rules');
    }
    const { failed = [], skipped = [] } = this.#native.diagnostics.rules ?? {};
    const refused = [...failed, ...skipped];
    if (refused.length > 0) {
      this.#native.dispose();
      throw new ChartgateError(
        'internal',
        `the injection engine does not take the rules ${refused.join(', ')}`,
      );
    }
  }

  #ruleOf(rule: EngineRule, condition: { operator: string; parameters: object }): object {
    // Every rule a type of its own: of rules with one type the engine stops at the first that holds.
    const id = `${rule.id}/${this.#rules.size}`;
    this.#rules.set(id, rule.id);
    const inputs = rule.readings.map((reading) => ({ address: addressOf(reading, rule.needs) }));
    return {
      id,
      name: rule.id,
      tags: { type: id, category: 'attack_attempt' },
      conditions: [{ operator: condition.operator, parameters: { inputs, ...condition.parameters } }],
      transformers: [],
    };
  }

  /**
   * Every text of the batch, whole. Of one rule only one match is told, whichever text it was in.
   * @param budgetMs after which the batch counts as not judged
   */
  run(batch: Batch, budgetMs: number): Outcome {
    const lists: Record<string, string[][]> = {};
    const origins = new Map<string, number[]>();
    for (const [address, texts] of batch) {
      const windows: string[] = [];
      const from: number[] = [];
      texts.forEach((text, index) => {
        for (const window of windowsOf(text)) {
          windows.push(window);
          from.push(index);
        }
      });
      if (windows.length > MOST_WINDOWS) return { ok: false, cause: 'cut' };
      const chunks: string[][] = [];
      for (let at = 0; at < windows.length; at += LIST) chunks.push(windows.slice(at, at + LIST));
      lists[address] = chunks;
      origins.set(address, from);
    }
    let context: NativeContext | undefined;
    try {
      context = this.#native.createContext();
      return outcomeOf(
        context.run({ ephemeral: lists }, Math.max(1, Math.round(budgetMs * 1000))),
        this.#rules,
        origins,
      );
    } catch {
      return { ok: false, cause: 'error' };
    } finally {
      context?.dispose();
    }
  }

  close(): void {
    this.#native.dispose();
  }
}

/** Exported for tests: what a result of the engine means. Whatever is not a complete answer is a failure. */
export function outcomeOf(
  result: EngineResult,
  rules: ReadonlyMap<string, InjectionRule>,
  origins: ReadonlyMap<string, readonly number[]>,
): Outcome {
  if (result.timeout !== false) return { ok: false, cause: 'timeout' };
  if (result.errorCode !== undefined && result.errorCode !== 0) return { ok: false, cause: 'error' };
  // maxTruncatedString, maxTruncatedContainerSize, maxTruncatedContainerDepth, and whatever comes to be told later.
  if (
    result.metrics !== undefined &&
    Object.keys(result.metrics).some((key) => key.startsWith('maxTruncated'))
  )
    return { ok: false, cause: 'cut' };
  const matches: Match[] = [];
  for (const event of result.events ?? []) {
    const rule = rules.get(event.rule.id);
    if (rule === undefined) return { ok: false, cause: 'error' };
    for (const { parameters } of event.rule_matches) {
      for (const { address, key_path } of parameters) {
        const index = origins.get(address)?.[Number(key_path[0]) * LIST + Number(key_path[1])];
        if (index === undefined) return { ok: false, cause: 'error' };
        matches.push({ rule, address, index });
      }
    }
  }
  return { ok: true, matches };
}

/** One for each expression: small automata stay within RE2's memory, which makes them fast. */
function conditionsOf(rule: EngineRule): { operator: string; parameters: object }[] {
  if (rule.operator !== 'match_regex') return [{ operator: rule.operator, parameters: {} }];
  const options = { case_sensitive: rule.caseMatters, min_length: 1 };
  return rule.expressions.map((regex) => ({ operator: 'match_regex', parameters: { regex, options } }));
}

function loadNative(): NativeConstructor {
  try {
    // A CommonJS addon: required, so that a missing one is an error here and not at the first import of this file.
    const loaded: unknown = createRequire(import.meta.url)('@datadog/native-appsec');
    return (loaded as { DDWAF: NativeConstructor }).DDWAF;
  } catch {
    throw new ChartgateError(
      'internal',
      'the native module of @datadog/native-appsec cannot be loaded; without it requests cannot be inspected',
    );
  }
}
