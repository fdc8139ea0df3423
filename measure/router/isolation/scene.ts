import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { give } from '../../../examples/demo/isolation.ts';
import { writeSecret } from '../../../examples/demo/layout.ts';
import { peopleOf } from '../../../examples/demo/people/index.ts';
import { type BeforeGateway, type Stack, startStack } from '../../../examples/demo/stack.ts';
import { requestToken } from '../../../examples/demo/tokens.ts';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
} from '../../../examples/support/local-authority.ts';
import { freePort } from '../../../examples/support/ports.ts';
import { onStop } from '../../processes.ts';
import type { Seen } from './back-ends.ts';
import { AUTHORITIES, type Clinic, SHARING } from './probe.ts';

const SCOPE = 'emr/pages';
const POLICY = `routes:
  - id: records
    methods: [GET]
    path: /records/{id}
    credential: CREDENTIAL
    scopes: [${SCOPE}]
    integrity: { mode: bounded, maxAge: 5s }
    query: { duplicates: allow, brackets: allow }
`;
/** Tokens that are asked for at once. */
const AT_ONCE = 8;

export interface Scene {
  readonly stack: Stack;
  readonly port: number;
  readonly clinics: readonly Clinic[];
  readonly tokens: readonly string[];
  readonly certificates: readonly IssuedCertificate[];
  readonly stranger: IssuedCertificate;
  /** The cookie of a session at a tenant that is none of these; undefined: nobody signed in. */
  readonly session: string | undefined;
  /** What reached the back ends. */
  report(): Promise<readonly Seen[]>;
}

/** So many tenants behind one gateway, half of them with an EMR that they share. */
export async function startScene(
  count: number,
  people: boolean,
  progress: (line: string) => void,
): Promise<Scene> {
  const port = await freePort();
  const clinics = Array.from({ length: count }, (_, number): Clinic => {
    const id = `t${number}`;
    const host = `${id}.localhost:${port}`;
    const shares = number >= count / 2;
    return {
      number,
      id,
      host,
      audience: `https://${host}`,
      at: shares ? Math.floor(count / 2 + (number - count / 2) / SHARING) : number,
      told: shares ? id : '',
      authority: number % (AUTHORITIES + 1) === AUTHORITIES ? undefined : number % (AUTHORITIES + 1),
    };
  });
  const backEnds = await startBackEnds(Math.max(...clinics.map(({ at }) => at)) + 1);
  const authorities = await Promise.all(
    Array.from({ length: AUTHORITIES }, (_, n) => createAuthority(`Clients ${n}`)),
  );
  progress(`${count} tenants`);
  const stack = await startStack({
    directory: join(import.meta.dirname, '..', '..', '..', '.work', 'measure-isolation'),
    gatewayPort: port,
    workers: 2,
    people,
    guard: { mode: 'off' },
    limits: {
      perPeer: { requests: 10_000_000, window: '10s' },
      perPrincipal: { requests: 10_000_000, window: '10s' },
    },
    clients: [
      {
        id: 'all',
        what: 'a client of every tenant',
        scopes: [SCOPE],
        resources: clinics.map(({ audience }) => audience),
      },
    ],
    prepare: (around) => prepare(around, { clinics, ports: backEnds.ports, authorities, people }),
  });
  onStop(() => stack.stop());
  progress('a token of each tenant');
  const certificate = (authority: Authority) =>
    authority.issue({ commonName: 'lab', hosts: [], client: true });
  return {
    stack,
    port,
    clinics,
    tokens: await tokensOf(stack, clinics),
    certificates: await Promise.all(authorities.map(certificate)),
    stranger: await certificate(await createAuthority('Nobody')),
    session: people ? await sessionOf(stack) : undefined,
    report: backEnds.report,
  };
}

async function startBackEnds(count: number) {
  const child: ChildProcess = fork(fileURLToPath(new URL('./back-ends.ts', import.meta.url)), [
    String(count),
  ]);
  onStop(async () => void child.kill());
  const next = <T>() =>
    new Promise<T>((resolve) => child.once('message', (message) => resolve(message as T)));
  const { ports } = await next<{ ports: number[] }>();
  return {
    ports,
    async report() {
      child.send('report');
      return (await next<{ seen: readonly Seen[] }>()).seen;
    },
  };
}

interface Parts {
  readonly clinics: readonly Clinic[];
  readonly ports: readonly number[];
  readonly authorities: readonly Authority[];
  readonly people: boolean;
}

async function prepare(around: BeforeGateway, { clinics, ports, authorities, people }: Parts) {
  const { layout, isolation } = around;
  const own = (name: string, text: string): string => {
    writeFileSync(join(layout.gateway, name), text);
    give(join(layout.gateway, name), isolation.gateway);
    return name;
  };
  const hosts = [
    ...clinics.map(({ id }) => `${id}.localhost`),
    'north.localhost',
    'south.localhost',
    'id.localhost',
  ];
  const pair = await around.authority.issue({
    commonName: 'localhost',
    hosts: [...hosts, 'localhost'],
    days: 30,
  });
  own('certificate.pem', pair.certificatePem);
  writeSecret(join(layout.gateway, 'certificate.key'), pair.keyPem, isolation.gateway);
  own('records.yaml', POLICY.replace('CREDENTIAL', people ? 'bearer-or-session' : 'bearer'));
  const files = authorities.map((authority, n) => own(`clients-${n}.pem`, authority.certificatePem));
  return {
    adjust: (usual: Readonly<Record<string, unknown>>) => {
      const tenants = usual.tenants as readonly { readonly signIn?: { issuers: readonly string[] } }[];
      const signIn = tenants.find((each) => each.signIn !== undefined)?.signIn;
      return {
        ...usual,
        policies: { ...(usual.policies as object), records: 'records.yaml' },
        tenants: [
          ...tenants,
          ...clinics.map((clinic) => ({
            id: clinic.id,
            hosts: [clinic.host],
            audience: clinic.audience,
            issuers: ['demo', ...(signIn?.issuers ?? [])],
            ...(signIn === undefined ? {} : { signIn: { issuers: [...signIn.issuers] } }),
            database: clinic.number % 2 === 0 ? 'north' : 'south',
            policy: 'records',
            ...(clinic.told === ''
              ? {}
              : { tellBackend: { header: { name: 'X-Clinic', value: clinic.told } } }),
            ...(clinic.authority === undefined
              ? {}
              : { clientCertificates: { authority: files[clinic.authority], demand: 'optional' } }),
            backends: [{ origin: `http://127.0.0.1:${ports[clinic.at]}`, connections: 8 }],
          })),
        ],
      };
    },
  };
}

async function tokensOf(stack: Stack, clinics: readonly Clinic[]): Promise<readonly string[]> {
  const client = stack.clients.find(({ id }) => id === 'all');
  if (client === undefined) throw new Error('the client is missing');
  const tokens: string[] = [];
  for (let at = 0; at < clinics.length; at += AT_ONCE) {
    const some = clinics.slice(at, at + AT_ONCE).map(({ audience }) =>
      requestToken({
        issuer: stack.issuerUrl,
        authority: stack.authority,
        client,
        audience,
        scopes: [SCOPE],
      }),
    );
    tokens.push(...(await Promise.all(some)));
  }
  return tokens;
}

/** Somebody signs in at the one tenant where people can. */
async function sessionOf(stack: Stack): Promise<string> {
  const { uma } = peopleOf(stack);
  const { origin } = stack.tenants.north;
  const browser = await uma.signIn(stack.authority, `${origin}/patients`, {
    method: 'recovery-code',
    code: uma.recoveryCode(),
  });
  const cookie = browser.cookie(new URL(origin).host, '__Host-chartgate');
  if (cookie === undefined) throw new Error('signing in gave no session');
  return cookie;
}
