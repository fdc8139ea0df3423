import type { Grantee } from './consent.ts';
import type { TenantId } from './identifiers.ts';

/** What a grantee may do with the parts. */
export const CONSENT_ACTIONS = ['read', 'write'] as const;
export type ConsentAction = (typeof CONSENT_ACTIONS)[number];

/** Parts of a record: resources of these types and, where categories are listed, only those that bear one of them. */
export interface ConsentParts {
  /** FHIR resource types; `*` alone: every type. At most 100. */
  readonly resourceTypes: readonly string[];
  /** Codes of `category`; empty: whatever category, and none. At most 50. */
  readonly categories: readonly string[];
}

/** On whose word a consent is kept, or was withdrawn. */
export const CONSENT_BASES = ['patient', 'staff', 'host'] as const;
/**
 * `patient`: the patient, or whoever holds the patient's context, did it themselves. `staff`: somebody recorded what the
 * patient signed on paper. `host`: an administrator, by command on the gateway's machine.
 */
export type ConsentBasis = (typeof CONSENT_BASES)[number];

export interface ConsentAct {
  readonly basis: ConsentBasis;
  /** Empty for `host`. */
  readonly issuer: string;
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** A patient's permission (45 CFR 164.508(c), FHIR R4 Consent): kept for good, also once it has ended. */
export interface Consent {
  /** Random; says nothing. */
  readonly id: string;
  /** Whose record it is about. */
  readonly tenant: TenantId;
  readonly patient: string;
  readonly grantee: Grantee;
  readonly parts: ConsentParts;
  readonly actions: readonly ConsentAction[];
  /** Seconds since the epoch: in force at and after this. */
  readonly from: number;
  /** Not in force at and after this. */
  readonly until: number;
  readonly granted: ConsentAct;
  readonly withdrawn: ConsentAct | undefined;
}

export const CONSENT_STATES = ['in-force', 'not-yet', 'ended', 'withdrawn'] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

/** @param at seconds since the epoch */
export function consentStateAt(consent: Consent, at: number): ConsentState {
  if (consent.withdrawn !== undefined) return 'withdrawn';
  if (at >= consent.until) return 'ended';
  return at < consent.from ? 'not-yet' : 'in-force';
}
