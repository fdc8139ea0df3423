import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACR } from '../../../contracts/issuer-link.ts';
import { AUDIENCE, type Clinic, GATEWAY_SECRET, openClinic, REDIRECT } from './support/clinic.ts';
import { enrol, type Phone, signIn } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

let clinic: Clinic;
let gateway: client.Configuration;
const phone: Phone = { key: '', step: 0 };

beforeAll(async () => {
  clinic = await openClinic();
  gateway = await client.discovery(
    new URL(clinic.settings.issuer),
    'gateway',
    undefined,
    client.ClientSecretBasic(GATEWAY_SECRET),
    { [client.customFetch]: clinic.fetch as unknown as client.CustomFetch },
  );
}, 60_000);
afterAll(() => clinic?.close());

interface Begun {
  readonly url: URL;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

async function begin(parameters: Record<string, string> = {}): Promise<Begun> {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = await client.buildAuthorizationUrlWithPAR(gateway, {
    redirect_uri: REDIRECT,
    scope: 'openid profile portal user/*.rs patient/*.rs patient/*.cruds',
    resource: AUDIENCE,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  });
  return { url, verifier, state, nonce };
}

function finish({ verifier, state, nonce }: Begun, visitor: Visitor) {
  if (visitor.left === undefined)
    throw new Error(`did not come back: ${visitor.page.status} ${visitor.page.html}`);
  return client.authorizationCodeGrant(
    gateway,
    visitor.left,
    { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
    { resource: AUDIENCE },
  );
}

const payload = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

describe('a gateway signs somebody in', () => {
  test('with password and a new authenticator app; the tokens say how', async () => {
    const visitor = new Visitor(clinic.fetch, clinic.settings.issuer);
    const begun = await begin();
    await visitor.go(begun.url.href);
    expect(visitor.page.status).toBe(200);
    const codes = await enrol(visitor, 'nina@riverside.example', phone);
    expect(codes.length).toBeGreaterThanOrEqual(8);
    const tokens = await finish(begun, visitor);
    const access = payload(tokens.access_token);
    expect(access).toMatchObject({
      iss: clinic.settings.issuer,
      aud: AUDIENCE,
      sub: clinic.people.nurse,
      client_id: 'gateway',
      acr: ACR.two,
    });
    expect(access.amr).toEqual(expect.arrayContaining(['pwd', 'otp', 'mfa']));
    expect(String(access.scope).split(' ')).toEqual(
      expect.arrayContaining(['openid', 'portal', 'user/*.rs', 'patient/*.rs']),
    );
    expect(String(access.scope)).not.toContain('cruds');
    expect(Number(access.exp) - Number(access.iat)).toBeLessThanOrEqual(300);
    expect(tokens.claims()).toMatchObject({
      sub: clinic.people.nurse,
      acr: ACR.two,
      fhirUser: 'Practitioner/nina',
    });
    expect(tokens.claims()).toHaveProperty('sid');
    expect(tokens.claims()).toHaveProperty('auth_time');
    const asked = await client.tokenIntrospection(gateway, tokens.access_token);
    expect(asked).toMatchObject({ active: true, sub: clinic.people.nurse, jti: access.jti });
  });

  test('the next time with password and the app, and without either while the session lives', async () => {
    const visitor = new Visitor(clinic.fetch, clinic.settings.issuer);
    const first = await begin();
    await visitor.go(first.url.href);
    await signIn(visitor, 'nina@riverside.example', phone);
    await finish(first, visitor);
    const second = await begin();
    await visitor.go(second.url.href);
    await finish(second, visitor);
  });
});
