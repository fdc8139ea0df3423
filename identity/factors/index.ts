export { type AttemptLimits, type Attempts, DEFAULT_ATTEMPT_LIMITS, sourceOf } from '../attempts.ts';
export {
  CHANGE_WITHIN,
  createFactors,
  type FactorOptions,
  type FactorState,
  type Factors,
} from './factors.ts';
export { type GuessBudget, guessBudget } from './guessing.ts';
export { DEFAULT_FACTOR_LIMITS } from './limits.ts';
export { type PasskeySite, passkeySiteFault } from './passkey-site.ts';
export type { PasskeyInfo } from './passkey-store.ts';
export type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from './passkeys.ts';
export { factorPrincipal } from './principal.ts';
export { resealFactors } from './reseal.ts';
export {
  RESET_LIFETIME_MS,
  type ResetAuthority,
  type ResetPerson,
  type ResetRequest,
  resetSteps,
} from './reset.ts';
export { AMR, isFresh, type StepUpDemand, stepUpChallenge } from './step-up.ts';
export type { TotpEnrolment } from './totp.ts';
export {
  type CodeMethod,
  FACTOR_METHODS,
  FACTOR_REFUSALS,
  type FactorMethod,
  type FactorRefusal,
  type FactorSealer,
  type Proved,
  type PublicReason,
  type Refused,
} from './types.ts';
