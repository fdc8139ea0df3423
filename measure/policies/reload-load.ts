import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ReloadTarget {
  readonly origin: string;
  /** PEM of the authority of the gateway's certificate. */
  readonly authority: string;
  readonly token: string;
  /** Asked for in turn. */
  readonly paths: readonly string[];
  readonly connections: number;
}

/** One request as its client saw it. Times are `performance.now()`. */
export interface Answered {
  readonly path: string;
  /** 0: none, or not the whole of one. */
  readonly status: number;
  readonly sentAt: number;
  readonly endedAt: number;
}

/** Requests of one connection, after which it is closed and another one made: the kernel gives that one to any worker. */
const PER_CONNECTION = 60;
const PAUSE_MS = 3;

/** A steady load over several connections, each with one request under way at a time. Every request is kept. */
export class ReloadLoad {
  readonly #target: ReloadTarget;
  readonly #answers: Answered[] = [];
  #clients: Promise<void>[] = [];
  #stopped = false;

  constructor(target: ReloadTarget) {
    this.#target = target;
  }

  start(): void {
    this.#clients = Array.from({ length: this.#target.connections }, () => this.#client());
  }

  /** Lets requests under way end. */
  async stop(): Promise<readonly Answered[]> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return this.#answers;
  }

  async #client(): Promise<void> {
    while (!this.#stopped) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: this.#target.authority });
      for (let n = 0; n < PER_CONNECTION && !this.#stopped; n += 1) {
        const path = this.#target.paths[n % this.#target.paths.length] ?? '/';
        const sentAt = performance.now();
        const status = await this.#one(path, agent);
        this.#answers.push({ path, status, sentAt, endedAt: performance.now() });
        await sleep(PAUSE_MS);
      }
      agent.destroy();
    }
  }

  #one(path: string, agent: Agent): Promise<number> {
    const { origin, token } = this.#target;
    const { host, hostname, port } = new URL(origin);
    const { promise, resolve } = Promise.withResolvers<number>();
    const outgoing = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        servername: hostname,
        path,
        headers: { host, authorization: `Bearer ${token}` },
      },
      (incoming) => {
        incoming.on('error', () => resolve(0));
        incoming.on('end', () => resolve(incoming.complete ? (incoming.statusCode ?? 0) : 0));
        incoming.resume();
      },
    );
    outgoing.on('error', () => resolve(0));
    outgoing.end();
    return promise;
  }
}
