import type { TenantId } from './identifiers.ts';

/** What a reviewer found an emergency access to have been. */
export const EMERGENCY_VERDICTS = ['justified', 'unjustified', 'unclear'] as const;
export type EmergencyVerdict = (typeof EMERGENCY_VERDICTS)[number];

/** By what credential it was begun: it widens that kind alone, of that client. */
export interface EmergencyCredential {
  readonly kind: 'session' | 'bearer';
  readonly clientId: string | undefined;
}

export interface EmergencyReview {
  /** Empty for somebody at the gateway's machine, who gives a name. */
  readonly issuer: string;
  readonly subject: string;
  /** The reviewer's name, as typed; undefined where issuer and subject say who it was. */
  readonly name: string | undefined;
  readonly verdict: EmergencyVerdict;
  /** Seconds since the epoch. */
  readonly at: number;
}

/** One time that somebody broke the glass (45 CFR 164.312(a)(2)(ii)). Kept for good. The reason is kept apart, sealed. */
export interface Emergency {
  readonly id: string;
  readonly tenant: TenantId;
  readonly issuer: string;
  readonly subject: string;
  readonly credential: EmergencyCredential;
  /** What it gives besides what its holder has. */
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly begunAt: number;
  /** Not in force at and after this. */
  readonly until: number;
  /** Ended early; `by`: its holder, or a reviewer. */
  readonly ended: { readonly at: number; readonly by: 'holder' | 'reviewer' } | undefined;
  readonly reviews: readonly EmergencyReview[];
}

/** @param at seconds since the epoch */
export function isEmergencyInForce(emergency: Emergency, at: number): boolean {
  return emergency.ended === undefined && at >= emergency.begunAt && at < emergency.until;
}
