import { OWN_SEGMENT } from '../../own-pages/paths.ts';
import { serveOwnPage } from '../../own-pages/serve.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 2b: what is not the EMR's. Everything below `/.chartgate/` is the gateway's own, in tenants without
 * sign-in too, so that the EMR never sees it; an embedded issuer's host is the issuer's.
 */
export function apart(x: Exchange): Step | Promise<Step> {
  if (x.embedded !== undefined) {
    return x.embedded.forward(x).then((own): Step => ({ kind: 'own-page', reason: own.reason, own }));
  }
  if (x.facts.path.segments[0] !== OWN_SEGMENT) return undefined;
  const { browsers } = x.runtime;
  if (browsers?.serves(x.tenant) === true) {
    return serveOwnPage(x, browsers).then((own): Step => ({ kind: 'own-page', reason: own.reason, own }));
  }
  x.match = undefined;
  return undefined;
}
