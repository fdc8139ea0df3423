import { type AttemptLimits, DEFAULT_ATTEMPT_LIMITS } from '../attempts.ts';

/**
 * As for passwords, but what a hundred failures closed stays so until administrators open it: these counts are
 * of people whose first factor was good, and cannot be made without end.
 */
export const DEFAULT_FACTOR_LIMITS: AttemptLimits = Object.freeze({
  ...DEFAULT_ATTEMPT_LIMITS,
  consecutive: Object.freeze({ failures: 100, keepMs: 100 * 365 * 86_400_000 }),
});
