import type { Ask, Grant } from './counters.ts';

/** What a worker says to its supervisor's desk. An answer bears the number of what it answers. */
export type DeskAsk =
  | MarkAsk
  | { readonly kind: 'lease'; readonly id: number; readonly ask: Ask }
  /** Places of a limit on requests at once. */
  | {
      readonly kind: 'occupy';
      readonly id: number;
      readonly limiter: string;
      readonly key: string;
      readonly most: number;
      readonly want: number;
    }
  | { readonly kind: 'vacate'; readonly limiter: string; readonly key: string; readonly places: number }
  | ({ readonly kind: 'tally' } & TallyReport)
  /** Sums that were made elsewhere, for the other workers. */
  | { readonly kind: 'tell'; readonly tally: Tally }
  | { readonly kind: 'lock'; readonly key: string; readonly forMs: number }
  /** What was counted of somebody counts no more. */
  | { readonly kind: 'forget'; readonly key: string }
  /** Somebody has to give a second factor after this second since the epoch. */
  | { readonly kind: 'asked'; readonly key: string; readonly since: number }
  | FaredReport;

/** How somebody's last request fared at a tenant's back end. */
export interface FaredReport {
  readonly kind: 'fared';
  readonly tenant: string;
  readonly key: string;
  readonly badly: boolean;
}

/** What the enumeration guard of a worker saw of somebody since it last said so. */
export interface TallyReport {
  readonly key: string;
  readonly windowMs: number;
  readonly misses: number;
  /** Keyed hashes of patients that this worker had not named in this window yet. */
  readonly patients: readonly string[];
}

/** What all workers together saw of somebody in the window. */
export interface Tally {
  readonly key: string;
  readonly misses: number;
  readonly patients: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

/** Somebody writes: every worker is to know, and says so (`noted`, with the number of the message that told it). */
export type MarkAsk =
  | { readonly kind: 'mark'; readonly id: number; readonly key: string; readonly forMs: number }
  | { readonly kind: 'noted'; readonly number: number };

/** `mark`: of any worker; `marked`: every worker has noted it. */
export type MarkAnswer =
  | { readonly kind: 'mark'; readonly number: number; readonly key: string; readonly forMs: number }
  | { readonly kind: 'marked'; readonly id: number };

export type DeskAnswer =
  | MarkAnswer
  | { readonly kind: 'lease'; readonly id: number; readonly grant: Grant }
  | { readonly kind: 'occupy'; readonly id: number; readonly granted: number }
  | { readonly kind: 'tally'; readonly tally: Tally }
  | { readonly kind: 'lock'; readonly key: string; readonly forMs: number }
  | { readonly kind: 'asked'; readonly key: string; readonly since: number }
  | FaredReport;
