import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A primary and replicas of it that follow with a delay of their own: what was written is read from a replica only
 * after that. Each value is a number that only grows, so that an old one is known by itself.
 */
export class LaggingEmrs {
  readonly #values = new Map<string, number>();
  /** What the replicas have by now, with the instants at which they get more. */
  readonly #behind = new Map<string, { readonly value: number; readonly at: number }[]>();
  readonly #lagMs: () => number;
  readonly #stops: (() => Promise<void>)[] = [];
  reads = { primary: 0, replica: 0 };
  writesAtReplicas = 0;

  /** @param lagMs of one write */
  constructor(lagMs: () => number) {
    this.#lagMs = lagMs;
  }

  start(role: 'primary' | 'replica'): Promise<string> {
    const server = createServer(async (request, response) => {
      const id = /\/Patient\/(\d+)/.exec(request.url ?? '')?.[1] ?? '';
      if (request.method === 'GET') this.reads[role] += 1;
      else if (role === 'replica') this.writesAtReplicas += 1;
      else
        this.#write(
          id,
          Number((JSON.parse(await text(request)) as { multipleBirthInteger: number }).multipleBirthInteger),
        );
      const value = role === 'primary' ? (this.#values.get(id) ?? 0) : this.#replicated(id);
      response.writeHead(200, { 'content-type': 'application/fhir+json' });
      response.end(JSON.stringify({ resourceType: 'Patient', id, multipleBirthInteger: value }));
    });
    this.#stops.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      ),
    );
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) await stop();
  }

  #write(id: string, value: number): void {
    this.#values.set(id, value);
    const queue = this.#behind.get(id) ?? [];
    queue.push({ value, at: performance.now() + this.#lagMs() });
    this.#behind.set(id, queue);
  }

  #replicated(id: string): number {
    const now = performance.now();
    let value = 0;
    for (const each of this.#behind.get(id) ?? []) if (each.at <= now) value = each.value;
    return value;
  }
}

async function text(request: IncomingMessage): Promise<string> {
  let whole = '';
  for await (const chunk of request) whole += String(chunk);
  return whole;
}
