import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFresh, type StepUpDemand, stepUpChallenge } from '../../../identity/factors/index.ts';
import { parsePasskeyResponse } from '../../../identity/factors/passkey-response.ts';
import { parseRecoveryCode } from '../../../identity/factors/recovery-codes.ts';
import { parseTotpCode } from '../../../identity/factors/totp-secret.ts';

describe('a second factor is fresh', () => {
  it.each<[number | undefined, number, number, boolean, string]>([
    [undefined, 300, 1000, false, 'there was none'],
    [Number.NaN, 300, 1000, false, 'no time is known'],
    [1000, Number.NaN, 1000, false, 'no age is known'],
    [1000, 300, Number.NaN, false, 'now is not known'],
    [Number.NEGATIVE_INFINITY, 300, 1000, false, 'endlessly long ago'],
    [Number.POSITIVE_INFINITY, 300, 1000, false, 'endlessly far ahead'],
    [699, 300, 1000, false, 'one second too old'],
    [700, 300, 1000, true, 'just young enough'],
    [1000, 0, 1000, true, 'this second'],
    [999, 0, 1000, false, 'a second ago, where none is allowed'],
    [1000, -1, 1000, false, 'a negative age allows nothing'],
    [1005, 300, 1000, true, 'a clock slightly ahead'],
    [1006, 300, 1000, false, 'from the future'],
  ])('at %s, at most %s s old, at %s: %s (%s)', (factorAt, maxAge, now, fresh) => {
    expect(isFresh(factorAt, maxAge, now)).toBe(fresh);
  });
});

describe('the challenge of RFC 9470', () => {
  it('names what is needed', () => {
    expect(
      stepUpChallenge({ scheme: 'Bearer', acrValues: ['urn:chartgate:aal2', 'other'], maxAge: 300 }),
    ).toBe(
      'Bearer error="insufficient_user_authentication", error_description="A more recent or a stronger authentication is needed", acr_values="urn:chartgate:aal2 other", max_age="300"',
    );
    expect(stepUpChallenge({ scheme: 'DPoP', maxAge: 0, scope: 'patient/*.read openid' })).toMatch(
      /^DPoP .*max_age="0", scope="patient\/\*\.read openid"$/,
    );
    expect(stepUpChallenge({ scheme: 'Bearer', acrValues: [] })).not.toContain('acr_values');
  });

  it.each<[Partial<StepUpDemand>, string]>([
    [{ acrValues: ['a"b'] }, 'a quote ends the value'],
    [{ acrValues: ['a b'] }, 'a space makes two of one'],
    [{ acrValues: ['a\\'] }, 'a backslash takes the closing quote'],
    [{ acrValues: ['a\r\nSet-Cookie: x=y'] }, 'another header'],
    [{ acrValues: [''] }, 'no value'],
    [{ maxAge: -1 }, 'negative'],
    [{ maxAge: 1.5 }, 'not whole'],
    [{ maxAge: Number.NaN }, 'no number'],
    [{ scope: 'a", error="none' }, 'another parameter'],
    [{ scope: '' }, 'no scope'],
  ])('refuses %j (%s)', (demand) => {
    expect(() => stepUpChallenge({ scheme: 'Bearer', ...demand })).toThrow(TypeError);
  });
});

describe('what people and browsers send', () => {
  it('is read or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const code = parseTotpCode(text);
        expect(code === undefined || /^[0-9]{6}$/.test(code)).toBe(true);
        const recovery = parseRecoveryCode(text);
        expect(recovery === undefined || /^[0-9A-HJKMNP-TV-Z]{16}$/.test(recovery)).toBe(true);
        parsePasskeyResponse(text);
      }),
    );
  });

  it('of a passkey is refused unless a browser of our own page could have sent it', () => {
    const client = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url');
    const whole = (fields: object, more: object = {}) =>
      JSON.stringify({ id: 'abc', response: { clientDataJSON: client(fields), ...more } });
    expect(parsePasskeyResponse(whole({ challenge: 'abc' }))).toMatchObject({ id: 'abc', challenge: 'abc' });
    const transports = { transports: ['usb', 'usb', 'telepathy', 7, 'nfc'] };
    expect(parsePasskeyResponse(whole({ challenge: 'abc' }, transports))?.transports).toEqual(['nfc', 'usb']);
    for (const [text, why] of [
      ['', 'nothing'],
      ['null', 'null'],
      ['[]', 'a list'],
      ['{"id":"abc"}', 'no response'],
      [JSON.stringify({ id: 'abc', response: [] }), 'a list as response'],
      [JSON.stringify({ id: 'abc', response: { clientDataJSON: 'e30' } }), 'no challenge'],
      [JSON.stringify({ id: 'abc', response: { clientDataJSON: '!' } }), 'no base64url'],
      [JSON.stringify({ id: 'abc', response: { clientDataJSON: 'bnVsbA' } }), 'client data null'],
      [JSON.stringify({ id: 1, response: { clientDataJSON: client({ challenge: 'abc' }) } }), 'id not text'],
      [whole({ challenge: 'a b' }), 'challenge not base64url'],
      [whole({ challenge: 'abc', crossOrigin: true }), 'from inside a frame of another site'],
      [whole({ challenge: 'abc', crossOrigin: 'false' }), 'not a boolean'],
      [whole({ challenge: 'abc', padding: 'x'.repeat(60_000) }), 'too long'],
    ] as const)
      expect(parsePasskeyResponse(text), why).toBeUndefined();
  });
});
