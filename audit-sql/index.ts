export {
  type ApplyOptions,
  type ApplyReport,
  apply,
  DEFAULT_LOCK_TIMEOUT_SECONDS,
  type Progress,
} from './apply.ts';
export { takeBaseline } from './approve.ts';
export { readModel } from './catalogue/schema.ts';
export { describeServer, readGuardCallers } from './catalogue/server.ts';
export { readProtectOptions, setCheckerPassword } from './checker-account.ts';
export { type BinlogCoverage, binlogCoverage } from './coverage/binlog.ts';
export { type BinlogRequest, binlogSource } from './coverage/binlog-source.ts';
export { certificate } from './coverage/certificate.ts';
export { type CoverageReport, readCoverage, withBinaryLog } from './coverage/report.ts';
export type { ServerDescription } from './dialect.ts';
export {
  approveBaseline,
  type Change,
  describeChanges,
  inspectBaseline,
  keyFingerprint,
  type UnverifiedBaseline,
} from './fingerprint/index.ts';
export {
  type GenerateAuditOptions,
  type GenerateOptions,
  generate,
  generateAudit,
  type Scripts,
  wantedTriggers,
} from './generate.ts';
export { type SchemaModel, schemaDigest } from './model.ts';
export { type Account, type AuditNames, auditNames, parseAccount } from './names.ts';
export { planAccounts } from './plan/accounts.ts';
export {
  type Plan,
  type PlanCheck,
  type PlannedAccount,
  type PlannedAccounts,
  readPlan,
} from './plan/plan.ts';
export { planText } from './plan/text.ts';
export { type PreflightFinding, preflight } from './preflight.ts';
export {
  type AccountPlan,
  checkProtection,
  DEFAULT_POLICY,
  type PrivilegePolicy,
  type ProtectCheck,
  type ProtectPlan,
  type ProtectReport,
  parsePolicy,
  plannedAccounts,
  READ_RESIDUES,
  type ReadResidue,
  readProtectPlan,
  refuseStops,
} from './privileges/index.ts';
export {
  type History,
  history,
  historyJson,
  historyTable,
  type VerifyOptions,
  type VerifyReport,
  verify,
  verifyJson,
  verifyText,
} from './trail/index.ts';
export { blindSpots } from './writers/blind-spots.ts';
export { NO_PROTECTION } from './writers/protect.ts';
export {
  changesSince,
  type LastInstatement,
  readLastInstatement,
  type SchemaChange,
  schemaChanges,
} from './writers/schema-changes.ts';
export { SCRIPT_NAMES, type Script, type ScriptName, type Statement } from './writers/script.ts';
