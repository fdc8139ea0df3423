import { randomBytes } from 'node:crypto';
import { MAXIMUM_FINDINGS } from '../../contracts/attestation.ts';
import type { VerdictState } from '../../contracts/integrity.ts';
import type { CheckFinding, Comparison, Counters, WatchVerdict } from './types.ts';

/**
 * How long after a definition changed, and after the last comparison under which a statement of that kind was
 * still under way, the server's table-definition counter is heeded too. A statement's own counter moves when
 * it *begins*; one that then waits for a lock takes effect later, after a comparison that still saw the old
 * state. While it waits nobody can write to its table, and when it is through, the first use of the table
 * loads a definition. Where definitions are loaded all the time that tells nothing: then every probe compares
 * for as long as such a statement is under way.
 */
const WATCHFUL_MS = 60_000;

function sameHard(one: Counters, other: Counters): boolean {
  if (one.hard.length !== other.hard.length) return false;
  for (let index = 0; index < one.hard.length; index++) {
    if (one.hard[index] !== other.hard[index]) return false;
  }
  return true;
}

/** What may be made of a comparison. */
export type Soundness =
  /** Nothing moved under it. */
  | 'sound'
  /** Definitions or privileges may have changed under it: it may be torn, and must be made again. */
  | 'torn'
  /** Only the table-definition counter moved under it, at a time when it is heeded. */
  | 'restless';

/**
 * The last comparison and the counters it is bound to. Pure but for the epoch's randomness: decides
 * when a comparison still speaks for a later moment, and when a new epoch begins.
 */
export class FingerprintState {
  #bound: Counters | undefined;
  #verdict: WatchVerdict;
  readonly #watchfulMs: number;
  #watchfulUntil = 0;
  /** What is under way may take effect without any counter that tells. */
  #unsettled = false;

  constructor(reason: string, watchfulMs: number = WATCHFUL_MS) {
    this.#verdict = unverified(reason);
    this.#watchfulMs = watchfulMs;
  }

  get verdict(): WatchVerdict {
    return this.#verdict;
  }

  /** The last comparison holds for the moment `counters` were read. @param now monotonic milliseconds */
  covers(counters: Counters, now: number): boolean {
    const bound = this.#bound;
    return (
      bound !== undefined &&
      !this.#unsettled &&
      sameHard(bound, counters) &&
      bound.tables === counters.tables &&
      (now >= this.#watchfulUntil || bound.definitions === counters.definitions)
    );
  }

  judge({ before, after, pending }: Comparison, now: number): Soundness {
    if (!sameHard(before, after)) return 'torn';
    const watchful = pending || now < this.#watchfulUntil || this.#moved(before);
    return watchful && before.definitions !== after.definitions ? 'restless' : 'sound';
  }

  /**
   * Takes a comparison over that is not torn. A new epoch begins when a definition, a privilege or the
   * server had moved since the last one, when there was none, and when the state changes. Tables alone,
   * which is mostly temporary ones, and an interval that finds all as it was, keep it.
   * @param heed whether the table-definition counter is of use on this server
   * @returns whether the state or the findings changed
   */
  apply({ before, after, findings: found, pending }: Comparison, now: number, heed: boolean): boolean {
    const moved = this.#moved(before);
    this.#unsettled = pending && !heed;
    if (!heed) this.#watchfulUntil = 0;
    // Until a comparison finds nothing under way any more, however long that takes.
    else if (pending) this.#watchfulUntil = Number.POSITIVE_INFINITY;
    else if (moved || this.#watchfulUntil === Number.POSITIVE_INFINITY) {
      this.#watchfulUntil = now + this.#watchfulMs;
    }
    const last = this.#verdict;
    const state: VerdictState = found.length === 0 ? 'intact' : 'broken';
    const keep = !moved && last.state === 'intact';
    const epoch = state !== 'intact' ? '' : keep ? last.epoch : randomBytes(16).toString('hex');
    const findings = distinctCodes(found);
    // Where tables came or went under it, the comparison speaks for its beginning only, and the next
    // probe asks for another.
    this.#bound = { ...after, tables: before.tables };
    this.#verdict = Object.freeze({ state, epoch, findings });
    return last.state !== state || !sameList(last.findings, findings);
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

  #moved(counters: Counters): boolean {
    return this.#bound === undefined || !sameHard(this.#bound, counters);
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
