import type { Outcome } from '../../contracts/activity.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import type { OwnAnswer } from '../own-pages/answer.ts';

/**
 * The ways a request can end other than with the back end's own answer. `hidden` becomes the uniform
 * answer of the route's hide class, at its deadline; the others depend on nothing that a record could
 * change, and are answered at once.
 */
export const ENDING_KINDS = [
  'bad-request',
  'misdirected',
  'route-unknown',
  'unauthenticated',
  'insufficient-scope',
  'certificate-required',
  'forbidden',
  'factor-stale',
  'cross-site',
  'own-page',
  'closed',
  'hidden',
  'limited',
  'too-large',
  'unsupported-media',
  'unprocessable',
  'unavailable',
  'bad-gateway',
  'gateway-timeout',
  'conflict',
  'precondition-failed',
  'precondition-required',
  'change-refused',
  'backend-refused',
  'backend-failed',
] as const;
export type EndingKind = (typeof ENDING_KINDS)[number];

export interface Ending {
  readonly kind: EndingKind;
  readonly reason: ReasonCode;
  /** For `insufficient-scope`: a scope that would do. */
  readonly scopeNeeded?: string | undefined;
  /** What inspection found: where and by which rule, never a value. */
  readonly finding?: { readonly place: string; readonly rule: string };
  /** For `own-page`: the answer, complete. */
  readonly own?: OwnAnswer;
  /** For `limited`: seconds, rounded up. */
  readonly retryAfterSeconds?: number;
  /** For `limited`: further header names and values, alternating. */
  readonly fields?: readonly string[];
  /** For `unauthenticated`: whether a credential was presented (RFC 6750 §3). */
  readonly credentialPresented?: boolean;
  /** The client's framing is in doubt: nothing more is read from this connection. */
  readonly closeConnection?: boolean;
}

/** What an ending means in the activity log: a denial is a decision, a failure is somebody's fault. */
export const ENDING_OUTCOME: Readonly<Record<EndingKind, Outcome>> = Object.freeze({
  'bad-request': 'denied',
  misdirected: 'denied',
  'route-unknown': 'denied',
  unauthenticated: 'denied',
  'insufficient-scope': 'denied',
  'certificate-required': 'denied',
  forbidden: 'denied',
  'factor-stale': 'denied',
  'cross-site': 'denied',
  'own-page': 'permitted',
  closed: 'denied',
  hidden: 'denied',
  limited: 'denied',
  'too-large': 'denied',
  'unsupported-media': 'denied',
  unprocessable: 'denied',
  unavailable: 'failed',
  'bad-gateway': 'failed',
  'gateway-timeout': 'failed',
  conflict: 'failed',
  'precondition-failed': 'failed',
  'precondition-required': 'failed',
  'change-refused': 'failed',
  'backend-refused': 'failed',
  'backend-failed': 'failed',
});

export function outcomeOf(ending: Ending): Outcome {
  return ending.own?.outcome ?? ENDING_OUTCOME[ending.kind];
}
