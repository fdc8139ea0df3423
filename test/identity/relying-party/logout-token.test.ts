import { randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Algorithm } from '../../../identity/algorithms.ts';
import { judgeLogoutToken, type LogoutExpectations } from '../../../identity/relying-party/logout-token.ts';
import { isHashOf } from '../../../identity/relying-party/token-hash.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://id.example';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

describe('a logout token', () => {
  let keys: Keys;
  let others: Keys;
  let expected: LogoutExpectations;
  beforeAll(async () => {
    keys = await generateKeyPair('ES256');
    others = await generateKeyPair('ES256');
    expected = {
      issuer: ISSUER,
      clientId: 'gateway',
      algorithms: new Set<Algorithm>(['ES256']),
      now: NOW,
      skewSeconds: 30,
      key: async (keyId) => (keyId === 'k1' ? keys.publicKey : 'unknown'),
    };
  });
  const claims = (change: object = {}): Record<string, unknown> => ({
    iss: ISSUER,
    aud: 'gateway',
    iat: NOW - 5,
    exp: NOW + 100,
    jti: randomUUID(),
    sid: 's1',
    events: { [EVENT]: {} },
    ...change,
  });
  const token = (payload: object, header: object = {}, key = keys.privateKey): Promise<string> =>
    new SignJWT(payload as Record<string, unknown>)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'logout+jwt', ...header })
      .sign(key);

  it('orders what it says, by session or by subject', async () => {
    expect(await judgeLogoutToken(await token(claims({ jti: 'j' })), expected)).toMatchObject({
      tokenId: 'j',
      sid: 's1',
      subject: undefined,
    });
    const bySubject = await token(claims({ sid: undefined, sub: 'p1' }), { typ: undefined });
    expect(await judgeLogoutToken(bySubject, expected)).toMatchObject({ sid: undefined, subject: 'p1' });
  });

  it.each<[why: string, change: object, header?: object]>([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another client', { aud: 'app' }],
    ['no audience', { aud: undefined }],
    ['expired', { exp: NOW - 100 }],
    ['of long ago', { iat: NOW - 4000, exp: undefined }],
    ['of the future', { iat: NOW + 4000 }],
    ['without time', { iat: undefined }],
    ['without an id', { jti: undefined }],
    ['an empty id', { jti: '' }],
    ['a nonce: an ID token', { nonce: 'n' }],
    ['no event', { events: undefined }],
    ['another event', { events: { 'http://example.com/other': {} } }],
    ['an event that is none', { events: { [EVENT]: true } }],
    ['events as a list', { events: [EVENT] }],
    ['neither session nor subject', { sid: undefined }],
    ['a session that is a number', { sid: 1 }],
    ['a subject with a line break', { sub: 'a\nb' }],
    ['the type of an access token', {}, { typ: 'at+jwt' }],
    ['the type of a DPoP proof', {}, { typ: 'dpop+jwt' }],
    ['no key id', {}, { kid: undefined }],
    ['an unknown key id', {}, { kid: 'k2' }],
  ])('is refused: %s', async (_, change, header) => {
    expect(typeof (await judgeLogoutToken(await token(claims(change), header), expected))).toBe('string');
  });

  it('is refused when somebody else signed it, nobody did, or it is none', async () => {
    const good = await token(claims());
    const [head = '', body = '', signature = ''] = good.split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
    const cases = [
      await token(claims(), {}, others.privateKey),
      unsigned,
      `${head}.${body}.`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${good}.x`,
      '',
      'x'.repeat(20_000),
    ];
    for (const each of cases) expect(typeof (await judgeLogoutToken(each, expected))).toBe('string');
    expect(typeof (await judgeLogoutToken(good, expected))).toBe('object');
  });
});

describe('at_hash (OpenID Connect Core 1.0 §3.1.3.8)', () => {
  // Of that specification's appendix A.3.
  const accessToken = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
  it('fits its token and no other', () => {
    expect(isHashOf('77QmUPtjPfzWtF2AnpK9RQ', accessToken, 'RS256')).toBe(true);
    expect(isHashOf('77QmUPtjPfzWtF2AnpK9RQ', `${accessToken}x`, 'RS256')).toBe(false);
    expect(isHashOf('77QmUPtjPfzWtF2AnpK9RQ', accessToken, 'ES384')).toBe(false);
    expect(isHashOf(undefined, accessToken, 'ES256')).toBe(true);
    for (const wrong of ['', null, 1, {}, ['77QmUPtjPfzWtF2AnpK9RQ']])
      expect(isHashOf(wrong, accessToken, 'RS256')).toBe(false);
    expect(isHashOf('x', accessToken, 'none')).toBe(false);
  });
});
