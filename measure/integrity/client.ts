import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';

/** One request as its client saw it. Times are `performance.now()`. */
export interface Answer {
  readonly path: string;
  /** By which its sender knows it. */
  readonly marker: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** 0: no answer, or not the whole of one. */
  readonly status: number;
  /** The gateway's id of it; empty without an answer. */
  readonly requestId: string;
  /** Path of what a write made. */
  readonly location: string;
}

export const served = (answer: Answer): boolean => answer.status >= 200 && answer.status < 300;

export interface ClientOptions {
  /** `https://north.localhost:PORT`; connections always go to 127.0.0.1. */
  readonly origin: string;
  /** PEM. */
  readonly authority: string;
  readonly token: string;
  readonly connections: number;
}

/** Longer than anything that the gateway may take. */
const PATIENCE_MS = 10_000;

/** A client of one tenant, with connections that stay open. */
export class Client {
  readonly #pool: Pool;
  readonly #host: string;
  readonly #token: string;

  constructor(options: ClientOptions) {
    const url = new URL(options.origin);
    this.#host = url.host;
    this.#token = options.token;
    this.#pool = new Pool(`https://127.0.0.1:${url.port}`, {
      connections: options.connections,
      pipelining: 1,
      headersTimeout: PATIENCE_MS,
      bodyTimeout: PATIENCE_MS,
      connect: { ca: options.authority, servername: url.hostname, timeout: PATIENCE_MS },
    });
  }

  /**
   * Never rejects: no answer is an answer too.
   * @param marker by which the caller knows it again
   * @param dueAt when it should have been sent; counts as its start
   */
  async send(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    marker = '',
    dueAt = performance.now(),
  ): Promise<Answer> {
    const failed = (): Answer => ({
      path,
      marker,
      startedAt: dueAt,
      endedAt: performance.now(),
      status: 0,
      requestId: '',
      location: '',
    });
    try {
      const reply = await this.#pool.request({
        method,
        path,
        headers: {
          host: this.#host,
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      await reply.body.dump({ limit: 1 << 20 });
      return {
        path,
        marker,
        startedAt: dueAt,
        endedAt: performance.now(),
        status: reply.statusCode,
        requestId: String(reply.headers['x-request-id'] ?? ''),
        location: String(reply.headers.location ?? ''),
      };
    } catch {
      return failed();
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/**
 * Calls `launch` at a fixed rate, whatever becomes of the calls: a system that stalls does not slow the load down,
 * and what waited to be sent counts as waiting.
 */
export class Pace {
  #stopped = false;
  #running: Promise<void>;
  #count = 0;

  /** @param launch gets the call's number and the instant at which it was due; must not throw */
  constructor(perSecond: number, launch: (number: number, dueAt: number) => void) {
    this.#running = this.#run(performance.now(), 1_000 / perSecond, launch);
  }

  /** Calls made so far. */
  get count(): number {
    return this.#count;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(since: number, everyMs: number, launch: (number: number, dueAt: number) => void): Promise<void> {
    while (!this.#stopped) {
      const due = Math.floor((performance.now() - since) / everyMs);
      for (; this.#count <= due && !this.#stopped; this.#count += 1) {
        launch(this.#count, since + this.#count * everyMs);
      }
      await sleep(1);
    }
  }
}

/** Waits until `condition` holds. @returns milliseconds, or undefined when it did not within `boundMs` */
export async function waitFor(condition: () => boolean, boundMs: number): Promise<number | undefined> {
  const since = performance.now();
  while (!condition()) {
    if (performance.now() - since > boundMs) return undefined;
    await sleep(2);
  }
  return performance.now() - since;
}
