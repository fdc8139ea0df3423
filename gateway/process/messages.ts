import type { Sources } from '../../config/index.ts';
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
  /** Compile this configuration and keep it aside. */
  | { readonly type: 'prepare'; readonly sources: Sources }
  /** Every worker could compile it: use it from now on. */
  | { readonly type: 'commit' }
  | { readonly type: 'abort' }
  | { readonly type: 'snapshot'; readonly id: number }
  /** What the workers count together: answers of the supervisor's desk. */
  | { readonly type: 'desk'; readonly answers: readonly DeskAnswer[] }
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
