import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RealIssuer, startRealIssuer } from './support/real-issuer.ts';

const CLINIC = 'https://clinic-a.localhost:8443';
const OPAQUE = 'https://opaque.localhost:8443';

let issuer: RealIssuer;

beforeAll(async () => {
  issuer = await startRealIssuer(
    'identity-issuer',
    [
      {
        id: 'portal',
        scopes: ['system/Patient.rs', 'system/Observation.rs'],
        resources: [CLINIC],
        patient: '1',
      },
      { id: 'two-places', scopes: ['system/Patient.rs'], resources: [CLINIC, OPAQUE] },
      { id: 'gateway', scopes: [], resources: [], introspection: true },
    ],
    [OPAQUE],
  );
});
afterAll(() => issuer?.stop());

describe('the demo’s OpenID provider', () => {
  test('issues RFC 9068 access tokens for the one resource of a client', async () => {
    const token = await issuer.token('portal', { scope: 'system/Patient.rs' });
    expect(decodeProtectedHeader(token)).toMatchObject({
      typ: 'at+jwt',
      alg: 'ES256',
      kid: expect.any(String),
    });
    expect(decodeJwt(token)).toEqual({
      iss: issuer.issuer,
      aud: CLINIC,
      sub: 'portal',
      client_id: 'portal',
      scope: 'system/Patient.rs',
      patient: '1',
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: expect.any(Number),
    });
  });

  test.each([
    ['no resource though there are two', 'two-places', {}, 'invalid_target'],
    ['a resource that is not the client’s', 'portal', { resource: OPAQUE }, 'invalid_target'],
    [
      'a scope that is not the client’s',
      'two-places',
      { resource: CLINIC, scope: 'system/Observation.rs' },
      'invalid_scope',
    ],
    ['a grant that is not enabled', 'portal', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('refuses %s', async (_, client, form, error) => {
    const answer = await issuer.post('token', client, { grant_type: 'client_credentials', ...form });
    expect(answer).toMatchObject({ status: 400, body: { error } });
  });

  test('leaves out a scope that it does not know (RFC 6749 §3.3)', async () => {
    const token = await issuer.token('portal', { scope: 'system/Patient.rs system/Everything.cruds' });
    expect(decodeJwt(token).scope).toBe('system/Patient.rs');
  });

  test.each([
    ['a JWT', CLINIC],
    ['an opaque token', OPAQUE],
  ])('introspects %s for the resource server, and no longer after it was revoked', async (_, resource) => {
    const token = await issuer.token('two-places', { resource, scope: 'system/Patient.rs' });
    expect(token.includes('.')).toBe(resource === CLINIC);
    const before = await issuer.post('introspection', 'gateway', { token });
    expect(before).toMatchObject({
      status: 200,
      body: {
        active: true,
        iss: issuer.issuer,
        aud: resource,
        sub: 'two-places',
        client_id: 'two-places',
        scope: 'system/Patient.rs',
        exp: expect.any(Number),
        token_type: 'Bearer',
      },
    });
    expect((await issuer.post('revocation', 'portal', { token })).status).toBe(200);
    expect((await issuer.post('introspection', 'gateway', { token })).body).toMatchObject({ active: true });
    expect((await issuer.post('revocation', 'two-places', { token })).status).toBe(200);
    expect((await issuer.post('introspection', 'gateway', { token })).body).toEqual({ active: false });
  });

  test('tells nothing about a token to a client that is no resource server', async () => {
    const token = await issuer.token('portal');
    expect((await issuer.post('introspection', 'portal', { token })).body).toEqual({ active: false });
  });

  test('finds a token inactive when it is forged, cut or only its jti', async () => {
    const token = await issuer.token('portal');
    const [header, payload, signature] = token.split('.');
    const { jti } = decodeJwt(token);
    for (const bad of [
      `${header}.${payload}.${signature?.slice(1)}`,
      `${header}.${payload}.`,
      String(jti),
      'x.y.z',
    ]) {
      expect((await issuer.post('introspection', 'gateway', { token: bad })).body).toEqual({ active: false });
    }
  });

  test('names its endpoints in its metadata and writes no warnings', async () => {
    expect(await issuer.metadata()).toMatchObject({
      issuer: issuer.issuer,
      token_endpoint: `${issuer.issuer}/token`,
      introspection_endpoint: `${issuer.issuer}/token/introspection`,
      revocation_endpoint: `${issuer.issuer}/token/revocation`,
      jwks_uri: `${issuer.issuer}/jwks`,
    });
    expect(issuer.complaints).toBe('');
  });
});
