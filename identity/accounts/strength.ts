import type { ZxcvbnFactory } from '@zxcvbn-ts/core';

/** Only this much of a password is estimated: matching takes longer than in proportion to the length. */
const ESTIMATED = 100;
/** Shorter parts of names match by chance. */
const SHORTEST_NAME = 4;

export interface Strength {
  /** 0 to 4: guesses above 10^3, 10^6, 10^8, 10^10. */
  readonly score: number;
  /** Found as it is, in any case, among the passwords that people use most. */
  readonly common: boolean;
}

interface Estimator {
  readonly factory: ZxcvbnFactory;
  readonly common: ReadonlySet<string>;
}

let loaded: Promise<Estimator> | undefined;

/** The word lists are some megabytes: only a process that sets passwords loads them, and once. */
async function load(): Promise<Estimator> {
  const [{ ZxcvbnFactory: Factory }, common] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return {
    factory: new Factory({
      dictionary: { ...common.dictionary },
      graphs: common.adjacencyGraphs,
      useLevenshteinDistance: false,
      maxLength: ESTIMATED,
    }),
    common: new Set(common.dictionary['passwords-common'].map((word) => word.toLowerCase())),
  };
}

/**
 * How easily a password is guessed, by somebody who knows the given words (login, names, the organisation).
 * Rejects when the word lists cannot be loaded: what cannot be judged is not accepted.
 */
export async function estimate(password: string, words: readonly string[]): Promise<Strength> {
  loaded ??= load();
  const { factory, common } = await loaded;
  const lower = password.toLowerCase();
  return {
    score: factory.check(password.slice(0, ESTIMATED), [...words]).score,
    // A common one stays common with digits and signs around it.
    common: common.has(lower) || common.has(lower.replace(/^[\d\W_]+|[\d\W_]+$/gu, '')),
  };
}

/** Whether a password contains a name, or a name's part, that the account is known by. */
export function containsName(password: string, names: readonly string[]): boolean {
  const lower = password.normalize('NFKC').toLowerCase();
  return names
    .flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)])
    .map((name) => name.normalize('NFKC').toLowerCase())
    .some((name) => [...name].length >= SHORTEST_NAME && lower.includes(name));
}
