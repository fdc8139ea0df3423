import type { Outcome } from './activity.ts';
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
  alarm: 'chartgate:alarm',
  account: 'chartgate:account',
  factor: 'chartgate:factor',
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
  readonly limit: 'peer' | 'principal' | 'route';
  readonly tenant: string;
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
