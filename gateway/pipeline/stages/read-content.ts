import type { ReasonCode } from '../../../contracts/reasons.ts';
import { overrideInBody } from '../../canonical/method-override.ts';
import { takeRoom } from '../../content/budget.ts';
import { type ContentFault, plainName } from '../../content/fault.ts';
import { readWhole } from '../../content/read.ts';
import { readBody } from '../../own-pages/body.ts';
import type { Ending } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';
import { wantsTenancy } from './own-rows.ts';
import { refused } from './screen-head.ts';

/**
 * Stage 6c: where the policy or an inspector has to see the body, it is read whole and given its one meaning; else it
 * stays where it is, and streams later. What was judged is then sent from memory, byte for byte.
 */
export function readContent(x: Exchange): Step | Promise<Step> {
  const judged = x.obligations?.content !== undefined;
  if (x.facts.body.kind === 'none') {
    if (!judged) return undefined;
    return fault(x, { status: 'bad-request', rule: 'content-missing', place: '' }, 'content-missing');
  }
  if (!judged && !wantsTenancy(x) && !x.runtime.inspection.wants(x.route, x.facts.mediaType))
    return undefined;
  return whole(x, judged);
}

async function whole(x: Exchange, judged: boolean): Promise<Step> {
  const { contentLimits } = x.runtime;
  const maxBytes = Math.min(x.route.maxBodyBytes, contentLimits.wholeBytes);
  const { body } = x.facts;
  const room = body.kind === 'length' ? Math.min(body.bytes, maxBytes) : maxBytes;
  x.giveRoom = takeRoom(room, contentLimits.heldBytes);
  if (x.giveRoom === undefined) {
    x.failed('body-no-room');
    return { kind: 'unavailable', reason: 'body-no-room' };
  }
  const bytes = await readBody(x, maxBytes);
  if (bytes === 'overflow') {
    x.failed('body-too-large');
    return { kind: 'too-large', reason: 'body-too-large', closeConnection: true };
  }
  if (bytes === 'gone') {
    x.failed('client-gone');
    return { kind: 'unavailable', reason: 'client-gone', closeConnection: true };
  }
  // A body of no length at all, on HTTP/2 or in chunks.
  if (bytes.length === 0 && judged)
    return fault(x, { status: 'bad-request', rule: 'content-missing', place: '' }, 'content-missing');
  x.outgoing = { ...x.outgoing, body: bytes };
  if (bytes.length === 0) return undefined;
  const read = readWhole(bytes, x.facts, contentLimits, judged);
  if (!read.ok) {
    const status = read.status === 'unsupported-media' ? 'media-type-unsupported' : 'content-malformed';
    return fault(x, read, read.status === 'too-large' ? 'body-too-large' : status);
  }
  const override = overrideInBody(read.content, x.facts.method, x.route.methodOverride);
  if (override !== undefined) {
    const place = `field:${plainName(override)}`;
    return fault(x, { status: 'bad-request', rule: 'method-override', place }, 'content-malformed');
  }
  x.content = read;
  return undefined;
}

function fault(x: Exchange, { status, rule, place }: ContentFault, reason: ReasonCode): Ending {
  return refused(x, { status, reason, place, rule });
}
