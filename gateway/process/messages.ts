import type { Sources, SourcesChange } from '../../config/index.ts';
import type { DeskAnswer, DeskAsk } from '../limits/index.ts';

/** What the supervisor says to a worker. `port`: the one that all workers share; 0 lets the first choose. */
export type ToWorker =
  | {
      readonly type: 'start';
      readonly sources: Sources;
      readonly name: string;
      readonly workers: number;
      readonly port: number;
    }
  /** Compile the configuration that differs so from what the worker serves, and keep it aside. */
  | { readonly type: 'prepare'; readonly change: SourcesChange }
  /** Every worker could compile it: use it from now on. */
  | { readonly type: 'commit' }
  | { readonly type: 'abort' }
  | { readonly type: 'snapshot'; readonly id: number }
  /** What the workers count together: answers of the supervisor's desk. */
  | { readonly type: 'desk'; readonly answers: readonly DeskAnswer[] }
  /** Connections are not kept any longer than for the next answer; it will drain soon. */
  | { readonly type: 'leave' }
  | { readonly type: 'drain' };

/** What a worker answers. */
export type FromWorker =
  | { readonly type: 'started'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string; readonly exitCode: number }
  | { readonly type: 'prepared' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'committed' }
  | { readonly type: 'desk'; readonly asks: readonly DeskAsk[] }
  | {
      readonly type: 'snapshot';
      readonly id: number;
      readonly metrics: unknown;
      readonly readiness: Readiness;
    };

export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}
