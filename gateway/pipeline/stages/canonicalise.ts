import type { ReasonCode } from '../../../contracts/reasons.ts';
import { canonicalRequest } from '../../canonical/request.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Stage 1: the request has one meaning, or it is refused and its connection closed. */
export function canonicalise(x: Exchange): Step | Promise<Step> {
  const facts = canonicalRequest(x.client.request, x.arrival, x.services.clock);
  if (typeof facts === 'string') return refuse(x, facts);
  x.facts = facts;
  return undefined;
}

/** A refusal costs a record too, so that what is malformed counts against its peer's limit like any other request. */
async function refuse(x: Exchange, reason: ReasonCode): Promise<Step> {
  const waitMs = await x.runtime.limits.peer(x.arrival.peer);
  x.failed(reason);
  if (waitMs === 0) return { kind: 'bad-request', reason, closeConnection: true };
  x.failed('limit-peer');
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return { kind: 'limited', reason: 'limit-peer', retryAfterSeconds, closeConnection: true };
}
