export { type Classified, classify } from './assign.ts';
export {
  checkProtection,
  type ProtectCheck,
  planDifferences,
  plannedAccounts,
  refuseStops,
} from './check.ts';
export { readPrivileges } from './live.ts';
export { type ProtectPlan, type ProtectPlanOptions, protectPlan, readProtectPlan } from './plan.ts';
export { completePolicy } from './policy/complete.ts';
export { defaultPolicy, parsePolicy } from './policy/parse.ts';
export { DEFAULT_POLICY } from './policy/presets.ts';
export type { PolicyRole, PrivilegePolicy } from './policy/types.ts';
export { accountText, areaOf, reachableBy } from './reach.ts';
export { type ProtectReport, REPORT_CODES, type Severity } from './reports.ts';
export { READ_RESIDUES, type ReadResidue } from './residues.ts';
export { differenceText, holdingsText } from './summary.ts';
export type { AccountPlan, Difference, Holding, LivePrivileges, WantedGrant } from './types.ts';
