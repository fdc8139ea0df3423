import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { give } from '../../examples/demo/isolation.ts';
import { writeSecret } from '../../examples/demo/layout.ts';
import type { BeforeGateway, Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../examples/support/local-authority.ts';
import { ecKey } from '../identity/support/hostile-issuer.ts';
import { proofFor } from '../identity/tokens/support.ts';
import { stackFor } from '../support/stack.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const smart = { contexts: ['system'], resource: '{resourceType}', permission: 'r' };
const POLICY = {
  routes: [
    {
      id: 'open',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      where: { resourceType: ['Observation'] },
      smart,
      introspection: 'never',
    },
    {
      id: 'bound',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      where: { resourceType: ['Patient'] },
      smart,
      senderConstrained: 'dpop',
      introspection: 'always',
    },
    {
      id: 'machine',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      where: { resourceType: ['Encounter'] },
      smart,
      senderConstrained: 'certificate',
    },
    {
      id: 'partner',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      where: { resourceType: ['DocumentReference'] },
      smart,
      audience: 'partners',
    },
    { id: 'login', methods: ['GET'], path: '/login', credential: 'anonymous', clientCertificate: 'required' },
    {
      id: 'static',
      methods: ['GET'],
      path: '/static/{file*}',
      credential: 'anonymous',
      integrity: { mode: 'off' },
    },
  ],
};
const PARTNERS = 'https://partners.example/records';
const EMR_TOKEN = randomBytes(24).toString('base64url');
const key = ecKey('client');

let stack: Stack;
let clients: Authority;
let lab: IssuedCertificate;
let ward: IssuedCertificate;
let revoked: IssuedCertificate;

function prepare({ layout, isolation }: BeforeGateway): void {
  const state = join(layout.gateway, 'state');
  mkdirSync(state, { mode: 0o700 });
  give(state, isolation.gateway);
  writeSecret(join(layout.gateway, 'emr.token'), EMR_TOKEN, isolation.gateway);
  writeSecret(join(layout.gateway, 'state.key'), randomBytes(32).toString('hex'), isolation.gateway);
  writeFile(layout.gateway, isolation, 'policy.yaml', stringify(POLICY, { aliasDuplicateObjects: false }));
  writeFile(layout.gateway, isolation, 'clients.pem', clients.certificatePem);
}

function writeFile(folder: string, isolation: Stack['isolation'], name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  give(join(folder, name), isolation.gateway);
}

beforeAll(async () => {
  clients = await createAuthority('Clinic clients');
  lab = await clients.issue({ commonName: 'lab-1', hosts: [], uris: ['urn:clinic:lab-1'], client: true });
  ward = await clients.issue({ commonName: 'ward-2', hosts: [], client: true });
  revoked = await clients.issue({ commonName: 'stolen', hosts: [], client: true });
  const list = await clients.revocationList([revoked]);
  stack = await stackFor('e2e-callers', {
    workers: 2,
    clients: [{ id: 'partner', what: 'a partner', scopes: ['system/*.cruds'], resources: [PARTNERS] }],
    async prepare(around) {
      prepare(around);
      writeFile(around.layout.gateway, around.isolation, 'clients.crl.pem', list);
      const certificates = { authority: 'clients.pem', revocationList: 'clients.crl.pem' };
      return {
        adjust: (usual) => ({
          ...usual,
          state: { file: 'state/state.sqlite', keys: [{ file: 'state.key' }] },
          tenants: (usual.tenants as { id: string }[]).map((tenant) =>
            tenant.id === 'north'
              ? {
                  ...tenant,
                  clientCertificates: {
                    ...certificates,
                    principals: [
                      {
                        name: 'URI:urn:clinic:lab-1',
                        as: 'lab-1',
                        scopes: ['system/Observation.r', 'system/Encounter.r'],
                      },
                    ],
                  },
                  audiences: { partners: PARTNERS },
                  backendAuthorization: { secret: { file: 'emr.token' } },
                  apiClients: { acceptSecretPerRequestInsecurely: true },
                }
              : {
                  ...tenant,
                  audiences: { partners: 'https://partners.example/south' },
                  clientCertificates: { ...certificates, demand: 'required' },
                },
          ),
        }),
      };
    },
  });
});
afterAll(() => stack?.stop());

const at = (tenant: 'north' | 'south', path: string, options: Partial<Ask> = {}): Promise<Reply> =>
  ask({ url: `${stack.tenants[tenant].origin}${path}`, authority: stack.authority, ...options });

/** What `proofFor` says of another place and method. */
const claims = (url: string, method = 'GET') => ({ claims: { htu: url, htm: method } });

async function boundToken(): Promise<string> {
  const client = stack.clients.find(({ id }) => id === 'pharmacy');
  const url = `${stack.issuerUrl}/token`;
  const reply = await ask({
    url,
    authority: stack.authority,
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${client?.id}:${client?.secret}`).toString('base64')}`,
      dpop: proofFor('', key, { claims: { htu: url, htm: 'POST', ath: undefined } }),
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.cruds',
      resource: stack.tenants.north.audience,
    }).toString(),
  });
  const body = JSON.parse(reply.text) as { access_token: string; token_type: string };
  expect(body.token_type).toBe('DPoP');
  return body.access_token;
}

describe('a route for another audience', () => {
  test('takes tokens for that audience and no others, which are good for nothing else', async () => {
    const scopes = ['system/*.cruds'];
    const own = await stack.token({ tenant: 'north', scopes });
    const partner = await stack.token({ tenant: 'north', client: 'partner', scopes, audience: PARTNERS });
    const status = async (path: string, token: string) => (await at('north', path, { token })).status;
    expect(await status('/fhir/DocumentReference/1', own)).toBe(401);
    expect(await status('/fhir/DocumentReference/1', partner)).toBe(200);
    expect(await status('/fhir/Observation/1', partner)).toBe(401);
    expect(await status('/fhir/Observation/1', own)).toBe(200);
    // Neither the secret of an API client nor a certificate carries an audience.
    expect(await at('north', '/fhir/DocumentReference/1', { certificate: lab })).toMatchObject({
      status: 401,
    });
    const south = { token: partner, certificate: ward };
    expect(await at('south', '/fhir/DocumentReference/1', south)).toMatchObject({ status: 401 });
  });
});

describe("the token of the EMR's own interface", () => {
  const seen = async (): Promise<readonly string[]> => {
    const status = (await (await fetch(`${stack.tenants.north.emr.origin}/server-status`)).json()) as {
      requests: { rawHeaders: string[] }[];
    };
    const headers = status.requests.at(-1)?.rawHeaders ?? [];
    return headers.filter((_, i) => headers[i - 1]?.toLowerCase() === 'authorization');
  };

  test('takes the place of the caller’s, and is sent for nobody', async () => {
    const token = await stack.token({ tenant: 'north', scopes: ['system/*.cruds'] });
    expect(await at('north', '/fhir/Observation/1', { token })).toMatchObject({ status: 200 });
    expect(await seen()).toEqual([`Bearer ${EMR_TOKEN}`]);
    expect(await at('north', '/static/emr.css')).toMatchObject({ status: 200 });
    expect(await seen()).toEqual([]);
  });
});

describe('a route that wants bound tokens', () => {
  test('refuses a plain bearer token, and challenges for a proof', async () => {
    const token = await stack.token({ tenant: 'north', scopes: ['system/*.cruds'] });
    expect(await at('north', '/fhir/Observation/1', { token })).toMatchObject({ status: 200 });
    const reply = await at('north', '/fhir/Patient/1', { token });
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toMatch(
      /^DPoP realm="north", error="invalid_token", algs="ES256/,
    );
    expect(await at('north', '/fhir/Encounter/1', { token })).toMatchObject({ status: 401 });
  });

  test('takes a real provider’s DPoP token with a proof for this very request, once in all workers', async () => {
    const token = await boundToken();
    const url = `${stack.tenants.north.origin}/fhir/Patient/1`;
    const proof = proofFor(token, key, claims(url));
    const shown = { headers: { authorization: `DPoP ${token}`, dpop: proof } };
    // Each over a connection of its own, which the kernel spreads over the workers.
    const replies = await Promise.all(
      Array.from({ length: 12 }, () => at('north', '/fhir/Patient/1', shown)),
    );
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(11).fill(401)]);
  });

  test.each([
    ['the token without its proof', (token: string) => ({ authorization: `DPoP ${token}` })],
    [
      'the token as bearer',
      (token: string) => ({ authorization: `Bearer ${token}`, dpop: proofFor(token, key) }),
    ],
    [
      'a proof for another record',
      (token: string) => ({
        authorization: `DPoP ${token}`,
        dpop: proofFor(token, key, claims(`${stack.tenants.north.origin}/fhir/Patient/2`)),
      }),
    ],
    [
      'a thief’s own proof',
      (token: string) => ({
        authorization: `DPoP ${token}`,
        dpop: proofFor(token, ecKey('thief'), claims(`${stack.tenants.north.origin}/fhir/Patient/1`)),
      }),
    ],
  ])('refuses %s', async (_, headers) => {
    const reply = await at('north', '/fhir/Patient/1', { headers: headers(await boundToken()) });
    expect(reply.status).toBe(401);
  });
});

describe('client certificates', () => {
  test('protect the EMR’s sign-in page alone, where that is what the policy says', async () => {
    expect(await at('north', '/login')).toMatchObject({ status: 403 });
    expect(await at('north', '/login', { certificate: revoked })).toMatchObject({ status: 403 });
    expect(await at('north', '/login', { certificate: ward })).toMatchObject({ status: 200 });
    expect(await at('north', '/static/emr.css')).not.toMatchObject({ status: 403 });
  });

  test('protect everything of a tenant that requires them, before any other answer', async () => {
    const token = await stack.token({ tenant: 'south', scopes: ['system/*.cruds'] });
    for (const path of ['/fhir/Observation/1', '/static/emr.css', '/nothing', '/.chartgate/sign-in']) {
      expect(await at('south', path, { token })).toMatchObject({ status: 403 });
      expect(await at('south', path, { token, certificate: revoked })).toMatchObject({ status: 403 });
    }
    expect(await at('south', '/fhir/Observation/1', { token, certificate: ward })).toMatchObject({
      status: 200,
    });
  });

  test('stand for whom the settings say, and for nobody else', async () => {
    expect(await at('north', '/fhir/Observation/1', { certificate: lab })).toMatchObject({ status: 200 });
    // Bound to its sender by nature.
    expect(await at('north', '/fhir/Encounter/1', { certificate: lab })).not.toMatchObject({ status: 401 });
    expect(await at('north', '/fhir/Observation/1', { certificate: ward })).toMatchObject({ status: 401 });
    expect(await at('north', '/fhir/Observation/1', { certificate: revoked })).toMatchObject({ status: 401 });
  });
});

describe('an API client made by the command', () => {
  const cli = async (...words: string[]): Promise<unknown> => {
    const { gateway } = stack.isolation;
    const configuration = ['--config', join(stack.layout.gateway, 'gateway.yaml'), '--json'];
    const { stdout } = await run(
      process.execPath,
      [join(root, 'cli', 'main.ts'), 'client', ...words, ...configuration],
      // The state is the gateway's, and so must whoever opens it be.
      gateway === undefined ? {} : { uid: gateway.uid, gid: gateway.gid },
    );
    return JSON.parse(stdout);
  };
  const basic = (id: string, secret: string) => ({
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
  });

  test('is let in with its secret at its tenant, until it is deactivated', async () => {
    const { client, secret } = (await cli(
      'create',
      '--tenant',
      'north',
      '--name',
      'Laboratory',
      '--scopes',
      'system/Observation.r',
    )) as {
      client: { clientId: string };
      secret: string;
    };
    const { clientId: id } = client;
    expect(await at('north', '/fhir/Observation/1', basic(id, `${secret}x`))).toMatchObject({ status: 401 });
    expect(await at('north', '/fhir/Observation/1', basic(id, secret))).toMatchObject({ status: 200 });
    expect(await at('north', '/fhir/Patient/1', basic(id, secret))).toMatchObject({ status: 401 });
    const south = { ...basic(id, secret), certificate: ward };
    expect(await at('south', '/fhir/Observation/1', south)).toMatchObject({ status: 401 });

    const rotated = (await cli('rotate', id)) as { secret: string };
    expect(await at('north', '/fhir/Observation/1', basic(id, secret))).toMatchObject({ status: 200 });
    await expect
      .poll(async () => (await at('north', '/fhir/Observation/1', basic(id, rotated.secret))).status, {
        timeout: 3000,
      })
      .toBe(200);
    expect(await cli('list')).toMatchObject([{ clientId: id, active: true, tenant: 'north' }]);
    await cli('deactivate', id);
    await expect
      .poll(async () => (await at('north', '/fhir/Observation/1', basic(id, rotated.secret))).status, {
        timeout: 3000,
      })
      .toBe(401);
  });

  test.each([
    [['create', '--tenant', 'north', '--name', 'x', '--scopes', ''], /give 1 to/],
    [['show', 'cgc-aaaaaaaaaaaaaaaa'], /no client with this id/],
    [
      ['create', '--tenant', 'north', '--name', 'x', '--scopes', 'a', '--address', 'everywhere'],
      /IP address or a network/,
    ],
  ])('is not made or found by mistake: %j', async (words, message) => {
    await expect(cli(...words)).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });
});
