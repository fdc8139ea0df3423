import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack, TenantName } from '../../../examples/demo/stack.ts';
import { exchange } from '../../../examples/support/exchange.ts';

/** Milliseconds after which a client gives a request up. */
const PATIENCE_MS = 10_000;

/** One request as its client saw it. Times are `performance.now()`. */
export interface Sample {
  readonly client: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** 0: no answer, or not the whole of one. */
  readonly status: number;
  readonly requestId: string;
  readonly error: string;
}

export interface LoadOptions {
  readonly tenant?: TenantName;
  readonly token: string;
  /** Each has one connection, kept alive for as long as the gateway keeps it. */
  readonly clients: number;
  /** Milliseconds between an answer and the client's next request. */
  readonly pauseMs: number;
}

/** Clients that read all the time and try nothing twice: what fails is seen. */
export class FleetLoad {
  readonly samples: Sample[] = [];
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(stack: Stack, options: LoadOptions) {
    this.#running = Array.from({ length: options.clients }, (_, client) => this.#run(stack, options, client));
  }

  /** Lets requests under way end. */
  async stop(): Promise<readonly Sample[]> {
    this.#stopped = true;
    await Promise.all(this.#running);
    return this.samples;
  }

  async #run(stack: Stack, { tenant = 'north', token, pauseMs }: LoadOptions, client: number): Promise<void> {
    const asking = asker(stack, tenant, token);
    while (!this.#stopped) {
      this.samples.push({ client, ...(await asking.ask()) });
      await sleep(pauseMs);
    }
    asking.close();
  }
}

/** One client with one connection. */
export function asker(stack: Stack, tenant: TenantName, token: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: stack.authority });
  const url = new URL(stack.tenants[tenant].origin);
  const options = {
    agent,
    host: '127.0.0.1',
    port: url.port,
    servername: url.hostname,
    path: '/fhir/Patient/1',
    headers: { host: url.host, authorization: `Bearer ${token}` },
  };
  return {
    close: () => agent.destroy(),
    /** Never rejects. */
    async ask(): Promise<Omit<Sample, 'client'>> {
      const startedAt = performance.now();
      const { headers: _, ...found } = await exchange(options, undefined, PATIENCE_MS);
      return { startedAt, endedAt: performance.now(), ...found };
    },
  };
}
