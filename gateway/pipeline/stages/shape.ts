import { shapeBackendAnswer } from '../../answer/backend.ts';
import { shapeEnding } from '../../answer/endings.ts';
import { endingOfBackendStatus } from '../../answer/statuses.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 11: what the client gets to see. An error of the EMR never passes; on a route that hides, every
 * refusal is one answer; everything else is the EMR's answer with its fingerprints taken off.
 */
export function shape(x: Exchange): Step {
  if (x.ending === undefined && x.tunnel !== undefined) {
    x.answer = { status: 101, headers: [], body: x.tunnel, deadlineMs: 0, closeConnection: false };
    return undefined;
  }
  if (x.ending === undefined && x.backend !== undefined) {
    x.ending = endingOfBackendStatus(x.backend.status, x.route.hide);
    if (x.ending !== undefined) x.failed(x.ending.reason);
  }
  if (x.ending === undefined && x.backend === undefined) {
    x.ending = { kind: 'unavailable', reason: 'internal' };
  }
  if (x.ending === undefined) {
    x.answer = shapeBackendAnswer(x);
    return undefined;
  }
  x.backend?.discard();
  x.tunnel?.abandon();
  x.answer = shapeEnding(x, x.ending);
  return undefined;
}
