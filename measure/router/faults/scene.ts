import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { writeSecret } from '../../../examples/demo/layout.ts';
import { type Stack, startStack, type TenantName } from '../../../examples/demo/stack.ts';

export interface BackEndText {
  readonly origin: string;
  readonly role?: 'primary' | 'replica';
  readonly connections?: number;
}

export interface SceneTenant {
  readonly backends: readonly BackEndText[];
  readonly balancing?: Readonly<Record<string, unknown>>;
  /** Further hosts, with the port. */
  readonly hosts?: readonly string[];
}

export interface SceneOptions {
  readonly directory: string;
  readonly workers: number;
  readonly tenants: Partial<Record<TenantName, SceneTenant>>;
  /** Served at `localhost`, with the database of `north`. */
  readonly third?: SceneTenant;
  /** Of every route. */
  readonly backendTimeout: string;
  /** Clients of the provider, who read and write patients. */
  readonly clients?: readonly string[];
  readonly onStep?: (line: string) => void;
}

interface TenantText {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** The demo's stack, with these back ends in place of its EMRs. */
export function startScene(options: SceneOptions): Promise<Stack> {
  const plenty = () => ({ requests: 10_000_000, window: '60s' });
  return startStack({
    directory: options.directory,
    workers: options.workers,
    limits: { perPeer: plenty(), perPrincipal: plenty() },
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
    clients: (options.clients ?? []).map((id) => ({
      id,
      what: 'reads and writes',
      scopes: ['system/Patient.cruds'],
    })),
    async prepare({ layout, isolation, gatewayPort }) {
      const file = join(layout.gateway, 'policy.yaml');
      const policy = parse(readFileSync(file, 'utf8')) as { routes: Record<string, unknown>[] };
      for (const route of policy.routes) route.backendTimeout = options.backendTimeout;
      writeSecret(file, stringify(policy, { aliasDuplicateObjects: false }), isolation.gateway);
      return {
        adjust: (usual) => {
          const tenants = usual.tenants as TenantText[];
          const changed = tenants.map((tenant) =>
            withBackEnds(tenant, options.tenants[tenant.id as TenantName]),
          );
          const third = withBackEnds(
            {
              ...(tenants[0] as TenantText),
              id: 'third',
              hosts: [`localhost:${gatewayPort}`],
              audience: `https://localhost:${gatewayPort}`,
            },
            options.third,
          );
          return { ...usual, tenants: options.third === undefined ? changed : [...changed, third] };
        },
      };
    },
  });
}

function withBackEnds(tenant: TenantText, scene: SceneTenant | undefined): TenantText {
  if (scene === undefined) return tenant;
  const { backends, balancing } = scene;
  return { ...tenant, backends, ...(balancing === undefined ? {} : { balancing }) };
}
