import { broadened } from '../../../identity/emergency/index.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 4b: whoever broke the glass has more scopes while it lasts (45 CFR 164.312(a)(2)(ii)), and every request of
 * theirs says so in the record. While it is not known whether it lasts, it does not.
 */
export function broaden(x: Exchange): Step {
  const { sharing } = x.runtime;
  const { principal } = x;
  if (sharing === undefined || principal.kind === 'anonymous') return undefined;
  const emergency = sharing.inForce(principal, x.facts.receivedAt / 1000);
  if (emergency === undefined) return undefined;
  x.principal = broadened(principal, emergency);
  x.held('emergency-access', emergency.id);
  return undefined;
}
