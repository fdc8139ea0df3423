import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ClientRefusal,
  type Clients,
  ClientVerifier,
  expiringClients,
} from '../../../identity/clients/index.ts';
import { leapingClock } from '../support/clinic.ts';
import { ecKey } from '../support/hostile-issuer.ts';
import { type Kept, keptClients, LAB } from './support.ts';

const DAY = 86_400_000;
const HERE = '192.0.2.7';
const clock = leapingClock();

let kept: Kept;
let clients: Clients;
beforeAll(async () => {
  kept = await keptClients(clock);
  clients = kept.clients;
});
afterAll(() => kept?.end());

/** As another process would: nothing remembered. */
const verify = (id: string, secret: string, peer = HERE) =>
  new ClientVerifier(kept.store, clock).verifySecret(id, secret, peer);

async function made(changes = {}): Promise<{ id: string; secret: string }> {
  const { client, secret } = await clients.create({ ...LAB, ...changes });
  return { id: client.clientId, secret: secret ?? '' };
}

describe('a client', () => {
  test('has a visible id and a secret of 256 bits, which is told once and not kept', async () => {
    const { client, secret } = await clients.create(LAB);
    expect(client.clientId).toMatch(/^cgc-[a-z0-9]{16}$/);
    expect(secret).toMatch(/^cgs_[A-Za-z0-9_-]{43}$/);
    expect(JSON.stringify(await clients.show(client.clientId))).not.toContain(secret?.slice(4, 20));
    expect(kept.dump().includes(secret ?? '')).toBe(false);
    expect(kept.dump().includes(client.clientId)).toBe(true);
    expect(await verify(client.clientId, secret ?? '')).toMatchObject({
      ok: true,
      client: { tenant: 'clinic-a' },
    });
  });

  const REFUSED: readonly (readonly [
    string,
    ClientRefusal,
    (good: { id: string; secret: string }) => Promise<[string, string, string?]>,
  ])[] = [
    ['another secret', 'wrong-secret', async ({ id }) => [id, (await made()).secret]],
    ['its secret in capitals', 'wrong-secret', async ({ id, secret }) => [id, secret.toUpperCase()]],
    ['its secret cut short', 'wrong-secret', async ({ id, secret }) => [id, secret.slice(0, -1)]],
    ['no secret', 'wrong-secret', async ({ id }) => [id, '']],
    ['its id as secret', 'wrong-secret', async ({ id }) => [id, id]],
    ['an id that nobody has', 'unknown', async ({ secret }) => ['cgc-aaaaaaaaaaaaaaaa', secret]],
    ['an id that is none', 'unknown', async ({ secret }) => ["' OR 1=1 --", secret]],
    [
      'an address of elsewhere',
      'address',
      async () => {
        const { id, secret } = await made({ addresses: ['198.51.100.0/24', '2001:db8::/32'] });
        return [id, secret];
      },
    ],
    [
      'no address that can be told',
      'address',
      async () => {
        const { id, secret } = await made({ addresses: ['198.51.100.7'] });
        return [id, secret, ''];
      },
    ],
    [
      'a deactivated client',
      'inactive',
      async ({ id, secret }) => {
        await clients.setActive(id, false);
        return [id, secret];
      },
    ],
    [
      'a client that proves itself by a key',
      'method',
      async ({ secret }) => {
        const { jwk } = ecKey('k1');
        const { client } = await clients.create({ ...LAB, keys: [{ ...jwk, alg: 'ES256' } as never] });
        return [client.clientId, secret];
      },
    ],
  ];
  test.each(REFUSED)('is refused with %s: %s', async (_, why, prepare) => {
    const [id, secret, peer] = await prepare(await made());
    expect(await verify(id, secret, peer ?? HERE)).toEqual({ ok: false, why });
  });

  test('may call from its addresses and networks, in both families', async () => {
    const { id, secret } = await made({ addresses: ['198.51.100.0/24', '2001:db8::/32'] });
    for (const peer of ['198.51.100.9', '2001:db8:7::1'])
      expect(await verify(id, secret, peer)).toMatchObject({ ok: true });
  });

  test('is activated again, with the same secret', async () => {
    const { id, secret } = await made();
    await clients.setActive(id, false);
    expect(await clients.setActive(id, true)).toMatchObject({ active: true });
    expect(await verify(id, secret)).toMatchObject({ ok: true });
    expect(await clients.list('clinic-a')).toContainEqual(expect.objectContaining({ clientId: id }));
    expect(await clients.list('clinic-b')).toEqual([]);
  });

  test('can be changed in what it may, and not in how it proves itself', async () => {
    const { id } = await made();
    expect(await clients.update(id, { scopes: ['system/Patient.r'], addresses: [HERE] })).toMatchObject({
      scopes: ['system/Patient.r'],
      addresses: [HERE],
    });
    await expect(clients.update(id, { certificate: { by: 'name', value: 'DNS:a' } })).rejects.toThrow(
      /another way/,
    );
  });

  test.each([
    ['no scope', { scopes: [] }],
    ['a scope that is none', { scopes: ['a"b'] }],
    ['a tenant that cannot be', { tenant: '../x' }],
    ['no name', { name: ' ' }],
    ['an address that is none', { addresses: ['300.1.1.1'] }],
    ['a network of everything', { addresses: ['0.0.0.0/0'] }],
    ['a life of a year', { lifeMs: 365 * DAY }],
    [
      'two ways to prove itself',
      { chosen: 'x'.repeat(20), certificate: { by: 'name', value: 'DNS:a' } as const },
    ],
    [
      'a key with its private half',
      { keys: [{ ...ecKey('a').privateKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'a' } as never] },
    ],
    ['a symmetric key', { keys: [{ kty: 'oct', k: 'AAAA', alg: 'HS256', kid: 'a' }] }],
  ])('is not made with %s', async (_, changes) => {
    await expect(clients.create({ ...LAB, ...changes })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a rotated secret', () => {
  test('and the new one are good together for the overlap, then only the new one', async () => {
    const { id, secret: first } = await made();
    const { secret: second = '' } = await clients.rotate(id, { overlapMs: DAY });
    expect(await verify(id, first)).toMatchObject({ ok: true });
    expect(await verify(id, second)).toMatchObject({ ok: true });
    clock.leap({ wallMs: DAY + 1, monotonicMs: DAY + 1 });
    expect(await verify(id, first)).toEqual({ ok: false, why: 'expired' });
    expect(await verify(id, second)).toMatchObject({ ok: true });
  });

  test('ends at once where no overlap is wanted, and never are three good', async () => {
    const { id, secret: first } = await made();
    const { secret: second = '' } = await clients.rotate(id);
    const { secret: third = '' } = await clients.rotate(id);
    expect(await verify(id, first)).toEqual({ ok: false, why: 'expired' });
    expect(await verify(id, second)).toMatchObject({ ok: true });
    await clients.rotate(id, { overlapMs: 0 });
    expect(await verify(id, third)).toEqual({ ok: false, why: 'expired' });
  });

  test('cannot bring back one of the last five that were chosen', async () => {
    const words = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'].map(
      (word) => `${word} secret of a clinic`,
    );
    const { client } = await clients.create({ ...LAB, chosen: words[0] });
    for (const chosen of words.slice(1, 5)) await clients.rotate(client.clientId, { chosen });
    for (const chosen of words.slice(0, 5))
      await expect(clients.rotate(client.clientId, { chosen })).rejects.toThrow(/last 5/);
    await clients.rotate(client.clientId, { chosen: words[5] });
    await clients.rotate(client.clientId, { chosen: words[0] });
    expect(await verify(client.clientId, words[0] ?? '')).toMatchObject({ ok: true });
  });

  test('of two administrators at the same moment: one is told to try again, or both are kept', async () => {
    const { id } = await made();
    const outcomes = await Promise.allSettled([clients.rotate(id), clients.rotate(id)]);
    const issued = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value.secret ?? ''] : [],
    );
    expect(issued.length).toBeGreaterThan(0);
    for (const secret of issued) expect(await verify(id, secret)).toMatchObject({ ok: true });
  });
});

describe('a secret', () => {
  test('ends after 90 days, and is announced 14 days before', async () => {
    const { id, secret } = await made();
    const soon = async () => (await expiringClients(kept.store, clock)).map(({ client }) => client.clientId);
    expect(await soon()).not.toContain(id);
    clock.leap({ wallMs: 77 * DAY, monotonicMs: 77 * DAY });
    expect(await soon()).toContain(id);
    expect(await verify(id, secret)).toMatchObject({ ok: true });
    clock.leap({ wallMs: 13 * DAY, monotonicMs: 13 * DAY });
    expect(await verify(id, secret)).toEqual({ ok: false, why: 'expired' });
    expect(await soon()).toContain(id);
  });

  test('that was chosen must be strong, is kept slowly hashed, and may not look like a random one', async () => {
    await expect(clients.create({ ...LAB, chosen: 'short' })).rejects.toThrow(/not strong enough: too-short/);
    await expect(clients.create({ ...LAB, chosen: `cgs_${'a'.repeat(43)}` })).rejects.toMatchObject({
      code: 'usage',
    });
    const chosen = 'a quiet laboratory by the river';
    const { client, secret } = await clients.create({ ...LAB, chosen });
    expect(secret).toBeUndefined();
    expect(kept.dump().includes(chosen)).toBe(false);
    expect(await verify(client.clientId, chosen)).toMatchObject({ ok: true });
  });

  test('that was chosen is locked after five wrong guesses, the right one included', async () => {
    const chosen = 'another laboratory by the river';
    const { client } = await clients.create({ ...LAB, chosen });
    const verifier = new ClientVerifier(kept.store, clock);
    const peer = '203.0.113.5';
    for (let guess = 0; guess < 5; guess += 1)
      expect(await verifier.verifySecret(client.clientId, `guess ${guess}`, peer)).toEqual({
        ok: false,
        why: 'wrong-secret',
      });
    expect(await verifier.verifySecret(client.clientId, chosen, peer)).toEqual({ ok: false, why: 'locked' });
  });

  test('no longer helps a second after its client was deactivated elsewhere', async () => {
    const { id, secret } = await made();
    const verifier = new ClientVerifier(kept.store, clock);
    expect(await verifier.verifySecret(id, secret, HERE)).toMatchObject({ ok: true });
    await clients.setActive(id, false);
    clock.leap({ monotonicMs: 1000 });
    expect(await verifier.verifySecret(id, secret, HERE)).toEqual({ ok: false, why: 'inactive' });
  });
});
