import type { RefusedAttempt } from '../attempts.ts';
import { tell } from './events.ts';
import { type FactorContext, type Refused, refused } from './types.ts';

function refusedAttempt(attempt: RefusedAttempt): Refused {
  if (attempt.by === 'closed') return refused('closed');
  return refused(attempt.by === 'account' ? 'locked-account' : 'locked-source', attempt.retryAfter);
}

/**
 * Checks one guess, counted before it is looked at. Whatever goes wrong while it is checked, it stays counted.
 *
 * @param check answers whether it was right
 */
export async function afterReservation<T extends { readonly ok: true }>(
  context: FactorContext,
  guess: { readonly principal: string; readonly source: string },
  check: () => Promise<T | Refused>,
): Promise<T | Refused> {
  const reserved = await context.attempts.reserve({ account: guess.principal, source: guess.source });
  if (!reserved.ok) return refusedAttempt(reserved);
  const result = await check();
  if (result.ok) await reserved.succeeded();
  else if (reserved.closes) tell(context.clock, 'closed', { principal: guess.principal });
  else if (reserved.locks) tell(context.clock, 'locked', { principal: guess.principal });
  return result;
}
