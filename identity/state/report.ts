/** What an administrator's look at a store gives. */

export const STATE_FINDINGS = [
  /** The schema is an older one; nothing serves from it before it was migrated. */
  'migration-needed',
  /** The engine found damage in its own file. */
  'damaged',
  /** Values that find no document: a unique one of them could never be used again. */
  'values-without-documents',
  /** Documents of kinds that this program does not know. */
  'kinds-unknown',
  /** The server confirms what a crash may undo: a code that was used could be used again. */
  'not-durable',
  /** Whoever shares the store must agree on when a document expires. */
  'clock-differs',
] as const;
export type StateFindingCode = (typeof STATE_FINDINGS)[number];

export interface StateFinding {
  readonly code: StateFindingCode;
  /** What is so, and what to do. */
  readonly sentence: string;
}

export interface StateReport {
  readonly engine: 'sqlite' | 'mysql' | 'mariadb';
  /** 0 where there are no tables yet. */
  readonly schema: number;
  readonly newest: number;
  /** Live documents by kind; kinds without any are left out. */
  readonly documents: Readonly<Record<string, number>>;
  /** Documents that nobody finds any more and that will be purged. */
  readonly expired: number;
  readonly findings: readonly StateFinding[];
}

export interface MigrationReport {
  /** Steps that were made; 0 when there was nothing to do. */
  readonly steps: number;
  /** The copy that was made first, of a SQLite file that held anything. */
  readonly copy: string | undefined;
}

/** Seen by counting; in the order of `STATE_FINDINGS`. */
export function findingsOf(seen: {
  readonly schema: number;
  readonly newest: number;
  readonly orphans: number;
  readonly unknown: readonly string[];
}): readonly StateFinding[] {
  const findings: StateFinding[] = [];
  if (seen.schema < seen.newest) {
    findings.push({
      code: 'migration-needed',
      sentence: `The store has schema ${seen.schema}, this program needs ${seen.newest}: chartgate state migrate.`,
    });
  }
  if (seen.orphans > 0) {
    findings.push({
      code: 'values-without-documents',
      sentence: `${seen.orphans} values of indexes belong to no document; somebody else wrote in the store. Restore a backup.`,
    });
  }
  if (seen.unknown.length > 0) {
    findings.push({
      code: 'kinds-unknown',
      sentence: `There are documents of ${seen.unknown.length} kinds that this program does not know: ${seen.unknown.join(', ')}.`,
    });
  }
  return findings;
}
