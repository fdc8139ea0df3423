import { BackendAnswer, type HeadResult } from '../../transport/backend-answer.ts';
import { outgoingHeaders } from '../../transport/outgoing-headers.ts';
import { openTunnel } from '../../transport/upgrade.ts';
import type { Ending } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Milliseconds a body may stand still. Server-sent events are quiet for long; the tunnel watch ends what must end. */
const BODY_TIMEOUT_MS = 300_000;

const NO_BACKEND: Ending = Object.freeze({ kind: 'unavailable', reason: 'backend-unavailable' });
const ENDINGS: Readonly<Record<Exclude<HeadResult, 'head'>, Ending>> = Object.freeze({
  'connect-failed': { kind: 'bad-gateway', reason: 'backend-unavailable' },
  timeout: { kind: 'gateway-timeout', reason: 'backend-timeout' },
  protocol: { kind: 'bad-gateway', reason: 'backend-protocol' },
});

/** Stage 9: the only place that talks to the EMR. The request line and headers are written anew. */
export async function forward(x: Exchange): Promise<Step> {
  const { facts, route, tenant } = x;
  // The pipeline's order promises it; this is what would make a mistake there harmless.
  if (!x.intentRecorded) return { kind: 'unavailable', reason: 'internal' };
  const backend = tenant.pick();
  if (backend === undefined) {
    x.failed('backend-unavailable');
    return NO_BACKEND;
  }
  if (facts.upgrade !== undefined) return openTunnel(x, backend);
  const answer = new BackendAnswer(backend.origin, x.services.clock);
  const body = facts.body.kind === 'none' ? null : x.client.body(route.maxBodyBytes);
  x.forwardedAt = x.services.clock.monotonic();
  backend.dispatcher.dispatch(
    {
      path: facts.query === '' ? facts.path.text : `${facts.path.text}?${facts.query}`,
      method: facts.method,
      headers: outgoingHeaders(x),
      body,
      headersTimeout: route.backendTimeoutMs,
      bodyTimeout: BODY_TIMEOUT_MS,
    },
    answer,
  );
  const result = await answer.head;
  x.backend = answer;
  if (result === 'head') {
    backend.report('ok');
    return undefined;
  }
  if (x.client.bodyOverflowed) {
    x.failed('body-too-large');
    return { kind: 'too-large', reason: 'body-too-large', closeConnection: true };
  }
  if (x.client.gone) {
    x.failed('client-gone');
    return { kind: 'unavailable', reason: 'client-gone', closeConnection: true };
  }
  backend.report(result);
  x.backend = undefined;
  const ending = ENDINGS[result];
  x.failed(ending.reason);
  return ending;
}
