import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as client from 'openid-client';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { secretOf } from '../../../config/secret.ts';
import { issuerWiring } from '../../../console/issuer.ts';
import { systemClock } from '../../../contracts/clock.ts';
import type { IssuerProcessSettings } from '../../../contracts/issuer-settings.ts';
import { give } from '../../../examples/demo/isolation.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import type { BeforeGateway, Stack } from '../../../examples/demo/stack.ts';
import { ask } from '../../../examples/support/https-client.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../../examples/support/local-authority.ts';
import { Clients } from '../../../identity/clients/index.ts';
import { type OpenIssuer, openIssuer } from '../../../identity/issuer/process.ts';
import { stackFor } from '../../support/stack.ts';
import { GOOD_PASSWORD, clinic as organisation, QUICK } from '../accounts/support/world.ts';
import { client as appClient } from './support/clinic.ts';
import { enrol, nextCode, type Phone } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

const CONSOLE = 'https://admin.example/callback';
const ADMIN = ['admin/accounts.read', 'admin/accounts.write', 'admin/requests.read', 'admin/requests.decide'];

let stack: Stack;
let issuer: OpenIssuer;
let url = '';
let agent: Agent;
let clientsAuthority: Authority;
let lab: IssuedCertificate;
let other: IssuedCertificate;
let stranger: IssuedCertificate;
let revoked: IssuedCertificate;

beforeAll(async () => {
  clientsAuthority = await createAuthority('Clinic clients');
  lab = await clientsAuthority.issue({
    commonName: 'lab-1',
    hosts: [],
    uris: ['urn:clinic:lab-1'],
    client: true,
  });
  other = await clientsAuthority.issue({
    commonName: 'lab-2',
    hosts: [],
    uris: ['urn:clinic:lab-2'],
    client: true,
  });
  revoked = await clientsAuthority.issue({
    commonName: 'lab-1',
    hosts: [],
    uris: ['urn:clinic:lab-1'],
    client: true,
  });
  const elsewhere = await createAuthority('Somebody else');
  stranger = await elsewhere.issue({
    commonName: 'lab-1',
    hosts: [],
    uris: ['urn:clinic:lab-1'],
    client: true,
  });
  stack = await stackFor('issuer-at-gateway', { workers: 2, prepare });
  agent = new Agent({
    connect: {
      ca: stack.authority,
      lookup: (_, { all }, done) =>
        all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
    },
  });
}, 180_000);
afterAll(async () => {
  await agent?.close();
  await stack?.stop();
});

async function prepare(around: BeforeGateway) {
  const { layout, isolation, gatewayPort, tenants } = around;
  url = `https://id.localhost:${gatewayPort}`;
  const pair = await around.authority.issue({
    commonName: 'localhost',
    hosts: ['id.localhost', 'north.localhost', 'south.localhost', 'localhost'],
  });
  const file = (name: string, text: string | Buffer) => {
    writeFileSync(join(layout.gateway, name), text, { mode: 0o600 });
    give(join(layout.gateway, name), isolation.gateway);
  };
  file('certificate.pem', pair.certificatePem);
  writeSecret(join(layout.gateway, 'certificate.key'), pair.keyPem, isolation.gateway);
  const secret = randomBytes(32);
  file('issuer.secret', secret);
  file('clients.pem', clientsAuthority.certificatePem);
  file('clients.crl.pem', await clientsAuthority.revocationList([revoked]));
  file(
    'policy.yaml',
    stringify({
      routes: [
        {
          id: 'machine',
          methods: ['GET'],
          path: '/fhir/{resourceType}/{id}',
          smart: { contexts: ['system'], resource: '{resourceType}', permission: 'r' },
          senderConstrained: 'certificate',
        },
      ],
    }),
  );
  const folder = join(layout.issuer, 'embedded');
  mkdirSync(folder, { mode: 0o700 });
  const socket = join(layout.run, 'i.sock');
  const settings: IssuerProcessSettings = {
    file: join(folder, 'issuer.yaml'),
    issuer: url,
    socket,
    secret: secretOf(secret),
    state: { kind: 'sqlite', file: join(folder, 'state.sqlite') },
    stateKeys: [secretOf(randomBytes(32))],
    brand: { name: 'Northgate Clinic' },
    accounts: QUICK,
    secondFactor: { required: true, exemptRoles: [] },
    tokens: { accessMs: 300_000, refreshIdleMs: 86_400_000, refreshMs: 86_400_000, sessionMs: 43_200_000 },
    tenants: [
      {
        id: 'north',
        name: 'Northgate Clinic',
        audience: tenants.north.audience,
        fhir: `${tenants.north.origin}/fhir`,
      },
    ],
    clients: [appClient({ id: 'admin-console', tenants: ['north'], redirectUris: [CONSOLE], scopes: ADMIN })],
    backChannelAuthority: undefined,
  };
  issuer = await openIssuer(settings, { ...issuerWiring(settings), clock: systemClock, log: () => {} });
  // The issuer's user and the gateway's share a group in life.
  chmodSync(socket, 0o666);
  return {
    stop: () => issuer.close(),
    adjust: (usual: Readonly<Record<string, unknown>>) => ({
      ...usual,
      listen: {
        ...(usual.listen as object),
        clientCertificates: {
          authority: 'clients.pem',
          revocationList: 'clients.crl.pem',
          demand: 'optional',
        },
      },
      issuers: [
        ...(usual.issuers as object[]),
        {
          id: 'portal',
          issuer: url,
          algorithms: ['ES256'],
          embedded: { socket, secret: { file: 'issuer.secret' } },
        },
      ],
      tenants: (usual.tenants as { id: string; issuers: string[] }[]).map((tenant) =>
        tenant.id === 'north' ? { ...tenant, issuers: [...tenant.issuers, 'portal'] } : tenant,
      ),
      policies: { ...(usual.policies as object), emr: 'policy.yaml' },
    }),
  };
}

const throughGateway = ((target: string, init = {}) =>
  fetch(target, { ...init, dispatcher: agent })) as typeof fetch;

describe('an API client with a certificate, through the gateway', () => {
  const token = async (
    id: string,
    certificate: IssuedCertificate | undefined,
  ): Promise<Record<string, unknown>> => {
    const reply = await ask({
      url: `${url}/token`,
      authority: stack.authority,
      method: 'POST',
      certificate,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: id,
        scope: 'system/Observation.r',
      }).toString(),
    });
    const body = JSON.parse(reply.text || '{}') as Record<string, unknown>;
    return { ...body, status: reply.status };
  };
  const read = (bearer: string, certificate?: IssuedCertificate) =>
    ask({
      url: `${stack.tenants.north.origin}/fhir/Observation/1`,
      authority: stack.authority,
      token: bearer,
      certificate,
    });

  test('gets a token that is bound to the certificate, and reaches the EMR with both', async () => {
    const made = await new Clients(issuer.store, systemClock).create({
      tenant: 'north',
      name: 'Laboratory',
      scopes: ['system/Observation.r'],
      certificate: { by: 'name', value: 'URI:urn:clinic:lab-1' },
    });
    const { clientId } = made.client;
    const answer = await token(clientId, lab);
    expect(answer).toMatchObject({ status: 200, token_type: 'Bearer', scope: 'system/Observation.r' });
    const bearer = String(answer.access_token);
    expect(JSON.parse(Buffer.from(bearer.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      sub: clientId,
      cnf: { 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) },
    });
    expect(await read(bearer, lab)).toMatchObject({ status: 200 });
    expect(await read(bearer)).toMatchObject({ status: 401 });
    expect(await read(bearer, other)).toMatchObject({ status: 401 });
  }, 30_000);

  test.each([
    ['without a certificate', () => undefined],
    ['with the certificate of another client', () => other],
    ['with one of the same name by another authority', () => stranger],
    ['with a revoked one of the same name', () => revoked],
  ])('gets none %s', async (_, shown) => {
    const made = await new Clients(issuer.store, systemClock).create({
      tenant: 'north',
      name: 'Laboratory',
      scopes: ['system/Observation.r'],
      certificate: { by: 'name', value: 'URI:urn:clinic:lab-1' },
    });
    const answer = await token(made.client.clientId, shown());
    expect(answer).toMatchObject({ status: 401, error: 'invalid_client' });
    expect(answer).not.toHaveProperty('access_token');
  });

  test('gets none by saying itself what its certificate is', async () => {
    const made = await new Clients(issuer.store, systemClock).create({
      tenant: 'north',
      name: 'Laboratory',
      scopes: ['system/Observation.r'],
      certificate: { by: 'name', value: 'URI:urn:clinic:lab-1' },
    });
    const der = lab.certificatePem.replaceAll(/-----[^-]+-----|\s/g, '');
    for (const certificate of [undefined, other]) {
      const reply = await ask({
        url: `${url}/token`,
        authority: stack.authority,
        method: 'POST',
        certificate,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'client-cert': `:${der}:`,
          'client-cert-verified': '?1',
        },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: made.client.clientId,
        }).toString(),
      });
      expect(reply.status).toBeGreaterThanOrEqual(400);
      expect(reply.text).not.toContain('access_token');
    }
  });
});

describe('the administration, through the gateway', () => {
  let anna = '';
  let boris = '';
  let annas: Visitor;

  /** Signs an administrator in with both factors; the access token of the console. */
  async function tokenOf(login: string, visitor: Visitor): Promise<string> {
    const config = await client.discovery(new URL(url), 'admin-console', undefined, client.None(), {
      [client.customFetch]: throughGateway as unknown as client.CustomFetch,
    });
    const verifier = client.randomPKCECodeVerifier();
    const begun = client.buildAuthorizationUrl(config, {
      redirect_uri: CONSOLE,
      scope: `openid ${ADMIN.join(' ')}`,
      resource: url,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    await visitor.go(begun.href);
    await enrol(visitor, login, { key: '', step: 0 });
    await visitor.send({ do: 'allow' }, 'consent');
    if (visitor.left === undefined) throw new Error(visitor.page.html);
    const tokens = await client.authorizationCodeGrant(config, visitor.left, { pkceCodeVerifier: verifier });
    return tokens.access_token;
  }

  async function call(bearer: string, method: string, path: string, body?: unknown, more = {}) {
    const answer = await throughGateway(`${url}/admin${path}`, {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      etag: answer.headers.get('etag') ?? '',
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  }

  beforeAll(async () => {
    await organisation(issuer.accounts);
    annas = new Visitor(throughGateway, url);
    anna = await tokenOf('anna@riverside.example', annas);
    boris = await tokenOf('boris@riverside.example', new Visitor(throughGateway, url));
  }, 60_000);

  const uma = { login: 'uma@riverside.example', name: 'Uma User', roles: ['user'] };

  test('an account that one asks for can do nothing until the other approves; then it signs in', async () => {
    const asked = await call(anna, 'POST', '/organisations/riverside/accounts', uma);
    expect(asked).toMatchObject({ status: 202, body: { account: { status: 'pending' } } });
    const request = (asked.body.request as { id: string }).id;
    const [first] = asked.body.codes as { text: string; part: string }[];
    expect(first?.part).toBe('first half');
    const account = (asked.body.account as { id: string }).id;

    // Nobody approves what they asked for themselves, and the account does not sign in.
    expect(await call(anna, 'POST', `/requests/${request}/approve`)).toMatchObject({ status: 403 });
    expect(await issuer.accounts.account(account)).toMatchObject({ status: 'pending' });

    const approved = await call(boris, 'POST', `/requests/${request}/approve`);
    expect(approved).toMatchObject({ status: 200, body: { request: { state: 'approved' } } });
    const [second] = approved.body.codes as { text: string; part: string }[];
    expect(second?.part).toBe('second half');
    // A decision counts once.
    expect((await call(boris, 'POST', `/requests/${request}/approve`)).status).toBe(409);

    // With both halves, on the issuer's own pages.
    const visitor = new Visitor(throughGateway, url);
    await visitor.go(`${url}/account`);
    await visitor.go(`${new URL(visitor.page.url).pathname}?recover=1`);
    await visitor.send({ login: uma.login, code: `${first?.text}-${second?.text}` }, 'recovery');
    await visitor.send({ password: GOOD_PASSWORD, again: GOOD_PASSWORD }, 'password');
    const phone: Phone = { key: '', step: 0 };
    await enrol(visitor, uma.login, phone);
    expect(visitor.heading()).toBe('Your account');

    // Disabling takes one, and ends the session at once.
    const seen = await call(boris, 'GET', `/accounts/${account}`);
    expect(seen.status).toBe(200);
    const disable = (etag?: string) =>
      call(
        boris,
        'POST',
        `/accounts/${account}/disable`,
        undefined,
        etag === undefined ? {} : { 'if-match': etag },
      );
    expect((await disable()).status).toBe(428);
    expect(await disable(seen.etag)).toMatchObject({ status: 200, body: { status: 'disabled' } });
    await expect
      .poll(async () => {
        await visitor.go(`${url}/account`);
        return visitor.heading();
      })
      .not.toBe('Your account');
    await visitor.send({ login: uma.login, password: GOOD_PASSWORD }, 'sign-in');
    expect(visitor.page.status).toBe(422);

    // Enabling takes two again.
    const again = await call(boris, 'POST', `/accounts/${account}/enable`);
    const enable = (again.body.request as { id: string }).id;
    expect((await call(boris, 'POST', `/requests/${enable}/approve`)).status).toBe(403);
    expect((await call(anna, 'POST', `/requests/${enable}/approve`)).status).toBe(200);
    await visitor.go(`${url}/account`);
    await visitor.send({ login: uma.login, password: GOOD_PASSWORD }, 'sign-in');
    await visitor.send({ code: await nextCode(phone) }, 'factor');
    expect(visitor.heading()).toBe('Your account');
  }, 60_000);

  test.each([
    ['no token', ''],
    ['a token that somebody changed', 'changed'],
  ])('answers nothing to %s', async (_, what) => {
    const bearer = what === '' ? 'x' : `${anna.slice(0, -4)}AAAA`;
    expect((await call(bearer, 'GET', '/organisations/riverside/accounts')).status).toBe(401);
  });

  test('a token ends at once when its owner takes the console’s permission back', async () => {
    const read = () => call(anna, 'GET', '/organisations/riverside/accounts');
    expect((await read()).status).toBe(200);
    await annas.go(`${url}/account`);
    expect(annas.heading()).toBe('Your account');
    await annas.send({ take: 'admin-console' });
    expect(annas.page.html).toContain('taken back');
    expect((await read()).status).toBe(401);
    expect((await call(boris, 'GET', '/organisations/riverside/accounts')).status).toBe(200);
  });
});
