import type {
  CheckFinding,
  Comparison,
  Counters,
  DatabaseSession,
} from '../../../integrity-checker/watch/types.ts';

interface Call {
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * A session whose answers the test releases one by one: what a probe saw is fixed when it starts, as
 * at a real server that answers slowly.
 */
export class ScriptedSession implements DatabaseSession {
  statements = 1;
  hard = 1;
  definitions = 1;
  tables = 1;
  findings: readonly CheckFinding[] = [];
  pending = false;
  /** Probes and comparisons begun. */
  probes = 0;
  comparisons = 0;
  destroyed = false;
  /** When true, calls wait for `release`. */
  holdProbes = false;
  holdComparisons = false;
  /** Called when a comparison has read the first counters. */
  duringComparison: () => void = () => {};
  readonly heldProbes: Call[] = [];
  readonly heldComparisons: Call[] = [];
  #lost: ((error: Error) => void) | undefined;

  counters(): Promise<Counters> {
    this.probes += 1;
    const seen = this.#read();
    if (!this.holdProbes) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      this.heldProbes.push({ answer: () => resolve(seen), fail: reject });
    });
  }

  compare(): Promise<Comparison> {
    this.comparisons += 1;
    const before = this.#read();
    const { findings, pending } = this;
    this.duringComparison();
    if (!this.holdComparisons) return Promise.resolve({ before, findings, pending, after: this.#read() });
    return new Promise((resolve, reject) => {
      this.heldComparisons.push({
        answer: () => resolve({ before, findings, pending, after: this.#read() }),
        fail: reject,
      });
    });
  }

  onLost(listener: (error: Error) => void): void {
    this.#lost = listener;
  }

  lose(): void {
    this.#lost?.(new Error('gone'));
  }

  destroy(): void {
    this.destroyed = true;
  }

  #read(): Counters {
    return { hard: [this.hard], tables: this.tables, definitions: this.definitions };
  }
}

export const MISSING: CheckFinding = {
  code: 'trigger-missing',
  object: 'emr.chartgate_patient_ai',
  sentence: 'A trigger is missing.',
};
