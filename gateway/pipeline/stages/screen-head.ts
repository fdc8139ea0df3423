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
  const found = x.runtime.inspection.head(x.facts, match, ({ reason, rule }) => x.failed(reason, rule));
  return found === undefined ? undefined : refused(x, found);
}

/** A finding as the end of the request. Only its rule is recorded: names in a place are the client's. */
export function refused(x: Exchange, { status, reason, place, rule }: InspectionFinding): Ending {
  x.failed(reason, rule);
  return { kind: KIND[status], reason, finding: { place, rule } };
}
