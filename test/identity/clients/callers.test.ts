import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuthenticationResult, Authenticator } from '../../../contracts/principal.ts';
import type { ClientCertificateSettings, TenantSettings } from '../../../contracts/settings.ts';
import type { StateStore } from '../../../contracts/state.ts';
import { parseBasic } from '../../../identity/clients/callers.ts';
import { createOtherCallers } from '../../../identity/clients/index.ts';
import { createAuthenticator } from '../../../identity/index.ts';
import { AUDIENCE_B, asking, leapingClock, tenant } from '../support/clinic.ts';
import { certificate, presented } from '../tokens/support.ts';
import { type Kept, keptClients, LAB } from './support.ts';

const clock = leapingClock();
const SHOWN = {
  ...certificate('A'.repeat(43)),
  subject: 'O=Riverside, CN=lab-1',
  names: ['URI:urn:clinic:lab-1'],
};

let kept: Kept;
let authenticator: Authenticator & { close(): void };
let id: string;
let secret: string;

function settings(name: string, changes: Partial<TenantSettings>): TenantSettings {
  const base = { hosts: [], audience: '', issuers: [], policy: '', identityHeader: undefined, backends: [] };
  return { ...base, id: tenant(name), database: name as TenantSettings['database'], ...changes };
}

function mapping(principals: ClientCertificateSettings['principals']): ClientCertificateSettings {
  return { authority: Buffer.alloc(0), revocationList: undefined, demand: 'optional', principals };
}

function authenticatorOf(store: StateStore | undefined) {
  const tenants = [
    settings('clinic-a', {
      apiClients: { secretPerRequest: true },
      clientCertificates: mapping([
        {
          match: { by: 'name', value: 'URI:urn:clinic:lab-1' },
          subject: 'lab-1',
          scopes: ['system/Observation.c'],
        },
        {
          match: { by: 'thumbprint', value: 'B'.repeat(43) },
          subject: 'lab-2',
          scopes: ['system/Patient.r'],
        },
      ]),
    }),
    settings('clinic-b', {}),
  ];
  return createAuthenticator({ issuers: [], clock, others: createOtherCallers(tenants, store, clock) });
}

beforeAll(async () => {
  kept = await keptClients(clock);
  authenticator = authenticatorOf(kept.store);
  const issued = await kept.clients.create(LAB);
  id = issued.client.clientId;
  secret = issued.secret ?? '';
});
afterAll(async () => {
  authenticator?.close();
  await kept?.end();
});

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

async function ask(authorization: string | undefined, changes = {}): Promise<AuthenticationResult> {
  return authenticator.authenticate(asking(authorization, { facts: presented(undefined), ...changes }));
}

describe('an API client’s secret with a request', () => {
  test('is refused at a tenant that does not accept it, whatever it is', async () => {
    const elsewhere = { tenant: tenant('clinic-b'), audience: AUDIENCE_B };
    expect(await ask(basic(`${id}:${secret}`), elsewhere)).toEqual({
      ok: false,
      reason: 'token-malformed',
      detail: 'scheme',
    });
  });

  test.each([
    ['another secret', () => `${id}:cgs_${'A'.repeat(43)}`, 'wrong-secret'],
    ['a guess', () => `${id}:password`, 'wrong-secret'],
    ['another id', () => `cgc-aaaaaaaaaaaaaaaa:${secret}`, 'unknown'],
    ['no id', () => `:${secret}`, 'form'],
    ['no colon', () => `${id}${secret}`, 'form'],
    ['a NUL in it', () => `${id}:${secret}\0`, 'form'],
    ['far too long', () => `${id}:${'x'.repeat(2000)}`, 'form'],
  ])('is refused: %s', async (_, text, detail) => {
    expect(await ask(basic(text()))).toEqual({ ok: false, reason: 'client-refused', detail });
  });

  test('is refused as lax base64, and without anything to judge its sender by', async () => {
    const good = Buffer.from(`${id}:${secret}`).toString('base64').replace(/=+$/, '');
    expect(await ask(`Basic ${good}AA`)).toMatchObject({ ok: false, reason: 'client-refused' });
    expect(await ask(basic(`${id}:${secret}`), { facts: undefined })).toMatchObject({
      ok: false,
      detail: 'form',
    });
  });

  test('is refused of another tenant’s client', async () => {
    const other = await kept.clients.create({ ...LAB, tenant: 'clinic-b' });
    expect(await ask(basic(`${other.client.clientId}:${other.secret}`))).toMatchObject({
      ok: false,
      reason: 'client-refused',
      detail: 'tenant',
    });
  });

  test('is not judged while the store cannot be asked', async () => {
    const away = () => Promise.reject(new Error('away'));
    const broken = authenticatorOf({ ...kept.store, get: away, find: away } as unknown as StateStore);
    const result = await broken.authenticate(
      asking(basic(`${id}:${secret}`), { facts: presented(undefined) }),
    );
    expect(result).toEqual({ ok: false, reason: 'client-unavailable', detail: 'state' });
    broken.close();
  });

  test('makes the client a caller of its tenant, with its scopes and no binding', async () => {
    const result = await ask(basic(`${id}:${secret}`));
    expect(result).toMatchObject({
      ok: true,
      principal: {
        kind: 'bearer',
        credential: 'client-secret',
        constraint: 'none',
        tenant: 'clinic-a',
        subject: id,
      },
    });
    expect(result.ok && [...result.principal.scopes]).toEqual(LAB.scopes);
  });
});

describe('a certificate', () => {
  const shown = (changes = {}, more = {}) => ({
    facts: presented(undefined, { certificate: { ...SHOWN, ...changes }, ...more }),
  });

  test('that no entry names is nobody in particular, also one whose subject only resembles it', async () => {
    expect(await ask(undefined, shown({ names: [] }))).toMatchObject({
      ok: true,
      principal: { kind: 'anonymous' },
    });
    const subject = 'URI:urn:clinic:lab-1';
    expect(await ask(undefined, shown({ names: [], subject }))).toMatchObject({
      principal: { kind: 'anonymous' },
    });
    expect(await ask(undefined, shown({ names: ['DNS:urn:clinic:lab-1'] }))).toMatchObject({
      principal: { kind: 'anonymous' },
    });
  });

  test('that expired since the handshake is nobody', async () => {
    expect(await ask(undefined, shown({ notAfter: Date.now() - 1 }))).toMatchObject({
      principal: { kind: 'anonymous' },
    });
  });

  test('of another tenant’s mapping is nobody', async () => {
    const elsewhere = { tenant: tenant('clinic-b'), audience: AUDIENCE_B };
    expect(await ask(undefined, { ...shown(), ...elsewhere })).toMatchObject({
      principal: { kind: 'anonymous' },
    });
  });

  test('stands for whom the settings say, by name or thumbprint', async () => {
    expect(await ask(undefined, shown())).toMatchObject({
      ok: true,
      principal: {
        subject: 'lab-1',
        credential: 'certificate',
        constraint: 'certificate',
        tenant: 'clinic-a',
      },
    });
    expect(await ask(undefined, shown({ names: [], thumbprint: 'B'.repeat(43) }))).toMatchObject({
      principal: { subject: 'lab-2' },
    });
  });

  test('does not help a credential that is bad', async () => {
    expect(await ask('Bearer nonsense', shown())).toMatchObject({ ok: false });
  });

  test.each([
    ['a page of elsewhere', { 'sec-fetch-site': 'cross-site' }],
    ['a page of a neighbouring host', { 'sec-fetch-site': 'same-site' }],
    ['another origin', { origin: 'https://elsewhere.example' }],
    ['no origin that can be told', { origin: 'null' }],
  ])('is not used by %s to change something', async (_, headers) => {
    const from = (method: 'GET' | 'POST') => shown({}, { method, headers: new Map(Object.entries(headers)) });
    expect(await ask(undefined, from('POST'))).toEqual({
      ok: false,
      reason: 'client-refused',
      detail: 'cross-site',
    });
    expect(await ask(undefined, from('GET'))).toMatchObject({ ok: true, principal: { subject: 'lab-1' } });
  });
});

test('Basic credentials are what they were made of, or nothing', () => {
  const part = fc.string({ unit: fc.constantFrom(...'ab:é-_ \0='), maxLength: 12 });
  fc.assert(
    fc.property(part, part, (name, word) => {
      const parsed = parseBasic(Buffer.from(`${name}:${word}`).toString('base64'));
      if (parsed === undefined)
        expect(name === '' || name.startsWith(':') || /\0/.test(name + word)).toBe(true);
      else expect(`${parsed.id}:${parsed.secret}`).toBe(`${name}:${word}`);
    }),
  );
  fc.assert(fc.property(fc.string(), (any) => void parseBasic(any)));
});
