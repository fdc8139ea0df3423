import type { TenantId } from './identifiers.ts';
import type { AuthenticatedPrincipal } from './principal.ts';

/** Whom a patient lets in: a person (issuer and subject), everybody with a role, or everybody of another tenant. */
export type Grantee =
  | { readonly kind: 'person'; readonly issuer: string; readonly subject: string }
  | { readonly kind: 'role'; readonly tenant: TenantId; readonly role: string }
  | { readonly kind: 'organisation'; readonly tenant: TenantId };

/** What somebody wants to see of a patient's record. */
export interface ConsentQuestion {
  /** The tenant whose record it is. */
  readonly tenant: TenantId;
  readonly patient: string;
  readonly principal: AuthenticatedPrincipal;
  /** FHIR resource type, or `*` for a whole record. */
  readonly resourceType: string;
  /** Codes of `category` that the resource bears, when it is known already; undefined before it was read. */
  readonly categories?: readonly string[];
  readonly action: 'read' | 'write';
  /** Seconds since the epoch. */
  readonly at: number;
}

/** `unavailable`: the store could not be asked within its bound, so nothing that needs consent is permitted. */
export type ConsentAnswer = 'in-force' | 'none' | 'unavailable';

/** The consents in force, as this worker knows them: never older than a second. Synchronous, never throws. */
export interface ConsentView {
  /**
   * Whether the resource is covered. Strict: while its categories are not known (`undefined`), a consent that is limited
   * to some covers nothing.
   */
  check(question: ConsentQuestion): ConsentAnswer;
  /**
   * Whether some resource of the type could be covered, before any was read: then each one of the answer has to be
   * checked with its own categories (none: `[]`).
   */
  possible(question: Omit<ConsentQuestion, 'categories'>): ConsentAnswer;
}
