import { ChartgateError } from '../../contracts/errors.ts';
import type { Method } from '../../contracts/facts.ts';
import { isForeign } from '../../contracts/principal.ts';
import { jsonAnswer, type OwnAnswer } from '../own-pages/answer.ts';
import type { Exchange, Step } from '../pipeline/exchange.ts';
import { authenticate } from '../pipeline/stages/authenticate.ts';
import { limitPrincipal } from '../pipeline/stages/limit.ts';
import { problem, type SharingCall } from './call.ts';
import {
  grantConsent,
  listConsents,
  OWN_SCOPE,
  showConsent,
  standingOf,
  withdrawConsent,
} from './consents.ts';
import {
  beginEmergency,
  endOtherEmergency,
  endOwnEmergency,
  listEmergencies,
  REVIEW_SCOPE,
  reviewEmergency,
  showEmergency,
  showOwnEmergency,
} from './emergency.ts';
import { SHARING_DESCRIPTION } from './openapi.ts';
import { type SharingPath, type SharingPlace, sharingPlace } from './paths.ts';
import type { Sharing } from './sharing.ts';

type Handler = (call: SharingCall) => Promise<OwnAnswer | Exclude<Step, undefined>>;
type Operations = Readonly<Partial<Record<Method, Handler>>>;

/** With what the caller may do with consents; 403 where that is nothing, 404 where the tenant's patients share nothing. */
function consents(handle: (asked: Parameters<typeof showConsent>[0]) => ReturnType<Handler>): Handler {
  return async (call) => {
    const rules = call.sharing.rulesOf(call.tenant);
    if (rules === undefined) return nothing(call.x);
    const standing = standingOf(call);
    if (standing === undefined) {
      call.x.failed('scope-missing', OWN_SCOPE);
      return { kind: 'insufficient-scope', reason: 'scope-missing', scopeNeeded: OWN_SCOPE };
    }
    return handle({ call, rules, standing });
  };
}

/** For reviewers, who are the tenant's own people. */
function reviewing(handle: Handler): Handler {
  return async (call) => {
    const { x, principal } = call;
    if (call.sharing.emergencyOf(call.tenant) === undefined) return nothing(x);
    if (isForeign(principal) || principal.patient !== undefined || !principal.scopes.has(REVIEW_SCOPE)) {
      x.failed('scope-missing', REVIEW_SCOPE);
      return { kind: 'insufficient-scope', reason: 'scope-missing', scopeNeeded: REVIEW_SCOPE };
    }
    return handle(call);
  };
}

const OPERATIONS: Readonly<Record<Exclude<SharingPath, 'description'>, Operations>> = Object.freeze({
  consents: {
    GET: consents((asked) => listConsents(asked, false)),
    POST: consents((asked) => grantConsent(asked, false)),
  },
  consent: { GET: consents((asked) => showConsent(asked, false)) },
  withdraw: { POST: consents(withdrawConsent) },
  fhirConsents: {
    GET: consents((asked) => listConsents(asked, true)),
    POST: consents((asked) => grantConsent(asked, true)),
  },
  fhirConsent: { GET: consents((asked) => showConsent(asked, true)) },
  emergency: {
    GET: showOwnEmergency,
    POST: async (call) => {
      const settings = call.sharing.emergencyOf(call.tenant);
      return settings === undefined ? nothing(call.x) : beginEmergency(call, settings);
    },
  },
  emergencyEnd: { POST: endOwnEmergency },
  emergencies: { GET: reviewing(listEmergencies) },
  emergencyOf: { GET: reviewing(showEmergency) },
  review: { POST: reviewing(reviewEmergency) },
  endOther: { POST: reviewing(endOtherEmergency) },
});

/** What below `/.chartgate/` is for programs and concerns sharing; undefined: the path is none of it. */
export function sharingRequest(x: Exchange): Promise<Step> | undefined {
  const { sharing } = x.runtime;
  if (sharing === undefined || x.facts.upgrade !== undefined) return undefined;
  const { id } = x.tenant;
  if (sharing.rulesOf(id) === undefined && sharing.emergencyOf(id) === undefined) return undefined;
  const place = sharingPlace(x.facts.path.segments);
  return place === undefined ? undefined : serve(x, sharing, place);
}

async function serve(x: Exchange, sharing: Sharing, place: SharingPlace): Promise<Step> {
  x.match = undefined;
  if (!x.services.activity.healthy) {
    // What is done here has an outcome and no intent before it: while the log takes nothing, nothing is done.
    x.failed('activity-log-unavailable');
    return { kind: 'unavailable', reason: 'activity-log-unavailable' };
  }
  const done = await answer(x, sharing, place).catch((error: unknown) => unavailable(x, error));
  if (done === undefined || 'kind' in done) return done;
  return { kind: 'own-page', reason: done.reason, own: done };
}

async function answer(x: Exchange, sharing: Sharing, { path, id }: SharingPlace): Promise<OwnAnswer | Step> {
  const method = x.facts.method === 'HEAD' ? 'GET' : x.facts.method;
  if (path === 'description')
    return method === 'GET' ? jsonAnswer(200, SHARING_DESCRIPTION) : notAllowed(x, ['GET']);
  const operations = OPERATIONS[path];
  const handle = operations[method];
  if (handle === undefined) return notAllowed(x, Object.keys(operations));
  // A cookie is sent by the browser itself, whoever made the page: here only what the program sends counts.
  if (!x.facts.headers.has('authorization') && x.facts.tls.certificate === undefined)
    return unauthenticated(x);
  const ending = (await authenticate(x)) ?? (await limitPrincipal(x));
  if (ending !== undefined) return ending;
  const { principal } = x;
  if (principal.kind !== 'bearer') return unauthenticated(x);
  return handle({ x, sharing, tenant: x.tenant.id, principal, id });
}

function unauthenticated(x: Exchange): Step {
  x.failed('credential-missing');
  return { kind: 'unauthenticated', reason: 'credential-missing', credentialPresented: false };
}

function nothing(x: Exchange): OwnAnswer {
  return problem(x, 404, 'There is nothing here.', { reason: 'route-unknown' });
}

function notAllowed(x: Exchange, methods: readonly string[]): OwnAnswer {
  return problem(x, 405, 'There is no such method here.', {
    reason: 'method-unknown',
    headers: ['allow', methods.join(', ')],
  });
}

function unavailable(x: Exchange, error: unknown): Step {
  if (!(error instanceof ChartgateError)) throw error;
  const reason =
    error.code === 'activity-log-unavailable'
      ? 'activity-log-unavailable'
      : error.code.startsWith('state-')
        ? 'consent-unavailable'
        : undefined;
  if (reason === undefined) throw error;
  x.failed(reason);
  return { kind: 'unavailable', reason };
}
