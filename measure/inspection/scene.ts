import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Stack } from '../../examples/demo/stack.ts';
import { onStop } from '../processes.ts';
import { TENANT } from '../stack.ts';

const TYPES = [
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'application/json',
  'application/xml',
  'text/xml',
  'text/plain',
];
const FHIR_TYPES = ['application/fhir+json', 'application/json'];

/** A web EMR of which nothing is known, and a FHIR server, both by default: no setting of their inspection. */
const POLICY = {
  routes: [
    {
      id: 'anything',
      methods: ['GET', 'POST', 'PUT'],
      path: '/{rest*}',
      credential: 'anonymous',
      integrity: { mode: 'strict' },
      maxBody: '1MiB',
      mediaTypes: TYPES,
    },
    {
      id: 'root',
      methods: ['GET', 'POST'],
      path: '/',
      credential: 'anonymous',
      integrity: { mode: 'strict' },
      maxBody: '1MiB',
      mediaTypes: TYPES,
    },
    {
      id: 'fhir-create',
      methods: ['POST'],
      path: '/fhir/{resourceType}',
      fhir: { version: 'R4', interaction: 'create' },
      smart: { contexts: ['system'], resource: '{resourceType}', permission: 'c' },
      introspection: 'never',
      maxBody: '4MiB',
      mediaTypes: FHIR_TYPES,
    },
    {
      id: 'fhir-update',
      methods: ['PUT'],
      path: '/fhir/{resourceType}/{id}',
      fhir: { version: 'R4', interaction: 'update' },
      smart: { contexts: ['system'], resource: '{resourceType}', permission: 'u' },
      introspection: 'never',
      maxBody: '4MiB',
      mediaTypes: FHIR_TYPES,
    },
    {
      id: 'fhir-read',
      methods: ['GET'],
      path: '/fhir/{resourceType}/{id}',
      fhir: { version: 'R4', interaction: 'read' },
      smart: { contexts: ['system'], resource: '{resourceType}', permission: 'r' },
      introspection: 'never',
    },
  ],
};

export interface Scene {
  readonly stack: Stack;
  /** `host:port` of the tenant. */
  readonly authority: string;
  readonly port: number;
  token(): Promise<string>;
}

export interface SceneOptions {
  readonly directory: string;
  /** Origin of the back end. */
  readonly backEnd: string;
  readonly gatewayCpu?: number | undefined;
  readonly progress: (line: string) => void;
}

/** A whole gateway with that policy. */
export async function startScene(options: SceneOptions): Promise<Scene> {
  const { startStack } = await import('../../examples/demo/stack.ts');
  const plenty = () => ({ requests: 100_000_000, window: '60s' });
  const stack = await startStack({
    directory: options.directory,
    workers: 1,
    backends: { [TENANT]: options.backEnd },
    limits: { perPeer: plenty(), perPrincipal: plenty() },
    onStep: options.progress,
    ...(options.gatewayCpu === undefined ? {} : { gatewayCpu: options.gatewayCpu }),
    clients: [{ id: 'inspected', what: 'whoever may write everything', scopes: ['system/*.cruds'] }],
    prepare: async ({ layout }) => {
      writeFileSync(
        join(layout.gateway, 'inspection.yaml'),
        stringify(POLICY, { aliasDuplicateObjects: false }),
        {
          mode: 0o644,
        },
      );
      return {
        adjust: (usual) => ({
          ...usual,
          policies: { inspection: 'inspection.yaml' },
          tenants: (usual.tenants as readonly object[]).map((tenant) => ({
            ...tenant,
            policy: 'inspection',
          })),
        }),
      };
    },
  });
  onStop(() => stack.stop());
  const { host, port } = new URL(stack.tenants[TENANT].origin);
  return {
    stack,
    authority: host,
    port: Number(port),
    token: () => stack.token({ tenant: TENANT, client: 'inspected', scopes: ['system/*.cruds'] }),
  };
}

/** A back end that takes everything, and tells of each request by the id that the gateway gave it. */
export async function startSink(seen: (request: IncomingMessage) => void): Promise<string> {
  const server = createServer((request, response) => {
    seen(request);
    request.resume().on('end', () => {
      response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
      response.end('{"ok":true}');
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
