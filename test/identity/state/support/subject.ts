import type { Clock } from '../../../../contracts/clock.ts';
import type { StateSettings, StateStore } from '../../../../contracts/state.ts';

/** One kind of store under test: where it is, and how to take it away and give it back. */
export interface Subject {
  readonly settings: StateSettings;
  open(clock?: Clock): Promise<StateStore>;
  /** After this nobody can ask or write it. */
  lose(): Promise<void>;
  regain(): Promise<void>;
}
