/**
 * Why a request was permitted or denied. Codes are stable: they appear in the activity log, in
 * metrics and in `chartgate policy explain`. The order of the list has no meaning.
 */
export const REASONS = [
  // canonical form
  'request-malformed',
  'method-unknown',
  'authority-ambiguous',
  'path-ambiguous',
  'query-ambiguous',
  'header-ambiguous',
  'framing-ambiguous',
  'upgrade-unsupported',
  // routing
  'tenant-unknown',
  'tenant-mismatch',
  'route-unknown',
  'route-matched',
  // limits
  'limit-peer',
  'limit-principal',
  'limit-route',
  // authentication
  'credential-missing',
  'credential-repeated',
  'token-malformed',
  'token-algorithm',
  'token-type',
  'token-signature',
  'token-issuer',
  'token-audience',
  'token-expired',
  'token-not-yet-valid',
  'token-claims',
  'token-inactive',
  'token-revoked',
  'token-unbound',
  'proof-missing',
  'proof-invalid',
  'proof-replayed',
  'proof-unverifiable',
  'certificate-missing',
  'certificate-mismatch',
  'certificate-present',
  'sender-constrained',
  'client-refused',
  'client-unavailable',
  'issuer-unavailable',
  'authenticated',
  // sessions of browsers
  'session-missing',
  'session-unfinished',
  'session-state-unavailable',
  'session-cross-site',
  'factor-fresh',
  'factor-stale',
  'signed-in',
  'sign-in-begun',
  'sign-in-refused',
  'sign-in-unfinished',
  'signed-out',
  'factor-refused',
  'own-page',
  'embedded-issuer',
  'anonymous-permitted',
  // authorisation
  'scope-present',
  'scope-missing',
  'patient-context-missing',
  'patient-matches',
  'patient-mismatch',
  // inspection
  'body-too-large',
  'body-unexpected',
  'media-type-unsupported',
  // integrity
  'integrity-intact',
  'integrity-off',
  'integrity-broken',
  'integrity-unverified',
  'integrity-changed-during-write',
  // recording
  'activity-log-unavailable',
  // back end
  'backend-unavailable',
  'backend-timeout',
  'backend-protocol',
  'backend-refused',
  'backend-failed',
  'client-gone',
  'draining',
  'internal',
] as const;
export type ReasonCode = (typeof REASONS)[number];

/** One condition and whether it held. `detail` names a scope, a claim or a route, never a value of the request. */
export interface Reason {
  readonly code: ReasonCode;
  readonly held: boolean;
  readonly detail?: string;
}
