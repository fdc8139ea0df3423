import type { Route } from '../../contracts/policy.ts';
import type { Ending } from '../pipeline/ending.ts';

const HIDDEN: Ending = Object.freeze({ kind: 'hidden', reason: 'backend-refused' });
const REDIRECT: Ending = Object.freeze({ kind: 'hidden', reason: 'redirect-withheld' });
const REFUSED: Ending = Object.freeze({ kind: 'backend-refused', reason: 'backend-refused' });
const FAILED: Ending = Object.freeze({ kind: 'backend-failed', reason: 'backend-failed' });
const PROTOCOL: Ending = Object.freeze({ kind: 'bad-gateway', reason: 'backend-protocol' });

/**
 * Whether the back end's status may pass. Up to 399 it does (a 101 never: upgrades have a path of their
 * own). Above, its answer is replaced: by the one uniform answer on a route that hides, by a generic one
 * elsewhere, because an error page of an old EMR holds SQL, paths and names.
 *
 * On a route that hides records a 304 does not pass either: the back end was asked for no condition. Nor does a
 * redirect of a FHIR server, whose reads know none: it would say that something was there to be moved.
 */
export function endingOfBackendStatus(
  status: number,
  { hide, fhir }: Pick<Route, 'hide' | 'fhir'>,
): Ending | undefined {
  if (status >= 300 && status < 400 && hide === 'record' && (status === 304 || fhir !== undefined))
    return REDIRECT;
  if (status >= 200 && status < 400) return undefined;
  if (status < 200 || status > 599) return PROTOCOL;
  if (hide !== 'none') return HIDDEN;
  return status >= 500 ? FAILED : REFUSED;
}
