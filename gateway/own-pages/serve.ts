import { ChartgateError } from '../../contracts/errors.ts';
import { isCrossSite } from '../../identity/sessions/index.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { assetAnswer, jsonAnswer, type OwnAnswer } from './answer.ts';
import { backChannelLogout } from './back-channel.ts';
import { type Fields, readForm } from './body.ts';
import type { Browsers } from './browsers.ts';
import { Call } from './call.ts';
import { callback } from './callback.ts';
import { askContinue, discardForm } from './continue.ts';
import { askEmergency, changeEmergency } from './emergency.ts';
import { askEnrolment, giveEnrolment } from './enrol.ts';
import { askFactor, giveFactor } from './factor.ts';
import { changeFactors, listFactors } from './factors.ts';
import { askIncident, showIncident } from './incidents.ts';
import { PAGES } from './paths.ts';
import { endSessions, listSessions } from './sessions.ts';
import { changeSharing, listSharing } from './sharing.ts';
import { signIn } from './sign-in.ts';
import { askSignOut, signedOut, signOut } from './sign-out.ts';
import { askStepUp, beginStepUp } from './step-up.ts';

interface OwnPage {
  readonly get?: (c: Call) => Promise<OwnAnswer>;
  readonly post?: (c: Call, fields: Fields) => Promise<OwnAnswer>;
  /** Posted by a server, not from a page of ours. */
  readonly fromIssuer?: boolean;
}

/** Every page of the gateway's own, by its path. */
const OWN_PAGES: ReadonlyMap<string, OwnPage> = new Map<string, OwnPage>([
  [PAGES.signIn, { get: signIn }],
  [PAGES.stepUp, { get: askStepUp, post: beginStepUp }],
  [PAGES.factor, { get: askFactor, post: giveFactor }],
  [PAGES.enrol, { get: askEnrolment, post: giveEnrolment }],
  [PAGES.factors, { get: listFactors, post: changeFactors }],
  [PAGES.sessions, { get: listSessions, post: endSessions }],
  [PAGES.sharing, { get: listSharing, post: changeSharing }],
  [PAGES.emergency, { get: askEmergency, post: changeEmergency }],
  [PAGES.incidents, { get: askIncident, post: showIncident }],
  [PAGES.signOut, { get: askSignOut, post: signOut }],
  [PAGES.signedOut, { get: signedOut }],
  [PAGES.continued, { get: askContinue, post: discardForm }],
  [PAGES.backChannelLogout, { post: backChannelLogout, fromIssuer: true }],
]);
const CALLBACK: OwnPage = { get: callback };

/** Answers what is below `/.chartgate/`. Never rejects: what cannot be known or kept is a 503. */
export async function serveOwnPage(x: Exchange, browsers: Browsers): Promise<OwnAnswer> {
  const c = new Call(x, browsers);
  try {
    return await dispatch(c);
  } catch (error) {
    if (error instanceof ChartgateError && error.code === 'activity-log-unavailable')
      return c.unavailable('activity-log-unavailable');
    if (error instanceof ChartgateError && error.code.startsWith('state-'))
      return c.unavailable('session-state-unavailable', error.code);
    throw error;
  }
}

async function dispatch(c: Call): Promise<OwnAnswer> {
  const { facts } = c.x;
  const { text, segments } = facts.path;
  if (facts.upgrade !== undefined) return c.refuse(400, 'bad-request', 'upgrade-unsupported', undefined);
  if (text.startsWith(PAGES.assets)) return asset(c, text);
  const page =
    text.startsWith(`${PAGES.callback}/`) && segments.length === 3 ? CALLBACK : OWN_PAGES.get(text);
  if (page === undefined) return c.refuse(404, 'not-found', 'route-unknown', undefined);
  if (facts.method === 'GET' || facts.method === 'HEAD') {
    if (page.get !== undefined) return page.get(c);
  } else if (facts.method === 'POST' && page.post !== undefined) {
    return posted(c, page.post, page.fromIssuer === true);
  }
  const allow = [
    ...(page.get === undefined ? [] : ['GET', 'HEAD']),
    ...(page.post === undefined ? [] : ['POST']),
  ];
  return c.refuse(405, 'bad-request', 'method-unknown', undefined, { headers: ['allow', allow.join(', ')] });
}

async function posted(
  c: Call,
  handle: NonNullable<OwnPage['post']>,
  fromIssuer: boolean,
): Promise<OwnAnswer> {
  if (!fromIssuer && isCrossSite(c.x.facts)) return c.refuse(403, 'refused', 'session-cross-site', 'origin');
  const fields = await readForm(c.x);
  if (fields === 'too-large') return c.refuse(413, 'bad-request', 'body-too-large', undefined);
  if (fields === undefined) {
    return fromIssuer
      ? jsonAnswer(400, { error: 'invalid_request' }, { reason: 'media-type-unsupported' })
      : c.refuse(415, 'bad-request', 'media-type-unsupported', undefined);
  }
  if (!fromIssuer && !c.isOurs(fields)) {
    // The session has another name by now, or is over: the page that was looked at is of yesterday.
    return c.refuse(403, 'expired', 'session-cross-site', 'form', { retryHref: PAGES.signIn });
  }
  return handle(c, fields);
}

function asset(c: Call, path: string): OwnAnswer {
  const found = c.method === 'GET' || c.method === 'HEAD' ? c.site.asset(path) : undefined;
  return found === undefined ? c.refuse(404, 'not-found', 'route-unknown', undefined) : assetAnswer(found);
}
