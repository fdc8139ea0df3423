import { Agent, request } from 'node:https';

/** One request as its client saw it. */
export interface Seen {
  /** Milliseconds (`performance.now()`). */
  readonly at: number;
  readonly ms: number;
  /** 0: no answer, or not the whole of one. */
  readonly status: number;
  readonly write: boolean;
}

export interface LoadOptions {
  /** `https://north.localhost:PORT`. */
  readonly origin: string;
  readonly authority: string;
  readonly token: string;
  /** Requests a second, sent when they are due whatever became of those before. */
  readonly rate: number;
  /** Of these, one in so many creates a record; 0: none. */
  readonly writeEvery: number;
}

/** Clients of one tenant, at a steady rate. */
export class Clients {
  readonly seen: Seen[] = [];
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #url: URL;
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#url = new URL(options.origin);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 64,
      ca: options.authority,
      servername: this.#url.hostname,
    });
  }

  start(): void {
    const begun = performance.now();
    const first = this.#count;
    this.#timer = setInterval(() => {
      const due = first + ((performance.now() - begun) / 1000) * this.#options.rate;
      while (this.#count < due) this.#send();
    }, 2);
  }

  /** Resolves when everything that was sent has been answered, or given up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #send(): void {
    this.#count += 1;
    const { writeEvery } = this.#options;
    const write = writeEvery > 0 && this.#count % writeEvery === 0;
    const asked = this.#ask(write).then((status) => {
      this.seen.push({ at, ms: performance.now() - at, status, write });
      this.#underWay.delete(asked);
    });
    const at = performance.now();
    this.#underWay.add(asked);
  }

  #ask(write: boolean): Promise<number> {
    const body = '{"resourceType":"Patient"}';
    return new Promise((resolve) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.#url.port,
          agent: this.#agent,
          method: write ? 'POST' : 'GET',
          path: write ? '/fhir/Patient' : `/fhir/Patient/${1 + (this.#count % 50)}`,
          headers: {
            host: this.#url.host,
            authorization: `Bearer ${this.#options.token}`,
            ...(write
              ? { 'content-type': 'application/fhir+json', 'content-length': String(body.length) }
              : {}),
          },
        },
        (incoming) => {
          incoming.resume();
          incoming.once('end', () => resolve(incoming.complete ? (incoming.statusCode ?? 0) : 0));
          incoming.once('error', () => resolve(0));
          incoming.once('close', () => resolve(0));
        },
      );
      outgoing.once('error', () => resolve(0));
      outgoing.end(write ? body : undefined);
    });
  }
}
