import { shapeBackendAnswer } from '../../answer/backend.ts';
import { conditioned } from '../../answer/conditions.ts';
import { isHidden, shapeEnding } from '../../answer/endings.ts';
import { endingOfBackendStatus } from '../../answer/statuses.ts';
import type { Ending } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

const BROKEN_OFF: Ending = Object.freeze({ kind: 'bad-gateway', reason: 'backend-protocol' });

/**
 * Stage 11: what the client gets to see. An error of the EMR never passes; on a route that hides, every
 * refusal is one answer; everything else is the EMR's answer with its fingerprints taken off.
 */
export function shape(x: Exchange): Step | Promise<Step> {
  if (x.ending === undefined && x.tunnel !== undefined) {
    x.answer = { status: 101, headers: [], body: x.tunnel, deadlineMs: 0, closeConnection: false };
    return undefined;
  }
  if (x.ending === undefined && x.backend !== undefined) {
    x.ending = x.backend.failed ? BROKEN_OFF : endingOfBackendStatus(x.backend.status, x.route);
    if (x.ending !== undefined) x.failed(x.ending.reason);
  }
  if (x.ending === undefined && x.backend === undefined) {
    x.ending = { kind: 'unavailable', reason: 'internal' };
  }
  if (x.ending === undefined) {
    x.answer = conditioned(x, shapeBackendAnswer(x));
    return undefined;
  }
  x.backend?.discard();
  x.tunnel?.abandon();
  x.answer = shapeEnding(x, x.ending);
  return isHidden(x, x.ending) && !x.client.bodyArrived(x) ? afterBody(x) : undefined;
}

/**
 * Whether the EMR refused before it had read the body, or after, would show in when the answer comes and in
 * what becomes of the connection. So a hidden answer never overtakes the request's body.
 */
async function afterBody(x: Exchange): Promise<Step> {
  const body = x.client.body(x);
  await body.drop();
  if (body.state !== 'overflow') return undefined;
  x.failed('body-too-large');
  x.ending = { kind: 'too-large', reason: 'body-too-large', closeConnection: true };
  x.answer = shapeEnding(x, x.ending);
  return undefined;
}
