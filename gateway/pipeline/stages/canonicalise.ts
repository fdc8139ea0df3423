import type { ReasonCode } from '../../../contracts/reasons.ts';
import { canonicalRequest } from '../../canonical/request.ts';
import { refuse as refuseByLimit } from '../../limits/enter.ts';
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
  const refusal = await x.runtime.limits.peer(x.arrival.peer);
  x.failed(reason);
  if (refusal === undefined) return { kind: 'bad-request', reason, closeConnection: true };
  return { ...refuseByLimit(x, refusal), closeConnection: true };
}
