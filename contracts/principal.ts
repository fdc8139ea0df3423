import type { TenantId } from './identifiers.ts';
import type { ReasonCode } from './reasons.ts';

declare const verified: unique symbol;

/** Who is asking. Frozen; made only by `identity`, from a credential that was verified for this tenant. */
export type Principal = AnonymousPrincipal | BearerPrincipal;

export interface AnonymousPrincipal {
  readonly [verified]: true;
  readonly kind: 'anonymous';
  readonly scopes: ReadonlySet<string>;
}

export interface BearerPrincipal {
  readonly [verified]: true;
  readonly kind: 'bearer';
  /** The tenant whose audience the token carries. */
  readonly tenant: TenantId;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  /** The SMART `patient` launch context, when the token has one. */
  readonly patient: string | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Stable key of this principal for limits: length-prefixed issuer and subject, hashed. Not reversible. */
  readonly limitKey: string;
}

export type AuthenticationResult =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly reason: ReasonCode; readonly detail?: string };

export interface AuthenticationRequest {
  readonly tenant: TenantId;
  /** The only acceptable audience (RFC 9068 §4, RFC 8707). */
  readonly audience: string;
  /** Ids of the issuers this tenant trusts. */
  readonly issuers: readonly string[];
  /** The value of `Authorization`, when there is one. */
  readonly authorization: string | undefined;
  /** `always`: ask the issuer (RFC 7662), within the cache's bound; `never`: local verification suffices. */
  readonly introspection: 'always' | 'never';
}

/** Credentials → principal. Never throws for a bad credential. Answers synchronously when it can (cached token). */
export interface Authenticator {
  authenticate(request: AuthenticationRequest): AuthenticationResult | Promise<AuthenticationResult>;
}
