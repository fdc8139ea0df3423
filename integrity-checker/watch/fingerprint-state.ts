import { randomBytes } from 'node:crypto';
import { MAXIMUM_FINDINGS } from '../../contracts/attestation.ts';
import type { VerdictState } from '../../contracts/integrity.ts';
import type { CheckFinding, Comparison, Counters, WatchVerdict } from './types.ts';

/**
 * How long after a definition changed the server's table-definition counter is heeded too. A
 * statement's own counter moves when it *begins*; one that then waits for a lock takes effect later,
 * after a comparison that still saw the old state. While it waits nobody can write to its table, and
 * when it is through, the first use of the table loads a definition.
 */
const WATCHFUL_MS = 60_000;

export function equal(one: Counters, other: Counters, definitionsToo: boolean): boolean {
  if (one.hard.length !== other.hard.length) return false;
  for (let index = 0; index < one.hard.length; index++) {
    if (one.hard[index] !== other.hard[index]) return false;
  }
  return !definitionsToo || one.definitions === other.definitions;
}

/**
 * The last comparison and the counters it is bound to. Pure but for the epoch's randomness: decides
 * when a comparison still speaks for a later moment, and when a new epoch begins.
 */
export class FingerprintState {
  #bound: Counters | undefined;
  #verdict: WatchVerdict;
  #watchfulUntil = 0;

  constructor(reason: string) {
    this.#verdict = unverified(reason);
  }

  get verdict(): WatchVerdict {
    return this.#verdict;
  }

  /** The last comparison holds for the moment `counters` were read. @param now monotonic milliseconds */
  covers(counters: Counters, now: number): boolean {
    return this.#bound !== undefined && equal(this.#bound, counters, now < this.#watchfulUntil);
  }

  /** Whether the table-definition counter matters for a comparison made now. */
  heeds(comparison: Comparison, now: number): boolean {
    return now < this.#watchfulUntil || this.#moved(comparison);
  }

  /**
   * Takes a stable comparison over. A new epoch begins when anything had moved since the last one, when
   * there was none, and when the state changes; a comparison at an interval that finds all as it was
   * keeps the epoch.
   * @param heeded the table-definition counter stood still and can be relied on
   * @returns whether the state or the findings changed
   */
  apply(comparison: Comparison, now: number, heeded: boolean): boolean {
    const moved = this.#moved(comparison);
    if (moved && heeded) this.#watchfulUntil = now + WATCHFUL_MS;
    if (!heeded) this.#watchfulUntil = 0;
    const before = this.#verdict;
    const state: VerdictState = comparison.findings.length === 0 ? 'intact' : 'broken';
    const keep = !moved && before.state === 'intact';
    const epoch = state !== 'intact' ? '' : keep ? before.epoch : randomBytes(16).toString('hex');
    const findings = distinctCodes(comparison.findings);
    this.#bound = comparison.after;
    this.#verdict = Object.freeze({ state, epoch, findings });
    return before.state !== state || !sameList(before.findings, findings);
  }

  /** Nothing is known any more; whatever comes next begins a new epoch. */
  lose(code: string): boolean {
    const before = this.#verdict;
    this.#bound = undefined;
    this.#verdict = unverified(code);
    return before.state !== 'unverified' || before.findings[0] !== code;
  }

  /** The next verdict needs a comparison, and begins a new epoch. */
  forget(): void {
    this.#bound = undefined;
  }

  #moved(comparison: Comparison): boolean {
    return this.#bound === undefined || !equal(this.#bound, comparison.before, false);
  }
}

function unverified(code: string): WatchVerdict {
  return Object.freeze({ state: 'unverified', epoch: '', findings: Object.freeze([code]) });
}

function distinctCodes(findings: readonly CheckFinding[]): readonly string[] {
  return Object.freeze([...new Set(findings.map((finding) => finding.code))].slice(0, MAXIMUM_FINDINGS));
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((code, index) => code === other[index]);
}
