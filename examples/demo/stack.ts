import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LaunchedEmr, launchEmr } from '../legacy-emr/launch.ts';
import { createAuthority } from '../support/local-authority.ts';
import { freePort } from '../support/ports.ts';
import { type PrivateMariadb, startPrivateMariadb } from '../support/private-mariadb.ts';
import { startPrivateMysql } from '../support/private-mysql.ts';
import { Service } from '../support/service.ts';
import { checkerConfiguration, type GatewayOverrides, gatewayConfiguration } from './configuration.ts';
import { approve, type Installer, prepareDatabase, type SqlUser } from './emr-side.ts';
import { chooseIsolation, give, type Isolation } from './isolation.ts';
import { type Layout, makeLayout, writeSecret } from './layout.ts';
import type { People, PreparedPeople } from './people/index.ts';
import { type DemoClient, makeClients, requestToken } from './tokens.ts';

export type TenantName = 'north' | 'south';
export const TENANTS: readonly TenantName[] = ['north', 'south'];
const CLINICS: Readonly<Record<TenantName, string>> = {
  north: 'Northgate Clinic',
  south: 'Southbank Practice',
};

export interface StackOptions extends GatewayOverrides {
  /** Everything the stack writes is below it; emptied first. */
  readonly directory: string;
  /** 0 or missing: any free port. */
  readonly gatewayPort?: number;
  readonly issuerPort?: number;
  readonly operationsPort?: number;
  /** Another origin than the tenant's own EMR. */
  readonly backends?: Partial<Record<TenantName, string>>;
  readonly workers?: number;
  /** MariaDB unless told. */
  readonly engine?: 'mariadb' | 'mysql';
  /** Make a tenant's tables, in the schema given, in place of the legacy EMR's. */
  readonly install?: Partial<Record<TenantName, Installer>>;
  /** Clients of the provider besides the demo's own. */
  readonly clients?: readonly Omit<DemoClient, 'secret'>[];
  /** Milliseconds until the gateway has to be ready, where it has much to read. */
  readonly gatewayReadyMs?: number;
  /** Pins the gateway's processes to this CPU (for measurements). */
  readonly gatewayCpu?: number;
  readonly onStep?: (what: string) => void;
  /** With the embedded issuer, and people who sign in at Northgate Clinic; without either unless told. */
  readonly people?: boolean;
  /** Before the gateway starts: whatever else it is to find, and how its configuration differs. */
  readonly prepare?: (around: BeforeGateway) => Promise<{
    readonly adjust?: GatewayOverrides['adjust'];
    readonly stop?: () => Promise<unknown>;
  }>;
}

/** What is there when the gateway is about to be started. */
export interface BeforeGateway {
  readonly layout: Layout;
  readonly isolation: Isolation;
  readonly authority: Awaited<ReturnType<typeof createAuthority>>;
  readonly gatewayPort: number;
  readonly tenants: Readonly<Record<TenantName, StackTenant>>;
  readonly mariadb: PrivateMariadb;
}

export interface StackTenant {
  readonly id: TenantName;
  readonly clinic: string;
  /** What clients use: `https://north.localhost:PORT`. */
  readonly origin: string;
  readonly audience: string;
  readonly schema: string;
  readonly auditSchema: string;
  readonly emr: LaunchedEmr;
  readonly emrUser: SqlUser;
  readonly checkerUser: SqlUser;
  /** Ids of charts that the EMR shows only to their own clinician, and of those that do not exist. */
  readonly restricted: readonly number[];
  readonly patients: number;
}

export interface Stack {
  readonly directory: string;
  readonly layout: Layout;
  readonly isolation: Isolation;
  /** PEM text and file of the authority that signed every certificate here. */
  readonly authority: string;
  readonly authorityFile: string;
  readonly issuerUrl: string;
  readonly clients: readonly DemoClient[];
  readonly operationsUrl: string;
  readonly tenants: Readonly<Record<TenantName, StackTenant>>;
  readonly mariadb: PrivateMariadb;
  readonly issuer: Service;
  readonly checker: Service;
  readonly gateway: Service;
  /** Where it was started with people. */
  readonly people: People | undefined;
  /** The gateway's worker processes. */
  gatewayPids(): number[];
  /** @param request `audience`: another than the tenant's own */
  token(request: {
    tenant: TenantName;
    client?: string;
    scopes: readonly string[];
    audience?: string;
  }): Promise<string>;
  stop(): Promise<void>;
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

type Adjust = NonNullable<GatewayOverrides['adjust']>;

/** One after the other. */
function adjusting(...changes: readonly (Adjust | undefined)[]): { readonly adjust?: Adjust } {
  const made = changes.filter((each) => each !== undefined);
  if (made.length === 0) return {};
  return {
    adjust: (usual) => made.reduce<object>((so, change) => change(so as Parameters<Adjust>[0]), usual),
  };
}

/** Starts everything the product needs around it, and the product: real parts, each its own process. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const step = options.onStep ?? (() => {});
  const { directory } = options;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  chmodSync(directory, 0o711);
  const isolation = chooseIsolation(root, directory);
  const layout = makeLayout(directory, isolation);
  const started: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    // Backwards: nobody loses what it depends on before it is gone itself.
    for (const end of started.splice(0).reverse()) await end();
  };

  try {
    const engine = options.engine ?? 'mariadb';
    step(engine === 'mariadb' ? 'a MariaDB server of its own' : 'a MySQL server of its own');
    const mariadb = await (engine === 'mariadb' ? startPrivateMariadb : startPrivateMysql)({
      directory: join(directory, engine),
      template: join(root, '.work', `${engine}-template`),
      // On unless a server was told otherwise; MySQL keeps its statement counters there.
      ...(engine === 'mysql' ? { extra: ['--performance-schema=ON'] } : {}),
    });
    started.push(() => mariadb.stop());

    step('two clinics with their legacy EMRs, audit triggers and least-privilege grants');
    const gatewayPort = options.gatewayPort || (await freePort());
    const tenants = {
      north: await startTenant('north'),
      south: await startTenant('south'),
    };

    step('signed baselines of what was approved');
    for (const tenant of TENANTS) {
      const approved = await approve(mariadb, tenants[tenant].schema);
      writeFileSync(join(layout.checker, `${tenant}.baseline.json`), approved.baseline, { mode: 0o600 });
      give(join(layout.checker, `${tenant}.baseline.json`), isolation.checker);
      for (const [file, key] of [
        [`${tenant}.baseline.pub`, approved.publicKeys[0]],
        [`${tenant}.baseline.2.pub`, approved.publicKeys[1]],
      ] as const) {
        writeFileSync(join(layout.checker, file), key, { mode: 0o600 });
        give(join(layout.checker, file), isolation.checker);
      }
      writeSecret(
        join(layout.checker, `${tenant}.password`),
        tenants[tenant].checkerUser.password,
        isolation.checker,
      );
    }

    step('a local certificate authority and an OpenID provider');
    const authority = await createAuthority('Chartgate demo authority');
    const authorityFile = join(directory, 'authority.pem');
    writeFileSync(authorityFile, authority.certificatePem);
    const hosts = [
      'localhost',
      ...TENANTS.map((tenant) => `${tenant}.localhost`),
      ...(options.people === true ? ['id.localhost'] : []),
    ];
    const certificate = await authority.issue({
      commonName: 'localhost',
      hosts: [...hosts, '127.0.0.1'],
      days: 90,
    });
    writeFileSync(join(layout.gateway, 'certificate.pem'), certificate.certificatePem);
    writeSecret(join(layout.gateway, 'certificate.key'), certificate.keyPem, isolation.gateway);

    const issuerPort = options.issuerPort || (await freePort());
    const issuerUrl = `https://localhost:${issuerPort}`;
    const clients = makeClients(options.clients);
    const issuer = await startIssuer(issuerPort, issuerUrl);

    step('the integrity checker');
    const checkerFile = join(layout.checker, 'checker.yaml');
    writeSecret(
      checkerFile,
      checkerConfiguration(
        layout,
        mariadb,
        TENANTS.map((tenant) => tenants[tenant]),
      ),
      isolation.checker,
    );
    const checker = new Service({
      name: 'checker',
      command: process.execPath,
      args: [join(root, 'bin', 'chartgate.mjs'), 'checker', '--config', checkerFile],
      ready: /"ready"/,
      logFile: join(layout.logs, 'checker.log'),
      account: isolation.checker,
    });
    await checker.start();
    started.push(() => checker.stop());

    let withPeople: PreparedPeople | undefined;
    const around = { layout, isolation, authority, gatewayPort, tenants, mariadb };
    if (options.people === true) {
      step('the embedded issuer, where people sign in');
      // Loaded here: what is started without people has no use for it.
      const { preparePeople } = await import('./people/index.ts');
      withPeople = await preparePeople(around);
      started.push(withPeople.stop);
    }

    step('the gateway');
    const operationsPort = options.operationsPort || (await freePort());
    const gatewayFile = join(layout.gateway, 'gateway.yaml');
    const introspector = clients.find((client) => client.id === 'gateway')?.secret ?? '';
    writeSecret(join(layout.gateway, 'introspection.secret'), introspector, isolation.gateway);
    const prepared = await options.prepare?.(around);
    if (prepared?.stop !== undefined) started.push(prepared.stop);
    writeSecret(
      gatewayFile,
      gatewayConfiguration(layout, {
        ...options,
        ...adjusting(withPeople?.adjust, prepared?.adjust),
        gatewayPort,
        operationsPort,
        issuerUrl,
        authorityFile,
        tenants: TENANTS.map((tenant) => ({
          id: tenant,
          audience: tenants[tenant].audience,
          backend: options.backends?.[tenant] ?? tenants[tenant].emr.origin,
        })),
      }),
      isolation.gateway,
    );
    const pin = options.gatewayCpu === undefined ? [] : ['taskset', '-c', String(options.gatewayCpu)];
    const [command = '', ...args] = [
      ...pin,
      process.execPath,
      join(root, 'bin', 'chartgate.mjs'),
      'start',
      '--config',
      gatewayFile,
    ];
    const gateway = new Service({
      name: 'gateway',
      command,
      args,
      ready: /"ready"/,
      logFile: join(layout.logs, 'gateway.log'),
      account: isolation.gateway,
      readyMs: options.gatewayReadyMs,
    });
    await gateway.start();
    started.push(() => gateway.stop());
    if (withPeople !== undefined) step('two administrators and a user, by the commands that a clinic uses');
    const people = await withPeople?.settle();

    return {
      directory,
      layout,
      isolation,
      authority: authority.certificatePem,
      authorityFile,
      issuerUrl,
      clients,
      operationsUrl: `http://127.0.0.1:${operationsPort}`,
      tenants,
      mariadb,
      issuer,
      checker,
      gateway,
      people,
      gatewayPids: () => (JSON.parse(gateway.readyLine) as { workers: number[] }).workers,
      token(request) {
        const client = clients.find((each) => each.id === (request.client ?? 'pharmacy'));
        if (client === undefined) throw new Error(`there is no client ${request.client}`);
        return requestToken({
          issuer: issuerUrl,
          authority: authority.certificatePem,
          client,
          audience: request.audience ?? tenants[request.tenant].audience,
          scopes: request.scopes,
        });
      },
      stop,
    };

    async function startTenant(tenant: TenantName): Promise<StackTenant> {
      const clinic = CLINICS[tenant];
      const prepared = await prepareDatabase(mariadb, {
        schema: `emr_${tenant}`,
        clinic,
        seed: tenant,
        ...(options.install?.[tenant] === undefined ? {} : { install: options.install[tenant] }),
      });
      const passwordFile = join(layout.emr, `${tenant}.password`);
      writeSecret(passwordFile, prepared.emrUser.password, undefined);
      const emr = await launchEmr({
        clinic,
        database: {
          host: mariadb.host,
          port: mariadb.port,
          name: prepared.schema,
          user: prepared.emrUser.user,
          passwordFile,
        },
      });
      started.push(() => emr.stop());
      const origin = `https://${tenant}.localhost:${gatewayPort}`;
      return {
        id: tenant,
        clinic,
        origin,
        audience: origin,
        schema: prepared.schema,
        auditSchema: prepared.auditSchema,
        emr,
        emrUser: prepared.emrUser,
        checkerUser: prepared.checkerUser,
        restricted: prepared.emr.restricted.map((chart) => chart.id),
        patients: prepared.emr.patients,
      };
    }

    async function startIssuer(port: number, url: string): Promise<Service> {
      const pair = await authority.issue({ commonName: 'localhost', hosts: ['localhost', '127.0.0.1'] });
      writeFileSync(join(layout.issuer, 'certificate.pem'), pair.certificatePem);
      writeSecret(join(layout.issuer, 'certificate.key'), pair.keyPem, undefined);
      for (const client of clients)
        writeSecret(join(layout.issuer, `${client.id}.secret`), client.secret, undefined);
      writeFileSync(
        join(layout.issuer, 'issuer.json'),
        JSON.stringify({
          issuer: url,
          certificateFile: join(layout.issuer, 'certificate.pem'),
          keyFile: join(layout.issuer, 'certificate.key'),
          tokenSeconds: 3600,
          clients: clients.map(({ id, scopes, patient, resources = [], introspection }) => ({
            id,
            secretFile: join(layout.issuer, `${id}.secret`),
            scopes,
            resources: [...TENANTS.map((tenant) => tenants[tenant].audience), ...resources],
            ...(patient === undefined ? {} : { patient }),
            ...(introspection === true ? { introspection } : {}),
          })),
        }),
      );
      const service = new Service({
        name: 'issuer',
        command: process.execPath,
        args: [join(root, 'examples', 'demo', 'issuer.ts')],
        env: { ISSUER_PORT: String(port), ISSUER_CONFIG: join(layout.issuer, 'issuer.json') },
        ready: /^listening/,
        logFile: join(layout.logs, 'issuer.log'),
      });
      await service.start();
      started.push(() => service.stop());
      return service;
    }
  } catch (error) {
    await stop();
    throw error;
  }
}
