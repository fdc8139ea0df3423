import { BackendAnswer, type HeadResult } from '../../transport/backend-answer.ts';
import { onDeadline } from '../../transport/deadlines.ts';
import { outgoingHeaders } from '../../transport/outgoing-headers.ts';
import type { RequestBody } from '../../transport/request-body.ts';
import { openTunnel } from '../../transport/upgrade.ts';
import type { Ending } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Milliseconds a body may stand still. Server-sent events are quiet for long; the tunnel watch ends what must end. */
const BODY_TIMEOUT_MS = 300_000;

/**
 * Bytes of a held body from which on nothing follows on its connection. A back end may answer without reading what it
 * was sent; as much as this lies in the buffers of the two kernels, and the next request would wait behind more.
 */
const ALONE_BYTES = 64 * 1024;

const NO_BACKEND: Ending = Object.freeze({ kind: 'unavailable', reason: 'backend-unavailable' });
const ENDINGS: Readonly<Record<Exclude<HeadResult, 'head'>, Ending>> = Object.freeze({
  'connect-failed': { kind: 'bad-gateway', reason: 'backend-unavailable' },
  timeout: { kind: 'gateway-timeout', reason: 'backend-timeout' },
  protocol: { kind: 'bad-gateway', reason: 'backend-protocol' },
  'given-up': { kind: 'bad-gateway', reason: 'backend-unavailable' },
});

/** Stage 9: the only place that talks to the EMR. The request line and headers are written anew. */
export async function forward(x: Exchange): Promise<Step> {
  const { facts, route, tenant } = x;
  // The pipeline's order promises it; this is what would make a mistake there harmless.
  if (!x.intentRecorded) return { kind: 'unavailable', reason: 'internal' };
  // Nobody waits for it any more: a write that was not begun need not be, and a read would be for nothing.
  if (x.client.gone) return clientGone(x);
  const backend = tenant.pick();
  if (backend === undefined) {
    x.failed('backend-unavailable');
    return NO_BACKEND;
  }
  if (facts.upgrade !== undefined) return openTunnel(x, backend);
  const { outgoing } = x;
  const held = x.answerJudges.length === 0 ? undefined : x.runtime.contentLimits.answerBytes;
  const answer = new BackendAnswer(backend.origin, x.services.clock, held);
  const whole = outgoing.body;
  const body = whole !== undefined || facts.body.kind === 'none' ? undefined : x.client.body(x);
  const query = outgoing.query ?? facts.query;
  x.forwardedAt = x.services.clock.monotonic();
  backend.dispatcher.dispatch(
    {
      path: query === '' ? facts.path.text : `${facts.path.text}?${query}`,
      method: outgoing.method ?? facts.method,
      headers: outgoingHeaders(x),
      body: whole === undefined ? (body?.stream ?? null) : whole.length === 0 ? null : whole,
      reset: whole !== undefined && whole.length > ALONE_BYTES,
      // The same for both, so that undici keeps its timer; the head's own limit is `limitHead`.
      headersTimeout: BODY_TIMEOUT_MS,
      bodyTimeout: BODY_TIMEOUT_MS,
    },
    answer,
  );
  const answered = limitHead(answer, body, route.backendTimeoutMs);
  const result = await answer.head;
  answered();
  if (result === 'head') {
    x.backend = answer;
    backend.report('ok');
    return undefined;
  }
  if (body?.state === 'overflow') {
    x.failed('body-too-large');
    return { kind: 'too-large', reason: 'body-too-large', closeConnection: true };
  }
  if (body?.state === 'gone' || x.client.gone) return clientGone(x);
  if (result !== 'given-up') backend.report(result);
  const ending = ENDINGS[result];
  x.failed(ending.reason);
  return ending;
}

/**
 * Expires an answer that does not begin in time: counted from when the back end has the whole request. undici's
 * own limit does not run while a request waits for a free connection, and begins anew with each interim answer.
 * @returns to be called once the head is there
 */
function limitHead(answer: BackendAnswer, body: RequestBody | undefined, limitMs: number): () => void {
  let cancel = onDeadline(performance.now() + limitMs, () => {
    // A body that is still on its way has a limit of its own.
    if (body?.state !== 'arriving' || !answer.started) answer.expire();
    else void body.arrived.then(again);
  });
  function again(): void {
    if (answer.headAt > 0 || answer.failed) return;
    cancel = onDeadline(performance.now() + limitMs, () => answer.expire());
  }
  return () => cancel();
}

function clientGone(x: Exchange): Ending {
  x.failed('client-gone');
  return { kind: 'unavailable', reason: 'client-gone', closeConnection: true };
}
