import { isHidden } from '../../answer/endings.ts';
import type { EndingKind } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Endings that say "not there" or "not for you". */
const MISSES: ReadonlySet<EndingKind> = new Set<EndingKind>([
  'hidden',
  'route-unknown',
  'insufficient-scope',
  'forbidden',
]);
/** What a back end says of a record that it does not give (RFC 9110 §15.5). */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/**
 * Stage 11b: the enumeration guard counts how it ended. Whatever is answered as hidden counts, whatever the cause; only
 * a back end that could not be reached at all, which no record can bring about, does not.
 */
export function observe(x: Exchange): Step {
  const { guard } = x.runtime;
  if (guard === undefined || x.knownPrincipal === undefined) return undefined;
  guard.observe(x, missed(x));
  return undefined;
}

function missed(x: Exchange): boolean {
  const { ending } = x;
  if (ending === undefined || ending.reason === 'backend-unavailable') return false;
  if (MISSES.has(ending.kind) || isHidden(x, ending)) return true;
  return ending.kind === 'backend-refused' && REFUSALS.has(x.backend?.status ?? 0);
}
