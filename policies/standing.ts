import type { Credential, Route } from '../contracts/policy.ts';
import type { AuthenticatedPrincipal, AuthenticationFacts, Principal } from '../contracts/principal.ts';
import type { ReasonCode } from '../contracts/reasons.ts';

/** Which kinds of principal a route takes. Complete, so that a new kind of either does not compile without an answer. */
const TAKES: Readonly<Record<Exclude<Credential, 'anonymous'>, ReadonlySet<AuthenticatedPrincipal['kind']>>> =
  Object.freeze({
    bearer: new Set(['bearer'] as const),
    session: new Set(['session'] as const),
    'bearer-or-session': new Set(['bearer', 'session'] as const),
  });

/** What a missing credential is called. */
export const MISSING: Readonly<Record<Exclude<Credential, 'anonymous'>, ReasonCode>> = Object.freeze({
  bearer: 'credential-missing',
  session: 'session-missing',
  'bearer-or-session': 'credential-missing',
});

/** Whether the principal is one that the route takes. */
export function isTaken(
  credential: Exclude<Credential, 'anonymous'>,
  principal: Principal,
): principal is AuthenticatedPrincipal {
  return principal.kind !== 'anonymous' && TAKES[credential].has(principal.kind);
}

/**
 * Whether a second factor was given, and not longer ago than the route allows. A factor from the future
 * does not count: the clock that wrote it cannot be compared with ours.
 * @param nowSeconds wall clock, seconds since the epoch
 */
export function isFactorFresh(
  route: Pick<Route, 'factorMaxAge'>,
  authentication: AuthenticationFacts | undefined,
  nowSeconds: number,
): boolean {
  if (route.factorMaxAge === undefined) return true;
  const at = authentication?.factorAt;
  if (at === undefined || !Number.isFinite(at)) return false;
  const age = nowSeconds - at;
  return age <= route.factorMaxAge && age >= -CLOCK_DIFFERENCE;
}

/** Seconds by which an issuer's clock may be ahead. */
const CLOCK_DIFFERENCE = 60;
