import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../contracts/clock.ts';
import { Clients } from '../../../identity/clients/index.ts';
import {
  AUDIENCE,
  client as appClient,
  CLIENTS,
  type Clinic,
  GATEWAY_SECRET,
  openClinic,
  REDIRECT,
} from './support/clinic.ts';
import { enrol } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

let clinic: Clinic;
let services: Clients;
const console_ = 'https://admin.example/callback';

beforeAll(async () => {
  clinic = await openClinic({
    settings: {
      clients: [
        ...CLIENTS,
        appClient({ id: 'admin-console', redirectUris: [console_], scopes: ['admin/accounts.read'] }),
      ],
    },
  });
  services = new Clients(clinic.issuer.store, systemClock);
}, 60_000);
afterAll(() => clinic?.close());

const payload = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

async function token(id: string, secret: string, more: Record<string, string> = {}) {
  const answer = await clinic.fetch(`${clinic.settings.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...more }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe('API clients', () => {
  test('get a token for their tenant with their secret, of the scopes that they have', async () => {
    const made = await services.create({
      tenant: 'clinic',
      name: 'Laboratory',
      scopes: ['system/Observation.rs', 'chartgate/launch'],
    });
    const { clientId } = made.client;
    const secret = String(made.secret);
    const { status, body } = await token(clientId, secret, {
      scope: 'system/Observation.rs system/Patient.rs',
    });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { scope: 'system/Observation.rs', token_type: 'Bearer' },
    });
    expect(payload(String(body.access_token))).toMatchObject({
      sub: clientId,
      client_id: clientId,
      aud: AUDIENCE,
    });
    expect(await token(clientId, `${secret}x`)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(await token('cgc-nobody', secret)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(await token(clientId, secret, { resource: 'https://other.example' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    });
    const password = await token(clientId, secret, { grant_type: 'password', username: 'x', password: 'y' });
    expect(password).toMatchObject({ status: 400 });
  });

  test('from an address that is not theirs get none', async () => {
    const made = await services.create({
      tenant: 'clinic',
      name: 'Far away',
      scopes: ['system/Observation.rs'],
      addresses: ['192.0.2.0/24'],
    });
    expect((await token(made.client.clientId, String(made.secret))).status).not.toBe(200);
  });
});

describe('launches', () => {
  const introspected = async (bearer: string) => {
    const answer = await clinic.fetch(`${clinic.settings.issuer}/token/introspection`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`gateway:${GATEWAY_SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ token: bearer }),
    });
    return answer.json();
  };

  test('are announced by who has the scope, for an app of the same tenant, and by nobody else', async () => {
    const announce = async (bearer: string | undefined, body: unknown) => {
      const answer = await clinic.fetch(`${clinic.settings.issuer}/launch`, {
        method: 'POST',
        headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.text() };
    };
    const good = { client: 'growth-chart', patient: 'p-1' };
    let last = '';
    const of = async (scope: string) => {
      const made = await services.create({ tenant: 'clinic', name: 'EHR', scopes: [scope] });
      last = made.client.clientId;
      return String((await token(made.client.clientId, String(made.secret), { scope })).body.access_token);
    };
    const ehr = await of('chartgate/launch');
    expect(await announce(ehr, good)).toMatchObject({
      status: 201,
      body: expect.stringContaining('"launch"'),
    });
    expect(await announce(undefined, good)).toMatchObject({ status: 401 });
    expect(await announce(`${ehr.slice(0, -3)}AAA`, good)).toMatchObject({ status: 401 });
    expect(await announce(await of('system/Observation.rs'), good)).toMatchObject({ status: 403 });
    for (const bad of [
      {},
      { ...good, client: 'gateway' },
      { ...good, client: 'nobody' },
      { ...good, patient: '../x' },
      [],
      'x',
      null,
    ]) {
      expect((await announce(ehr, bad)).status, JSON.stringify(bad)).toBe(400);
    }
    // With the client ends what its tokens are good for here, however long they have still.
    const other = await of('chartgate/launch');
    expect((await announce(other, good)).status).toBe(201);
    await services.setActive(last, false);
    await expect.poll(async () => (await announce(other, good)).status, { timeout: 3000 }).toBe(401);
    expect(await introspected(other)).toMatchObject({ active: false });
    expect(await introspected(ehr)).toMatchObject({ active: true });
  });
});

describe('the administration', () => {
  test('takes tokens for the issuer itself, with an administrator behind them and a second factor', async () => {
    const config = await client.discovery(
      new URL(clinic.settings.issuer),
      'admin-console',
      undefined,
      client.None(),
      {
        [client.customFetch]: clinic.fetch as unknown as client.CustomFetch,
      },
    );
    const verifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: console_,
      scope: 'openid admin/accounts.read',
      resource: clinic.settings.issuer,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const visitor = new Visitor(clinic.fetch, clinic.settings.issuer);
    await visitor.go(url.href);
    await enrol(visitor, 'anna@riverside.example', { key: '', step: 0 });
    await visitor.send({ do: 'allow' }, 'consent');
    if (visitor.left === undefined) throw new Error(visitor.page.html);
    const { access_token: bearer } = await client.authorizationCodeGrant(config, visitor.left, {
      pkceCodeVerifier: verifier,
    });
    expect(payload(bearer)).toMatchObject({ aud: clinic.settings.issuer });
    const read = (authorization?: string) =>
      clinic.fetch(`${clinic.settings.issuer}/admin/organisations/riverside/accounts`, {
        headers: authorization === undefined ? {} : { authorization },
      });
    expect((await read()).status).toBe(401);
    const seen = await read(`Bearer ${bearer}`);
    expect(seen.status).toBe(200);
    expect(await seen.text()).toContain('nina@riverside.example');
    await client.tokenRevocation(config, bearer);
    expect((await read(`Bearer ${bearer}`)).status).toBe(401);
  });
});

describe('back-channel logout', () => {
  test('a client that wants to be told of sign-outs is, by a token that it can check', async () => {
    const heard: string[] = [];
    const clinicWithBackChannel = await (async () => {
      const { authority } = clinic;
      const leaf = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
      const server = createServer(
        { cert: leaf.certificatePem, key: leaf.keyPem },
        async (incoming, outgoing) => {
          let body = '';
          for await (const chunk of incoming) body += String(chunk);
          heard.push(new URLSearchParams(body).get('logout_token') ?? '');
          outgoing.writeHead(200).end();
        },
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return {
        server,
        uri: `https://localhost:${(server.address() as AddressInfo).port}/out`,
        pem: authority.certificatePem,
      };
    })();
    const { server, uri, pem } = clinicWithBackChannel;
    const other = await openClinic({
      settings: {
        backChannelAuthority: Buffer.from(pem),
        clients: CLIENTS.map((each) =>
          each.id === 'gateway' ? { ...each, backChannelLogoutUri: uri } : each,
        ),
      },
    });
    try {
      const config = await client.discovery(
        new URL(other.settings.issuer),
        'gateway',
        undefined,
        client.ClientSecretBasic(GATEWAY_SECRET),
        {
          [client.customFetch]: other.fetch as unknown as client.CustomFetch,
        },
      );
      const verifier = client.randomPKCECodeVerifier();
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT,
        scope: 'openid portal',
        resource: AUDIENCE,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      const visitor = new Visitor(other.fetch, other.settings.issuer);
      await visitor.go(url.href);
      await enrol(visitor, 'pat@riverside.example', { key: '', step: 0 });
      if (visitor.left === undefined) throw new Error(visitor.page.html);
      const tokens = await client.authorizationCodeGrant(config, visitor.left, {
        pkceCodeVerifier: verifier,
      });
      await visitor.go(
        `${other.settings.issuer}/session/end?${new URLSearchParams({ id_token_hint: String(tokens.id_token) })}`,
      );
      expect(visitor.heading()).toMatch(/signed out/i);
      await visitor.go(`${url.href}&prompt=none`);
      expect(visitor.left?.searchParams.get('error')).toBe('login_required');
      await expect.poll(() => heard).toHaveLength(1);
      const said = await verified(heard[0] ?? '', other);
      expect(said).toMatchObject({ aud: 'gateway', sub: other.people.patient, sid: tokens.claims()?.sid });
      expect(said.events).toHaveProperty(['http://schemas.openid.net/event/backchannel-logout']);
    } finally {
      await other.close();
      server.close();
    }
  });

  async function verified(jwt: string, { settings, authority }: Clinic): Promise<JWTPayload> {
    const agent = new Agent({ connect: { ca: authority.certificatePem } });
    const keys = await (await fetch(`${settings.issuer}/jwks`, { dispatcher: agent })).json();
    const { payload: said } = await jwtVerify(jwt, createLocalJWKSet(keys as never), {
      issuer: settings.issuer,
      typ: 'logout+jwt',
    });
    await agent.close();
    return said;
  }
});
