import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../contracts/clock.ts';

/** Bytes of a body that are held while its head is being decided; beyond, the back end is made to wait. */
const HOLD_BYTES = 64 * 1024;
/** Bytes of a refused body that are read and thrown away to keep the connection; beyond, it is closed. */
const DISCARD_BYTES = 256 * 1024;

export type BackendFailure = 'connect-failed' | 'timeout' | 'protocol';
export type HeadResult = 'head' | BackendFailure;

/** How a streamed body ended. */
export type StreamEnd = {
  readonly by: 'complete' | 'client' | 'backend' | 'gateway';
  readonly bytes: number;
};

/**
 * The back end's answer, as undici's handler: its head is a promise, its body waits (held up to a bound,
 * then with back-pressure) until the gateway decides to stream or to discard it.
 */
export class BackendAnswer implements Dispatcher.DispatchHandler {
  readonly origin: string;
  status = 0;
  headers: IncomingHttpHeaders = {};
  headAt = 0;
  readonly head: Promise<HeadResult>;
  readonly #clock: Clock;
  readonly #settleHead: (result: HeadResult) => void;
  readonly #settled: Promise<void>;
  readonly #settle: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  #failed = false;
  #discarding = false;
  #sink: Writable | undefined;
  #sent = 0;
  #done: ((end: StreamEnd) => void) | undefined;

  constructor(origin: string, clock: Clock) {
    this.origin = origin;
    this.#clock = clock;
    const head = Promise.withResolvers<HeadResult>();
    this.head = head.promise;
    this.#settleHead = head.resolve;
    const settled = Promise.withResolvers<void>();
    this.#settled = settled.promise;
    this.#settle = settled.resolve;
  }

  /** The head of an answer that came by another way than undici, and whose body is not wanted. */
  static headOnly(origin: string, clock: Clock, status: number): BackendAnswer {
    const answer = new BackendAnswer(origin, clock);
    answer.status = status;
    answer.headAt = clock.monotonic();
    answer.#settleHead('head');
    answer.onResponseEnd();
    return answer;
  }

  /** Resolves when the body has ended, failed, or filled what is held of it. */
  settled(): Promise<void> {
    return this.#settled;
  }

  /** The whole body, when all of it is here already. */
  get whole(): readonly Buffer[] | undefined {
    return this.#ended && !this.#failed ? this.#held : undefined;
  }

  get wholeBytes(): number {
    return this.#heldBytes;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // Interim answers (1xx) are between the back end and us.
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.headAt = this.#clock.monotonic();
    this.#settleHead('head');
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#discarding) {
      this.#heldBytes += chunk.length;
      if (this.#heldBytes > DISCARD_BYTES) controller.abort(new Error('discarded'));
      return;
    }
    if (this.#sink !== undefined) {
      this.#sent += chunk.length;
      if (!this.#sink.write(chunk)) controller.pause();
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HOLD_BYTES) {
      controller.pause();
      this.#settle();
    }
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#settle();
    if (this.#sink !== undefined) this.#finish('complete');
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failed = true;
    this.#settleHead(failureOf(error));
    this.#settle();
    if (this.#sink !== undefined) this.#finish('backend');
  }

  /** Ends the transfer: the answer is not going to be used. */
  discard(): void {
    if (this.#ended || this.#failed) {
      this.#held = [];
      return;
    }
    this.#discarding = true;
    this.#held = [];
    if (this.#heldBytes > DISCARD_BYTES) this.#controller?.abort(new Error('discarded'));
    else if (this.#controller?.paused === true) this.#controller.resume();
  }

  /** Aborts a streaming transfer on the gateway's own behalf, such as when the audit is no longer intact. */
  cut(): void {
    if (this.#sink === undefined) {
      this.discard();
      return;
    }
    this.#finish('gateway');
    this.#controller?.abort(new Error('cut'));
  }

  /** Streams what is held and what is still to come into `sink`, with back-pressure. Called once. */
  stream(sink: Writable, done: (end: StreamEnd) => void): void {
    this.#sink = sink;
    this.#done = done;
    const held = this.#held;
    this.#held = [];
    let ready = true;
    for (const chunk of held) {
      this.#sent += chunk.length;
      ready = sink.write(chunk);
    }
    if (this.#failed || this.#ended) {
      this.#finish(this.#failed ? 'backend' : 'complete');
      return;
    }
    sink.on('drain', () => {
      if (this.#controller?.paused === true) this.#controller.resume();
    });
    sink.on('close', () => {
      if (this.#done === undefined) return;
      this.#finish('client');
      this.#controller?.abort(new Error('the client went away'));
    });
    if (ready && this.#controller?.paused === true) this.#controller.resume();
  }

  #finish(by: StreamEnd['by']): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    if (by === 'complete') this.#sink?.end();
    done({ by, bytes: this.#sent });
  }
}

/** undici's error codes, as what an operator needs to know. */
function failureOf(error: Error): BackendFailure {
  const code = (error as { code?: unknown }).code;
  switch (code) {
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'timeout';
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'connect-failed';
    default:
      return 'protocol';
  }
}
