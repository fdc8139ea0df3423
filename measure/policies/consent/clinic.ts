import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { stringify } from 'yaml';
import { secretOf } from '../../../config/secret.ts';
import { give } from '../../../examples/demo/isolation.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import { type BeforeGateway, type Stack, startStack } from '../../../examples/demo/stack.ts';
import { requestToken } from '../../../examples/demo/tokens.ts';
import { launchFhirServer } from '../../../examples/fhir-server/launch.ts';
import { type Ask, ask, type Reply } from '../../../examples/support/https-client.ts';
import { freePort } from '../../../examples/support/ports.ts';
import { type PrivateMariadb, startPrivateMariadb } from '../../../examples/support/private-mariadb.ts';
import { Service } from '../../../examples/support/service.ts';
import { migrateState } from '../../../identity/state/upkeep.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const R4 = (interaction: string) => ({ version: 'R4', interaction });
const TYPES = { resourceType: ['Observation', 'Condition'] };

/** What may be shared, what may not, and what an emergency gives. */
const POLICY = {
  routes: [
    {
      id: 'patient-read',
      methods: ['GET'],
      path: '/fhir/Patient/{id}',
      smart: { contexts: ['patient', 'user'], resource: 'Patient', permission: 'r' },
      patient: { capture: 'id' },
      sharing: 'consent',
    },
    {
      id: 'shared-read',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      where: TYPES,
      fhir: R4('read'),
      smart: { contexts: ['patient', 'user'], resource: '{resourceType}', permission: 'r' },
      sharing: 'consent',
    },
    {
      id: 'shared-search',
      methods: ['GET'],
      path: '/fhir/{resourceType}',
      where: TYPES,
      fhir: R4('search-type'),
      smart: { contexts: ['patient', 'user'], resource: '{resourceType}', permission: 's' },
      sharing: 'consent',
    },
    {
      id: 'unshared',
      methods: ['GET'],
      path: '/fhir/Encounter/{id}',
      smart: { contexts: ['user'], resource: 'Encounter', permission: 'r' },
    },
  ],
};

/** What each client of the two providers may ask for. */
const USER = ['user/Patient.r', 'user/Observation.rs', 'user/Condition.rs', 'user/Encounter.r'];
const HERE = [
  {
    id: 'own-app',
    what: 'the app of patient p1',
    patient: 'p1',
    scopes: ['patient/*.rs', 'chartgate/consent.own'],
  },
  {
    id: 'greedy-app',
    what: 'an app of patient p1 without a say in sharing',
    patient: 'p1',
    scopes: ['patient/*.rs'],
  },
  {
    id: 'family-app',
    what: 'the app of patient p2',
    patient: 'p2',
    scopes: ['patient/*.rs', 'chartgate/consent.own'],
  },
  { id: 'staff', what: 'who records papers', scopes: [...USER, 'chartgate/consent.manage'] },
  { id: 'nurse', what: 'who may break the glass', scopes: ['openid', 'chartgate/emergency'] },
  { id: 'officer', what: 'who reviews', scopes: ['chartgate/emergency.review', 'chartgate/emergency'] },
];
const THERE = [
  { id: 'doctor', scopes: [...USER, 'chartgate/consent.manage', 'chartgate/emergency'] },
  { id: 'doctor-2', scopes: USER },
  { id: 'their-patient', scopes: [...USER, 'patient/*.rs'], patient: 'p1' },
];

const reference = (id: string) => ({ reference: `Patient/${id}` });
const category = (code: string) => [
  { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code }] },
];
const coded = (text: string) => ({ text });

/** Made-up people. Every resource of one bears the mark of that one. */
const RESOURCES = ['p1', 'p2', 'p3'].flatMap((id) => [
  { resourceType: 'Patient', id, name: [{ family: `MARK-${id}` }] },
  {
    resourceType: 'Observation',
    id: `lab-${id}`,
    status: 'final',
    category: category('laboratory'),
    code: coded('MARK glucose'),
    subject: reference(id),
    valueString: `MARK-${id}`,
  },
  {
    resourceType: 'Observation',
    id: `pulse-${id}`,
    status: 'final',
    category: category('vital-signs'),
    code: coded('MARK pulse'),
    subject: reference(id),
    valueString: `MARK-${id}`,
  },
  { resourceType: 'Condition', id: `condition-${id}`, subject: reference(id), code: coded(`MARK-${id}`) },
  {
    resourceType: 'Encounter',
    id: `encounter-${id}`,
    status: 'finished',
    class: { code: 'AMB' },
    subject: reference(id),
    serviceType: coded(`MARK-${id}`),
  },
]);

export interface ConsentClinic {
  readonly stack: Stack;
  readonly north: string;
  /** `iss` of the provider of the partner's people. */
  readonly partnerIssuer: string;
  /** Where the state is kept, when it is on a server. */
  readonly stateServer: PrivateMariadb | undefined;
  /** A token for `north`: of its own provider, or of the partner's. */
  token(client: string): Promise<string>;
  at(path: string, token: string | undefined, options?: Partial<Ask>): Promise<Reply>;
  post(path: string, token: string | undefined, body: unknown, type?: string): Promise<Reply>;
  stop(): Promise<void>;
}

/** Two clinics, a FHIR server that believes everybody behind one, and a provider for the people of the other. */
export async function startConsentClinic(
  name: string,
  options: { readonly workers?: number; readonly state?: 'sqlite' | 'mariadb' } = {},
): Promise<ConsentClinic> {
  const directory = join(root, '.work', name);
  let partner: Service | undefined;
  let partnerIssuer = '';
  const secrets = new Map<string, string>();
  const stops: (() => Promise<unknown>)[] = [];
  const server = options.state === 'mariadb' ? await startStateServer(name) : undefined;
  if (server !== undefined) stops.push(() => server.database.stop());
  const load = join(root, '.work', `${name}.ndjson`);
  mkdirSync(join(root, '.work'), { recursive: true });
  writeFileSync(load, RESOURCES.map((each) => JSON.stringify(each)).join('\n'));
  const fhir = await launchFhirServer({ name: 'fhir', logFile: `${load}.log`, load });
  stops.push(() => fhir.stop());
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const stack = await startStack({
      directory,
      workers: options.workers ?? 2,
      backends: { north: fhir.origin },
      clients: HERE,
      limits: {
        perPeer: { requests: 1_000_000, window: '10s' },
        perPrincipal: { requests: 1_000_000, window: '10s' },
      },
      hidingDeadline: '50ms',
      async prepare(around) {
        [partner, partnerIssuer] = await startPartner(around, secrets);
        const service = partner;
        keepState(around);
        if (server !== undefined)
          writeSecret(
            join(around.layout.gateway, 'state.password'),
            server.password,
            around.isolation.gateway,
          );
        return {
          stop: () => service.stop(),
          adjust: (usual) => settings(usual, around, partnerIssuer, server),
        };
      },
    });
    stops.push(() => stack.stop());
    const north = stack.tenants.north.origin;
    const { authority } = stack;
    return {
      stack,
      north,
      partnerIssuer,
      stateServer: server?.database,
      token(client) {
        const here = stack.clients.find(({ id }) => id === client);
        const scopes = [...HERE, ...THERE].find(({ id }) => id === client)?.scopes ?? [];
        const secret = here?.secret ?? secrets.get(client) ?? '';
        return requestToken({
          issuer: here === undefined ? partnerIssuer : stack.issuerUrl,
          authority,
          client: { id: client, secret },
          audience: stack.tenants.north.audience,
          scopes,
        });
      },
      at: (path, token, more = {}) => ask({ url: `${north}${path}`, authority, token, ...more }),
      post: (path, token, body, type = 'application/json') =>
        ask({
          url: `${north}${path}`,
          authority,
          token,
          method: 'POST',
          headers: { 'content-type': type },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface StateServer {
  readonly database: PrivateMariadb;
  readonly password: string;
}

/** A server of its own for the state, which can be lost without the EMR's. */
async function startStateServer(name: string): Promise<StateServer> {
  const database = await startPrivateMariadb({
    directory: join(root, '.work', `${name}-state`),
    template: join(root, '.work', 'mariadb-template'),
  });
  const password = randomBytes(18).toString('base64url');
  const { socket, administrator, host, port } = database;
  const connection = await createConnection({ socketPath: socket, ...administrator });
  for (const statement of [
    'CREATE DATABASE chartgate_state CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    `CREATE USER chartgate@'%' IDENTIFIED BY '${password}'`,
    "GRANT ALL ON chartgate_state.* TO chartgate@'%'",
  ])
    await connection.query(statement);
  await connection.end();
  await migrateState(
    {
      kind: 'mysql',
      host,
      port,
      socketPath: undefined,
      database: 'chartgate_state',
      user: 'chartgate',
      password: secretOf(Buffer.from(password)),
      authority: undefined,
    },
    true,
  );
  return { database, password };
}

function settings(
  usual: Readonly<Record<string, unknown>>,
  around: BeforeGateway,
  partnerIssuer: string,
  server: StateServer | undefined,
): object {
  const keys = [{ file: 'state.key' }];
  return {
    ...usual,
    state:
      server === undefined
        ? { file: 'state/state.sqlite', keys }
        : {
            server: {
              host: server.database.host,
              port: server.database.port,
              database: 'chartgate_state',
              user: 'chartgate',
              password: { file: 'state.password' },
            },
            keys,
          },
    issuers: [
      ...(usual.issuers as object[]),
      {
        id: 'south-people',
        issuer: partnerIssuer,
        authority: join(around.layout.gateway, '..', 'authority.pem'),
        algorithms: ['ES256'],
      },
    ],
    tenants: (usual.tenants as { id: string }[]).map((tenant) =>
      tenant.id === 'north'
        ? {
            ...tenant,
            sharing: { partners: [{ tenant: 'south', issuers: ['south-people'] }] },
            emergency: {
              holders: ['chartgate/emergency'],
              scopes: ['user/Encounter.r', 'user/Patient.r'],
              duration: '5m',
            },
          }
        : tenant,
    ),
  };
}

function keepState({ layout, isolation }: BeforeGateway): void {
  const state = join(layout.gateway, 'state');
  mkdirSync(state, { mode: 0o700 });
  give(state, isolation.gateway);
  writeSecret(join(layout.gateway, 'state.key'), randomBytes(32).toString('hex'), isolation.gateway);
  writeFileSync(join(layout.gateway, 'policy.yaml'), stringify(POLICY, { aliasDuplicateObjects: false }));
  give(join(layout.gateway, 'policy.yaml'), isolation.gateway);
}

/** The demo's provider once more, for the people of the other clinic. */
async function startPartner(
  { layout, authority, tenants }: BeforeGateway,
  secrets: Map<string, string>,
): Promise<[Service, string]> {
  const port = await freePort();
  const url = `https://localhost:${port}`;
  const folder = join(layout.issuer, 'partner');
  mkdirSync(folder, { recursive: true });
  const pair = await authority.issue({ commonName: 'localhost', hosts: ['localhost', '127.0.0.1'] });
  writeFileSync(join(folder, 'certificate.pem'), pair.certificatePem);
  writeSecret(join(folder, 'certificate.key'), pair.keyPem, undefined);
  for (const { id } of THERE) {
    secrets.set(id, randomBytes(24).toString('base64url'));
    writeSecret(join(folder, `${id}.secret`), secrets.get(id) ?? '', undefined);
  }
  writeFileSync(
    join(folder, 'issuer.json'),
    JSON.stringify({
      issuer: url,
      certificateFile: join(folder, 'certificate.pem'),
      keyFile: join(folder, 'certificate.key'),
      tokenSeconds: 3600,
      clients: THERE.map((client) => ({
        ...client,
        secretFile: join(folder, `${client.id}.secret`),
        resources: [tenants.north.audience],
      })),
    }),
  );
  const service = new Service({
    name: 'partner-issuer',
    command: process.execPath,
    args: [join(root, 'examples', 'demo', 'issuer.ts')],
    env: { ISSUER_PORT: String(port), ISSUER_CONFIG: join(folder, 'issuer.json') },
    ready: /^listening/,
    logFile: join(layout.logs, 'partner-issuer.log'),
  });
  await service.start();
  return [service, url];
}
