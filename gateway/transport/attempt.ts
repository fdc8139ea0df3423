import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../contracts/clock.ts';
import {
  type Backend,
  type Movable,
  outcomeOfError,
  type Phase,
  type Tenant,
} from '../../tenant-router/index.ts';
import { BackendAnswer } from './backend-answer.ts';

/** A back end that says so cannot serve at the moment (RFC 9110 §15.6.3 to §15.6.5). */
const UNWELL: ReadonlySet<number> = new Set([502, 503, 504]);
/** Further attempts that are left to those that failed: one that still waits may be answered after all. */
const KEPT = 10;
/** Bytes of a body after which it is believed to go on. */
const BELIEVED_BYTES = 64 * 1024;

/**
 * One request to one back end: counts it there, tells the breaker how the body ended, and goes elsewhere when its back
 * end is left out before it has answered. How the head came, or did not, is told by whoever waits for it.
 */
export class Attempt extends BackendAnswer implements Movable {
  readonly backend: Backend;
  readonly #tenant: Tenant;
  readonly #movable: boolean;
  #phase: Phase = 'none';
  #moved = false;
  #told = false;
  #bytes = 0;
  #sure: (() => void) | undefined;
  #over: (() => void) | undefined;

  /** @param movable it may be sent again: once its back end is out, it is ended as if it had taken too long */
  constructor(tenant: Tenant, backend: Backend, clock: Clock, hold: number | undefined, movable: boolean) {
    super(backend.origin, clock, hold);
    this.backend = backend;
    this.#tenant = tenant;
    this.#movable = movable;
  }

  /** It was ended because its back end was left out; that it is sent again is counted already. */
  get moved(): boolean {
    return this.#moved;
  }

  /** Calls back when nothing of it is under way any more. */
  whenOver(over: () => void): void {
    if (this.#phase === 'over' || this.#phase === 'none') over();
    else this.#over = over;
  }

  dispatch(request: Dispatcher.DispatchOptions): void {
    this.#enter('waiting');
    this.backend.dispatcher.dispatch(request, this);
  }

  move(): void {
    if (this.#phase !== 'waiting' && this.#phase !== 'sent') return;
    if (!this.#tenant.hasOther(this.backend) || !this.#tenant.takeRetry(KEPT)) return;
    this.#moved = true;
    this.expire();
  }

  /** It says that it cannot serve at the moment. */
  get unwell(): boolean {
    return UNWELL.has(this.status);
  }

  /** Whether nothing more is to be learned before its body is passed on: it is whole, or long, or endless. */
  get sound(): boolean {
    return (!this.failed && this.#phase === 'over') || this.#bytes > BELIEVED_BYTES || this.#endless;
  }

  /** Whether the body breaks off within so many milliseconds. Called before anything of it is passed on. */
  async broke(limitMs: number): Promise<boolean> {
    if (this.failed) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sure = resolve;
    const timer = setTimeout(resolve, limitMs);
    await promise;
    clearTimeout(timer);
    this.#sure = undefined;
    return this.failed;
  }

  override onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#enter('sent');
    super.onRequestStart(controller);
  }

  override onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status >= 200) this.#enter('answering');
    super.onResponseStart(controller, status, headers);
    // Its end may never come.
    if (status >= 200 && this.#endless) this.#tell('ok');
  }

  override onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#sure !== undefined && this.#bytes > BELIEVED_BYTES) this.#sure();
    super.onResponseData(controller, chunk);
  }

  override onResponseEnd(): void {
    this.#enter('over');
    super.onResponseEnd();
    this.#tell(this.unwell ? 'unwell' : 'ok');
    this.#sure?.();
  }

  override onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const broken = this.#phase === 'answering' && isTheirs(error) ? outcomeOfError(error) : undefined;
    this.#enter('over');
    super.onResponseError(controller, error);
    if (broken !== undefined) this.#tell(broken);
    this.#sure?.();
  }

  get #endless(): boolean {
    const type = this.headers['content-type'];
    return typeof type === 'string' && type.startsWith('text/event-stream');
  }

  #tell(report: Parameters<Backend['report']>[0]): void {
    if (this.#told) return;
    this.#told = true;
    this.backend.report(report);
  }

  #enter(phase: Phase): void {
    const former = this.#phase;
    if (former === 'over' || former === phase) return;
    this.#phase = phase;
    this.backend.progress(former, phase, this.#movable ? this : undefined);
    if (phase === 'over') this.#over?.();
  }
}

/** Errors of connections have codes; what this side gave as a reason for ending a transfer has none. */
function isTheirs(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string';
}
