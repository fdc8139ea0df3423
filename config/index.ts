export { certificateExpiries, tenantExpiries } from './expiries.ts';
export { type FileAccess, type FileProblem, type FileRead, realFiles } from './files.ts';
export { FILE_KINDS, type FileKind, kindOf } from './kind.ts';
export {
  type LoadOptions,
  loadCheckerSettings,
  loadGatewaySettings,
  loadIssuerSettings,
  loadPolicyCases,
  loadPolicyDocument,
  type PolicyRules,
  settingsFrom,
} from './load.ts';
export { faultsOf, locate, type Traceable } from './origins.ts';
export { readGatewaySources, type SourceFile, type Sources } from './sources.ts';
export { type SourcesChange, sourcesChange, withSourcesChange } from './sources-change.ts';
export { freshTenants, withReferencesRead } from './tenant-assembly.ts';
export {
  changeBetween,
  readTenantFile,
  type TenantChange,
  type TenantFolder,
  type TenantSource,
  tenantText,
  withChange,
} from './tenant-files.ts';
export { faultsTogether } from './together.ts';
export { faultsWithIssuer } from './together-issuer.ts';
export { expiryMessage, WARNING_CODES, type Warning, type WarningCode, warningsOf } from './warnings.ts';
