import type { Cell } from '../requests.ts';

/** Whom the observer asks. */
export interface Site {
  /** `back-end`: without a gateway between, and without TLS. */
  readonly kind: 'gateway' | 'back-end';
  /** PEM. */
  readonly authority: string;
  /** `host:port` as requests name it. */
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

export interface TimingJob {
  readonly kind: 'timing';
  readonly site: Site;
  readonly cells: readonly Cell[];
  /** Sequential clients, each with a connection of its own, that run side by side. */
  readonly streams: { readonly h1: number; readonly h2: number };
  /** Of each cell, at most: fewer when the seconds are over. */
  readonly samples: number;
  readonly seconds: number;
}

export interface OrderJob {
  readonly kind: 'order';
  readonly site: Site;
  /** Two cells of the same method; they are asked together, on one HTTP/2 connection. */
  readonly pair: readonly [Cell, Cell];
  readonly pairs: number;
  readonly connections: number;
  /** Milliseconds within which an answer has kept its deadline. */
  readonly withinMs: number;
}

export interface BytesJob {
  readonly kind: 'bytes';
  readonly site: Site;
  readonly cells: readonly Cell[];
  readonly accepts: readonly string[];
  readonly encodings: readonly string[];
}

export interface FeaturesJob {
  readonly kind: 'features';
  readonly site: Site;
  readonly cells: readonly Cell[];
  readonly streams: { readonly h1: number; readonly h2: number };
  readonly samples: number;
}

/** A permitted request together with one that is refused: does its time tell what was refused? */
export interface BesideJob {
  readonly kind: 'beside';
  readonly site: Site;
  readonly cells: readonly Cell[];
  /** Of a record that the asker may read. */
  readonly path: string;
  readonly samples: number;
  readonly seconds: number;
  readonly connections: number;
}

export interface LoadJob {
  readonly kind: 'load';
  readonly site: Site;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second of all together; undefined: as many as there is room for. */
  readonly rate: number | undefined;
}

export type Job = BesideJob | TimingJob | OrderJob | BytesJob | FeaturesJob | LoadJob;

export interface TimingResult {
  /** Milliseconds of each answer, by cell. */
  readonly times: readonly Float64Array[];
  /** Answers by status, by cell. */
  readonly statuses: readonly Readonly<Record<string, number>>[];
  readonly seconds: number;
}

export interface OrderResult {
  /** Pairs in which the first of the two cells was answered first. */
  readonly first: number;
  readonly pairs: number;
  /** Of these, pairs in which the one sent first was. */
  readonly sentFirst: number;
  /** The same of those pairs alone in which both answers kept their deadline. */
  readonly kept: { readonly first: number; readonly pairs: number };
}

export interface BytesResult {
  /** What was received, request ids taken out, by combination and then by cell (its place in the job). */
  readonly combinations: readonly {
    readonly method: string;
    readonly accept: string;
    readonly encoding: string;
    readonly protocol: string;
    readonly answers: readonly { readonly cell: number; readonly text: string }[];
  }[];
}

export interface FeaturesResult {
  readonly names: readonly string[];
  readonly rows: readonly Float64Array[];
  /** Of each row: its cell's place in the job. */
  readonly cells: readonly number[];
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly failures: number;
}

export interface BesideResult {
  /** Milliseconds of the permitted requests, by the cell that was asked beside them. */
  readonly times: readonly Float64Array[];
}

export interface Results {
  readonly beside: BesideResult;
  readonly timing: TimingResult;
  readonly order: OrderResult;
  readonly bytes: BytesResult;
  readonly features: FeaturesResult;
  readonly load: LoadResult;
}
