import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Stack, startStack } from '../../../examples/demo/stack.ts';
import { type LaunchedFhirServer, launchFhirServer } from '../../../examples/fhir-server/launch.ts';
import type { CrawlSite } from './crawler.ts';
import { type Records, type Subject, writeRecords } from './records.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What an app of a patient may ask for, and more. */
export const PATIENT_SCOPES = ['launch/patient', 'patient/*.cruds', 'patient/*.read', 'patient/*.write'];
const STAFF_SCOPES = ['user/*.cruds'];

/** Two clinics with a FHIR server each that believes everybody, behind one gateway. */
export interface CrawlClinic {
  readonly records: Records;
  readonly stack: Stack;
  site(tenant: Subject['tenant']): CrawlSite;
  /** A token for one patient's record, with every scope of a patient's app. */
  token(subject: Subject, audience?: Subject['tenant']): Promise<string>;
  /** A token for whoever may see everybody's. */
  staffToken(tenant: Subject['tenant']): Promise<string>;
  /** What the server has under a key, asked without the gateway. */
  direct(tenant: Subject['tenant'], key: string): Promise<string>;
  stop(): Promise<void>;
}

/**
 * @param policyOf the document that the gateway gets for a tenant, by the resource types that there are
 * @param source NDJSON of FHIR R4 examples
 * @param name of the folder below `.work/`
 */
export async function openClinic(
  policyOf: (types: readonly string[], tenant: Subject['tenant']) => object,
  source: string,
  name: string,
): Promise<CrawlClinic> {
  const folder = join(root, '.work', `${name}-records`);
  mkdirSync(folder, { recursive: true });
  const records = writeRecords(source, folder);
  const servers: LaunchedFhirServer[] = [];
  const stop = async (): Promise<void> => {
    for (const server of servers.splice(0)) await server.stop();
  };
  try {
    for (const tenant of ['north', 'south'] as const)
      servers.push(
        await launchFhirServer({
          name: `fhir-${tenant}`,
          logFile: join(folder, `${tenant}.log`),
          load: records.files[tenant],
        }),
      );
    const [north, south] = servers.map((server) => server.origin) as [string, string];
    const stack = await startStack({
      directory: join(root, '.work', name),
      backends: { north, south },
      workers: 1,
      hidingDeadline: '60ms',
      limits: {
        perPeer: { requests: 1_000_000, window: '10s' },
        perPrincipal: { requests: 1_000_000, window: '10s' },
      },
      clients: [
        ...records.subjects.map((subject) => ({
          id: clientOf(subject),
          what: `the app of ${subject.patient} at ${subject.tenant}`,
          scopes: PATIENT_SCOPES,
          patient: subject.patient,
        })),
        { id: 'crawl-staff', what: 'whoever may see everybody', scopes: STAFF_SCOPES },
      ],
      prepare: async ({ layout }) => {
        for (const tenant of ['north', 'south'] as const) {
          const document = policyOf(records.types, tenant);
          writeFileSync(
            join(layout.gateway, `crawl-${tenant}.yaml`),
            stringify(document, { aliasDuplicateObjects: false }),
            { mode: 0o644 },
          );
        }
        return {
          adjust: (usual) => ({
            ...usual,
            policies: { 'crawl-north': 'crawl-north.yaml', 'crawl-south': 'crawl-south.yaml' },
            tenants: (usual.tenants as readonly { readonly id: string }[]).map((tenant) => ({
              ...tenant,
              policy: `crawl-${tenant.id}`,
            })),
          }),
        };
      },
    });
    return {
      records,
      stack,
      site(tenant) {
        const url = new URL(stack.tenants[tenant].origin);
        return { host: url.host, port: Number(url.port), authority: stack.authority, base: '/fhir' };
      },
      token: (subject, audience) =>
        stack.token({
          tenant: audience ?? subject.tenant,
          client: clientOf(subject),
          scopes: PATIENT_SCOPES,
        }),
      staffToken: (tenant) => stack.token({ tenant, client: 'crawl-staff', scopes: STAFF_SCOPES }),
      async direct(tenant, key) {
        const reply = await fetch(`${tenant === 'north' ? north : south}/fhir/${key}`);
        return reply.text();
      },
      async stop() {
        await stack.stop();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function clientOf({ tenant, patient }: Subject): string {
  return `crawl-${tenant}-${patient}`;
}
