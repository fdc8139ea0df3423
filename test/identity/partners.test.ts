import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTenantId, type TenantId } from '../../contracts/identifiers.ts';
import { isForeign } from '../../contracts/principal.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../identity/index.ts';
import { AUDIENCE_A, AUDIENCE_B, asking, leapingClock, settings } from './support/clinic.ts';
import { ecKey, forge, type HostileIssuer, startHostileIssuer } from './support/hostile-issuer.ts';

const south = parseTenantId('south') as TenantId;
const key = ecKey('partner');
let issuer: HostileIssuer;
let authenticator: TokenAuthenticator;
let partners: ReadonlyMap<string, TenantId>;

beforeEach(async () => {
  issuer = await startHostileIssuer();
  issuer.keys = [key.jwk];
  const own = settings(issuer);
  partners = new Map([[own.id, south]]);
  authenticator = createAuthenticator({ issuers: [own], clock: leapingClock() });
});
afterEach(async () => {
  authenticator.close();
  await issuer.down();
});

const ask = (changes: Record<string, unknown>, request: object, audience = AUDIENCE_A) => {
  const claims = issuer.claims(audience, { patient: undefined, ...changes });
  const token = forge({ alg: 'ES256', typ: 'at+jwt', kid: key.kid }, claims, key.privateKey);
  return authenticator.authenticate(asking(`Bearer ${token}`, { issuers: [], ...request }));
};

test('an issuer that is neither the tenant’s nor a partner’s is believed in nothing', async () => {
  expect(await ask({}, {})).toMatchObject({ ok: false, reason: 'token-issuer' });
});

test('a partner’s people are known as such, each time, and only by a token for this tenant', async () => {
  for (let times = 0; times < 2; times += 1) {
    const result = await ask({ jti: 'same', iat: 1_700_000_000 }, { partners });
    expect(result).toMatchObject({ ok: true, principal: { home: 'south', tenant: 'clinic-a' } });
    expect(result.ok && isForeign(result.principal)).toBe(true);
  }
  expect(await ask({}, { partners }, AUDIENCE_B)).toMatchObject({ ok: false, reason: 'token-audience' });
});

test('a partner’s patient is refused: the id is somebody else’s here', async () => {
  expect(await ask({ patient: 'p-1' }, { partners })).toMatchObject({ ok: false, reason: 'token-claims' });
});

test('the same issuer’s people are the tenant’s own where it is one of its own', async () => {
  const [id = ''] = [...partners.keys()];
  const result = await ask({}, { issuers: [id] });
  expect(result.ok && isForeign(result.principal)).toBe(false);
  expect(result).toMatchObject({ ok: true, principal: { home: undefined } });
});
