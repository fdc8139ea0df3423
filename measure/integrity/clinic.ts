import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../contracts/clock.ts';
import type { DatabaseId } from '../../contracts/identifiers.ts';
import { parseDatabaseId } from '../../contracts/identifiers.ts';
import type { IntegrityOracle, Verdict } from '../../contracts/integrity.ts';
import type { Secret } from '../../contracts/settings.ts';
import { type Stack, type StackOptions, type StackTenant, startStack } from '../../examples/demo/stack.ts';
import { createOracle } from '../../gateway/integrity/oracle.ts';
import { onStop } from '../processes.ts';
import { type Answer, Client } from './client.ts';

export const ENGINES = ['mariadb', 'mysql'] as const;
export type Engine = (typeof ENGINES)[number];
export const ENGINE_TITLES: Readonly<Record<Engine, string>> = { mariadb: 'MariaDB', mysql: 'MySQL' };

/** Two objects: one object twice would become an anchor in the YAML, which the gateway refuses. */
export const plenty = () => ({ requests: 100_000_000, window: '60s' });

/** A running stack with the means to look at it from every side. */
export interface Clinic {
  readonly stack: Stack;
  readonly tenant: StackTenant;
  readonly database: DatabaseId;
  /** Strict verdicts straight from the checker, with their findings: the gateway's own client of it. */
  readonly oracle: IntegrityOracle;
  readonly client: Client;
  /** What the database server was started with beside its usual options. */
  readonly serverOptions: readonly string[];
  strict(): Promise<Verdict>;
  /** A write through the gateway into the EMR, whose row carries `marker`. */
  write(marker: string, dueAt?: number): Promise<Answer>;
  stop(): Promise<void>;
}

/** The whole of Chartgate around the demo's legacy EMR, as people start it. */
export async function startClinic(
  directory: string,
  options: Omit<StackOptions, 'directory'> & { readonly connections?: number } = {},
): Promise<Clinic> {
  const { connections = 64, ...rest } = options;
  const stack = await startStack({
    directory,
    workers: 1,
    limits: { perPeer: plenty(), perPrincipal: plenty() },
    ...rest,
  });
  const forget = onStop(() => stack.stop());
  const tenant = stack.tenants.north;
  const database = parseDatabaseId('north');
  if (database === undefined) throw new Error('north is no name of a database');
  const oracle = createOracle({
    socket: stack.layout.socket,
    secret: secretOf(join(stack.layout.checker, 'attestation.secret')),
    timeoutMs: 3_000,
    databases: [database],
    clock: systemClock,
  });
  try {
    await untilIntact(oracle, database);
  } catch (error) {
    await oracle.close();
    throw error;
  }
  const token = await stack.token({ tenant: 'north', scopes: ['system/Observation.cruds'] });
  const client = new Client({ origin: tenant.origin, authority: stack.authority, token, connections });
  return {
    stack,
    tenant,
    database,
    oracle,
    client,
    serverOptions: rest.engine === 'mysql' ? ['--performance-schema=ON'] : [],
    strict: async () => oracle.attest(database, { mode: 'strict' }, systemClock.monotonic()),
    write: (marker, dueAt) => client.send('POST', '/fhir/Observation', observation(marker), marker, dueAt),
    stop: async () => {
      await client.close();
      await oracle.close();
      forget();
      await stack.stop();
    },
  };
}

/** A large schema on a busy machine takes its time. */
const FIRST_VERDICT_MS = 30_000;

/** Nothing can be proven where nothing is served to begin with. */
async function untilIntact(oracle: IntegrityOracle, database: DatabaseId): Promise<void> {
  const since = performance.now();
  for (;;) {
    const verdict = await oracle.attest(database, { mode: 'strict' }, systemClock.monotonic());
    if (verdict.state === 'intact') return;
    if (performance.now() - since > FIRST_VERDICT_MS)
      throw new Error(`a fresh stack is ${verdict.state}: ${verdict.findings.join(' ')}`);
    await sleep(50);
  }
}

/** A heart rate of a made-up patient; the display text says which request made it. */
function observation(marker: string): unknown {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: marker }] },
    subject: { reference: 'Patient/3' },
    valueQuantity: { value: 72, unit: '/min' },
  };
}

/** A secret's file as the settings carry it. */
export function secretOf(file: string): Secret {
  const bytes = Buffer.from(readFileSync(file, 'utf8').trim());
  return { reveal: () => bytes, toString: () => '[secret]', toJSON: () => '[secret]' };
}
