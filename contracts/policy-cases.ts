import type { Denial } from './policy.ts';
import type { ReasonCode } from './reasons.ts';

/** A table of made-up requests and what a policy is expected to say, checked for form. */
export interface PolicyCasesDocument {
  readonly file: string;
  /** Absolute path of the policy file. */
  readonly policy: string;
  readonly cases: readonly PolicyCase[];
}

export interface PolicyCase {
  readonly name: string;
  /** Who asks, in words. */
  readonly as: string;
  /** Method, a space, path and query. */
  readonly request: string;
  /** ISO 8601 with its zone; the time of the run when left out. */
  readonly at?: string;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly certificate?: boolean;
  readonly upgrade?: boolean;
  readonly expect: 'permit' | Denial;
  /** The route that has to match. */
  readonly route?: string;
  /** Reasons that have to be given, whether they held or not. */
  readonly reasons?: readonly ReasonCode[];
}
