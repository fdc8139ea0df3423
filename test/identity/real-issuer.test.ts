import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthenticator, type TokenAuthenticator } from '../../identity/index.ts';
import { AUDIENCE_A, AUDIENCE_B, asking, leapingClock, settings, tenant } from './support/clinic.ts';
import { secret } from './support/hostile-issuer.ts';
import { type RealIssuer, startRealIssuer } from './support/real-issuer.ts';

const CACHE_SECONDS = 1;
const clock = leapingClock();

let issuer: RealIssuer;
let authenticator: TokenAuthenticator;

beforeAll(async () => {
  issuer = await startRealIssuer(
    'identity-real-issuer',
    [
      {
        id: 'portal',
        scopes: ['patient/Patient.rs', 'patient/Observation.rs'],
        resources: [AUDIENCE_A],
        patient: '1',
      },
      { id: 'pharmacy', scopes: ['system/MedicationRequest.rs'], resources: [AUDIENCE_A, AUDIENCE_B] },
      { id: 'hasty', scopes: ['system/Patient.rs'], resources: [AUDIENCE_A], tokenSeconds: 1 },
      { id: 'gateway', scopes: [], resources: [], introspection: true },
    ],
    [AUDIENCE_B],
  );
  authenticator = createAuthenticator({
    issuers: [
      settings(issuer, {
        algorithms: ['ES256'],
        cache: { maxTokens: 100, maxSeconds: CACHE_SECONDS },
        introspection: { clientId: 'gateway', clientSecret: secret(issuer.secretOf('gateway')) },
      }),
    ],
    clock,
  });
});
afterAll(async () => {
  authenticator?.close();
  await issuer?.stop();
});

const ask = (token: string, changes = {}) => authenticator.authenticate(asking(`Bearer ${token}`, changes));
const atClinicB = { tenant: tenant('clinic-b'), audience: AUDIENCE_B };

describe('with a real OpenID provider', () => {
  test('is ready', async () => {
    expect(await authenticator.ready()).toEqual([{ issuer: 'main', available: true }]);
  });

  test.each(['never', 'always'] as const)(
    'accepts its JWT for the tenant it is for (introspection %s)',
    async (introspection) => {
      const token = await issuer.token('portal', { scope: 'patient/Patient.rs' });
      const result = await ask(token, { introspection });
      expect(result).toMatchObject({
        ok: true,
        principal: {
          kind: 'bearer',
          tenant: 'clinic-a',
          subject: 'portal',
          clientId: 'portal',
          patient: '1',
        },
      });
      expect(result.ok && [...result.principal.scopes]).toEqual(['patient/Patient.rs']);
      expect(await ask(token, { introspection, ...atClinicB })).toMatchObject({
        ok: false,
        reason: 'token-audience',
      });
    },
  );

  test('accepts its opaque token for the tenant it is for, and no other', async () => {
    const token = await issuer.token('pharmacy', {
      resource: AUDIENCE_B,
      scope: 'system/MedicationRequest.rs',
    });
    expect(await ask(token, atClinicB)).toMatchObject({ ok: true, principal: { subject: 'pharmacy' } });
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-audience' });
  });

  test('refuses a revoked token once the cache’s seconds are over', async () => {
    const token = await issuer.token('portal');
    expect(await ask(token, { introspection: 'always' })).toMatchObject({ ok: true });
    expect((await issuer.post('revocation', 'portal', { token })).status).toBe(200);
    await wait(CACHE_SECONDS * 1000);
    expect(await ask(token, { introspection: 'always' })).toEqual({
      ok: false,
      reason: 'token-inactive',
      detail: 'introspection',
    });
  });

  test('refuses a token once it expired', async () => {
    const token = await issuer.token('hasty');
    expect(await ask(token)).toMatchObject({ ok: true });
    await wait(1100);
    expect(await ask(token)).toMatchObject({ ok: false, reason: 'token-expired' });
    expect(await ask(token, { introspection: 'always' })).toMatchObject({
      ok: false,
      reason: 'token-expired',
    });
  });

  test('goes on by signature while it is away, and needs it where it must be asked', async () => {
    const [first, second] = [await issuer.token('portal'), await issuer.token('portal')];
    await issuer.stop();
    expect(await ask(first)).toMatchObject({ ok: true });
    expect(await ask(second, { introspection: 'always' })).toMatchObject({
      ok: false,
      reason: 'issuer-unavailable',
    });
    await issuer.start();
    // It signs with new keys now, which are looked for when a token names one, ten seconds after the last time.
    clock.leap({ monotonicMs: 10_000 });
    expect(await ask(await issuer.token('portal'), { introspection: 'always' })).toMatchObject({ ok: true });
    expect(await ask(first)).toMatchObject({ ok: false, reason: 'token-signature' });
  });
});
