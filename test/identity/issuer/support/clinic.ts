import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { issuerWiring } from '../../../../console/issuer.ts';
import { type Clock, systemClock } from '../../../../contracts/clock.ts';
import type { IssuerClient, IssuerProcessSettings } from '../../../../contracts/issuer-settings.ts';
import type { StateSettings } from '../../../../contracts/state.ts';
import { type Authority, createAuthority } from '../../../../examples/support/local-authority.ts';
import type { Accounts } from '../../../../identity/accounts/index.ts';
import { type OpenIssuer, openIssuer } from '../../../../identity/issuer/process.ts';
import { clinic, enrolled, must, QUICK } from '../../accounts/support/world.ts';
import { secretOf } from '../../factors/support.ts';
import { type Front, openFront } from './front.ts';

export const AUDIENCE = 'https://emr.clinic.example';
export const FHIR = 'https://emr.clinic.example/fhir';
export const GATEWAY_SECRET = randomBytes(24).toString('base64url');
export const REDIRECT = 'https://emr.clinic.example/.chartgate/callback/clinic';
export const APP_REDIRECT = 'https://app.example/callback';

export interface LogLine {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface Clinic {
  readonly settings: IssuerProcessSettings;
  readonly front: Front;
  readonly authority: Authority;
  readonly folder: string;
  /** PEM of the front's certificate. */
  readonly certificate: string;
  readonly log: LogLine[];
  readonly accounts: Accounts;
  readonly issuer: OpenIssuer;
  /** Trusts the clinic's authority. */
  readonly fetch: typeof fetch;
  /** Everybody's: a nurse with roles of their own, a patient with one record, a representative with two. */
  readonly people: { readonly nurse: string; readonly patient: string; readonly mother: string };
  readonly administrators: readonly [string, string];
  /** Somebody new; the login. */
  newcomer(role?: 'patient' | 'nurse', patients?: readonly string[]): Promise<string>;
  /** Another issuer over the same state, behind the same front. */
  another(): Promise<OpenIssuer>;
  close(): Promise<void>;
}

export interface ClinicOptions {
  readonly clients?: readonly Partial<IssuerClient>[];
  readonly settings?: Partial<IssuerProcessSettings>;
  readonly state?: StateSettings;
  readonly clock?: Clock;
}

export function client(about: Partial<IssuerClient> & { readonly id: string }): IssuerClient {
  return {
    name: 'An app',
    kind: 'app',
    tenants: ['clinic'],
    redirectUris: [APP_REDIRECT],
    postLogoutRedirectUris: [],
    backChannelLogoutUri: undefined,
    authentication: { method: 'none' },
    scopes: ['patient/*.cruds', 'user/*.cruds'],
    dpop: false,
    ...about,
  };
}

export const gatewayKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const CLIENTS: readonly IssuerClient[] = [
  client({
    id: 'gateway',
    name: 'Clinic portal',
    kind: 'gateway',
    redirectUris: [REDIRECT],
    postLogoutRedirectUris: ['https://emr.clinic.example/.chartgate/signed-out'],
    authentication: { method: 'secret', secret: secretOf(Buffer.from(GATEWAY_SECRET)) },
    scopes: ['patient/*.cruds', 'user/*.cruds', 'portal'],
  }),
  client({
    id: 'gateway-by-key',
    kind: 'gateway',
    redirectUris: [REDIRECT],
    authentication: {
      method: 'key',
      keys: [
        {
          ...createPublicKey(gatewayKey.publicKey.export({ type: 'spki', format: 'pem' })).export({
            format: 'jwk',
          }),
          alg: 'ES256',
          use: 'sig',
          kid: 'gateway-1',
        },
      ],
    },
  }),
  client({ id: 'growth-chart', name: 'Growth Chart' }),
  client({ id: 'bound-app', name: 'Bound app', dpop: true }),
];

export async function openClinic(options: ClinicOptions = {}): Promise<Clinic> {
  const { clock = systemClock } = options;
  const folder = mkdtempSync(join(tmpdir(), 'chartgate-issuer-'));
  const authority = await createAuthority('Issuer test');
  const secret = randomBytes(32);
  const leaf = await authority.issue({ commonName: 'localhost', hosts: ['localhost', '127.0.0.1'] });
  const front = await openFront(leaf, authority.certificatePem, secret);
  const log: LogLine[] = [];
  const settings: IssuerProcessSettings = {
    file: join(folder, 'issuer.yaml'),
    issuer: `https://localhost:${front.port}`,
    socket: join(folder, 'issuer.sock'),
    secret: secretOf(secret),
    state: options.state ?? { kind: 'sqlite', file: join(folder, 'state.sqlite') },
    stateKeys: [secretOf(randomBytes(32))],
    brand: { name: 'Riverside Clinic' },
    accounts: QUICK,
    secondFactor: { required: true, exemptRoles: ['kiosk'] },
    tokens: {
      accessMs: 300_000,
      refreshIdleMs: 86_400_000,
      refreshMs: 30 * 86_400_000,
      sessionMs: 43_200_000,
    },
    tenants: [{ id: 'clinic', name: 'Riverside Clinic', audience: AUDIENCE, fhir: FHIR }],
    clients: CLIENTS,
    backChannelAuthority: Buffer.from(authority.certificatePem),
    ...options.settings,
  };
  const open = (socket: string) =>
    openIssuer(
      { ...settings, socket },
      {
        ...issuerWiring(settings),
        clock,
        log: (event, facts = {}) => log.push({ event, facts }),
      },
    );
  const issuer = await open(settings.socket);
  front.sockets = [settings.socket];
  const { accounts } = issuer;
  const administrators = await clinic(accounts);
  const people = await populate(accounts, administrators);
  const agent = new Agent({ connect: { ca: authority.certificatePem } });
  const more: OpenIssuer[] = [];
  let newcomers = 0;
  return {
    settings,
    front,
    authority,
    folder,
    certificate: leaf.certificatePem,
    log,
    accounts,
    issuer,
    administrators,
    people,
    async newcomer(role = 'patient', patients = role === 'patient' ? ['p-1'] : []) {
      const login = `person-${++newcomers}@riverside.example`;
      await person(accounts, administrators, { login, role, patients, fhirUser: 'Patient/p-1' });
      return login;
    },
    fetch: ((url: string, init = {}) => fetch(url, { ...init, dispatcher: agent })) as typeof fetch,
    async another() {
      const socket = join(folder, `issuer-${more.length + 2}.sock`);
      const opened = await open(socket);
      more.push(opened);
      front.sockets = [...front.sockets, socket];
      return opened;
    },
    async close() {
      for (const each of more) await each.close();
      await issuer.close().catch(() => {});
      await front.close();
      await agent.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function populate(accounts: Accounts, pair: readonly [string, string]) {
  const [anna, boris] = pair;
  for (const [name, scopes] of [
    ['nurse', ['user/*.rs', 'user/Observation.cruds', 'patient/*.rs', 'portal']],
    ['patient', ['patient/*.rs', 'portal']],
    ['kiosk', ['patient/*.rs']],
  ] as const) {
    const asked = must(await accounts.asking.setRole(anna, { organisation: 'riverside', name, scopes }));
    must(await accounts.deciding.approve(boris, asked.request?.id ?? ''));
  }
  const one = (login: string, role: string, patients: readonly string[], fhirUser: string) =>
    person(accounts, pair, { login, role, patients, fhirUser });
  return {
    nurse: await one('nina@riverside.example', 'nurse', [], 'Practitioner/nina'),
    patient: await one('pat@riverside.example', 'patient', ['p-1'], 'Patient/p-1'),
    mother: await one('mo@riverside.example', 'patient', ['p-1', 'p-2'], 'RelatedPerson/mo'),
  };
}

interface Somebody {
  readonly login: string;
  readonly role: string;
  readonly patients: readonly string[];
  readonly fhirUser: string;
}

async function person(
  accounts: Accounts,
  pair: readonly [string, string],
  { login, role, patients, fhirUser }: Somebody,
): Promise<string> {
  const [anna, boris] = pair;
  const id = await enrolled(accounts, pair, 'riverside', login, [role]);
  const seen = await accounts.account(id);
  const asked = must(
    await accounts.asking.changeAccount(anna, id, { roles: [role], patients, fhirUser }, seen?.version ?? 0),
  );
  must(await accounts.deciding.approve(boris, asked.request?.id ?? ''));
  return id;
}
