import type { HideClass } from '../../contracts/policy.ts';
import type { Ending } from '../pipeline/ending.ts';

const HIDDEN: Ending = Object.freeze({ kind: 'hidden', reason: 'backend-refused' });
const REFUSED: Ending = Object.freeze({ kind: 'backend-refused', reason: 'backend-refused' });
const FAILED: Ending = Object.freeze({ kind: 'backend-failed', reason: 'backend-failed' });
const PROTOCOL: Ending = Object.freeze({ kind: 'bad-gateway', reason: 'backend-protocol' });

/**
 * Whether the back end's status may pass. Up to 399 it does (a 101 never: upgrades have a path of their
 * own). Above, its answer is replaced: by the one uniform answer on a route that hides, by a generic one
 * elsewhere, because an error page of an old EMR holds SQL, paths and names.
 */
export function endingOfBackendStatus(status: number, hide: HideClass): Ending | undefined {
  if (status >= 200 && status < 400) return undefined;
  if (status < 200 || status > 599) return PROTOCOL;
  if (hide !== 'none') return HIDDEN;
  return status >= 500 ? FAILED : REFUSED;
}
