import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import type { Revocation } from '../../../contracts/issuer-link.ts';
import type { StateStore } from '../../../contracts/state.ts';
import { Clients } from '../../../identity/clients/index.ts';
import { createAuthenticator, type TokenAuthenticator } from '../../../identity/index.ts';
import { ROTATION, rotateKeys } from '../../../identity/issuer/index.ts';
import { openState } from '../../../identity/state/index.ts';
import { AUDIENCE, type Clinic, GATEWAY_SECRET, openClinic } from '../issuer/support/clinic.ts';
import { asking, tenant } from '../support/clinic.ts';
import { ecKey, secret } from '../support/hostile-issuer.ts';
import { proofFor } from './support.ts';

let clinic: Clinic;
let store: StateStore;
let clients: Clients;
let authenticator: TokenAuthenticator;
const heard: Revocation[] = [];

beforeAll(async () => {
  clinic = await openClinic();
  const { issuer, socket, state } = clinic.settings;
  store = await openState(state);
  clients = new Clients(store, systemClock);
  authenticator = createAuthenticator({
    issuers: [
      {
        id: 'main',
        issuer,
        authority: undefined,
        algorithms: ['ES256'],
        skewSeconds: 5,
        cache: { maxTokens: 100, maxSeconds: 60 },
        introspection: { clientId: 'gateway', clientSecret: secret(GATEWAY_SECRET) },
        embedded: { socket, secret: clinic.settings.secret },
      },
    ],
    clock: systemClock,
    alone: true,
    onRevocation: (_, revocation) => heard.push(revocation),
  });
});
afterAll(async () => {
  authenticator?.close();
  await store?.close();
  await clinic?.close();
});

const ask = async (authorization: string) =>
  authenticator.authenticate(asking(authorization, { tenant: tenant('clinic'), audience: AUDIENCE }));

async function post(
  path: string,
  client: { id: string; secret: string },
  form: Record<string, string>,
  headers = {},
) {
  const response = await clinic.fetch(`${clinic.settings.issuer}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    body: new URLSearchParams(form).toString(),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, string> };
}

const GRANT = { grant_type: 'client_credentials', resource: AUDIENCE };

async function made(): Promise<{ id: string; secret: string }> {
  const issued = await clients.create({
    tenant: 'clinic',
    name: 'Laboratory',
    scopes: ['system/Observation.rs'],
  });
  return { id: issued.client.clientId, secret: issued.secret ?? '' };
}

describe('an API client at the embedded issuer', () => {
  test('gets a token for its tenant by its secret, and none by another', async () => {
    const client = await made();
    expect(await post('/token', { ...client, secret: `cgs_${'A'.repeat(43)}` }, GRANT)).toMatchObject({
      status: 401,
    });
    const { status, body } = await post('/token', client, { ...GRANT, scope: 'system/Observation.rs' });
    expect([status, body.error]).toEqual([200, undefined]);
    const result = await ask(`Bearer ${body.access_token}`);
    expect(result).toMatchObject({ ok: true, principal: { clientId: client.id, tenant: 'clinic' } });
    expect(result.ok && [...result.principal.scopes]).toEqual(['system/Observation.rs']);
  });

  test('gets none once it is deactivated', async () => {
    const client = await made();
    await clients.setActive(client.id, false);
    expect((await post('/token', client, GRANT)).status).toBeGreaterThanOrEqual(400);
  });
});

describe('a token of the embedded issuer', () => {
  test('ends when its client is deactivated, and does not come back with the client', async () => {
    const client = await made();
    const { body } = await post('/token', client, { ...GRANT, scope: 'system/Observation.rs' });
    const ok = async (): Promise<boolean> => (await ask(`Bearer ${body.access_token}`)).ok;
    await expect.poll(ok).toBe(true);
    await clients.setActive(client.id, false);
    await expect.poll(ok, { interval: 20, timeout: 3000 }).toBe(false);
    await clients.setActive(client.id, true);
    expect(await ok()).toBe(false);
  });

  test('is believed without asking once the feed is up, and refused within milliseconds of its revocation', async () => {
    const client = await made();
    const { body } = await post('/token', client, { ...GRANT, scope: 'system/Observation.rs' });
    const token = body.access_token ?? '';
    await expect.poll(async () => (await ask(`Bearer ${token}`)).ok).toBe(true);
    // Synchronous: nobody was asked.
    await expect
      .poll(() => {
        const at = asking(`Bearer ${token}`, { tenant: tenant('clinic'), audience: AUDIENCE });
        return authenticator.authenticate(at) instanceof Promise;
      })
      .toBe(false);
    expect((await post('/token/revocation', client, { token })).status).toBe(200);
    const begun = performance.now();
    await expect
      .poll(async () => (await ask(`Bearer ${token}`)).ok, { interval: 5, timeout: 2000 })
      .toBe(false);
    expect(await ask(`Bearer ${token}`)).toMatchObject({ ok: false });
    expect(performance.now() - begun).toBeLessThan(2000);
    const id = decodeJwt(token).jti;
    expect(heard).toContainEqual(expect.objectContaining({ kind: 'token', value: id }));
  });

  test('that is bound to a key says so, and is no bearer token', async () => {
    const client = await made();
    const key = ecKey('client');
    const htu = `${clinic.settings.issuer}/token`;
    const dpop = proofFor('', key, { claims: { htu, htm: 'POST', ath: undefined } });
    const { body } = await post('/token', client, { ...GRANT, scope: 'system/Observation.rs' }, { dpop });
    expect(body.token_type).toBe('DPoP');
    expect(await ask(`Bearer ${body.access_token}`)).toMatchObject({ ok: false, reason: 'proof-missing' });
  });
});

describe('a token that was got before', () => {
  async function holder(): Promise<{ id: string; secret: string; token: string }> {
    const issued = await clients.create({
      tenant: 'clinic',
      name: 'Pharmacy',
      scopes: ['system/Observation.rs', 'system/MedicationRequest.rs'],
    });
    const client = { id: issued.client.clientId, secret: issued.secret ?? '' };
    const { body } = await post('/token', client, { ...GRANT, scope: 'system/MedicationRequest.rs' });
    const token = body.access_token ?? '';
    expect(await ask(`Bearer ${token}`)).toMatchObject({ ok: true });
    return { ...client, token };
  }
  const ends = (token: string) =>
    expect.poll(async () => (await ask(`Bearer ${token}`)).ok, { timeout: 5000, interval: 100 }).toBe(false);

  test.each([
    [
      'a scope is taken from its client',
      (id: string) => clients.update(id, { scopes: ['system/Observation.rs'] }),
    ],
    [
      'its client may call from other addresses',
      (id: string) => clients.update(id, { addresses: ['192.0.2.9'] }),
    ],
    ['its client’s secret ends at once', (id: string) => clients.rotate(id, { overlapMs: 0 })],
  ])('ends when %s', async (_, change) => {
    const { id, token } = await holder();
    await change(id);
    await ends(token);
  });

  test.each([
    ['has another name', (id: string) => clients.update(id, { name: 'Chemist' })],
    [
      'may do more',
      (id: string) =>
        clients.update(id, {
          scopes: ['system/Observation.rs', 'system/MedicationRequest.rs', 'system/Patient.r'],
        }),
    ],
    ['gets another secret besides', (id: string) => clients.rotate(id)],
  ])('goes on when its client %s', async (_, change) => {
    const { id, token } = await holder();
    await change(id);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await ask(`Bearer ${token}`)).toMatchObject({ ok: true });
  });

  test('ends with the key that signed it, once somebody else is said to know that key', async () => {
    const { token } = await holder();
    await rotateKeys(clinic.settings, { ...ROTATION, compromised: true });
    await clinic.issuer.issuer.reloadKeys();
    await ends(token);
    // Nor does it come back, and what the new key signs is good.
    expect(await ask(`Bearer ${token}`)).toMatchObject({ ok: false });
    await holder();
  });
});
