import type { DatabaseId } from '../../contracts/identifiers.ts';
import type { VerdictState } from '../../contracts/integrity.ts';

/** A difference from the baseline, or a reason why there is no verdict. The sentence holds no row content. */
export interface CheckFinding {
  readonly code: string;
  readonly object: string;
  readonly sentence: string;
  /** What would put it right, where that is known: SQL ending in `;`, or commands. For the operator alone. */
  readonly remedy?: readonly string[];
}

/** What one cheap query saw. Two that are equal throughout speak of one unchanged state. */
export interface Counters {
  /**
   * Move when a statement began that can change a definition or a privilege, and with the server, its
   * start and its settings. Compared one by one; what each is, only the reader of the database knows.
   */
  readonly hard: readonly unknown[];
  /**
   * Tables created or dropped. Moves for temporary tables too, and no audited table can be exchanged by
   * these alone: its triggers would have to be created again, which is a hard move.
   */
  readonly tables: number;
  /**
   * How many table definitions the server has loaded. Moves when a changed table is first used, and
   * harmlessly for temporary tables and with a small cache.
   */
  readonly definitions: number;
}

export interface Comparison {
  readonly before: Counters;
  readonly findings: readonly CheckFinding[];
  /** Somebody's statement that may define something was under way before anything was read. */
  readonly pending: boolean;
  readonly after: Counters;
}

/** A live connection to one database. Both methods may reject; the session is then of no more use. */
export interface DatabaseSession {
  /** How many statements a probe is for the server. */
  readonly statements: number;
  /** The query leaves before this returns. */
  counters(): Promise<Counters>;
  /** Counters, a comparison of everything with the baseline, counters again. May run beside `counters`. */
  compare(): Promise<Comparison>;
  /** Called once when the connection is lost without a call being under way. */
  onLost(listener: (error: Error) => void): void;
  /** Immediate; calls under way may never settle. */
  destroy(): void;
}

/** What the checker knows of one database at one moment. */
export interface WatchVerdict {
  readonly state: VerdictState;
  /** 32 hex digits when intact, else empty. */
  readonly epoch: string;
  /** Distinct codes, none when intact, at least one otherwise. */
  readonly findings: readonly string[];
}

/** Answers for one database. Never rejects. */
export interface Watch {
  readonly id: DatabaseId;
  /** From a probe that begins after this call; at once when there is no usable connection. */
  attest(): Promise<WatchVerdict>;
  close(): Promise<void>;
}
