import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../contracts/clock.ts';
import type { ReasonCode } from '../../contracts/reasons.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../identity/index.ts';
import { AUDIENCE_A, AUDIENCE_B, asking, leapingClock, settings } from './support/clinic.ts';
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

const jwt = (changes: Record<string, unknown> = {}) =>
  forge({ alg: 'ES256', typ: 'at+jwt', kid: key.kid }, issuer.claims(AUDIENCE_A, changes), key.privateKey);
const ask = (token: string, changes = {}) =>
  authenticator.authenticate(asking(`Bearer ${token}`, { introspection: 'always', ...changes }));
const asked = () => issuer.asked.get('/introspect') ?? 0;
const now = () => Math.floor(Date.now() / 1000);
const OPAQUE = 'b3BhcXVlLXRva2Vu';

describe('a token that the issuer is asked about', () => {
  test('is shown to it with the gateway’s own credential', async () => {
    let credential: string | undefined;
    issuer.introspection = (_, request) => {
      credential = request.headers.authorization;
      return { body: { active: true } };
    };
    expect(await ask(jwt())).toMatchObject({ ok: true });
    expect(credential).toBe(`Basic ${Buffer.from('gateway:gateway%2Dsecret').toString('base64')}`);
  });

  test('has only the scopes that both name', async () => {
    issuer.introspection = () => ({ body: { active: true, scope: 'patient/Observation.rs system/*.cruds' } });
    const result = await ask(jwt());
    expect(result.ok && [...result.principal.scopes]).toEqual(['patient/Observation.rs']);
  });

  test('has no scopes when the answer names none', async () => {
    issuer.introspection = () => ({ body: { active: true } });
    const result = await ask(jwt());
    expect(result.ok && result.principal.scopes.size).toBe(0);
  });

  test('ends when the answer says so, if that is earlier than the token says', async () => {
    const exp = now() + 20;
    issuer.introspection = () => ({ body: { active: true, exp } });
    expect(await ask(jwt())).toMatchObject({ ok: true, principal: { expiresAt: exp } });
  });

  const answers: readonly (readonly [string, ReasonCode, () => unknown])[] = [
    ['inactive', 'token-inactive', () => ({ active: false })],
    ['active by text', 'issuer-unavailable', () => ({ active: 'true' })],
    ['no word on it', 'issuer-unavailable', () => ({})],
    ['a list', 'issuer-unavailable', () => [true]],
    ['another issuer', 'token-issuer', () => ({ active: true, iss: 'https://other.invalid' })],
    ['another audience', 'token-audience', () => ({ active: true, aud: AUDIENCE_B })],
    ['more audiences', 'token-audience', () => ({ active: true, aud: [AUDIENCE_A, AUDIENCE_B] })],
    ['another subject', 'token-claims', () => ({ active: true, sub: 'admin' })],
    ['another client', 'token-claims', () => ({ active: true, client_id: 'other' })],
    ['another patient', 'token-claims', () => ({ active: true, patient: '2' })],
    ['a scope list', 'token-claims', () => ({ active: true, scope: ['a'] })],
    ['expired', 'token-expired', () => ({ active: true, exp: now() - 1 })],
    ['an expiry by text', 'token-claims', () => ({ active: true, exp: 'never' })],
    ['not yet valid', 'token-not-yet-valid', () => ({ active: true, nbf: now() + 60 })],
    ['a DPoP token', 'token-type', () => ({ active: true, token_type: 'DPoP' })],
    ['a thumbprint that is none', 'token-claims', () => ({ active: true, cnf: { 'x5t#S256': 'AA' } })],
    [
      'a binding of which the token says nothing',
      'token-claims',
      () => ({ active: true, cnf: { 'x5t#S256': 'A'.repeat(43) } }),
    ],
  ];
  test.each(answers)('is refused when the answer is: %s', async (_, reason, answer) => {
    issuer.introspection = () => ({ body: answer() });
    expect(await ask(jwt({ patient: '1' }))).toMatchObject({ ok: false, reason });
  });

  test.each<[string, HostileIssuer['introspection']]>([
    ['an error', () => ({ status: 500, body: {} })],
    ['a refusal of the gateway’s credential', () => ({ status: 401, body: { error: 'invalid_client' } })],
    ['a redirect', () => ({ status: 307, location: '/introspect', body: {} })],
    ['no JSON', () => ({ body: 'active: true' })],
    ['too much', () => ({ body: { active: true, filler: 'x'.repeat(300_000) } })],
    ['nothing, for ever', () => 'hang'],
  ])('is not judged when the issuer answers with %s', async (_, introspection) => {
    issuer.introspection = introspection;
    expect(await ask(jwt())).toEqual({ ok: false, reason: 'issuer-unavailable', detail: 'introspection' });
    issuer.introspection = () => ({ body: { active: true } });
    clock.leap({ monotonicMs: 1000 });
    expect(await ask(jwt())).toMatchObject({ ok: true });
  });

  test('is not asked about when it is refused without asking', async () => {
    expect(await ask(jwt({ aud: AUDIENCE_B }))).toMatchObject({ ok: false, reason: 'token-audience' });
    expect(asked()).toBe(0);
  });

  test('is not accepted when no introspection is configured for its issuer', async () => {
    authenticator.close();
    authenticator = createAuthenticator({ issuers: [settings(issuer, { introspection: undefined })], clock });
    expect(await ask(jwt())).toMatchObject({ ok: false, reason: 'issuer-unavailable' });
    expect(await ask(jwt(), { introspection: 'never' })).toMatchObject({ ok: true });
  });
});

describe('the answer of an introspection', () => {
  test('is kept for the cache’s seconds and not longer; then a revoked token is refused', async () => {
    const token = jwt({ exp: now() + 3000 });
    issuer.introspection = () => ({ body: { active: true, scope: 'patient/Patient.rs' } });
    const first = await ask(token);
    expect(first).toMatchObject({ ok: true });
    issuer.introspection = () => ({ body: { active: false } });
    clock.leap({ monotonicMs: 59_000 });
    expect(ask(token)).toBe(first);
    clock.leap({ monotonicMs: 1000 });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-inactive' });
    expect(asked()).toBe(2);
  });

  test('is not taken from a verification that nobody asked the issuer about', async () => {
    const token = jwt();
    expect(await ask(token, { introspection: 'never' })).toMatchObject({ ok: true });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-inactive' });
  });

  test('is kept until the token expires when that is sooner', async () => {
    const token = jwt({ exp: now() + 20 });
    issuer.introspection = () => ({ body: { active: true } });
    expect(await ask(token)).toMatchObject({ ok: true });
    clock.leap({ wallMs: 20_000, monotonicMs: 20_000 });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-expired' });
  });

  test('goes on for the cache’s seconds while the issuer is away, then is missing', async () => {
    const token = jwt({ exp: now() + 3000 });
    issuer.introspection = () => ({ body: { active: true } });
    expect(await ask(token)).toMatchObject({ ok: true });
    await issuer.down();
    clock.leap({ monotonicMs: 59_000 });
    expect(await ask(token)).toMatchObject({ ok: true });
    clock.leap({ monotonicMs: 1000 });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'issuer-unavailable' });
    expect(await ask(token, { introspection: 'never' })).toMatchObject({ ok: true });
  });

  test('“inactive” is remembered for a second only', async () => {
    const token = jwt();
    for (let count = 0; count < 5; count++) {
      expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-inactive' });
    }
    expect(asked()).toBe(1);
    issuer.introspection = () => ({ body: { active: true } });
    clock.leap({ monotonicMs: 1000 });
    expect(await ask(token)).toMatchObject({ ok: true });
  });
});

describe('an opaque token', () => {
  const good = () => ({
    active: true,
    iss: issuer.issuer,
    aud: AUDIENCE_A,
    sub: 'person-7',
    client_id: 'portal',
    scope: 'patient/Patient.rs',
    patient: '1',
    exp: now() + 60,
  });

  test('is what the issuer says it is, also where a route would not ask', async () => {
    issuer.introspection = (token) => ({ body: token === OPAQUE ? good() : { active: false } });
    const result = await ask(OPAQUE, { introspection: 'never' });
    expect(result).toMatchObject({
      ok: true,
      principal: {
        kind: 'bearer',
        tenant: 'clinic-a',
        issuer: issuer.issuer,
        subject: 'person-7',
        clientId: 'portal',
        patient: '1',
      },
    });
    expect(ask(OPAQUE, { introspection: 'never' })).toBe(result);
    expect(await ask('c29tZXRoaW5nLWVsc2U')).toMatchObject({ ok: false, reason: 'token-inactive' });
  });

  test.each<[string, ReasonCode]>([
    ['aud', 'token-audience'],
    ['sub', 'token-claims'],
    ['exp', 'token-claims'],
  ])('is refused when the answer has no %s', async (name, reason) => {
    issuer.introspection = () => ({ body: { ...good(), [name]: undefined } });
    expect(await ask(OPAQUE)).toMatchObject({ ok: false, reason });
  });

  test('is shown to nobody when it could be one of several issuers’', async () => {
    authenticator.close();
    const both = [settings(issuer), settings(issuer, { id: 'other' })];
    authenticator = createAuthenticator({ issuers: both, clock: systemClock });
    expect(await ask(OPAQUE, { issuers: ['main', 'other'] })).toMatchObject({
      ok: false,
      reason: 'token-issuer',
    });
    expect(asked()).toBe(0);
  });
});
