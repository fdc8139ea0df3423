import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clearCookie,
  foreignCookies,
  readCookies,
  setCookie,
  setsOwnCookie,
  withoutOwnCookies,
} from '../../../identity/sessions/index.ts';

const GOOD = 'aB3_-'.repeat(9).slice(0, 43);

describe('reading the gateway’s cookies', () => {
  const cases: readonly (readonly [string, string | undefined, string | undefined])[] = [
    ['none', undefined, undefined],
    ['empty', '', undefined],
    ['good', `__Host-chartgate=${GOOD}`, GOOD],
    ['among others', `a=1; __Host-chartgate=${GOOD}; b=2`, GOOD],
    ['twice, equal', `__Host-chartgate=${GOOD}; __Host-chartgate=${GOOD}`, undefined],
    ['twice, the second malformed', `__Host-chartgate=${GOOD}; __Host-chartgate=x`, undefined],
    ['quoted', `__Host-chartgate="${GOOD}"`, undefined],
    ['one short', `__Host-chartgate=${GOOD.slice(1)}`, undefined],
    ['one long', `__Host-chartgate=${GOOD}a`, undefined],
    ['padding', `__Host-chartgate=${GOOD.slice(1)}=`, undefined],
    ['other case', `__HOST-chartgate=${GOOD}`, undefined],
    ['without prefix', `chartgate=${GOOD}`, undefined],
    ['longer name', `__Host-chartgate2=${GOOD}`, undefined],
    ['in another’s value', `a=__Host-chartgate=${GOOD}`, undefined],
    ['without a name', `=${GOOD}`, undefined],
  ];
  it.each(cases)('%s', (_, header, expected) => {
    expect(readCookies(header).session).toBe(expected);
  });
});

describe('what the EMR gets of a Cookie header', () => {
  it('is everything but ours, in order, whatever stands there', () => {
    const other = fc.stringMatching(/^[a-z]{1,8}=[a-zA-Z0-9 .]{0,12}$/);
    const own = fc.constantFrom(
      '__Host-chartgate=x',
      '__host-Chartgate-who=y',
      '__Host-chartgate-form=',
      '__HOST-CHARTGATE',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(other, own), { maxLength: 12 }), (pairs) => {
        const left = withoutOwnCookies(pairs.join('; ')) ?? '';
        expect(left.toLowerCase()).not.toContain('__host-chartgate');
        const kept = pairs.filter((pair) => !/^__host-chartgate/i.test(pair)).map((pair) => pair.trim());
        expect(
          left
            .split(';')
            .map((pair) => pair.trim())
            .filter((pair) => pair !== ''),
        ).toEqual(kept);
      }),
    );
  });

  it('lets the EMR set none of ours, however it is spelt', () => {
    for (const name of [
      '__Host-chartgate',
      '__host-chartgate',
      ' __Host-Chartgate-sign-in',
      '__Host-chartgate-x',
    ])
      expect(setsOwnCookie(`${name}=v; Path=/`)).toBe(true);
    for (const name of ['EMRSESSID', '__Host-other', 'chartgate'])
      expect(setsOwnCookie(`${name}=v`)).toBe(false);
  });

  it('lists foreign names that can be written back, and no others', () => {
    expect(foreignCookies('a=1; __Host-chartgate=x; b"=2; c=3; a=4; =5')).toEqual(['a', 'c']);
  });
});

describe('writing them', () => {
  it('binds each to the host, to TLS and away from scripts', () => {
    for (const text of [setCookie('session', GOOD), clearCookie('who')]) {
      expect(text).toContain('; Path=/; Secure; HttpOnly; SameSite=Lax');
      expect(text).not.toContain('Domain');
    }
    expect(() => setCookie('session', 'a; Domain=example')).toThrow(TypeError);
  });
});
