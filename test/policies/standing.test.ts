import { describe, expect, it } from 'vitest';
import type { AuthenticationFacts, Principal } from '../../contracts/principal.ts';
import { isFactorFresh, isTaken } from '../../policies/standing.ts';

const NOW = 1_800_000_000;
const given = (factorAt: number | undefined): AuthenticationFacts => ({
  at: NOW,
  methods: [],
  acr: undefined,
  factorAt,
});

describe('a fresh second factor', () => {
  it.each<[string, number | undefined, AuthenticationFacts | undefined, boolean]>([
    ['no demand, nothing known', undefined, undefined, true],
    ['nothing known', 600, undefined, false],
    ['none given', 600, given(undefined), false],
    ['just now', 600, given(NOW), true],
    ['at the limit', 600, given(NOW - 600), true],
    ['a second past it', 600, given(NOW - 601), false],
    ['a clock that is a little ahead', 600, given(NOW + 30), true],
    ['from the future', 600, given(NOW + 3600), false],
    ['no number', 600, given(Number.NaN), false],
    ['for ever', 600, given(Number.POSITIVE_INFINITY), false],
  ])('%s', (_, factorMaxAge, authentication, expected) => {
    expect(isFactorFresh({ factorMaxAge }, authentication, NOW)).toBe(expected);
  });
});

describe('the kinds of principal that a route takes', () => {
  const of = (kind: Principal['kind']): Principal => ({ kind }) as unknown as Principal;
  it.each<['bearer' | 'session' | 'bearer-or-session', boolean, boolean]>([
    ['bearer', true, false],
    ['session', false, true],
    ['bearer-or-session', true, true],
  ])('%s', (credential, bearer, session) => {
    expect(isTaken(credential, of('bearer'))).toBe(bearer);
    expect(isTaken(credential, of('session'))).toBe(session);
    expect(isTaken(credential, of('anonymous'))).toBe(false);
  });
});
