import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PrivateMariadb } from '../support/private-mariadb.ts';
import type { SqlUser } from './emr-side.ts';
import type { Layout } from './layout.ts';

export interface LimitText {
  readonly requests: number;
  readonly window: string;
}

/** What a test or a measurement may want otherwise. */
export interface GatewayOverrides {
  readonly workers?: number;
  readonly limits?: {
    readonly perPeer?: LimitText | readonly LimitText[];
    readonly perPrincipal?: LimitText | readonly LimitText[];
    readonly [other: string]: unknown;
  };
  /** The enumeration guard; it only reports unless a test or a measurement wants it otherwise. */
  readonly guard?: Readonly<Record<string, unknown>>;
  readonly hidingDeadline?: string;
  /** Further hosts of the tenant `north`, such as `localhost` for tools that cannot resolve `north.localhost`. */
  readonly northHosts?: readonly string[];
  /** Makes another configuration of the usual one, such as one with further issuers. */
  readonly adjust?: (configuration: Readonly<Record<string, unknown>>) => object;
}

interface GatewayParts extends GatewayOverrides {
  readonly gatewayPort: number;
  readonly operationsPort: number;
  readonly issuerUrl: string;
  readonly authorityFile: string;
  readonly tenants: readonly { readonly id: string; readonly audience: string; readonly backend: string }[];
}

const note = (text: string): string => `# ${text}\n`;

/** Aliases are refused by the product's reader: what a file says should stand where it is said. */
const yaml = (value: unknown): string => stringify(value, { aliasDuplicateObjects: false });

/** The gateway's configuration file, as an administrator would write it. */
export function gatewayConfiguration(layout: Layout, parts: GatewayParts): string {
  return (
    note('Written by the demo at start. docs/configuration.md explains every key.') +
    yaml(
      (parts.adjust ?? ((usual) => usual))({
        listen: {
          host: '127.0.0.1',
          port: parts.gatewayPort,
          certificate: 'certificate.pem',
          key: 'certificate.key',
        },
        operations: { port: parts.operationsPort },
        workers: parts.workers ?? 'auto',
        activityLog: { directory: 'activity' },
        integrity: { socket: layout.socket, secret: { file: 'attestation.secret' }, timeout: '800ms' },
        issuers: [
          {
            id: 'demo',
            issuer: parts.issuerUrl,
            authority: parts.authorityFile,
            algorithms: ['ES256'],
            introspection: { clientId: 'gateway', clientSecret: { file: 'introspection.secret' } },
          },
        ],
        limits: {
          ...parts.limits,
          perPeer: parts.limits?.perPeer ?? { requests: 2000, window: '10s' },
          perPrincipal: parts.limits?.perPrincipal ?? { requests: 1000, window: '10s' },
        },
        // What tests and tours do looks like what it is there to stop.
        guard: parts.guard ?? { mode: 'report' },
        hiding: { deadline: parts.hidingDeadline ?? '200ms' },
        policies: { emr: 'policy.yaml' },
        tenants: parts.tenants.map((tenant) => ({
          id: tenant.id,
          hosts: [
            `${tenant.id}.localhost:${parts.gatewayPort}`,
            ...(tenant.id === 'north'
              ? (parts.northHosts ?? []).map((host) => `${host}:${parts.gatewayPort}`)
              : []),
          ],
          audience: tenant.audience,
          issuers: ['demo'],
          database: tenant.id,
          policy: 'emr',
          identityHeader: 'X-Forwarded-User',
          backends: [{ origin: tenant.backend }],
        })),
      }),
    )
  );
}

interface CheckedTenant {
  readonly id: string;
  readonly schema: string;
  readonly auditSchema: string;
  readonly checkerUser: SqlUser;
}

/** The checker's configuration file: its own SQL user, which can call the guard procedures and nothing else. */
export function checkerConfiguration(
  layout: Layout,
  mariadb: PrivateMariadb,
  tenants: readonly CheckedTenant[],
): string {
  return (
    note('Written by the demo at start. docs/configuration.md explains every key.') +
    yaml({
      socket: layout.socket,
      secret: { file: 'attestation.secret' },
      seal: { key: 'seal.pem', directory: join(layout.checker, 'seal') },
      databases: tenants.map((tenant) => ({
        id: tenant.id,
        host: mariadb.host,
        port: mariadb.port,
        user: tenant.checkerUser.user,
        password: { file: join(layout.checker, `${tenant.id}.password`) },
        emrSchema: tenant.schema,
        auditSchema: tenant.auditSchema,
        baseline: `${tenant.id}.baseline.json`,
        baselineKeys: [`${tenant.id}.baseline.pub`, `${tenant.id}.baseline.2.pub`],
      })),
    })
  );
}
