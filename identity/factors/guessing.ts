import type { AttemptLimits } from '../attempts.ts';
import { DEFAULT_FACTOR_LIMITS } from './limits.ts';
import { DIGITS, STEPS_AROUND } from './totp-secret.ts';

const DAY_MS = 86_400_000;

export interface GuessBudget {
  /** Guesses at one account's codes that are ever checked, from any number of sources. */
  readonly tries: number;
  /** Which limit stops it. */
  readonly by: 'lock' | 'closed';
  /** Chance that one of them is a code of that moment, with every neighbouring step counted. */
  readonly probability: number;
}

/**
 * How many guesses at one account somebody who has its password and as many addresses as they like gets checked
 * in a time, if nobody signs in in between. A lock lasts from the last guess that was let through; so there
 * are `failures` of them in every `lockMs`, and the first ones at once.
 *
 * @param overMs 24 hours unless told
 */
export function guessBudget(
  limits: AttemptLimits = DEFAULT_FACTOR_LIMITS,
  overMs: number = DAY_MS,
): GuessBudget {
  const rounds = Math.ceil(overMs / limits.account.lockMs);
  const locked = rounds * limits.account.failures;
  const closed = limits.consecutive?.failures ?? Number.POSITIVE_INFINITY;
  const tries = Math.min(locked, closed);
  const each = (2 * STEPS_AROUND + 1) / 10 ** DIGITS;
  return { tries, by: closed <= locked ? 'closed' : 'lock', probability: 1 - (1 - each) ** tries };
}
