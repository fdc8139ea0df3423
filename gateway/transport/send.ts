import type { BackendRole } from '../../contracts/balancing.ts';
import type { Backend } from '../../tenant-router/index.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { Attempt } from './attempt.ts';
import type { HeadResult } from './backend-answer.ts';
import { Deadline } from './deadlines.ts';
import type { RequestBody } from './request-body.ts';

/** How often one request is sent at the most. */
const MOST_ATTEMPTS = 3;
/** Milliseconds that the beginning of a body gets to break off, where another back end could be asked instead. */
const SURE_MS = 50;

/** What is sent, the same to whichever back end. */
export interface Sending {
  readonly path: string;
  readonly method: string;
  /** Name, value, name, value. */
  readonly headers: string[];
  /** A whole body, which can be sent again; it arrives as `body` otherwise. */
  readonly whole: Buffer | undefined;
  readonly body: RequestBody | undefined;
  /** Nothing follows on its connection. */
  readonly reset: boolean;
  /** Milliseconds that a body may stand still, the answer's too. */
  readonly stillMs: number;
  /** Milliseconds until the answer's head. */
  readonly limitMs: number;
  /** Bytes of the answer's body that are held; undefined: the usual. */
  readonly hold: number | undefined;
  readonly role: BackendRole;
  /** Whoever is to meet the same back end again, where the tenant wants that. */
  readonly key: string;
  /** A safe method that changes nothing, without a body (RFC 9110 §9.2.1, §9.2.2). */
  readonly repeatable: boolean;
}

/** `busy`: it waited too long for a connection, and was not sent. */
export type SendResult = HeadResult | 'busy';

export interface Sent {
  readonly result: SendResult;
  /** Of the last attempt. */
  readonly answer: Attempt;
}

/**
 * Sends a request to a back end, and where that one fails before anything of an answer could be released, to another:
 * a repeatable one within the tenant's budget, any other only if it is certain that nothing of it was sent.
 * @param first where the tenant's `pick` sent it
 * @param over called when nothing of the last attempt is under way any more
 */
export async function send(x: Exchange, first: Backend, sending: Sending, over?: () => void): Promise<Sent> {
  const { tenant } = x;
  const movable = sending.repeatable && tenant.several;
  tenant.earnRetry();
  let backend = first;
  for (let count = 1; ; count += 1) {
    const again = count < MOST_ATTEMPTS;
    const answer = new Attempt(tenant, backend, x.services.clock, sending.hold, again && movable);
    const limit = begin(answer, sending, tenant.balancing.queue.waitMs);
    let result = await answer.head;
    limit.disarm();
    if (result === 'head') {
      // Nothing of it has been released, and nothing will be: the other stages see what is true of it now.
      if (answer.failed || (movable && again && !answer.sound && (await answer.broke(SURE_MS))))
        result = 'protocol';
    } else tellBreaker(x, sending, answer, result);
    const wanting = result !== 'head' || (movable && answer.unwell);
    const next = again && wanting ? another(x, sending, answer, result, count) : undefined;
    if (next === undefined) {
      if (over !== undefined) answer.whenOver(over);
      return { result: result === 'timeout' && !answer.started && !answer.moved ? 'busy' : result, answer };
    }
    if (result === 'head') answer.discard();
    backend = next;
  }
}

function begin(answer: Attempt, sending: Sending, waitMs: number): HeadLimit {
  const { whole, body, path, method, headers, reset, stillMs } = sending;
  answer.dispatch({
    path,
    method: method as 'GET',
    headers,
    body: whole === undefined ? (body?.stream ?? null) : whole.length === 0 ? null : whole,
    reset,
    // The same for both, so that undici keeps its timer; the head's own limit is `HeadLimit`.
    headersTimeout: stillMs,
    bodyTimeout: stillMs,
  });
  return new HeadLimit(answer, body, sending.limitMs, waitMs);
}

/** What this side ended says nothing about the back end, and neither does one that was never asked. */
function tellBreaker(x: Exchange, { body }: Sending, answer: Attempt, result: HeadResult): void {
  if (result === 'head' || result === 'given-up' || answer.moved) return;
  if (result === 'timeout' && !answer.started) return;
  if (body?.state === 'overflow' || body?.state === 'gone' || x.client.gone) return;
  answer.backend.report(result);
}

/** Where to send it now; undefined: nowhere. */
function another(
  x: Exchange,
  { role, key, repeatable, body }: Sending,
  answer: Attempt,
  result: HeadResult,
  count: number,
): Backend | undefined {
  if (x.client.gone) return undefined;
  const { tenant } = x;
  if (!answer.moved) {
    // A body that was being read is gone, even if nothing of it was sent.
    const unsent = result === 'connect-failed' && !answer.started && body === undefined;
    if (!repeatable && !unsent) return undefined;
    if (result === 'given-up' || (result === 'timeout' && (count > 1 || !answer.started))) return undefined;
    if (!tenant.several && result !== 'protocol') return undefined;
    if (!tenant.takeRetry()) return undefined;
  }
  const other = tenant.several ? tenant.pick(role, key, true, answer.backend) : undefined;
  // A connection that was kept too long breaks like one of a broken back end: a fresh one may do (RFC 9112 §9.3.1).
  return other ?? (result === 'protocol' ? tenant.pick(role, key, true) : undefined);
}

/**
 * Expires an answer that does not begin in time: counted from when the back end has the whole request; and a request
 * that waits too long for a connection. undici's own limit does not run while a request waits, and begins anew with
 * each interim answer.
 */
class HeadLimit extends Deadline {
  readonly #answer: Attempt;
  readonly #body: RequestBody | undefined;
  readonly #limitMs: number;
  readonly #begun: number;
  /** What is waited for: a connection, the head, or the head after a body that took long. */
  #for: 'connection' | 'head' | 'late-head';

  constructor(answer: Attempt, body: RequestBody | undefined, limitMs: number, waitMs: number) {
    super();
    this.#answer = answer;
    this.#body = body;
    this.#limitMs = limitMs;
    this.#begun = performance.now();
    this.#for = waitMs < limitMs ? 'connection' : 'head';
    this.arm(this.#begun + Math.min(waitMs, limitMs));
  }

  override passed(): void {
    const answer = this.#answer;
    if (this.#for === 'connection' && answer.started) {
      this.#for = 'head';
      this.arm(this.#begun + this.#limitMs);
    } else if (this.#for === 'head' && this.#body?.state === 'arriving' && answer.started) {
      // A body that is still on its way has a limit of its own.
      this.#for = 'late-head';
      void this.#body.arrived.then(() => {
        if (answer.headAt === 0 && !answer.failed) this.arm(performance.now() + this.#limitMs);
      });
    } else answer.expire();
  }
}
