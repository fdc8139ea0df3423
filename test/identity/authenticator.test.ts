import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { AuthenticationResult, BearerPrincipal } from '../../contracts/principal.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../identity/index.ts';
import { AUDIENCE_A, AUDIENCE_B, asking, leapingClock, settings, tenant } from './support/clinic.ts';
import {
  ecKey,
  forge,
  type HostileIssuer,
  type KeyPair,
  startHostileIssuer,
} from './support/hostile-issuer.ts';

let issuer: HostileIssuer;
let authenticator: TokenAuthenticator;
let clock: ReturnType<typeof leapingClock>;
let key: KeyPair;

beforeEach(async () => {
  issuer = await startHostileIssuer();
  key = ecKey('first');
  issuer.keys = [key.jwk];
  clock = leapingClock();
  authenticator = createAuthenticator({ issuers: [settings(issuer)], clock });
});
afterEach(async () => {
  authenticator.close();
  await issuer.down();
});

const signed = (by: KeyPair, changes: Record<string, unknown> = {}, audience = AUDIENCE_A) =>
  forge({ alg: 'ES256', typ: 'at+jwt', kid: by.kid }, issuer.claims(audience, changes), by.privateKey);
const ask = (token: string, changes = {}) => authenticator.authenticate(asking(`Bearer ${token}`, changes));
const asked = (path: string) => issuer.asked.get(path) ?? 0;

function principalOf(result: AuthenticationResult): BearerPrincipal {
  if (!result.ok || result.principal.kind !== 'bearer')
    throw new Error(`no bearer principal: ${JSON.stringify(result)}`);
  return result.principal;
}

describe('a principal', () => {
  test('is nobody, without scopes, when there is no credential', () => {
    const result = authenticator.authenticate(asking(undefined));
    expect(result).toMatchObject({ ok: true, principal: { kind: 'anonymous' } });
    expect(result).toHaveProperty('principal.scopes.size', 0);
  });

  test('says what the verified token says, and nothing more', async () => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const principal = principalOf(await ask(signed(key, { patient: 'p-1', exp, realm: 'x' })));
    expect({ ...principal, scopes: [...principal.scopes] }).toEqual({
      kind: 'bearer',
      credential: 'token',
      constraint: 'none',
      authentication: undefined,
      tenant: 'clinic-a',
      home: undefined,
      roles: new Set(),
      issuer: issuer.issuer,
      subject: 'person-7',
      clientId: 'portal',
      scopes: ['patient/Patient.rs', 'patient/Observation.rs'],
      patient: 'p-1',
      expiresAt: exp,
      limitKey: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    });
  });

  test('cannot be changed, its scopes included', async () => {
    const principal = principalOf(await ask(signed(key)));
    expect(Object.isFrozen(principal)).toBe(true);
    const scopes = principal.scopes as Set<string>;
    expect(() => scopes.add('system/*.cruds')).toThrow(TypeError);
    expect(() => scopes.delete('patient/Patient.rs')).toThrow(TypeError);
    expect(() => scopes.clear()).toThrow(TypeError);
  });

  test('has one limit key for all its tokens, and another person another', async () => {
    const keyOf = async (changes: Record<string, unknown>) =>
      principalOf(await ask(signed(key, changes))).limitKey;
    const first = await keyOf({});
    expect(await keyOf({ scope: 'other' })).toBe(first);
    expect(await keyOf({ sub: 'person-8' })).not.toBe(first);
  });
});

describe('an accepted token', () => {
  test('is answered at once the second time, with the same principal', async () => {
    const token = signed(key);
    const first = await ask(token);
    const second = ask(token);
    expect(second).toBe(first);
  });

  test('is not accepted for another tenant, audience or issuer list after it was cached', async () => {
    const token = signed(key);
    expect(await ask(token)).toMatchObject({ ok: true });
    const other = { tenant: tenant('clinic-b'), audience: AUDIENCE_B };
    expect(await ask(token, other)).toMatchObject({ ok: false, reason: 'token-audience' });
    expect(await ask(token, { issuers: [] })).toMatchObject({ ok: false, reason: 'token-issuer' });
    expect(await ask(token, { issuers: ['unknown'] })).toMatchObject({ ok: false, reason: 'token-issuer' });
    // Two tenants with one audience is a mistake; even then a principal is its own tenant's.
    const sameAudience = principalOf(await ask(token, { tenant: tenant('clinic-b') }));
    expect(sameAudience.tenant).toBe('clinic-b');
  });

  test('is not served past its expiry', async () => {
    const token = signed(key, { exp: Math.floor(Date.now() / 1000) + 30 });
    expect(await ask(token)).toMatchObject({ ok: true });
    clock.leap({ wallMs: 31_000, monotonicMs: 31_000 });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-expired' });
  });

  test('is not served past its expiry when the wall clock leaps', async () => {
    const token = signed(key, { exp: Math.floor(Date.now() / 1000) + 30 });
    expect(await ask(token)).toMatchObject({ ok: true });
    clock.leap({ wallMs: 31_000 });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-expired' });
  });

  test('leaves the cache when its time is over, though the wall clock was set back', async () => {
    const token = signed(key, { exp: Math.floor(Date.now() / 1000) + 30 });
    expect(await ask(token)).toMatchObject({ ok: true });
    clock.leap({ wallMs: -3600_000, monotonicMs: 31_000 });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-not-yet-valid' });
  });

  test('is verified again after the cache’s seconds, so that a removed key ends', async () => {
    const token = signed(key, { exp: Math.floor(Date.now() / 1000) + 3000 });
    expect(await ask(token)).toMatchObject({ ok: true });
    issuer.keys = [ecKey('second').jwk];
    clock.leap({ monotonicMs: 59_000 });
    expect(ask(token)).toMatchObject({ ok: true });
    clock.leap({ monotonicMs: 600_000 });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-signature' });
  });

  test('costs one judgement however many requests bring it at once', async () => {
    const token = signed(key);
    issuer.introspection = () => ({ body: { active: true, scope: 'patient/Patient.rs' } });
    const all = await Promise.all(Array.from({ length: 50 }, () => ask(token, { introspection: 'always' })));
    expect(all.every((result) => result.ok)).toBe(true);
    expect(asked('/introspect')).toBe(1);
    expect(asked('/jwks')).toBe(1);
  });

  test('is judged apart for a route that asks the issuer and one that does not', async () => {
    const token = signed(key);
    const all = [ask(token), ask(token, { introspection: 'always' }), ask(token, { issuers: [] })];
    expect(await Promise.all(all)).toMatchObject([
      { ok: true },
      { ok: false, reason: 'token-inactive' },
      { ok: false, reason: 'token-issuer' },
    ]);
  });

  test('is one of at most so many', async () => {
    authenticator.close();
    const cache = { maxTokens: 2, maxSeconds: 60 };
    authenticator = createAuthenticator({ issuers: [settings(issuer, { cache })], clock });
    const [first, second, third] = [signed(key), signed(key), signed(key)];
    for (const token of [first, second, third]) await ask(token);
    expect(ask(first)).toBeInstanceOf(Promise);
    expect(ask(third)).not.toBeInstanceOf(Promise);
  });
});

describe('keys', () => {
  test('are fetched once, and not at all for an algorithm or issuer that is not allowed', async () => {
    const bad = forge(
      { alg: 'HS256', typ: 'at+jwt', kid: 'first' },
      issuer.claims(AUDIENCE_A),
      key.privateKey,
    );
    expect(await ask(bad)).toMatchObject({ ok: false, reason: 'token-algorithm' });
    expect(await ask(signed(key, { iss: 'https://elsewhere.invalid' }))).toMatchObject({
      reason: 'token-issuer',
    });
    expect(issuer.asked.size).toBe(0);
    for (let count = 0; count < 3; count++) expect(await ask(signed(key))).toMatchObject({ ok: true });
    expect(asked('/jwks')).toBe(1);
  });

  test('are rotated when a token names one that is not known yet', async () => {
    expect(await ask(signed(key))).toMatchObject({ ok: true });
    const next = ecKey('second');
    issuer.keys = [key.jwk, next.jwk];
    clock.leap({ monotonicMs: 10_000 });
    expect(await ask(signed(next))).toMatchObject({ ok: true });
    expect(await ask(signed(key))).toMatchObject({ ok: true });
    expect(asked('/jwks')).toBe(2);
  });

  test('are not fetched more than once in ten seconds, whatever ids are invented', async () => {
    expect(await ask(signed(key))).toMatchObject({ ok: true });
    clock.leap({ monotonicMs: 10_000 });
    for (let count = 0; count < 20; count++) {
      expect(await ask(signed(ecKey(`invented-${count}`)))).toMatchObject({
        ok: false,
        reason: 'token-signature',
      });
    }
    expect(asked('/jwks')).toBe(2);
  });

  test('go on for an hour while the issuer is away, and not longer', async () => {
    expect(await ask(signed(key))).toMatchObject({ ok: true });
    await issuer.down();
    clock.leap({ monotonicMs: 59 * 60_000 });
    expect(await ask(signed(key))).toMatchObject({ ok: true });
    clock.leap({ monotonicMs: 60_000 });
    expect(await ask(signed(key))).toEqual({ ok: false, reason: 'issuer-unavailable', detail: 'keys' });
    await issuer.up();
    clock.leap({ monotonicMs: 10_000 });
    expect(await ask(signed(key))).toMatchObject({ ok: true });
  });

  test('that are not known cannot be judged while the issuer is away', async () => {
    expect(await ask(signed(key))).toMatchObject({ ok: true });
    await issuer.down();
    clock.leap({ monotonicMs: 10_000 });
    expect(await ask(signed(ecKey('second')))).toMatchObject({ ok: false, reason: 'issuer-unavailable' });
    expect(await ask(signed(key))).toMatchObject({ ok: true });
  });

  test('are awaited: an issuer that is away at the start is not ready, and is when it comes', async () => {
    await issuer.down();
    expect(await authenticator.ready()).toEqual([{ issuer: 'main', available: false }]);
    expect(await ask(signed(key))).toEqual({ ok: false, reason: 'issuer-unavailable', detail: 'keys' });
    await issuer.up();
    clock.leap({ monotonicMs: 1000 });
    expect(await authenticator.ready()).toEqual([{ issuer: 'main', available: true }]);
    expect(await ask(signed(key))).toMatchObject({ ok: true });
  });
});

describe('an issuer is not believed', () => {
  const refused = { ok: false, reason: 'issuer-unavailable' };

  test.each<[string, () => void]>([
    [
      'when its metadata names another issuer',
      () => Object.assign(issuer.metadata ?? {}, { issuer: 'https://other.invalid' }),
    ],
    [
      'when its metadata names it with a slash more',
      () => Object.assign(issuer.metadata ?? {}, { issuer: `${issuer.issuer}/` }),
    ],
    [
      'when its keys have moved elsewhere',
      () => Object.assign(issuer.metadata ?? {}, { jwks_uri: `${issuer.issuer}/moved` }),
    ],
    ['when its metadata names no keys', () => Object.assign(issuer.metadata ?? {}, { jwks_uri: undefined })],
    [
      'when its key set is too large',
      () => Object.assign(issuer, { keys: [key.jwk, { kid: 'x'.repeat(300_000) }] }),
    ],
    ['when its key set has too many keys', () => Object.assign(issuer, { keys: Array(65).fill(key.jwk) })],
  ])('%s', async (_, spoil) => {
    spoil();
    expect(await ask(signed(key))).toMatchObject(refused);
  });

  test('when its keys are to be had over plain HTTP', async () => {
    let reached = 0;
    const plain = createServer((_, response) => {
      reached++;
      response.end(JSON.stringify({ keys: issuer.keys }));
    });
    plain.listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as AddressInfo;
    Object.assign(issuer.metadata ?? {}, { jwks_uri: `http://127.0.0.1:${port}/jwks` });
    expect(await ask(signed(key))).toMatchObject(refused);
    expect(reached).toBe(0);
    await new Promise((resolve) => plain.close(resolve));
  });

  test('when its certificate is another authority’s', async () => {
    const other = await startHostileIssuer();
    authenticator.close();
    const authority = Buffer.from(other.authorityPem);
    authenticator = createAuthenticator({ issuers: [settings(issuer, { authority })], clock });
    expect(await ask(signed(key))).toMatchObject(refused);
    expect(issuer.asked.size).toBe(0);
    await other.down();
  });

  test.each([['none'], ['HS256'], ['constructor'], ['ES256K']])('with the algorithm %s', (algorithm) => {
    const options = { issuers: [settings(issuer, { algorithms: ['ES256', algorithm] })], clock: systemClock };
    expect(() => createAuthenticator(options)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    );
  });

  test('twice under one id', () => {
    expect(() => createAuthenticator({ issuers: [settings(issuer), settings(issuer)], clock })).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    );
  });
});
