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
export { faultsTogether } from './together.ts';
export { faultsWithIssuer } from './together-issuer.ts';
export { WARNING_CODES, type Warning, type WarningCode, warningsOf } from './warnings.ts';
