import { createHash } from 'node:crypto';
import type { ServerDescription } from '../dialect.ts';
import type { SchemaModel } from '../model.ts';
import type { AuditNames } from '../names.ts';
import { type EncodedRow, rowText } from './entry.ts';

/** What `verify` can find. Stable; scripts rely on them. */
export const VERIFY_CODES = [
  'trigger-missing',
  'trigger-different',
  'trigger-unknown',
  'audit-table-missing',
  'audit-table-different',
  'audit-view-different',
  'schema-changed',
  'account-missing',
  'account-not-locked',
  'account-privilege-missing',
  'account-privilege-extra',
  'audit-stopped',
  'audit-was-stopped',
  'changed-while-stopped',
  'trail-unreadable',
  'trail-contradicts',
  'time-backwards',
  'number-gaps',
  'cascades-not-made',
  'table-gone',
  'record-changed',
  'record-missing',
  'record-unexpected',
  'rows-missing',
  'rows-unknown',
  'not-compared',
] as const;
export type VerifyCode = (typeof VERIFY_CODES)[number];

export interface VerifyFinding {
  readonly code: VerifyCode;
  /** `finding`: the audit is not as it should be. `note`: an auditor should know it. */
  readonly severity: 'finding' | 'note';
  /** The trigger, table or account it is about. */
  readonly object: string;
  /** For a person; holds no value and no key of the EMR. */
  readonly sentence: string;
  /** The key of the record it is about. An auditor may see it; a log must not hold it. */
  readonly key: EncodedRow | undefined;
  /** Statements that put it right; empty where there are none. */
  readonly sql: readonly string[];
}

/** Takes findings. */
export type Report = (
  finding: Omit<VerifyFinding, 'sql' | 'key'> & Partial<Pick<VerifyFinding, 'sql' | 'key'>>,
) => void;

/** What every part of `verify` must know. */
export interface VerifyContext {
  readonly names: AuditNames;
  readonly server: ServerDescription;
  readonly model: SchemaModel;
}

/** Times at which auditing was stopped, so that changes without an audit row are to be expected. */
export interface StoppedPeriod {
  /** In the form of `AuditEntry.at`. */
  readonly from: string;
  /** Undefined: it still is. */
  readonly to: string | undefined;
}

/** Whether auditing was stopped at some time between the two moments; undefined is now. */
export function wasStopped(
  periods: readonly StoppedPeriod[],
  from: string | undefined,
  to: string | undefined,
): boolean {
  return periods.some(
    (period) =>
      (to === undefined || period.from <= to) &&
      (from === undefined || period.to === undefined || period.to >= from),
  );
}

/** Names a record where its key must not stand: the first 16 hex digits of the SHA-256 of the key's text. */
export function keyDigest(key: EncodedRow): string {
  return createHash('sha256').update(rowText(key)).digest('hex').slice(0, 16);
}
