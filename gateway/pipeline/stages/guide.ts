import { isCrossSite, isNavigation } from '../../../identity/sessions/index.ts';
import { leadBrowser } from '../../own-pages/browser-lead.ts';
import { keepAgain } from '../../own-pages/send-kept.ts';
import type { Exchange, Step } from '../exchange.ts';

/**
 * Stage 10b: where somebody at a browser has to sign in first, or to give a second factor anew, they are led there
 * instead of being shown an error. Depends on the route and the session alone, never on a record; a route that is
 * not there leads to the same place.
 */
export function guide(x: Exchange): Step | Promise<Step> {
  const led = lead(x);
  const { browsers } = x.runtime;
  if (led !== undefined || x.kept === undefined || browsers === undefined) return led;
  // It never left the gateway.
  if (x.ending === undefined || x.forwardedAt !== undefined) return undefined;
  return keepAgain(x, browsers).then(() => undefined);
}

function lead(x: Exchange): Promise<Step> | undefined {
  const { ending } = x;
  if (ending === undefined || (ending.kind !== 'unauthenticated' && ending.kind !== 'factor-stale'))
    return undefined;
  const { browsers } = x.runtime;
  const tenant = x.knownTenant;
  if (browsers === undefined || tenant === undefined || !browsers.serves(tenant)) return undefined;
  // Whoever is signed in and still refused would only be led round in a circle.
  if (ending.kind === 'unauthenticated' && x.knownPrincipal?.kind === 'session') return undefined;
  if (ending.kind === 'factor-stale' && x.knownPrincipal?.kind !== 'session') return undefined;
  if (!isNavigation(x.facts)) return undefined;
  const posted = x.facts.method === 'POST';
  if (!posted && x.facts.method !== 'GET' && x.facts.method !== 'HEAD') return undefined;
  // What another site posts is neither kept nor worth a sign-in.
  if (posted && isCrossSite(x.facts)) return undefined;
  return leadBrowser(x, browsers, ending).then((own): Step => {
    x.ending = { kind: 'own-page', reason: own.reason, own };
    return undefined;
  });
}
