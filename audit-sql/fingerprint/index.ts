export {
  approveBaseline,
  inspectBaseline,
  keyFingerprint,
  openBaseline,
  sealBaseline,
  type UnverifiedBaseline,
} from './baseline.ts';
export { type Change, describeChanges } from './changes.ts';
export { FINDING_CODES, type Finding, type FindingCode } from './codes.ts';
export { compareSnapshot } from './compare.ts';
export { readSnapshot, readState, type State } from './read.ts';
export { remediesOf } from './remedy.ts';
export { BEFORE_FIRST_ID, rowHashQuery, SEALED_TABLES, type SealedTable } from './row-hash.ts';
export type { Texts } from './texts.ts';
export type { Baseline, Snapshot, SnapshotNames } from './types.ts';
