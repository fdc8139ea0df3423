export { openBaseline, sealBaseline } from './baseline.ts';
export { FINDING_CODES, type Finding, type FindingCode } from './codes.ts';
export { compareSnapshot } from './compare.ts';
export { readSnapshot } from './read.ts';
export { BEFORE_FIRST_ID, rowHashQuery, SEALED_TABLES, type SealedTable } from './row-hash.ts';
export type { Baseline, Snapshot, SnapshotNames } from './types.ts';
