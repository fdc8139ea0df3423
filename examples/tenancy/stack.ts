import { createHash, X509Certificate } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { give } from '../demo/isolation.ts';
import { writeSecret } from '../demo/layout.ts';
import { type BeforeGateway, type Stack, startStack } from '../demo/stack.ts';
import { requestToken } from '../demo/tokens.ts';
import { createAuthority } from '../support/local-authority.ts';
import { freePort } from '../support/ports.ts';
import { Service } from '../support/service.ts';
import { installManyleaf } from './emr/tables.ts';

/**
 * Clinics by the model that they are attached in.
 * `shared`: one EMR and one database; told by a path prefix, `fir` by the query.
 * `database-each`: one EMR, a database for each; told by a header, over HTTP/2 with a pinned key and a client certificate.
 * `emr-each`: an EMR and a database for each.
 */
export const CLINICS = {
  birch: { model: 'shared', database: 'north' },
  cedar: { model: 'shared', database: 'north' },
  fir: { model: 'shared', database: 'north' },
  dune: { model: 'database-each', database: 'north' },
  elm: { model: 'database-each', database: 'south' },
  heath: { model: 'emr-each', database: 'north' },
  ivy: { model: 'emr-each', database: 'south' },
  // Its EMR is not there: nobody else has to wait for it.
  lost: { model: 'emr-each', database: 'south' },
} as const;
export type ClinicName = keyof typeof CLINICS;
const NAMES = Object.keys(CLINICS) as ClinicName[];

/** Where nobody listens (RFC 1078, which nobody uses). */
const NOBODY = 'http://127.0.0.1:1';

/** A scope that lets a client at everything of the example's policy. */
const SCOPE = 'emr/pages';

export interface TenancyStack {
  readonly stack: Stack;
  /** `https://birch.localhost:PORT` */
  origin(clinic: ClinicName): string;
  /** A token that is good for one clinic. */
  token(clinic: ClinicName): Promise<string>;
}

interface Emrs {
  readonly prefix: string;
  readonly query: string;
  readonly header: string;
  readonly heath: string;
  readonly ivy: string;
  /** Of the certificate of the one that is told by a header. */
  readonly pin: string;
}

/** Starts clinics of all three models behind one gateway, on two audited databases. */
export async function startTenancy(
  directory: string,
  onStep: (what: string) => void = () => {},
  more: (name: ClinicName) => object = () => ({}),
): Promise<TenancyStack> {
  const gatewayPort = await freePort();
  const origin = (clinic: ClinicName) => `https://${clinic}.localhost:${gatewayPort}`;
  const stack = await startStack({
    directory,
    gatewayPort,
    workers: 1,
    onStep,
    install: { north: installManyleaf, south: installManyleaf },
    clients: [
      { id: 'clinics', what: 'an app of each clinic', scopes: [SCOPE], resources: NAMES.map(origin) },
    ],
    async prepare(around) {
      onStep('two EMRs that are shared, and two that are not');
      const { emrs, stop } = await startEmrs(around);
      await replaceCertificate(around);
      const policy = join(around.layout.gateway, 'clinics.yaml');
      copyFileSync(fileURLToPath(new URL('./policy.yaml', import.meta.url)), policy);
      give(policy, around.isolation.gateway);
      return {
        stop,
        adjust: (usual) => ({
          ...usual,
          policies: { clinics: 'clinics.yaml' },
          tenants: NAMES.map((name) => ({
            id: name,
            hosts: [new URL(origin(name)).host],
            audience: origin(name),
            issuers: ['demo'],
            database: CLINICS[name].database,
            policy: 'clinics',
            ...attached(name, emrs),
            ...more(name),
          })),
        }),
      };
    },
  });
  const client = stack.clients.find(({ id }) => id === 'clinics');
  if (client === undefined) throw new Error('the client of the clinics is missing');
  return {
    stack,
    origin,
    token: (clinic) =>
      requestToken({
        issuer: stack.issuerUrl,
        authority: stack.authority,
        client,
        audience: origin(clinic),
        scopes: [SCOPE],
      }),
  };
}

/** What makes the models differ; README.md has the same as whole files. */
function attached(name: ClinicName, emrs: Emrs): object {
  const { model } = CLINICS[name];
  if (name === 'lost') return { backends: [{ origin: NOBODY }] };
  if (model === 'emr-each') return { backends: [{ origin: name === 'ivy' ? emrs.ivy : emrs.heath }] };
  if (model === 'database-each')
    return {
      tellBackend: { header: { name: 'X-Clinic', value: name } },
      backends: [
        {
          origin: emrs.header,
          pinnedKeys: [`sha256/${emrs.pin}`],
          clientCertificate: { certificate: 'at-emr.pem', key: 'at-emr.key' },
          http2: true,
        },
      ],
    };
  return {
    tellBackend: name === 'fir' ? { query: { name: 'clinic', value: 'fir' } } : { pathPrefix: `/c/${name}` },
    ownRows: {
      marks: [
        { pointer: '/clinic', value: name },
        { system: 'https://manyleaf.example/clinics', code: name },
      ],
    },
    backends: [{ origin: name === 'fir' ? emrs.query : emrs.prefix }],
  };
}

async function startEmrs(around: BeforeGateway): Promise<{ emrs: Emrs; stop: () => Promise<unknown> }> {
  const { layout, mariadb, tenants, isolation } = around;
  // The EMR's vendor certified itself, as they do; the key is what is known of it.
  const vendor = await createAuthority('Manyleaf');
  const server = await vendor.issue({ commonName: 'manyleaf', hosts: ['manyleaf.local'] });
  const gateway = await vendor.issue({ commonName: 'gateway', hosts: [], client: true });
  const file = (name: string, text: string): string => {
    const path = join(layout.emr, name);
    writeSecret(path, text, undefined);
    return path;
  };
  for (const [name, text] of [
    ['at-emr.pem', gateway.certificatePem],
    ['at-emr.key', gateway.keyPem],
  ] as const)
    writeSecret(join(layout.gateway, name), text, isolation.gateway);
  const at = (side: 'north' | 'south') => ({
    host: mariadb.host,
    port: mariadb.port,
    database: tenants[side].schema,
    user: tenants[side].emrUser.user,
    passwordFile: join(layout.emr, `${side}.password`),
  });
  const settings = (listening: object, ...names: ClinicName[]) => ({
    listening,
    clinics: Object.fromEntries(names.map((name) => [name, at(CLINICS[name].database)])),
  });
  const tls = {
    certificate: file('manyleaf.pem', server.certificatePem),
    key: file('manyleaf.key', server.keyPem),
    clientAuthority: file('vendor.pem', vendor.certificatePem),
  };
  const all = [
    { told: 'prefix', tables: 'shared' },
    { told: 'query', tables: 'shared' },
    { told: 'header', tables: 'own', tls },
  ];
  // A process that serves one clinic still reads a header, and nobody sends one: it has a name for "nobody said".
  const services = [
    ['several', settings(all, 'birch', 'cedar', 'fir', 'dune', 'elm')],
    ['heath', { listening: [{ told: 'header', tables: 'own' }], clinics: { undefined: at('north') } }],
    ['ivy', { listening: [{ told: 'header', tables: 'own' }], clinics: { undefined: at('south') } }],
  ] as const;
  const started: Service[] = [];
  const ports: number[][] = [];
  for (const [name, content] of services) {
    const service = new Service({
      name: `Manyleaf ${name}`,
      command: process.execPath,
      args: [
        fileURLToPath(new URL('./emr/main.ts', import.meta.url)),
        file(`${name}.json`, JSON.stringify(content)),
      ],
      ready: /^listening/,
      logFile: join(layout.logs, `manyleaf-${name}.log`),
    });
    await service.start();
    started.push(service);
    ports.push(service.readyLine.split(' ').slice(2).map(Number));
  }
  const [[prefix, query, header] = [], [heath] = [], [ivy] = []] = ports;
  const { publicKey } = new X509Certificate(server.certificatePem);
  const key = publicKey.export({ type: 'spki', format: 'der' });
  return {
    emrs: {
      prefix: `http://127.0.0.1:${prefix}`,
      query: `http://127.0.0.1:${query}`,
      header: `https://127.0.0.1:${header}`,
      heath: `http://127.0.0.1:${heath}`,
      ivy: `http://127.0.0.1:${ivy}`,
      pin: createHash('sha256').update(key).digest('base64'),
    },
    stop: () => Promise.all(started.map((service) => service.stop())),
  };
}

/** For the clinics' own names. */
async function replaceCertificate({ authority, layout, isolation }: BeforeGateway): Promise<void> {
  const { certificatePem, keyPem } = await authority.issue({
    commonName: 'localhost',
    hosts: [...NAMES.map((name) => `${name}.localhost`), 'localhost'],
    days: 90,
  });
  writeFileSync(join(layout.gateway, 'certificate.pem'), certificatePem);
  writeSecret(join(layout.gateway, 'certificate.key'), keyPem, isolation.gateway);
}
