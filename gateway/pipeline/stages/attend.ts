import { whyClosed } from '../../tenants/closed.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 2c: a tenant that is paused, being maintained or closed at this hour answers so, and its EMR is not reached.
 * The gateway's own pages go on: an issuer ends sessions, and people sign out, at any hour.
 */
export function attend(x: Exchange): Step {
  const { settings } = x.tenant;
  if (settings.open === undefined && settings.maintenance === undefined && settings.paused !== true)
    return undefined;
  const own = whyClosed(x);
  if (own === undefined) return undefined;
  x.failed(own.reason);
  return { kind: 'closed', reason: own.reason, own };
}
