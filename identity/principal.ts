import type { TenantId } from '../contracts/identifiers.ts';
import type {
  AnonymousPrincipal,
  AuthenticatedPrincipal,
  AuthenticationFacts,
  BearerCredential,
  BearerPrincipal,
  Principal,
  SenderConstraint,
  SessionPrincipal,
} from '../contracts/principal.ts';
import { hashOf } from './lengths.ts';

/** Everything a bearer principal is made of. */
export interface BearerFields {
  readonly credential: BearerCredential;
  readonly constraint: SenderConstraint;
  readonly tenant: TenantId;
  readonly audience?: string | undefined;
  readonly home?: TenantId | undefined;
  readonly roles?: ReadonlySet<string> | undefined;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly patient: string | undefined;
  readonly expiresAt: number;
  readonly authentication?: AuthenticationFacts | undefined;
}

function refuseChange(): never {
  throw new TypeError('the scopes and roles of a principal do not change');
}

/** A set that keeps what it had: `Object.freeze` alone leaves `add` working. */
function frozenSet(values: Iterable<string>): ReadonlySet<string> {
  const set = new Set(values);
  const fixed = { value: refuseChange };
  Object.defineProperties(set, { add: fixed, delete: fixed, clear: fixed });
  return Object.freeze(set);
}

// The places where a principal comes into being. The brand has no value, hence the assertions.

/** Nobody in particular: no scopes. Whether that suffices is the policy's decision. */
export const ANONYMOUS = Object.freeze({
  kind: 'anonymous',
  scopes: frozenSet([]),
}) as unknown as AnonymousPrincipal;

/** Call only with what a verified credential said. */
export function bearerPrincipal(fields: BearerFields): BearerPrincipal {
  return Object.freeze({
    kind: 'bearer',
    credential: fields.credential,
    constraint: fields.constraint,
    tenant: fields.tenant,
    audience: fields.audience,
    home: fields.home,
    roles: frozenSet(fields.roles ?? []),
    issuer: fields.issuer,
    subject: fields.subject,
    clientId: fields.clientId,
    scopes: frozenSet(fields.scopes),
    patient: fields.patient,
    expiresAt: fields.expiresAt,
    limitKey: hashOf(fields.issuer, fields.subject),
    authentication: fields.authentication,
  }) as unknown as BearerPrincipal;
}

/** Everything a session's principal is made of. */
export interface SessionFields {
  readonly tenant: TenantId;
  readonly roles?: ReadonlySet<string> | undefined;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  readonly patient: string | undefined;
  readonly expiresAt: number;
  readonly authentication: AuthenticationFacts;
}

/** Call only for a session that is live and that every factor asked for has opened. */
export function sessionPrincipal(fields: SessionFields): SessionPrincipal {
  return Object.freeze({
    kind: 'session',
    tenant: fields.tenant,
    roles: frozenSet(fields.roles ?? []),
    issuer: fields.issuer,
    subject: fields.subject,
    clientId: fields.clientId,
    scopes: frozenSet(fields.scopes),
    patient: fields.patient,
    expiresAt: fields.expiresAt,
    limitKey: hashOf(fields.issuer, fields.subject),
    authentication: fields.authentication,
  }) as unknown as SessionPrincipal;
}

const origins = new WeakMap<Principal, Principal>();

/** The same somebody with other scopes, and not for longer. What is known of the one they came from stays known. */
export function derivedPrincipal<P extends AuthenticatedPrincipal>(
  from: P,
  change: { readonly scopes: Iterable<string>; readonly expiresAt: number },
): P {
  const derived: P = Object.freeze({
    ...from,
    scopes: frozenSet(change.scopes),
    expiresAt: Math.min(from.expiresAt, change.expiresAt),
  } as P);
  origins.set(derived, originOf(from));
  return derived;
}

/** Whom the credential stood for, before anything was added. */
export function originOf(principal: Principal): Principal {
  return origins.get(principal) ?? principal;
}
