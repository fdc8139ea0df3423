import type { ReasonCode } from '../../../contracts/reasons.ts';
import { isHidden } from '../../answer/endings.ts';
import type { Fared, Miss } from '../../guard/index.ts';
import type { EndingKind } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Endings that say "not there" or "not for you", and say so. */
const MISSES: ReadonlySet<EndingKind> = new Set<EndingKind>([
  'route-unknown',
  'insufficient-scope',
  'forbidden',
]);
/** What a back end says of a record that it does not give (RFC 9110 §15.5). */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/** What says that the back end did not do its part. */
const FAILURES: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'backend-unavailable',
  'backend-timeout',
  'backend-protocol',
  'backend-failed',
  'answer-error',
]);

/**
 * Stage 11b: the enumeration guard counts how it ended. Whatever is answered as hidden counts, whatever the cause,
 * unless the EMR fails for most people; only a back end that could not be reached at all, which no record can bring
 * about, never does.
 */
export function observe(x: Exchange): Step {
  const { guard } = x.runtime;
  if (guard === undefined || x.knownPrincipal === undefined) return undefined;
  guard.observe(x, missed(x), fared(x));
  return undefined;
}

function missed(x: Exchange): Miss {
  const { ending } = x;
  if (ending === undefined || ending.reason === 'backend-unavailable') return undefined;
  if (ending.kind === 'hidden' || isHidden(x, ending)) return 'hidden';
  if (MISSES.has(ending.kind)) return 'told';
  return ending.kind === 'backend-refused' && REFUSALS.has(x.backend?.status ?? 0) ? 'told' : undefined;
}

function fared(x: Exchange): Fared {
  if (x.backend !== undefined && x.backend.status >= 500) return 'badly';
  if (x.ending !== undefined && FAILURES.has(x.ending.reason)) return 'badly';
  return x.backend === undefined ? undefined : 'well';
}
