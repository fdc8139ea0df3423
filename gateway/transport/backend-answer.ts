import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../contracts/clock.ts';
import { type BackendOutcome, outcomeOfError } from '../../tenant-router/index.ts';
import { countStreamed } from './scavenge.ts';

/** Bytes of a body that are held while its head is being decided, unless told; beyond, the back end is made to wait. */
const HOLD_BYTES = 64 * 1024;
/** Bytes of a refused body that are read and thrown away to keep the connection; beyond, it is closed. */
const DISCARD_BYTES = 256 * 1024;
/** Milliseconds for the same: a refused event stream would take for ever to reach the bound in bytes. */
const DISCARD_MS = 2000;

/** Whether a part of a body may go on. A promise never rejects. */
export type Gate = (part: Buffer) => boolean | Promise<boolean>;

/** `given-up`: ended on this side, so that nothing was learned about the back end. */
export type BackendFailure = Exclude<BackendOutcome, 'ok'> | 'given-up';
export type HeadResult = 'head' | BackendFailure;

/** How a streamed body ended. */
export type StreamEnd = {
  readonly by: 'complete' | 'client' | 'backend' | 'gateway';
  readonly bytes: number;
};

export interface StreamOptions {
  /** Milliseconds that the client may take to read what was sent before it is taken for gone. */
  readonly stallMs: number;
  readonly done: (end: StreamEnd) => void;
  /** Asked before a whole body gets its end; where it says no, the client must not see one. Never rejects. */
  readonly mayEnd?: (() => Promise<boolean>) | undefined;
}

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
  readonly #holdBytes: number;
  readonly #settleHead: (result: HeadResult) => void;
  readonly #settled: Promise<void>;
  readonly #settle: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #tap: ((chunk: Buffer) => void) | undefined;
  #gate: Gate | undefined;
  /** A part that is being looked at; what follows it waits. */
  #asking: Promise<void> | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #ended = false;
  #failed = false;
  #expired = false;
  #discarding = false;
  #timer: NodeJS.Timeout | undefined;
  #sink: Writable | undefined;
  #sent = 0;
  #options: StreamOptions | undefined;

  constructor(origin: string, clock: Clock, holdBytes = HOLD_BYTES) {
    this.origin = origin;
    this.#clock = clock;
    this.#holdBytes = holdBytes;
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

  /** Resolves when the body has ended, failed, or filled what is held of it; or after `limitMs`. */
  async settled(limitMs: number): Promise<void> {
    if (this.#ended || this.#failed) return;
    const timer = setTimeout(this.#settle, limitMs);
    await this.#settled;
    clearTimeout(timer);
  }

  /** The whole body, when all of it is here already. */
  get whole(): readonly Buffer[] | undefined {
    return this.#ended && !this.#failed ? this.#held : undefined;
  }

  /** What is here of a body of which nothing was passed on yet. */
  get heldSoFar(): readonly Buffer[] {
    return this.#held;
  }

  /** Asks about each part that comes from now on, before it goes anywhere: where the answer is no, the transfer ends. */
  gate(gate: Gate): void {
    this.#gate = gate;
  }

  /** Shows each part of a body that is passed on, those that are here already at once. Called once. */
  watch(tap: (chunk: Buffer) => void): void {
    for (const chunk of this.#held) tap(chunk);
    this.#tap = tap;
  }

  /** The transfer broke off: what is here is not the answer. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether the request left the pool's queue; before that, the back end has seen nothing of it. */
  get started(): boolean {
    return this.#controller !== undefined;
  }

  /** The answer did not begin in time. A request that still waits for a connection is then never sent. */
  expire(): void {
    if (this.headAt > 0 || this.#failed) return;
    this.#expired = true;
    this.#settleHead('timeout');
    this.#controller?.abort(new Error('timeout'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#expired) controller.abort(new Error('timeout'));
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
    if (this.#gate === undefined) this.#take(controller, chunk);
    else this.#ask(this.#gate, controller, chunk);
  }

  #ask(gate: Gate, controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const answer = this.#asking === undefined ? gate(chunk) : this.#asking.then(() => gate(chunk));
    if (typeof answer === 'boolean') {
      if (answer) this.#take(controller, chunk);
      else this.#refuse(controller);
      return;
    }
    controller.pause();
    const asking = answer.then((may) => {
      if (this.#asking === asking) this.#asking = undefined;
      if (this.#failed) return;
      if (this.#discarding) {
        controller.resume();
        return;
      }
      if (!may) {
        this.#refuse(controller);
        return;
      }
      const full = this.#take(controller, chunk);
      if (!full && this.#asking === undefined) controller.resume();
    });
    this.#asking = asking;
  }

  /** What follows may not be seen by anybody: the client gets no clean end. */
  #refuse(controller: Dispatcher.DispatchController): void {
    this.#failed = true;
    this.#settle();
    if (this.#sink === undefined) controller.abort(new Error('given up'));
    else this.#giveUp('gateway');
  }

  /** @returns whether no more is wanted for the moment */
  #take(controller: Dispatcher.DispatchController, chunk: Buffer): boolean {
    this.#tap?.(chunk);
    if (this.#sink !== undefined) {
      this.#sent += chunk.length;
      countStreamed(chunk.length);
      if (this.#sink.write(chunk)) return false;
      this.#wait(controller);
      return true;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes <= this.#holdBytes) return false;
    controller.pause();
    this.#settle();
    return true;
  }

  onResponseEnd(): void {
    if (this.#asking !== undefined) {
      // What is still being looked at comes first.
      void this.#asking.then(() => this.onResponseEnd());
      return;
    }
    if (this.#failed) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#settle();
    if (this.#sink !== undefined) this.#complete();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failed = true;
    clearTimeout(this.#timer);
    this.#settleHead(outcomeOfError(error) ?? 'given-up');
    this.#settle();
    if (this.#sink !== undefined) this.#finish('backend');
  }

  /** Ends the transfer: the answer is not going to be used. */
  discard(): void {
    this.#held = [];
    if (this.#ended || this.#failed || this.#discarding || this.#sink !== undefined) return;
    this.#discarding = true;
    const controller = this.#controller;
    if (this.#heldBytes > DISCARD_BYTES) {
      controller?.abort(new Error('discarded'));
      return;
    }
    this.#timer = setTimeout(() => controller?.abort(new Error('discarded')), DISCARD_MS);
    this.#timer.unref();
    if (controller?.paused === true) controller.resume();
  }

  /** Aborts a streaming transfer on the gateway's own behalf, such as when the audit is no longer intact. */
  cut(): void {
    if (this.#sink === undefined) this.discard();
    else this.#giveUp('gateway');
  }

  /** Streams what is held and what is still to come into `sink`, with back-pressure. Called once. */
  stream(sink: Writable, options: StreamOptions): void {
    this.#sink = sink;
    this.#options = options;
    const held = this.#held;
    this.#held = [];
    let ready = true;
    for (const chunk of held) {
      this.#sent += chunk.length;
      ready = sink.write(chunk);
    }
    if (this.#failed || this.#ended) {
      if (this.#failed) this.#finish('backend');
      else this.#complete();
      return;
    }
    sink.on('drain', () => {
      clearTimeout(this.#timer);
      if (this.#controller?.paused === true) this.#controller.resume();
    });
    sink.on('close', () => this.#giveUp('client'));
    if (!ready) this.#wait(this.#controller);
    else if (this.#controller?.paused === true) this.#controller.resume();
  }

  /** Until the client has read. One that never does would hold the back end's connection for ever. */
  #wait(controller: Dispatcher.DispatchController | undefined): void {
    controller?.pause();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp('client'), this.#options?.stallMs ?? 0);
    this.#timer.unref();
  }

  #complete(): void {
    const mayEnd = this.#options?.mayEnd;
    if (mayEnd === undefined) this.#finish('complete');
    else void mayEnd().then((may) => this.#finish(may ? 'complete' : 'gateway'));
  }

  #giveUp(by: 'client' | 'gateway'): void {
    if (this.#options === undefined) return;
    this.#finish(by);
    this.#controller?.abort(new Error('given up'));
  }

  #finish(by: StreamEnd['by']): void {
    const options = this.#options;
    if (options === undefined) return;
    this.#options = undefined;
    clearTimeout(this.#timer);
    if (by === 'complete') this.#sink?.end();
    options.done({ by, bytes: this.#sent });
  }
}
