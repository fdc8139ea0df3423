/** What a certificate is for whose end is watched. */
export const EXPIRING_KINDS = [
  'listener',
  'client-authority',
  'backend-authority',
  'backend-client',
  'issuer-authority',
  'redis-authority',
  'state-authority',
] as const;
export type ExpiringKind = (typeof EXPIRING_KINDS)[number];

export interface CertificateExpiry {
  readonly kind: ExpiringKind;
  /** Empty: the gateway's own, for all tenants. */
  readonly tenant: string;
  /** Which of several: an origin, or the id of an issuer. */
  readonly of: string;
  /** Wall-clock milliseconds; of a file with several certificates the first that expires. */
  readonly expiresAt: number;
}

/** Milliseconds before its end from which on a certificate is warned of: 30 days. */
export const EXPIRES_SOON_MS = 30 * 86_400_000;
