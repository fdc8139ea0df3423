import type { AuthenticationFacts } from '../contracts/principal.ts';
import type { SecondFactorSettings } from '../contracts/settings.ts';
import { isNumericDate } from './claims.ts';
import { type JsonObject, member } from './json.ts';

const MAX_METHODS = 16;

/**
 * What an ID token, or a token of RFC 9068 §2.2.1, says of how somebody was authenticated. A member that is not
 * of its form says nothing.
 *
 * A second factor counts only where the issuer's settings say by which `acr` or `amr` it is told; its time is
 * `factor_at` where the issuer has that claim, else `auth_time`, and without either it has none, so that no route
 * which limits its age is satisfied by it.
 * @returns undefined when not even the time of the authentication is told
 */
export function authenticationOf(
  claims: JsonObject,
  secondFactor: SecondFactorSettings | undefined,
): AuthenticationFacts | undefined {
  const at = member(claims, 'auth_time');
  if (!isNumericDate(at)) return undefined;
  const acr = member(claims, 'acr');
  const amr = member(claims, 'amr');
  return Object.freeze({
    at,
    acr: typeof acr === 'string' && acr.length <= 255 ? acr : undefined,
    methods: Object.freeze(
      Array.isArray(amr)
        ? amr
            .filter((each): each is string => typeof each === 'string' && each.length <= 64)
            .slice(0, MAX_METHODS)
        : [],
    ),
    factorAt: factorAtOf(claims, secondFactor),
  });
}

/** Seconds since the epoch at which the issuer says that a second factor was given; undefined: it does not say so. */
export function factorAtOf(
  claims: JsonObject,
  secondFactor: SecondFactorSettings | undefined,
): number | undefined {
  if (!hasSecondFactor(claims, secondFactor)) return undefined;
  const at = member(claims, 'auth_time');
  const factorAt = member(claims, 'factor_at');
  if (factorAt !== undefined) return isNumericDate(factorAt) ? factorAt : undefined;
  return isNumericDate(at) ? at : undefined;
}

/** Whether the issuer says, in the words that its settings list, that two factors were given. */
export function hasSecondFactor(claims: JsonObject, secondFactor: SecondFactorSettings | undefined): boolean {
  if (secondFactor?.by !== 'issuer') return false;
  const acr = member(claims, 'acr');
  const amr = member(claims, 'amr');
  if (typeof acr === 'string' && secondFactor.acr.includes(acr)) return true;
  return Array.isArray(amr) && amr.some((method) => secondFactor.amr.includes(method));
}
