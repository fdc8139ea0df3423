import type { RequestFacts } from './facts.ts';
import type { TenantId } from './identifiers.ts';
import type { ReasonCode } from './reasons.ts';

declare const verified: unique symbol;

/** Who is asking. Frozen; made only by `identity`, from a credential that was verified for this tenant. */
export type Principal = AnonymousPrincipal | AuthenticatedPrincipal;

/** Somebody, by whatever credential. */
export type AuthenticatedPrincipal = BearerPrincipal | SessionPrincipal;

/** When and how somebody proved who they are. */
export interface AuthenticationFacts {
  /** Seconds since the epoch at which the issuer authenticated them (`auth_time`). */
  readonly at: number;
  /** Authentication methods (RFC 8176 `amr`); empty when the issuer does not say. */
  readonly methods: readonly string[];
  /** Authentication context class (`acr`); undefined when the issuer does not say. */
  readonly acr: string | undefined;
  /** Seconds since the epoch at which a second factor was given; undefined: none that counts. */
  readonly factorAt: number | undefined;
}

export interface AnonymousPrincipal {
  readonly [verified]: true;
  readonly kind: 'anonymous';
  readonly scopes: ReadonlySet<string>;
}

/** How an API caller proved who it is: an access token, its secret with each request, or its certificate. */
export const BEARER_CREDENTIALS = ['token', 'client-secret', 'certificate'] as const;
export type BearerCredential = (typeof BEARER_CREDENTIALS)[number];

/** What binds a credential to its sender, whose possession was proved with this very request; `none`: nothing. */
export const SENDER_CONSTRAINTS = ['none', 'dpop', 'certificate'] as const;
export type SenderConstraint = (typeof SENDER_CONSTRAINTS)[number];

export interface BearerPrincipal {
  readonly [verified]: true;
  readonly kind: 'bearer';
  readonly credential: BearerCredential;
  /** DPoP (RFC 9449) or a client certificate (RFC 8705). */
  readonly constraint: SenderConstraint;
  /** The tenant whose audience the token carries. */
  readonly tenant: TenantId;
  /** Which of the tenant's further audiences the token carries, by its name; undefined: the tenant's own. */
  readonly audience?: string | undefined;
  /** The tenant whose people it is one of, where another one's are let in by consent; undefined: `tenant` itself. */
  readonly home?: TenantId | undefined;
  /** Roles that the issuer gives it (RFC 9068 §2.2.3.1), or that the tenant's settings read out of a claim. */
  readonly roles?: ReadonlySet<string> | undefined;
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
  /** What the token says of how its subject was authenticated (RFC 9068 §2.2.1); undefined when it says nothing. */
  readonly authentication?: AuthenticationFacts | undefined;
}

/** Somebody at a browser, known by a session of this gateway that both factors opened. */
export interface SessionPrincipal {
  readonly [verified]: true;
  readonly kind: 'session';
  /** The tenant at whose host the session was opened; nobody anywhere else. */
  readonly tenant: TenantId;
  /** A session is for the tenant's own pages alone. */
  readonly audience?: undefined;
  /** As in `BearerPrincipal`. */
  readonly home?: TenantId | undefined;
  readonly roles?: ReadonlySet<string> | undefined;
  readonly issuer: string;
  readonly subject: string;
  /** The gateway's own client id at the issuer. */
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly patient: string | undefined;
  /** Seconds since the epoch: the end of the session if it is not used again. */
  readonly expiresAt: number;
  readonly limitKey: string;
  readonly authentication: AuthenticationFacts;
}

/** Whether another tenant vouches for somebody, who is then nobody here but for what patients share. */
export function isForeign(principal: Principal): boolean {
  return (
    principal.kind !== 'anonymous' && principal.home !== undefined && principal.home !== principal.tenant
  );
}

export type AuthenticationResult =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly reason: ReasonCode; readonly detail?: string };

export interface AuthenticationRequest {
  readonly tenant: TenantId;
  /** The only acceptable audience (RFC 9068 §4, RFC 8707). */
  readonly audience: string;
  /** What policies call it, where it is not the tenant's own. */
  readonly audienceName?: string | undefined;
  /** Ids of the issuers this tenant trusts. */
  readonly issuers: readonly string[];
  /** The tenant that each of these other issuers, by id, vouches for: its people are let in by consent alone. */
  readonly partners?: ReadonlyMap<string, TenantId> | undefined;
  /** The value of `Authorization`, when there is one. */
  readonly authorization: string | undefined;
  /** `always`: ask the issuer (RFC 7662), within the cache's bound; `never`: local verification suffices. */
  readonly introspection: 'always' | 'never';
  /** What a proof of possession, a certificate and a client's allowed addresses are judged by; without it none holds. */
  readonly facts?: PresentedFacts | undefined;
}

/** The part of a request's facts that a credential may be bound to. */
export type PresentedFacts = Pick<RequestFacts, 'method' | 'authority' | 'path' | 'headers' | 'tls' | 'peer'>;

/** Where an issuer is asked for what, as absolute https URLs (RFC 8414 §2); what it has not is left out. */
export interface IssuerEndpoints {
  readonly authorize?: string;
  readonly token?: string;
  readonly introspect?: string;
  readonly revoke?: string;
  readonly register?: string;
}

/** Credentials → principal. Never throws for a bad credential. Answers synchronously when it can (cached token). */
export interface Authenticator {
  authenticate(request: AuthenticationRequest): AuthenticationResult | Promise<AuthenticationResult>;
  /** Whether the token that a principal came from was revoked since, as far as its issuer tells by itself. */
  isRevoked(principal: Principal): boolean;
  /** An issuer's endpoints by its own metadata; undefined when it cannot be asked. Never rejects. */
  endpoints?(issuer: string): Promise<IssuerEndpoints | undefined>;
}
