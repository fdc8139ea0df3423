import type { Clock } from '../../contracts/clock.ts';
import type { StateKind, StateStore } from '../../contracts/state.ts';
import type { Attempts } from '../attempts.ts';

/** Where a sealed value belongs; what was sealed for one place opens at no other. */
export interface SealedPlace {
  readonly kind: StateKind;
  readonly id: string;
  readonly field: string;
}

/** `identity/state/seal.ts`: AES-256-GCM. `open` throws `state-invalid` for what was not sealed for this place. */
export interface FactorSealer {
  seal(plaintext: string | Uint8Array, place: SealedPlace): string;
  open(sealed: string, place: SealedPlace): Buffer;
  /** Sealed with a key that is to be given up. */
  isOld(sealed: string): boolean;
}

/** What every file here works with. */
export interface FactorContext {
  readonly store: StateStore;
  readonly sealer: FactorSealer;
  readonly clock: Clock;
  readonly attempts: Attempts;
}

/** Under which attempts at second factors are counted. */
export const FACTOR_PURPOSE = 'second-factor';

/** How a second factor was proved. */
export const FACTOR_METHODS = ['totp', 'recovery-code', 'passkey'] as const;
export type FactorMethod = (typeof FACTOR_METHODS)[number];
/** The ones that are typed. */
export type CodeMethod = Exclude<FactorMethod, 'passkey'>;

/** Why something was refused: for the log and for metrics, never for the person who tries. */
export const FACTOR_REFUSALS = [
  'code-malformed',
  'code-wrong',
  'code-used',
  'not-enrolled',
  'enrolment-expired',
  'another-browser',
  'locked-account',
  'locked-source',
  'closed',
  'factor-needed',
  'last-factor',
  'too-many-factors',
  'site-invalid',
  'challenge-unknown',
  'response-malformed',
  'response-invalid',
  'another-principal',
  'not-verified',
  'passkey-unknown',
  'passkey-known',
  'passkey-suspended',
  'counter-regressed',
  'changed-meanwhile',
  'not-administrator',
  'same-administrator',
  'own-factors',
  'request-unknown',
] as const;
export type FactorRefusal = (typeof FACTOR_REFUSALS)[number];

/** What the person may be told, and nothing finer. */
export type PublicReason = 'refused' | 'try-later' | 'ask-administrator' | 'factor-needed';

export interface Refused {
  readonly ok: false;
  readonly reason: PublicReason;
  /** For the log only. */
  readonly why: FactorRefusal;
  /** Whole seconds; with `try-later` only. */
  readonly retryAfter?: number | undefined;
}

export interface Proved {
  readonly ok: true;
  readonly method: FactorMethod;
  /** Authentication method references (RFC 8176 §2) that this adds to the sign-in's. */
  readonly amr: readonly string[];
  /** Seconds since the epoch. */
  readonly at: number;
}

const PUBLIC: Readonly<Partial<Record<FactorRefusal, PublicReason>>> = Object.freeze({
  'locked-account': 'try-later',
  'locked-source': 'try-later',
  closed: 'ask-administrator',
  'factor-needed': 'factor-needed',
});

export function refused(why: FactorRefusal, retryAfter?: number): Refused {
  const reason = PUBLIC[why] ?? 'refused';
  return Object.freeze(
    retryAfter === undefined ? { ok: false, reason, why } : { ok: false, reason, why, retryAfter },
  );
}

export const secondsOf = (clock: Clock): number => Math.floor(clock.wall() / 1000);
