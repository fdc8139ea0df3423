import { CONTINUE, OWN_SEGMENT } from '../../own-pages/paths.ts';
import { sendKept } from '../../own-pages/send-kept.ts';
import { serveOwnPage } from '../../own-pages/serve.ts';
import { sharingRequest } from '../../sharing/serve.ts';
import type { Exchange, Step } from '../exchange.ts';

const SMART_DOCUMENT = 'smart-configuration';

/**
 * Stage 2b: what is not the EMR's. Everything below `/.chartgate/` is the gateway's own, in tenants without
 * sign-in too, so that the EMR never sees it; an embedded issuer's host is the issuer's. A form that was kept takes the
 * place of its confirmation here, and goes on.
 */
export function apart(x: Exchange): Step | Promise<Step> {
  if (x.embedded !== undefined) {
    return (
      unrecorded(x) ??
      x.embedded.forward(x).then((own): Step => ({ kind: 'own-page', reason: own.reason, own }))
    );
  }
  const { segments } = x.facts.path;
  if (segments[segments.length - 1] === SMART_DOCUMENT) return smartDocument(x);
  const { browsers } = x.runtime;
  if (segments[0] !== OWN_SEGMENT) {
    if (!x.facts.parameters.has(CONTINUE) || browsers?.serves(x.tenant) !== true) return undefined;
    return sendKept(x, browsers);
  }
  const sharing = sharingRequest(x);
  if (sharing !== undefined) return sharing;
  if (browsers?.serves(x.tenant) === true) {
    return (
      unrecorded(x) ??
      serveOwnPage(x, browsers).then((own): Step => ({ kind: 'own-page', reason: own.reason, own }))
    );
  }
  x.match = undefined;
  return undefined;
}

/**
 * `BASE/.well-known/smart-configuration`, which apps ask for before they have a token (SMART App Launch 2.2,
 * "Conformance"): the embedded issuer's, where the tenant trusts one and its policy has no route of its own for it.
 */
function smartDocument(x: Exchange): Step | Promise<Step> {
  const { embedded } = x.runtime;
  const { method, path } = x.facts;
  if (embedded === undefined || path.segments.at(-2) !== '.well-known') return undefined;
  if (x.match?.route.credential === 'anonymous' || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const issuer = x.tenant.settings.issuers.map((id) => embedded.named(id)).find((each) => each !== undefined);
  return issuer
    ?.forward(x, `/.well-known/${SMART_DOCUMENT}`)
    .then((own): Step => ({ kind: 'own-page', reason: own.reason, own }));
}

/** What is done here has an outcome and no intent before it: while the log takes nothing, nothing is done. */
function unrecorded(x: Exchange): Step {
  if (x.services.activity.healthy) return undefined;
  x.failed('activity-log-unavailable');
  return { kind: 'unavailable', reason: 'activity-log-unavailable' };
}
