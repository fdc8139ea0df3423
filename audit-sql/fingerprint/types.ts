/** One trigger of the EMR schema or the audit schema, every field that decides what it does. */
export interface TriggerFact {
  readonly schema: string;
  readonly name: string;
  readonly tableSchema: string;
  readonly table: string;
  readonly timing: string;
  readonly event: string;
  /** Position among the triggers of the same table, timing and event. */
  readonly order: number;
  readonly definer: string;
  readonly sqlMode: string;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  readonly databaseCollation: string;
  /**
   * SHA-256, hex: on MariaDB of the body; on MySQL of the whole statement as it was written, empty when the
   * guard may not see it.
   */
  readonly body: string;
}

export interface TableFact {
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly engine: string;
  readonly options: string;
  /**
   * SHA-256 of the whole CREATE TABLE, hex, for the audit's own tables: indexes, checks, partitions and all.
   * Empty for the EMR's, whose indexes may come and go.
   */
  readonly definition: string;
}

export interface ColumnFact {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly position: number;
  readonly type: string;
  readonly nullable: string;
  /** `PRI` for a column of the primary key; other keys may come and go. */
  readonly key: string;
  readonly collation: string;
  readonly extra: string;
  /** Default value as the server prints it; null when there is none. */
  readonly default: string | null;
  readonly generation: string;
}

/** A view. Those of the audit schema are what auditors read, so their text counts. */
export interface ViewFact {
  readonly schema: string;
  readonly name: string;
  readonly definer: string;
  readonly security: string;
  readonly checkOption: string;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  /**
   * SHA-256 of the definition, hex. Empty for the EMR's views: seeing their text takes SELECT on them, and
   * the guard may read no row.
   */
  readonly body: string;
}

export interface ForeignKeyFact {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly position: number;
  readonly column: string;
  readonly referencedSchema: string;
  readonly referencedTable: string;
  readonly referencedColumn: string;
  readonly onUpdate: string;
  readonly onDelete: string;
}

/** A routine in, or naming, one of the two schemas. */
export interface RoutineFact {
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly definer: string;
  readonly security: string;
  readonly sqlMode: string;
  /** SHA-256, hex: on MariaDB of parameters and body, on MySQL of the whole statement. */
  readonly body: string;
}

/** An event in, or naming, one of the two schemas. */
export interface EventFact {
  readonly schema: string;
  readonly name: string;
  readonly definer: string;
  readonly status: string;
  readonly sqlMode: string;
  readonly schedule: string;
  /** SHA-256 of the body, hex. */
  readonly body: string;
}

/**
 * A routine of the audit schema, the guard procedures above all, or the view that shows their texts: read
 * without asking any of them.
 */
export interface GuardFact {
  readonly name: string;
  /** `PROCEDURE`, `FUNCTION`, `VIEW`. */
  readonly kind: string;
  readonly definer: string;
  readonly security: string;
  readonly sqlMode: string;
  /** SHA-256 of the whole text, hex; empty when the server did not show it. */
  readonly text: string;
}

/** Code that was loaded into the server: it can change rows past every trigger. What is built in is not listed. */
export interface ExtensionFact {
  /** `plugin`, `function`, `component`. */
  readonly kind: string;
  readonly name: string;
  readonly library: string;
}

/** One of the two accounts that nobody can log in as. */
export interface AccountFact {
  readonly user: string;
  readonly host: string;
  readonly locked: boolean;
  readonly plugin: string;
  /** SHA-256 of what its password is checked against, hex: nobody may give it a usable one unseen. */
  readonly authentication: string;
}

export const PRIVILEGE_SCOPES = ['global', 'schema', 'table', 'column', 'routine', 'role', 'proxy'] as const;
export type PrivilegeScope = (typeof PRIVILEGE_SCOPES)[number];

/** A privilege with which somebody could disable or falsify the audit. Harmless ones are not listed. */
export interface PrivilegeFact {
  readonly user: string;
  readonly host: string;
  readonly scope: PrivilegeScope;
  /** The schema pattern, table, column, routine, role or proxied account it is on; empty for global. */
  readonly object: readonly string[];
  readonly privilege: string;
}

/** A setting of the server with which the audit could be got round, or under which it means something else. */
export interface SettingFact {
  readonly name: string;
  readonly value: string;
}

/** The last entry of `audit_instatement_log`. */
export interface InstatementFact {
  readonly id: number;
  readonly action: string;
  readonly schemaDigest: string;
  readonly generator: string;
}

/** An entry of `audit_instatement_log`: when auditing was started or stopped, by whom, on which server. */
export interface HistoryFact {
  readonly id: number;
  /** SHA-256 of everything in it but the copy of the model, hex. */
  readonly digest: string;
}

/** What a server says about everything the audit depends on, read through the guard procedures. */
export interface Snapshot {
  readonly engine: string;
  readonly emrSchema: string;
  readonly auditSchema: string;
  readonly triggers: readonly TriggerFact[];
  readonly tables: readonly TableFact[];
  readonly columns: readonly ColumnFact[];
  readonly views: readonly ViewFact[];
  readonly foreignKeys: readonly ForeignKeyFact[];
  readonly routines: readonly RoutineFact[];
  readonly events: readonly EventFact[];
  readonly guards: readonly GuardFact[];
  readonly accounts: readonly AccountFact[];
  readonly privileges: readonly PrivilegeFact[];
  readonly settings: readonly SettingFact[];
  readonly extensions: readonly ExtensionFact[];
  /** Every entry of the instatement log, in order: a server of another past does not have them. */
  readonly history: readonly HistoryFact[];
  readonly instatement: InstatementFact | undefined;
}

/** The two schemas a snapshot is about. */
export interface SnapshotNames {
  readonly emrSchema: string;
  readonly auditSchema: string;
}

declare const verified: unique symbol;

/** An approved snapshot whose signature was verified; made only by `openBaseline`. */
export interface Baseline {
  readonly [verified]: true;
  /** When it was taken, ISO 8601 UTC. */
  readonly takenAt: string;
  readonly snapshot: Snapshot;
  /** SHA-256 of the signed bytes, hex: names this baseline in logs. */
  readonly digest: string;
  /** Fingerprints of the keys that signed it; see `keyFingerprint`. */
  readonly signers: readonly string[];
}
