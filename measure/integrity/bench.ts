import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installer } from '../../examples/demo/emr-side.ts';
import type { TenantName } from '../../examples/demo/stack.ts';
import { onStop } from '../processes.ts';
import { type Answer, Client } from './client.ts';
import { type Clinic, type Engine, startClinic } from './clinic.ts';

/** OpenEMR's schema belongs to another project and lies beside this one, where it is there at all. */
const OPENEMR = join(import.meta.dirname, '../../../shared/data/emr-schemas/openemr-5.sql');
export const openemrIsHere = (): boolean => existsSync(OPENEMR);

const POLICY = `routes:
  - id: strict
    methods: [GET]
    path: /strict/{id}
    scopes: [emr/metadata]
    integrity: { mode: strict }
  - id: off
    methods: [GET]
    path: /off/{id}
    scopes: [emr/metadata]
    integrity: { mode: bounded, maxAge: 60s }
  - id: bounded
    methods: [GET]
    path: /bounded/{id}
    scopes: [emr/metadata]
    integrity: { mode: bounded, maxAge: 1s }
  - id: write
    methods: [POST]
    path: /write/{id}
    scopes: [emr/metadata]
    integrity: { mode: strict }
    mediaTypes: [application/fhir+json]
`;

/** The kinds of request of the bench. `off` is the nearest to no protection that a route can be: a verdict may be a minute old. */
export type Kind = 'strict' | 'off' | 'bounded' | 'write';

/** The EMR of the bench: answers at once, and knows when what reached it. */
export class Recorder {
  readonly origin: string;
  /** Paths, and when each came. */
  readonly seen = new Map<string, number>();
  recording = false;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${port}`;
  }

  static async start(): Promise<Recorder> {
    const body = Buffer.from(JSON.stringify({ resourceType: 'Patient', id: '1', text: 'x'.repeat(1_300) }));
    let recorder: Recorder | undefined;
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      if (recorder?.recording === true) recorder.seen.set(request.url ?? '', performance.now());
      request.resume();
      response.writeHead(200, { 'content-type': 'application/fhir+json', 'content-length': body.length });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the recorder has no port');
    recorder = new Recorder(server, address.port);
    return recorder;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A clinic whose EMR is the recorder, with routes of every kind, and OpenEMR's schema or the demo's. */
export interface Bench extends Clinic {
  readonly recorder: Recorder;
  /** An access token for the routes of the bench. */
  token(): Promise<string>;
  ask(kind: Kind, id: string, dueAt?: number): Promise<Answer>;
}

export async function startBench(
  directory: string,
  options: {
    readonly engine?: Engine;
    /** The tenants with OpenEMR's schema, where that is here; the others have the demo's. */
    readonly openemr: readonly TenantName[];
    /** Instead of the recorder. */
    readonly emr?: string;
  },
): Promise<Bench> {
  const recorder = await Recorder.start();
  const forget = onStop(() => recorder.stop());
  const clinic = await startClinic(directory, {
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    backends: { north: options.emr ?? recorder.origin, south: options.emr ?? recorder.origin },
    ...(openemrIsHere()
      ? { install: Object.fromEntries(options.openemr.map((tenant) => [tenant, openemr])) }
      : {}),
  });
  await servePolicy(clinic);
  const token = (): Promise<string> =>
    clinic.stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/metadata'] });
  const client = new Client({
    origin: clinic.tenant.origin,
    authority: clinic.stack.authority,
    token: await token(),
    connections: 64,
  });
  return {
    ...clinic,
    recorder,
    token,
    ask: (kind, id, dueAt) =>
      kind === 'write'
        ? client.send('POST', `/write/${id}`, { id }, id, dueAt)
        : client.send('GET', `/${kind}/${id}`, undefined, id, dueAt),
    stop: async () => {
      await client.close();
      await clinic.stop();
      forget();
      await recorder.stop();
    },
  };
}

const openemr: Installer = async (connection, schema) => {
  const [[row]] = (await connection.query('SELECT VERSION() version')) as unknown as [[{ version: string }]];
  // As its installer asks of a server.
  const strict = /mariadb/i.test(row?.version ?? '') ? 'GLOBAL innodb_strict_mode = OFF, ' : '';
  await connection.query(`SET SESSION sql_mode = '', ${strict}SESSION innodb_strict_mode = OFF`);
  await connection.query(`CREATE DATABASE \`${schema}\` CHARACTER SET utf8mb4; USE \`${schema}\``);
  // The client that it was written for drops lines of dashes.
  await connection.query((await readFile(OPENEMR, 'utf8')).replace(/^--.*$/gm, ''));
};

/** Gives the running gateway the bench's routes, as an operator would: a file and a signal. */
async function servePolicy({ stack }: Clinic): Promise<void> {
  writeFileSync(join(stack.layout.gateway, 'policy.yaml'), POLICY);
  stack.gateway.signal('SIGHUP');
  const log = join(stack.layout.logs, 'gateway.log');
  for (let waited = 0; waited < 20_000; waited += 50) {
    const text = readFileSync(log, 'utf8');
    if (text.includes('"reloaded"')) return;
    if (text.includes('"reload-refused"')) break;
    await sleep(50);
  }
  throw new Error('the gateway did not take the policy of the bench');
}
