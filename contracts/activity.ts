import type { DatabaseId, RequestId, RouteId, TenantId } from './identifiers.ts';
import type { Reason, ReasonCode } from './reasons.ts';

/**
 * Entries of the activity log. They say who did what and how it ended; never a record's content, a
 * name, a token, a path or a query value.
 */
export type ActivityEntry =
  | {
      readonly kind: 'intent';
      readonly request: RequestId;
      readonly tenant: TenantId;
      readonly route: RouteId;
      readonly method: string;
      readonly peer: string;
      readonly issuer: string;
      readonly subject: string;
      readonly client: string;
      readonly epoch: string;
      /** The beginning of the policy's digest; the whole stands in the `process` entry that took it into use. */
      readonly policy: string;
      readonly reasons: readonly Reason[];
    }
  | {
      /** Who, what and why stand in the intent of the same request; here only where there was none, else empty. */
      readonly kind: 'outcome';
      readonly request: RequestId;
      readonly tenant: TenantId | '';
      readonly route: RouteId | '';
      readonly method: string;
      readonly peer: string;
      readonly issuer: string;
      readonly subject: string;
      readonly client: string;
      readonly outcome: Outcome;
      readonly reason: ReasonCode;
      readonly reasons: readonly Reason[];
      /** What the client was answered. */
      readonly status: number;
      /** What the back end answered; 0 when it was not asked or did not answer. */
      readonly backendStatus: number;
      /** Microseconds since arrival. */
      readonly micros: number;
    }
  | {
      /** What became of somebody's sign-in or session at a browser. */
      readonly kind: 'session';
      readonly event: SessionEvent;
      readonly request: RequestId;
      readonly tenant: TenantId;
      /** Empty while it is not known who it is. */
      readonly issuer: string;
      readonly subject: string;
      /** For what did not work: which rule refused, in fixed words; else empty. */
      readonly detail: string;
    }
  | {
      /** What became of a patient's consent, or of an emergency access. Which one: `record`, and nothing of its content. */
      readonly kind: 'sharing';
      readonly event: SharingEvent;
      /** Empty for what was done by command. */
      readonly request: RequestId | '';
      readonly tenant: TenantId;
      /** Who did it; empty for an administrator at the gateway's machine. */
      readonly issuer: string;
      readonly subject: string;
      /** The random id of the consent or the emergency access; empty where there is none. */
      readonly record: string;
    }
  | {
      /** What the enumeration guard did about somebody, and what it had counted in its window by then. */
      readonly kind: 'guard';
      readonly event: GuardEvent;
      /** False: it only reports. */
      readonly enforced: boolean;
      readonly request: RequestId;
      readonly tenant: TenantId;
      readonly issuer: string;
      readonly subject: string;
      /** Requests that ended hidden, forbidden or absent. */
      readonly misses: number;
      /** Different patients that were named. */
      readonly patients: number;
    }
  | {
      /** Somebody looked, or tried to look, at what the EMR had said in place of which a client was answered. */
      readonly kind: 'incident';
      readonly event: IncidentEvent;
      /** The request whose incident it was; empty for a list. */
      readonly request: RequestId | '';
      readonly tenant: TenantId | '';
      /** Who: an account of the gateway's machine; empty for somebody who signed in. */
      readonly account: string;
      /** Somebody who signed in; empty for an account. */
      readonly issuer: string;
      readonly subject: string;
      /** The number of the ticket, or whatever else says what for: never a name. */
      readonly because: string;
    }
  | {
      /** A forwarded write whose verdict afterwards was not the one before: it may lack its audit row. */
      readonly kind: 'unverified-write';
      readonly request: RequestId;
      readonly tenant: TenantId;
      readonly database: DatabaseId;
      readonly epochBefore: string;
      readonly epochAfter: string;
      readonly findings: readonly string[];
    }
  | {
      /** The answer's body ended early, after its head had been sent. */
      readonly kind: 'interrupted';
      readonly request: RequestId;
      readonly by: 'client' | 'backend' | 'gateway';
      readonly bytes: number;
    }
  | {
      readonly kind: 'process';
      readonly event: 'start' | 'stop' | 'reload' | 'reload-refused';
      readonly detail: string;
    };

export const GUARD_EVENTS = ['slowed', 'step-up', 'locked', 'unlocked'] as const;
export type GuardEvent = (typeof GUARD_EVENTS)[number];

export const SESSION_EVENTS = [
  'signed-in',
  'first-factor',
  'sign-in-failed',
  'factor-given',
  'factor-failed',
  'factor-enrolled',
  'factor-removed',
  'stepped-up',
  'signed-out',
  'ended-by-issuer',
  'others-ended',
  'form-kept',
  'form-continued',
] as const;
export type SessionEvent = (typeof SESSION_EVENTS)[number];

export const SHARING_EVENTS = [
  'consent-granted',
  'consent-withdrawn',
  'emergency-begun',
  'emergency-refused',
  'emergency-ended',
  'emergency-reviewed',
] as const;
export type SharingEvent = (typeof SHARING_EVENTS)[number];

export const INCIDENT_EVENTS = ['shown', 'not-found', 'refused', 'listed'] as const;
export type IncidentEvent = (typeof INCIDENT_EVENTS)[number];

export const OUTCOMES = ['permitted', 'denied', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Where the gateway writes what it did. */
export interface ActivitySink {
  /**
   * Resolves once the entry is durable (fdatasync returned). Rejects with `activity-log-unavailable`
   * if it cannot be made so; from then on the sink stays unhealthy until `recover` succeeds by itself.
   */
  append(entry: ActivityEntry): Promise<void>;
  readonly healthy: boolean;
  close(): Promise<void>;
}
