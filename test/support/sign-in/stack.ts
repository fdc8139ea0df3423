import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { give } from '../../../examples/demo/isolation.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import type { BeforeGateway, Stack, StackOptions } from '../../../examples/demo/stack.ts';
import { freePort } from '../../../examples/support/ports.ts';
import { stackFor } from '../stack.ts';
import { type SignInIssuer, startSignInIssuer } from './issuer.ts';

export interface SignInStack {
  readonly stack: Stack;
  readonly issuer: SignInIssuer;
  /** With `partners`: another provider, to which the gateway proves itself by a key. */
  readonly partners: SignInIssuer | undefined;
  readonly north: string;
  readonly south: string;
}

export interface SignInStackOptions extends Omit<StackOptions, 'directory' | 'prepare' | 'adjust'> {
  readonly secondFactor?: object;
  readonly sessions?: { readonly idle: string; readonly absolute: string };
  readonly grants?: object;
  readonly pushed?: boolean;
  /** Settings of a second provider, `partners`, besides the usual ones. */
  readonly partners?: object;
  /** Whether people sign in at that one too; unless told, they do. */
  readonly servedPartners?: boolean;
  /** Whatever else the gateway is to find. */
  readonly further?: StackOptions['prepare'];
  /** Further keys of the tenant `north`. */
  readonly tenant?: object;
}

/** Pages of the legacy EMR for people who signed in. */
const ROUTES = [
  { id: 'home', methods: ['GET'], path: '/' },
  { id: 'patients', methods: ['GET'], path: '/patients' },
  { id: 'chart', methods: ['GET'], path: '/patients/{id}' },
  { id: 'edit-form', methods: ['GET'], path: '/patients/{id}/edit', factorMaxAge: '10m' },
  {
    id: 'edit',
    methods: ['POST'],
    path: '/patients/{id}/edit',
    mediaTypes: ['application/x-www-form-urlencoded'],
    maxBody: '64KB',
    inspect: { injection: { prose: ['form:notes'] } },
  },
  {
    id: 'upload',
    methods: ['POST'],
    path: '/documents/upload',
    mediaTypes: ['multipart/form-data', 'application/json'],
    maxBody: '1MB',
  },
  {
    id: 'note',
    methods: ['POST'],
    path: '/patients/{id}/note',
    mediaTypes: ['application/x-www-form-urlencoded'],
    maxBody: '4KB',
    limit: { requests: 1, window: '4s' },
  },
  { id: 'document', methods: ['GET'], path: '/documents/{id}/content' },
  { id: 'fresh', methods: ['GET'], path: '/invoices', factorMaxAge: '2s' },
].map((route) => ({ ...route, credential: 'session', scopes: ['emr'] }));

const POLICY = {
  routes: [
    ...ROUTES,
    {
      id: 'static',
      methods: ['GET'],
      path: '/static/{file*}',
      credential: 'anonymous',
      integrity: { mode: 'off' },
    },
    {
      id: 'fhir-read',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      smart: { contexts: ['system'], resource: '{resourceType}', permission: 'r' },
      introspection: 'never',
    },
    { id: 'both', methods: ['GET'], path: '/login', credential: 'bearer-or-session', scopes: ['emr'] },
  ],
};

const same = (configuration: Readonly<Record<string, unknown>>): object => configuration;

/** A whole running Chartgate with a real OpenID provider at which people sign in. */
export async function signInStackFor(suite: string, options: SignInStackOptions = {}): Promise<SignInStack> {
  let issuer: SignInIssuer | undefined;
  let partnersIssuer: SignInIssuer | undefined;
  const {
    secondFactor,
    sessions,
    grants,
    pushed,
    partners,
    servedPartners,
    tenant: more,
    further,
    ...rest
  } = options;
  const stack = await stackFor(suite, {
    workers: 2,
    ...rest,
    async prepare(around) {
      issuer = await startIssuer(around, pushed !== false);
      if (partners !== undefined) partnersIssuer = await startPartners(around);
      writePolicyAndKeys(around);
      const { stop, url } = issuer;
      const second = partnersIssuer;
      const after = await further?.(around);
      const served = second === undefined || servedPartners === false ? ['people'] : ['people', 'partners'];
      return {
        stop: async () => {
          await stop();
          await second?.stop();
          await after?.stop?.();
        },
        adjust: (usual) =>
          (after?.adjust ?? same)({
            ...usual,
            state: { file: 'state/state.sqlite', keys: [{ file: 'state.key' }] },
            ...(sessions === undefined ? {} : { sessions }),
            issuers: [
              ...(usual.issuers as object[]),
              {
                id: 'people',
                issuer: url,
                authority: join(around.layout.gateway, '..', 'authority.pem'),
                algorithms: ['ES256'],
                relyingParty: {
                  clientId: 'gateway-people',
                  name: 'Test provider',
                  scopes: ['emr'],
                  clientSecret: { file: 'people.secret' },
                  ...(grants === undefined ? {} : { grants }),
                },
                secondFactor: secondFactor ?? { by: 'issuer', acr: ['urn:test:two'], amr: ['mfa'] },
              },
              ...(second === undefined
                ? []
                : [
                    {
                      id: 'partners',
                      issuer: second.url,
                      authority: join(around.layout.gateway, '..', 'authority.pem'),
                      algorithms: ['ES256'],
                      relyingParty: {
                        clientId: 'gateway-partners',
                        name: 'Partner clinics',
                        clientKey: 'partners.pem',
                        clientKeyId: 'gateway-1',
                        ...partners,
                      },
                      secondFactor: { by: 'issuer', amr: ['mfa'] },
                    },
                  ]),
            ],
            tenants: (usual.tenants as { id: string; issuers: string[] }[]).map((tenant) => ({
              ...tenant,
              ...(tenant.id === 'north' ? more : {}),
              issuers: [...tenant.issuers, ...served],
              signIn: { issuers: served },
            })),
          }),
      };
    },
  });
  if (issuer === undefined) throw new Error('there is no issuer');
  return {
    stack,
    issuer,
    partners: partnersIssuer,
    north: stack.tenants.north.origin,
    south: stack.tenants.south.origin,
  };
}

async function startIssuer(around: BeforeGateway, pushed: boolean): Promise<SignInIssuer> {
  const { layout, isolation } = around;
  const clientSecret = randomBytes(24).toString('base64url');
  writeSecret(join(layout.gateway, 'people.secret'), clientSecret, isolation.gateway);
  return startProvider(around, { id: 'people', clientSecret, pushed });
}

async function startPartners(around: BeforeGateway): Promise<SignInIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeSecret(join(around.layout.gateway, 'partners.pem'), pem, around.isolation.gateway);
  return startProvider(around, { id: 'partners', clientSecret: '', clientKey: publicKey, pushed: false });
}

async function startProvider(
  { authority, tenants }: BeforeGateway,
  how: {
    readonly id: string;
    readonly clientSecret: string;
    readonly clientKey?: KeyObject;
    readonly pushed: boolean;
  },
): Promise<SignInIssuer> {
  const { id, ...rest } = how;
  const pair = await authority.issue({ commonName: 'localhost', hosts: ['localhost', '127.0.0.1'] });
  const origins = Object.values(tenants).map((tenant) => tenant.origin);
  return startSignInIssuer({
    port: await freePort(),
    certificate: pair.certificatePem,
    key: pair.keyPem,
    authority: authority.certificatePem,
    clientId: `gateway-${id}`,
    ...rest,
    redirectUris: origins.map((origin) => `${origin}/.chartgate/callback/${id}`),
    postLogoutRedirectUris: origins.map((origin) => `${origin}/.chartgate/signed-out`),
    backChannelLogoutUri: `${tenants.north.origin}/.chartgate/back-channel-logout`,
    resources: new Map(Object.values(tenants).map(({ audience }) => [audience, ['emr', 'user/*.rs']])),
  });
}

function writePolicyAndKeys({ layout, isolation }: BeforeGateway): void {
  writeSecret(join(layout.gateway, 'state.key'), randomBytes(32).toString('hex'), isolation.gateway);
  const state = join(layout.gateway, 'state');
  mkdirSync(state, { mode: 0o700 });
  give(state, isolation.gateway, isolation.gateway);
  const policy = join(layout.gateway, 'policy.yaml');
  writeFileSync(policy, stringify(POLICY, { aliasDuplicateObjects: false }));
  give(policy, isolation.gateway);
}
