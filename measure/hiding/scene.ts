import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Installer } from '../../examples/demo/emr-side.ts';
import { type Stack, startStack, type TenantName } from '../../examples/demo/stack.ts';
import { freePort } from '../../examples/support/ports.ts';
import { Service } from '../../examples/support/service.ts';
import { workFolder } from '../machine.ts';
import { onStop } from '../processes.ts';
import { installRecords, type Known, PATIENTS, portOf } from './back-end/tables.ts';
import { CONSENT_CLERK, keepConsents, letOthersIn } from './consents.ts';
import type { Site } from './observer/messages.ts';
import { APP_SCOPES, hidingPolicy } from './policy.ts';

const CLIENT = 'hiding-app';
const plenty = () => ({ requests: 100_000_000, window: '60s' });

/** A gateway with two workers, before a FHIR facade over the demo EMR's tables in MariaDB. */
export interface Scene {
  readonly stack: Stack;
  readonly known: Readonly<Record<TenantName, Known>>;
  /** Origin of the back end itself. */
  readonly direct: string;
  /** The gateway as the patient's app finds it, token included. */
  site(): Promise<Site>;
  stop(): Promise<void>;
}

export interface SceneOptions {
  /** Milliseconds after which hidden answers are released. */
  readonly deadlineMs: number;
  /** Of the folder below `.work/`. */
  readonly name?: string;
  readonly progress: (line: string) => void;
}

export async function openScene(options: SceneOptions): Promise<Scene> {
  const known = {} as Record<TenantName, Known>;
  const ports = { north: await freePort(), south: await freePort() };
  let database = 0;
  const installing =
    (tenant: TenantName): Installer =>
    async (connection, schema) => {
      known[tenant] = await installRecords(connection, schema, tenant);
      database = await portOf(connection);
    };
  const stack = await startStack({
    directory: workFolder(options.name ?? 'hiding'),
    workers: 2,
    hidingDeadline: `${options.deadlineMs}ms`,
    // Nobody is to be limited or locked here: that is measured elsewhere.
    limits: {
      perPeer: plenty(),
      perPrincipal: plenty(),
    },
    guard: { mode: 'off' },
    onStep: options.progress,
    clients: [
      { id: CLIENT, what: 'the app of patient 1', scopes: APP_SCOPES, patient: String(PATIENTS.own) },
      { ...CONSENT_CLERK, scopes: [...CONSENT_CLERK.scopes] },
    ],
    backends: { north: `http://127.0.0.1:${ports.north}`, south: `http://127.0.0.1:${ports.south}` },
    install: { north: installing('north'), south: installing('south') },
    async prepare(around) {
      const { layout, tenants } = around;
      const state = keepConsents(around);
      const services: Service[] = [];
      for (const tenant of ['north', 'south'] as const) {
        const service = new Service({
          name: `records-${tenant}`,
          command: process.execPath,
          args: [join(import.meta.dirname, 'back-end', 'main.ts')],
          env: {
            BACK_END_DATABASE: JSON.stringify({
              port: database,
              name: tenants[tenant].schema,
              user: tenants[tenant].emrUser.user,
              passwordFile: join(layout.emr, `${tenant}.password`),
              listen: ports[tenant],
            }),
          },
          ready: /^listening/,
          logFile: join(layout.logs, `records-${tenant}.log`),
        });
        await service.start();
        services.push(service);
      }
      mkdirSync(layout.gateway, { recursive: true });
      writeFileSync(
        join(layout.gateway, 'hiding.yaml'),
        stringify(hidingPolicy(`${options.deadlineMs}ms`), { aliasDuplicateObjects: false }),
        { mode: 0o644 },
      );
      return {
        stop: () => Promise.all(services.map((service) => service.stop())),
        adjust: (usual) => ({
          ...usual,
          state,
          policies: { hiding: 'hiding.yaml' },
          tenants: (usual.tenants as readonly object[]).map((tenant) => ({
            ...tenant,
            policy: 'hiding',
            sharing: {},
          })),
        }),
      };
    },
  });
  const forget = onStop(() => stack.stop());
  const token = () => stack.token({ tenant: 'north', client: CLIENT, scopes: APP_SCOPES });
  await letOthersIn({
    stack,
    patient: PATIENTS.unshared,
    client: CLIENT,
    token: await token(),
    path: `/fhir/Observation/${known.north.observations.unshared[0]}`,
  });
  const { host, port } = new URL(stack.tenants.north.origin);
  return {
    stack,
    known,
    direct: `http://127.0.0.1:${ports.north}`,
    async site() {
      return {
        kind: 'gateway',
        authority: stack.authority,
        host,
        port: Number(port),
        token: await token(),
      };
    },
    async stop() {
      forget();
      await stack.stop();
    },
  };
}
