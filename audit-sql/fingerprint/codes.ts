/** Every way in which a database can differ from its baseline. Stable: they appear in logs and metrics. */
export const FINDING_CODES = [
  'schema-mismatch',
  'engine-changed',
  'trigger-missing',
  'trigger-added',
  'trigger-body-changed',
  'trigger-definer-changed',
  'trigger-sql-mode-changed',
  'trigger-table-changed',
  'trigger-timing-changed',
  'trigger-order-changed',
  'trigger-character-set-changed',
  'table-missing',
  'table-added',
  'table-engine-changed',
  'table-changed',
  'column-missing',
  'column-added',
  'column-changed',
  'view-missing',
  'view-added',
  'view-changed',
  'foreign-key-missing',
  'foreign-key-added',
  'foreign-key-changed',
  'routine-missing',
  'routine-added',
  'routine-changed',
  'event-missing',
  'event-added',
  'event-changed',
  'guard-missing',
  'guard-changed',
  'account-missing',
  'account-unlocked',
  'account-changed',
  'privilege-added',
  'privilege-missing',
  'setting-changed',
  'extension-added',
  'extension-missing',
  'extension-changed',
  'audit-not-started',
  'audit-log-rewound',
  'audit-log-rewritten',
  'audit-schema-digest-changed',
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

/** One difference. `object` names it for a person; `sentence` says what is wrong. Neither holds row content. */
export interface Finding {
  readonly code: FindingCode;
  readonly object: string;
  readonly sentence: string;
  /**
   * What would restore the approved state, in order: SQL statements that end in `;`, or commands that begin
   * with `chartgate`. Empty where that cannot be known from digests.
   */
  readonly remedy: readonly string[];
}
