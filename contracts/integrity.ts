import type { DatabaseId } from './identifiers.ts';
import type { IntegrityDemand } from './policy.ts';

export const VERDICT_STATES = ['intact', 'broken', 'unverified'] as const;
export type VerdictState = (typeof VERDICT_STATES)[number];

/** What the checker found. Only `intact` lets a request through. */
export interface Verdict {
  readonly state: VerdictState;
  /** Names the uninterrupted stretch of unchanged audit definitions this verdict belongs to; empty unless intact. */
  readonly epoch: string;
  /** Codes of what is wrong; stable, without any content. */
  readonly findings: readonly string[];
  /** Monotonic milliseconds (this process) before which the probe certainly had not begun. */
  readonly notBefore: number;
}

/** The gateway's view of the checker. Never throws, never rejects: whatever goes wrong is `unverified`. */
export interface IntegrityOracle {
  /**
   * @param since for `strict`: monotonic milliseconds; the verdict's probe begins after it.
   * Synchronous when a verdict that satisfies a bounded demand is at hand.
   */
  attest(database: DatabaseId, demand: IntegrityDemand, since: number): Verdict | Promise<Verdict>;
  /** The last known verdict, for readiness and metrics. */
  current(database: DatabaseId): Verdict;
  close(): Promise<void>;
}
