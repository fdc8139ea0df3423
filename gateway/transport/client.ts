import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex, Readable } from 'node:stream';
import type { Answer } from '../answer/answer.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { BackendAnswer, type StreamEnd } from './backend-answer.ts';
import { limitedBody } from './limited-body.ts';
import { PendingTunnel } from './upgrade.ts';

/** The client's side of an exchange: where its body comes from and where its answer goes. */
export class Client {
  readonly request: IncomingMessage | Http2ServerRequest;
  readonly response: ServerResponse | Http2ServerResponse;
  /** The bare connection and what was already read of it, for an upgrade. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;
  /** The client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  #overflowed = false;

  constructor(
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
    options: { expectsContinue?: boolean; upgrade?: { socket: Duplex; head: Buffer } } = {},
  ) {
    this.request = request;
    this.response = response;
    this.upgrade = options.upgrade;
    this.expectsContinue = options.expectsContinue === true;
  }

  get bodyOverflowed(): boolean {
    return this.#overflowed;
  }

  /** The connection or stream ended before the answer did. */
  get gone(): boolean {
    return this.response.destroyed || this.response.closed;
  }

  /** The body as a stream of at most `maxBytes`; reading more fails it. Only now is a waiting client told to send. */
  body(maxBytes: number): Readable {
    if (this.expectsContinue) this.response.writeContinue();
    return limitedBody(this.request, maxBytes, () => {
      this.#overflowed = true;
    });
  }

  send(answer: Answer, x: Exchange): void {
    if (answer.body instanceof PendingTunnel) {
      answer.body.open();
      return;
    }
    if (this.gone) {
      if (answer.body instanceof BackendAnswer) answer.body.discard();
      this.destroy();
      return;
    }
    const headless = x.knownFacts?.method === 'HEAD' || answer.body === undefined;
    const whole = answer.body instanceof BackendAnswer ? answer.body.whole : undefined;
    const first = whole !== undefined && whole.length === 1 ? whole[0] : undefined;
    this.#writeHead(answer);
    if (headless) {
      if (answer.body instanceof BackendAnswer) answer.body.discard();
      this.response.end();
    } else if (answer.body instanceof BackendAnswer) {
      // The common small answer is one chunk that is already here: head and body leave in one write.
      if (first !== undefined) this.response.end(first);
      else this.#stream(answer.body, x);
    } else {
      this.response.end(answer.body);
    }
    if (answer.closeConnection) {
      x.arrival.doom();
      this.#closeAfterwards();
    }
  }

  destroy(): void {
    this.request.destroy();
    this.upgrade?.socket.destroy();
  }

  #stream(body: BackendAnswer, x: Exchange): void {
    const watch = x.services.tunnels.watch(x, () => {
      body.cut();
      this.destroy();
    });
    body.stream(this.response, (end) => {
      watch.done();
      this.#ended(end, x);
    });
  }

  #ended(end: StreamEnd, x: Exchange): void {
    if (end.by === 'complete') return;
    // What is cut short must look cut short: never a clean end of a chunked body.
    this.request.destroy();
    x.services.activity
      .append({ kind: 'interrupted', request: x.arrival.id, by: end.by, bytes: end.bytes })
      .catch(() => {
        // The sink is unhealthy and says so itself; there is nobody left to answer here.
      });
  }

  #writeHead(answer: Answer): void {
    const { response } = this;
    if ('stream' in response) {
      const headers: Record<string, string | string[]> = {};
      for (let at = 0; at < answer.headers.length; at += 2) {
        const name = answer.headers[at] as string;
        const value = answer.headers[at + 1] as string;
        const before = headers[name];
        headers[name] =
          before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
      }
      response.writeHead(answer.status, headers);
      return;
    }
    const headers = answer.closeConnection
      ? [...answer.headers, 'connection', 'close']
      : (answer.headers as string[]);
    response.writeHead(answer.status, headers);
  }

  #closeAfterwards(): void {
    const { request, response } = this;
    if ('stream' in request) return;
    const { socket } = request;
    response.once('finish', () => socket.destroySoon());
  }
}
