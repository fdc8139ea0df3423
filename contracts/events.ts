import type { Outcome, SessionEvent } from './activity.ts';
import type { VerdictState } from './integrity.ts';
import type { ReasonCode } from './reasons.ts';

/**
 * Names of the `node:diagnostics_channel` channels that parts publish to; telemetry subscribes. A
 * publisher guards with `hasSubscribers`; a subscriber never affects a decision.
 */
export const CHANNELS = Object.freeze({
  request: 'chartgate:request',
  attestation: 'chartgate:attestation',
  limit: 'chartgate:limit',
  finding: 'chartgate:finding',
  hidden: 'chartgate:hidden',
  alarm: 'chartgate:alarm',
  account: 'chartgate:account',
  factor: 'chartgate:factor',
  session: 'chartgate:session',
  issuer: 'chartgate:issuer',
  clientSecrets: 'chartgate:client-secrets',
});

/** One per request, after its answer's head was decided. Durations in seconds. */
export interface RequestEvent {
  readonly tenant: string;
  readonly route: string;
  readonly method: string;
  readonly outcome: Outcome;
  readonly reason: ReasonCode;
  readonly status: number;
  /** From arrival to the answer's head, without the back end's share. */
  readonly gatewaySeconds: number;
  /** From forwarding to the back end's head; undefined when it was not asked. */
  readonly backendSeconds: number | undefined;
}

/** One per verdict received from the checker. */
export interface AttestationEvent {
  readonly database: string;
  readonly state: VerdictState;
  readonly seconds: number;
  readonly findings: readonly string[];
}

export interface LimitEvent {
  readonly limit:
    | 'peer'
    | 'principal'
    | 'client'
    | 'tenant'
    | 'route'
    /** Requests under way at one time. */
    | 'peer-at-once'
    | 'principal-at-once'
    | 'client-at-once'
    | 'tenant-at-once'
    | 'route-at-once';
  readonly tenant: string;
}

/** One per finding of an inspector that its route only reports. */
export interface FindingEvent {
  readonly tenant: string;
  readonly rule: string;
}

/** One per answer that hides whether a record exists. */
export interface HiddenEvent {
  readonly tenant: string;
  readonly route: string;
  /** It was not ready at its deadline, and left at a whole multiple of it. */
  readonly late: boolean;
}

/** Something an operator must look at. */
export interface AlarmEvent {
  readonly alarm:
    | 'unverified-write'
    | 'checker-protocol'
    | 'activity-log'
    | 'clock-jump'
    | 'reload-refused'
    | 'worker-exit'
    /** Somebody broke the glass. */
    | 'emergency-access'
    /** Redis is away: each gateway lets its own part of every limit pass. */
    | 'limits-unshared'
    /** The enumeration guard slowed somebody, asked for a second factor, or locked somebody. */
    | 'guard-slowed'
    | 'guard-step-up'
    | 'guard-locked'
    /** A tenant's EMR fails for most people: what it hides from them is not counted as misses. */
    | 'guard-outage'
    /** An API client's last secret ends within two weeks, or has ended; said once an hour. */
    | 'client-secret-expires';
  readonly tenant: string;
}

/** One per change of the embedded issuer's accounts, after it was kept. Ids only: no name, no secret. */
export interface AccountEvent {
  readonly what: string;
  readonly organisation: string;
  /** Id of the account, role or request that was changed. */
  readonly subject: string;
  /** Id of the account that did it; `host` for the person at the issuer's machine. */
  readonly actor: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** What sessions at browsers began and ended by; those that expire end silently. */
export const SESSION_CHANGES = [
  'opened',
  'signed-out',
  'replaced',
  'ended-by-person',
  'ended-by-issuer',
] as const;

/** One per thing that became of somebody's sign-in (`event`), or of sessions (`change`). */
export interface SessionEventCount {
  /** Empty where sessions of several tenants may be meant. */
  readonly tenant: string;
  readonly event?: SessionEvent;
  readonly change?: (typeof SESSION_CHANGES)[number];
  readonly count: number;
}

/** One per request to an issuer, of whatever kind. */
export interface IssuerEvent {
  /** Its id in the settings. */
  readonly issuer: string;
  /** It answered in time, and not by saying that it has failed. */
  readonly ok: boolean;
}

/** When the last good secret of the tenant's API client that is closest to its end expires; said once an hour. */
export interface ClientSecretsEvent {
  readonly tenant: string;
  /** Wall-clock milliseconds; undefined: the tenant has no active client with a secret any more. */
  readonly expiresAt: number | undefined;
}

/** One per attempt at, and change of, a second factor. No name, no code: the principal is a hash. */
export interface FactorEvent {
  readonly what:
    | 'verified'
    | 'refused'
    | 'enrolled'
    | 'removed'
    | 'recovery-codes-made'
    | 'passkey-suspended'
    | 'locked'
    | 'closed'
    | 'reset-requested'
    | 'reset-approved'
    | 'reset-rejected';
  /** Hash of issuer and subject; undefined when nobody was recognised. */
  readonly principal: string | undefined;
  readonly method: 'totp' | 'recovery-code' | 'passkey' | undefined;
  /** Why it was refused: a code of `identity/factors`. */
  readonly why: string | undefined;
  /** Hash of the issuer and subject of the administrator who did it; undefined: the principal itself. */
  readonly actor: string | undefined;
  /** Wall-clock milliseconds. */
  readonly at: number;
}
