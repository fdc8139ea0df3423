/** The activity log: an ordered, durable, tamper-evident record of what the gateway did. */
export type { ChainFault, ChainFaultCode, ChainWarning } from './chain-check.ts';
export { CHAIN_FAULTS } from './chain-check.ts';
export type { ChainEntry, ChainHead } from './format.ts';
export { type ActivityLogOptions, openActivityLog } from './open.ts';
export { type ReadOptions, readActivityLog, type ShownRecord } from './read.ts';
export {
  type ChainReport,
  type ExpectedHead,
  type VerifyOptions,
  type VerifyReport,
  verifyActivityLog,
} from './verify.ts';
export type { ChainWriter } from './writer.ts';
