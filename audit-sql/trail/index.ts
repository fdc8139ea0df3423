export {
  AUDIT_OPERATIONS,
  type AuditEntry,
  type AuditOperation,
  decodeEntry,
  type Encoded,
  type EncodedRow,
} from './entry.ts';
export { VERIFY_CODES, type VerifyCode, type VerifyFinding } from './findings.ts';
export {
  type History,
  type HistoryCell,
  type HistoryEntry,
  type HistoryOptions,
  history,
} from './history.ts';
export { historyJson, historyTable } from './history-table.ts';
export { findTable, parseKey, printKey } from './key.ts';
export { readTrail, type TrailRange } from './read.ts';
export {
  type ContentSnapshot,
  compareContent,
  type Rebuilt,
  type ReplayOptions,
  rebuild,
  snapshotSchema,
  type TableContent,
  type TableDifference,
} from './replay.ts';
export { compareRestored, type RestoredDifference, restoreSchema } from './restore-schema.ts';
export { inSnapshot } from './rows.ts';
export {
  type VerifyOptions,
  type VerifyProgress,
  type VerifyReport,
  verify,
  verifyJson,
  verifyText,
} from './verify.ts';
