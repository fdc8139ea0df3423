export { CERTIFICATE_ISSUER, CLIENT_ISSUER, createOtherCallers } from './callers.ts';
export {
  type ClientChanges,
  Clients,
  type Issued,
  type NewClient,
  OVERLAP_MS,
  type Rotation,
  SECRET_LIFE_MS,
  type StrengthRule,
} from './clients.ts';
export { type Expiring, expiringClients, WARN_BEFORE_MS, watchExpiry } from './expiry.ts';
export {
  CLIENT_METHODS,
  type Client,
  type ClientCertificate,
  type ClientMethod,
  type ShownClient,
  type ShownSecret,
} from './model.ts';
export { CLIENT_REFUSALS, type ClientRefusal, type ClientVerdict, ClientVerifier } from './verify.ts';
