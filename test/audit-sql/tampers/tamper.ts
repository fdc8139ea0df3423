import type { FindingCode } from '../../../audit-sql/fingerprint/index.ts';
import type { TestEngine } from '../support.ts';

/** `{insert}`, `{update}` and `{delete}` stand for the triggers of `patient`. */
export interface Tamper {
  readonly what: string;
  /** What is told to do about it does not restore it by itself. */
  readonly unrestored?: true;
  /** The engine that has it; both unless told. */
  readonly on?: TestEngine;
  readonly does: string;
  readonly undo: string;
  readonly finds: FindingCode;
}

/** Makes a trigger of ours anew with something changed. */
export const remake = (event: string, change: string): string => `@remake ${event} ${change}`;
