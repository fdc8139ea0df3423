import { canonicalRequest } from '../../canonical/request.ts';
import type { Ending } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

/** Stage 1: the request has one meaning, or it is refused and its connection closed. */
export function canonicalise(x: Exchange): Step {
  const facts = canonicalRequest(x.client.request, x.arrival, x.services.clock);
  if (typeof facts === 'string') {
    x.failed(facts);
    const ending: Ending = { kind: 'bad-request', reason: facts, closeConnection: true };
    return ending;
  }
  x.facts = facts;
  return undefined;
}
