import type { IncomingMessage } from 'node:http';

const KEPT = 200;

/** One request as it arrived. Secrets in headers are shown as they are: old status pages do that. */
export interface SeenRequest {
  /** 1 for the first since start. */
  readonly number: number;
  readonly at: string;
  readonly kind: 'request' | 'upgrade';
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  /** Lower-case names, as Node joins repeated ones. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Names and values in turn, in the order and spelling received. */
  readonly rawHeaders: readonly string[];
  /** 0 until answered. */
  status: number;
}

/** What the system received: the last 200 requests and how many since start. */
export class Recorder {
  readonly startedAt = new Date().toISOString();
  #total = 0;
  #requests: SeenRequest[] = [];

  get total(): number {
    return this.#total;
  }

  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  note(request: IncomingMessage, kind: SeenRequest['kind']): SeenRequest {
    this.#total += 1;
    const seen: SeenRequest = {
      number: this.#total,
      at: new Date().toISOString(),
      kind,
      method: request.method ?? '',
      url: request.url ?? '',
      httpVersion: request.httpVersion,
      headers: { ...request.headers },
      rawHeaders: [...request.rawHeaders],
      status: 0,
    };
    this.#requests.push(seen);
    if (this.#requests.length > KEPT) this.#requests.shift();
    return seen;
  }
}
