import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import { type Duplex, Readable, type Writable } from 'node:stream';
import { ChartgateError } from '../../contracts/errors.ts';
import type { Answer } from '../answer/answer.ts';
import { confirmWrite } from '../integrity/confirm-write.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { BackendAnswer, type StreamEnd } from './backend-answer.ts';
import { RequestBody } from './request-body.ts';
import { PendingTunnel } from './upgrade.ts';

/** Milliseconds for which a connection that is being closed is still read. */
const LINGER_MS = 1000;

/** Milliseconds in each of which a body has to bring something, where the settings do not say. */
const BODY_PACE_MS = 20_000;

/** Media types of answers that go on until somebody leaves. */
const ENDLESS = /^(?:text\/event-stream|multipart\/x-mixed-replace)\b/i;

/** The client's side of an exchange: where its body comes from and where its answer goes. */
export class Client {
  readonly request: IncomingMessage | Http2ServerRequest;
  readonly response: ServerResponse | Http2ServerResponse;
  /** The bare connection and what was already read of it, for an upgrade. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;
  /** The client waits for `100 Continue` before it sends its body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  #body: RequestBody | undefined;
  #replacement: Buffer | undefined;

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

  /** The connection or stream ended before the answer did. */
  get gone(): boolean {
    const { request } = this;
    // Node's HTTP/2 response has neither `destroyed` nor `closed`: its stream tells.
    if ('stream' in request) return request.stream.destroyed || request.stream.closed;
    return request.socket.destroyed;
  }

  /**
   * The body, as large as the route allows and no longer. Only now is a waiting client told to send.
   * @param maxBytes for what has no route, or may have less than it
   */
  body(x: Exchange, maxBytes?: number): RequestBody {
    if (this.#body === undefined) {
      if (this.expectsContinue && !this.gone) this.response.writeContinue();
      const { arrivedAt } = x.arrival;
      const source = this.#replacement === undefined ? this.request : Readable.from(this.#replacement);
      this.#body = new RequestBody(source, {
        maxBytes: maxBytes ?? x.route.maxBodyBytes,
        leftMs: arrivedAt + x.runtime.settings.timeouts.requestMs - x.services.clock.monotonic(),
        paceMs: x.runtime.settings.timeouts.bodyMs ?? BODY_PACE_MS,
        late: () => this.destroy(),
      });
    }
    return this.#body;
  }

  /** Another body in place of the one that came, which has been read to its end. */
  replaceBody(bytes: Buffer): void {
    if (this.#body?.state !== 'complete') throw new ChartgateError('internal', 'the body was not read');
    this.#replacement = bytes;
    this.#body = undefined;
  }

  /** Whether nothing more of the request is to come. */
  bodyArrived(x: Exchange): boolean {
    if (this.#body !== undefined) return this.#body.state !== 'arriving';
    return this.#replacement !== undefined || x.facts.body.kind === 'none';
  }

  send(answer: Answer, x: Exchange): void {
    if (answer.body instanceof PendingTunnel) {
      answer.body.open();
      return;
    }
    if (this.gone) {
      if (answer.body instanceof BackendAnswer) {
        answer.body.discard();
        this.#interrupted({ by: 'client', bytes: 0 }, x);
      }
      this.destroy();
      return;
    }
    const headless = x.knownFacts?.method === 'HEAD' || answer.body === undefined;
    const whole = answer.body instanceof BackendAnswer ? answer.body.whole : undefined;
    const first = whole !== undefined && whole.length === 1 ? whole[0] : undefined;
    this.#writeHead(answer);
    this.#leaveNothing(answer.closeConnection, x);
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
  }

  /** Ends the exchange as it is. What is cut short must look cut short: never a clean end of a body. */
  destroy(): void {
    const { request } = this;
    if ('stream' in request) {
      // Destroying Node's HTTP/2 request would leave its stream open; `stream.close` with an error code ends
      // an idle stream cleanly all the same. Destroyed with an error, it is reset.
      if (!request.stream.destroyed) request.stream.destroy(new Error('cut short'));
      return;
    }
    request.socket.destroy();
    this.upgrade?.socket.destroy();
  }

  #stream(body: BackendAnswer, x: Exchange): void {
    const endless = ENDLESS.test(String(body.headers['content-type'] ?? ''));
    const watch = x.services.tunnels.watch(x, endless, () => {
      body.cut();
      this.destroy();
    });
    let confirmed = !x.confirmAtEnd;
    const confirm = async (): Promise<boolean> => {
      confirmed = true;
      return (await confirmWrite(x)) === 'confirmed';
    };
    // Node's HTTP/2 response behaves as a Writable here: `write`, `end`, `drain` and `close`.
    body.stream(this.response as Writable, {
      stallMs: x.runtime.settings.timeouts.idleMs,
      mayEnd: confirmed ? undefined : confirm,
      done: (end) => {
        watch.done();
        this.#ended(end, x);
        // However it ended, the EMR may have written up to now.
        if (!confirmed) void confirm();
      },
    });
  }

  #ended(end: StreamEnd, x: Exchange): void {
    if (end.by === 'complete') return;
    this.destroy();
    this.#interrupted({ by: end.by, bytes: end.bytes }, x);
  }

  #interrupted(how: { by: 'client' | 'backend' | 'gateway'; bytes: number }, x: Exchange): void {
    x.services.activity.append({ kind: 'interrupted', request: x.arrival.id, ...how }).catch(() => {
      // The sink is unhealthy and says so itself; there is nobody left to answer here.
    });
  }

  #writeHead(answer: Answer): void {
    const { response } = this;
    if ('stream' in response) {
      // As a list, and not through the compatibility layer: the same order as over HTTP/1.1, no name that an
      // object has already, and no waiting for trailers, which would keep a half-read stream open.
      response.stream.respond([':status', String(answer.status), ...answer.headers], {
        endStream: answer.body === undefined,
      });
      return;
    }
    const headers = answer.closeConnection
      ? [...answer.headers, 'connection', 'close']
      : (answer.headers as string[]);
    response.writeHead(answer.status, headers);
  }

  /** Once the answer is out: what the client still sends of its request is not left standing in the way. */
  #leaveNothing(close: boolean, x: Exchange): void {
    const { request, response } = this;
    if (close) x.arrival.doom();
    const partly = this.#body !== undefined && this.#body.state !== 'complete';
    if (!close && !partly) return;
    if ('stream' in request) {
      // RFC 9113 §8.1: the answer is complete, and the rest of the request is not wanted.
      const { stream } = request;
      stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
      return;
    }
    const { socket } = request;
    // Node closes by itself after `Connection: close`. With bytes unread that is a reset, which may overtake
    // the answer (RFC 9112 §9.6): they are read for a moment and thrown away.
    if (close && !request.complete && this.upgrade === undefined)
      socket.destroySoon = () => linger(request, socket);
    response.once('finish', () => {
      if (close) socket.destroySoon();
      else void this.#body?.drop();
    });
  }
}

function linger(request: IncomingMessage, socket: Socket): void {
  socket.end();
  request.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  request.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
}
