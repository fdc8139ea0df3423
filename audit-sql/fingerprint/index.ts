export { openBaseline, sealBaseline } from './baseline.ts';
export { FINDING_CODES, type Finding, type FindingCode } from './codes.ts';
export { compareSnapshot } from './compare.ts';
export { readSnapshot } from './read.ts';
export type { Baseline, Snapshot, SnapshotNames } from './types.ts';
