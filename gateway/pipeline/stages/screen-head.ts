import { channel } from 'node:diagnostics_channel';
import { CHANNELS, type FindingEvent } from '../../../contracts/events.ts';
import type { InspectionFinding, InspectionStatus } from '../../../contracts/inspection.ts';
import type { Ending, EndingKind } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

const KIND: Readonly<Record<InspectionStatus, EndingKind>> = Object.freeze({
  'bad-request': 'bad-request',
  'too-large': 'too-large',
  'unsupported-media': 'unsupported-media',
  unprocessable: 'unprocessable',
});

/** Stage 6a: path, query, headers and cookies of what the policy permitted. */
export function screenHead(x: Exchange): Step {
  const { match } = x;
  if (match === undefined) return undefined;
  const found = x.runtime.inspection.head(x.facts, match, (each) => report(x, each));
  return found === undefined ? undefined : refused(x, found);
}

const events = channel(CHANNELS.finding);

/** A finding that the route only reports: recorded by its rule, and counted. */
export function report(x: Exchange, { reason, rule }: InspectionFinding): void {
  x.failed(reason, rule);
  if (events.hasSubscribers) events.publish({ tenant: x.tenant.id, rule } satisfies FindingEvent);
}

/** A finding as the end of the request. Only its rule is recorded: names in a place are the client's. */
export function refused(x: Exchange, { status, reason, place, rule }: InspectionFinding): Ending {
  x.failed(reason, rule);
  return { kind: KIND[status], reason, finding: { place, rule } };
}
