import type { BackendRole } from '../../../contracts/balancing.ts';
import { SAFE_METHODS } from '../../../contracts/facts.ts';
import { askWhole } from '../../recognise/ask-whole.ts';
import { heldBytesOf } from '../../recognise/rules.ts';
import { sessionOf, whoOf } from '../../replicas/who.ts';
import type { WriteUnderWay } from '../../replicas/write-marks.ts';
import { outgoingHeaders } from '../../transport/outgoing-headers.ts';
import { outgoingTarget } from '../../transport/outgoing-target.ts';
import { type SendResult, send } from '../../transport/send.ts';
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
/** Whoever asks again in a second may find room. */
const BUSY: Ending = Object.freeze({ kind: 'unavailable', reason: 'backend-busy', retryAfterSeconds: 1 });
const ENDINGS: Readonly<Record<Exclude<SendResult, 'head'>, Ending>> = Object.freeze({
  'connect-failed': { kind: 'bad-gateway', reason: 'backend-unavailable' },
  timeout: { kind: 'gateway-timeout', reason: 'backend-timeout' },
  protocol: { kind: 'bad-gateway', reason: 'backend-protocol' },
  busy: BUSY,
  'given-up': { kind: 'bad-gateway', reason: 'backend-unavailable' },
});

/** Stage 9: the only place that talks to the EMR. The request line and headers are written anew. */
export function forward(x: Exchange): Promise<Step> {
  const { tenant } = x;
  const writes = isWrite(x);
  askWhole(x);
  if (!tenant.replicated) return attempt(x, 'primary', writes);
  // What a tunnel does cannot be told apart.
  if (writes || x.facts.upgrade !== undefined) return marked(x, writes);
  return whereToRead(x).then((role) => attempt(x, role, false));
}

function isWrite(x: Exchange): boolean {
  return !SAFE_METHODS.has(x.facts.method) || x.route.writes;
}

/** Replicas lag behind: whoever has just written reads where that went. */
async function whereToRead(x: Exchange): Promise<BackendRole> {
  const { tenant } = x;
  const { replicationDelayMs } = tenant.balancing;
  // Nobody to tell of writes is nobody to know of them.
  const lately = x.services.writes?.lately(tenant.id, whoOf(x), replicationDelayMs) ?? true;
  return (await lately) ? 'primary' : 'replica';
}

/** A write is answered once everybody who could read knows of it. */
async function marked(x: Exchange, writes: boolean): Promise<Step> {
  const { tenant } = x;
  const mark = x.services.writes?.begin(tenant.id, whoOf(x), tenant.balancing.replicationDelayMs);
  try {
    const step = await attempt(x, 'primary', writes, mark);
    await mark?.known();
    return step;
  } catch (error) {
    // Else it would count as under way for ever.
    mark?.end();
    throw error;
  }
}

async function attempt(
  x: Exchange,
  role: BackendRole,
  writes: boolean,
  mark?: WriteUnderWay | undefined,
): Promise<Step> {
  const { facts, tenant, outgoing } = x;
  const over = mark === undefined ? undefined : () => mark.end();
  const early = tooEarly(x);
  if (early !== undefined) {
    over?.();
    return early;
  }
  const whole = outgoing.body;
  const bodiless = whole === undefined ? facts.body.kind === 'none' : whole.length === 0;
  const repeatable = !writes && bodiless;
  const key = tenant.balancing.method === 'sticky' ? sessionOf(x) : '';
  const backend = tenant.pick(role, key, !repeatable);
  if (backend === undefined) {
    over?.();
    const ending = tenant.busy ? BUSY : NO_BACKEND;
    x.failed(ending.reason);
    return ending;
  }
  if (facts.upgrade !== undefined) {
    // The tunnel's own time is not bounded: what is told of it is that it was opened.
    over?.();
    return openTunnel(x, backend);
  }
  const body = whole !== undefined || facts.body.kind === 'none' ? undefined : x.client.body(x);
  x.forwardedAt = x.services.clock.monotonic();
  const sending = {
    path: outgoingTarget(x, outgoing.query ?? facts.query),
    method: outgoing.method ?? facts.method,
    headers: outgoingHeaders(x),
    whole,
    body,
    reset: whole !== undefined && whole.length > ALONE_BYTES,
    stillMs: BODY_TIMEOUT_MS,
    limitMs: x.route.backendTimeoutMs,
    hold:
      x.answerJudges.length === 0
        ? heldBytesOf(x.route, x.policy, x.runtime.contentLimits.answerBytes)
        : x.runtime.contentLimits.answerBytes,
    role,
    key,
    repeatable,
  };
  const { result, answer } = await send(x, backend, sending, over);
  if (result === 'head') {
    x.backend = answer;
    return undefined;
  }
  if (body?.state === 'overflow') {
    x.failed('body-too-large');
    return { kind: 'too-large', reason: 'body-too-large', closeConnection: true };
  }
  if (body?.state === 'gone' || x.client.gone) return clientGone(x);
  const ending = ENDINGS[result];
  x.failed(ending.reason);
  return ending;
}

function tooEarly(x: Exchange): Ending | undefined {
  // The pipeline's order promises it; this is what would make a mistake there harmless.
  if (!x.intentRecorded) return { kind: 'unavailable', reason: 'internal' };
  // Nobody waits for it any more: a write that was not begun need not be, and a read would be for nothing.
  return x.client.gone ? clientGone(x) : undefined;
}

function clientGone(x: Exchange): Ending {
  x.failed('client-gone');
  return { kind: 'unavailable', reason: 'client-gone', closeConnection: true };
}
