import type { DatabaseId } from './identifiers.ts';
import type { Secret } from './secret.ts';

/** Frozen settings of the checker process. */
export interface CheckerSettings {
  readonly file: string;
  readonly socket: string;
  readonly secret: Secret;
  /** Undefined only where the settings say in so many words that audit rows are not sealed. */
  readonly seal: SealSettings | undefined;
  readonly databases: readonly CheckedDatabase[];
}

/** How audit rows are sealed against quiet changes. */
export interface SealSettings {
  /** Ed25519 private key, PEM, that signs the checkpoints. */
  readonly key: Secret;
  /** Folder of the checker's own; each database has one of its name below it. */
  readonly directory: string;
}

/** Who may approve a baseline: signatures of so many different ones of these keys. */
export interface BaselineTrust {
  /** Ed25519 public keys, PEM. A signature of any other makes a baseline invalid. */
  readonly keys: readonly Buffer[];
  /** Two or more, unless the settings say in so many words that one administrator is enough. */
  readonly required: number;
}

export interface CheckedDatabase {
  readonly id: DatabaseId;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Unix socket of the database server; excludes host and port. */
  readonly socketPath: string | undefined;
  /** PEM of the server certificate's authority; required over TCP beyond loopback. */
  readonly authority: Buffer | undefined;
  readonly user: string;
  readonly password: Secret;
  /** The schema that holds the EMR's tables. */
  readonly emrSchema: string;
  /** The schema that holds the audit tables and guard procedures. */
  readonly auditSchema: string;
  /** Signed baseline file. */
  readonly baseline: string;
  readonly baselineTrust: BaselineTrust;
  /** Interval between full comparisons. */
  readonly fullCheckMs: number;
  /** A probe or comparison that takes longer is a failure. */
  readonly timeoutMs: number;
  /** How far the database server's clock may be from this machine's, whichever way. */
  readonly clockDifferenceMs: number;
}
