import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Stack, type StackTenant, TENANTS, type TenantName } from '../../examples/demo/stack.ts';
import { exchange } from '../../examples/support/exchange.ts';

/** Milliseconds after which a client gives a request up. Longer than anything that the gateway may take. */
const PATIENCE_MS = 8_000;
/** Answers in a row that make a client content again. */
const CONTENT = 3;

/** One request as its client saw it. Times are `performance.now()`. */
export interface Sample {
  readonly client: number;
  readonly tenant: TenantName;
  readonly kind: 'read' | 'write';
  readonly startedAt: number;
  readonly endedAt: number;
  /** 0: no answer, or not the whole of one. */
  readonly status: number;
  /** Empty without an answer. */
  readonly requestId: string;
  /** The id of the record that a write made. */
  readonly made: string;
  /** What went wrong when there was no whole answer. */
  readonly error: string;
}

export const good = (sample: Sample): boolean => sample.status >= 200 && sample.status < 300;

export interface LoadOptions {
  /** Clients of each tenant, one keep-alive connection each. */
  readonly readers: number;
  readonly writers: number;
  readonly tenants?: readonly TenantName[];
  /** Milliseconds between an answer and the client's next request. */
  readonly pauseMs?: number;
}

/**
 * A steady load of reads and writes. Every request is kept, whatever became of it, so that what clients
 * were told can be held against what the logs and the database say.
 */
export class Load {
  readonly samples: Sample[] = [];
  readonly #clients: Promise<void>[] = [];
  readonly #stack: Stack;
  readonly #pauseMs: number;
  #stopped = false;

  private constructor(stack: Stack, pauseMs: number) {
    this.#stack = stack;
    this.#pauseMs = pauseMs;
  }

  static async start(stack: Stack, options: LoadOptions): Promise<Load> {
    const load = new Load(stack, options.pauseMs ?? 25);
    for (const tenant of options.tenants ?? TENANTS) {
      const reader = await stack.token({ tenant, scopes: ['system/Patient.rs'] });
      const writer = await stack.token({ tenant, scopes: ['system/Observation.cruds'] });
      for (let n = 0; n < options.readers; n++) load.#add(stack.tenants[tenant], 'read', reader);
      for (let n = 0; n < options.writers; n++) load.#add(stack.tenants[tenant], 'write', writer);
    }
    return load;
  }

  /** Lets requests under way end. */
  async stop(): Promise<readonly Sample[]> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return this.samples;
  }

  /**
   * Resolves when each client's last answers, to requests sent after `since`, were good ones. Rejects
   * after `boundMs`, saying what was answered instead.
   * @returns milliseconds from `since` until every kind of request of every tenant was served once, and
   * until the last request that was not served ended
   */
  async content(since: number, boundMs: number): Promise<{ first: number; last: number }> {
    const until = performance.now() + boundMs;
    for (;;) {
      const after = this.samples.filter((sample) => sample.startedAt >= since);
      const streaks = new Map<number, number>();
      for (const sample of after) {
        streaks.set(sample.client, good(sample) ? (streaks.get(sample.client) ?? 0) + 1 : 0);
      }
      if (this.#clients.every((_, client) => (streaks.get(client) ?? 0) >= CONTENT)) {
        const firsts = new Map<string, number>();
        for (const sample of after.filter(good)) {
          const key = `${sample.tenant} ${sample.kind}`;
          firsts.set(key, Math.min(firsts.get(key) ?? Number.POSITIVE_INFINITY, sample.endedAt));
        }
        const lasts = after.filter((sample) => !good(sample)).map((sample) => sample.endedAt);
        return {
          first: Math.round(Math.max(...firsts.values()) - since),
          last: Math.round(Math.max(since, ...lasts) - since),
        };
      }
      if (performance.now() > until) {
        const latest = this.#clients.map((_, client) =>
          this.samples.findLast((sample) => sample.client === client),
        );
        throw new Error(`no service after ${boundMs} ms: ${JSON.stringify(latest, undefined, 1)}`);
      }
      await sleep(20);
    }
  }

  #add(tenant: StackTenant, kind: Sample['kind'], token: string): void {
    this.#clients.push(this.#run(this.#clients.length, tenant, kind, token));
  }

  async #run(client: number, tenant: StackTenant, kind: Sample['kind'], token: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: this.#stack.authority });
    const url = new URL(tenant.origin);
    const patients = openCharts(tenant);
    for (let n = 0; !this.#stopped; n++) {
      const patient = patients[(client * 7 + n) % patients.length] ?? 1;
      const body =
        kind === 'read' ? undefined : Buffer.from(JSON.stringify(observationOf(patient, 40 + (n % 100))));
      const startedAt = performance.now();
      const { headers, ...outcome } = await exchange(
        {
          agent,
          host: '127.0.0.1',
          port: url.port,
          servername: url.hostname,
          method: kind === 'read' ? 'GET' : 'POST',
          path: kind === 'read' ? `/fhir/Patient/${patient}` : '/fhir/Observation',
          headers: {
            host: url.host,
            authorization: `Bearer ${token}`,
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/fhir+json', 'content-length': body.length }),
          },
        },
        body,
        PATIENCE_MS,
      );
      this.samples.push({
        client,
        tenant: tenant.id,
        kind,
        startedAt,
        endedAt: performance.now(),
        made: /\/fhir\/Observation\/(\d+)/.exec(headers.location ?? '')?.[1] ?? '',
        ...outcome,
      });
      await sleep(this.#pauseMs);
    }
    agent.destroy();
  }
}

/** A heart rate of a patient. */
export function observationOf(patient: number, value: number): unknown {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
    subject: { reference: `Patient/${patient}` },
    valueQuantity: { value, unit: '/min' },
  };
}

/** Patients whose charts the EMR shows to everybody. */
function openCharts(tenant: StackTenant): readonly number[] {
  return Array.from({ length: Math.min(30, tenant.patients) }, (_, index) => index + 1).filter(
    (id) => !tenant.restricted.includes(id),
  );
}
