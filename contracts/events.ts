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
    | 'worker-exit';
  readonly tenant: string;
}
