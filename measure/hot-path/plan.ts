/** How long and how often each subject is measured. Seconds are whole: wrk takes no fractions. */
export interface Plan {
  readonly warmUpSeconds: number;
  /** Of the subjects that a floor depends on and that a compiler has to warm to. */
  readonly decisiveWarmUpSeconds: number;
  readonly seconds: number;
  /** Rounds of the subjects that a floor depends on. */
  readonly rounds: number;
  /** Rounds of the others. */
  readonly otherRounds: number;
  readonly http2: { readonly seconds: number; readonly rounds: number; readonly otherRounds: number };
}

/** The subjects that a floor depends on; over HTTP/2, where there is none yet, those that would be compared. */
export const DECISIVE: Readonly<Record<'http1' | 'http2', ReadonlySet<string>>> = {
  http1: new Set(['chartgate', 'undici', 'apache-modsecurity']),
  http2: new Set(['chartgate', 'undici']),
};

export const FULL: Plan = Object.freeze({
  warmUpSeconds: 3,
  decisiveWarmUpSeconds: 6,
  seconds: 4,
  rounds: 5,
  otherRounds: 5,
  http2: { seconds: 3, rounds: 3, otherRounds: 3 },
});

export const SHORT: Plan = Object.freeze({
  warmUpSeconds: 1,
  decisiveWarmUpSeconds: 2,
  seconds: 1,
  rounds: 3,
  otherRounds: 1,
  http2: { seconds: 1, rounds: 1, otherRounds: 0 },
});
