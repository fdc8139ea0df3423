import type { RelyingParty, SignedIn } from '../../identity/relying-party/index.ts';
import {
  browserWords,
  clearCookie,
  type PendingSignIn,
  type Session,
  setCookie,
} from '../../identity/sessions/index.ts';
import { type OwnAnswer, redirect } from './answer.ts';
import type { Call } from './call.ts';
import { PAGES, returnAddress, withQuery } from './paths.ts';
import { redirectUri } from './sign-in.ts';

/** `GET /.chartgate/callback/ISSUER?code=…&state=…&iss=…`: the browser comes back from the issuer. */
export async function callback(c: Call): Promise<OwnAnswer> {
  const { segments } = c.x.facts.path;
  const { tenant } = c.x;
  const party = segments.length === 3 ? c.browsers.party(tenant.settings, segments[2] ?? '') : undefined;
  if (party === undefined) return c.refuse(404, 'not-found', 'sign-in-refused', 'issuer');
  const state = c.parameter('state');
  const pending =
    state === undefined
      ? undefined
      : await c.browsers.signIns.take(state, {
          browser: c.cookies.signIn,
          tenant: tenant.id,
          issuerId: party.settings.id,
        });
  if (pending === undefined) return failed(c, party, 400, 'expired', 'state', '/');
  const result = await party.finish(
    { ...pending, redirectUri: redirectUri(c, party), audience: tenant.settings.audience },
    c.x.facts.query,
    tenant.id,
    c.x.runtime.authenticator,
  );
  const again = withQuery(PAGES.signIn, { return: pending.returnTo });
  if (!result.ok) {
    if (result.reason !== 'unavailable') {
      return failed(c, party, result.reason === 'declined' ? 403 : 400, 'refused', result.detail, again);
    }
    await c.note('sign-in-failed', { issuer: party.settings.issuer, subject: '' }, result.detail);
    return c.unavailable('issuer-unavailable', result.detail, again);
  }
  const who = { issuer: party.settings.issuer, subject: result.subject };
  const stage = stageAfter(party, result);
  if (stage === undefined) {
    await c.note('sign-in-failed', who, 'second factor');
    return c.refuse(403, 'refused', 'sign-in-unfinished', 'second factor', { retryHref: again });
  }
  return pending.session === undefined
    ? opened(c, party, result, stage, pending)
    : steppedUp(c, party, result, pending);
}

/** Default deny: whoever is not said to give the second factor did not give it. */
function stageAfter(party: RelyingParty, result: SignedIn): Session['stage'] | undefined {
  switch (party.settings.secondFactor?.by) {
    case 'issuer':
      return result.secondFactor ? 'open' : undefined;
    case 'gateway':
      return 'factor';
    case 'nobody':
      return 'open';
    case undefined:
      return undefined;
  }
}

async function opened(
  c: Call,
  party: RelyingParty,
  result: SignedIn,
  stage: Session['stage'],
  pending: PendingSignIn,
): Promise<OwnAnswer> {
  const { tenant } = c.x;
  // A session that this browser had before ends here: a new one never inherits a name.
  const former = await c.session();
  const { secret, session } = await c.browsers.sessions.open(
    {
      tenant: tenant.id,
      issuerId: party.settings.id,
      issuer: party.settings.issuer,
      subject: result.subject,
      clientId: party.party.clientId,
      scopes: result.scopes,
      roles: result.roles,
      patient: result.patient,
      stage,
      at: result.authentication.at,
      methods: result.authentication.methods,
      acr: result.authentication.acr,
      // What the gateway is to ask for itself, the issuer cannot have given.
      factorAt: stage === 'factor' ? undefined : result.authentication.factorAt,
      sid: result.sid,
      browser: browserWords(c.x.facts.headers.get('user-agent')),
    },
    result.idToken,
  );
  if (former !== undefined) await c.browsers.sessions.end(former, 'replaced');
  await c.note(stage === 'open' ? 'signed-in' : 'first-factor', session);
  const who = c.browsers.whoIs(tenant.id, session.person);
  return redirect(
    c.method,
    stage === 'open'
      ? returnAddress(pending.returnTo)
      : withQuery(PAGES.factor, { return: pending.returnTo }),
    {
      reason: stage === 'open' ? 'signed-in' : 'session-unfinished',
      cookies: [
        setCookie('session', secret),
        setCookie('who', who),
        clearCookie('signIn'),
        ...(c.cookies.who === who ? [] : c.forgetEmr()),
      ],
    },
  );
}

/** The same person, in the same session, which gets a new name. */
async function steppedUp(
  c: Call,
  party: RelyingParty,
  result: SignedIn,
  pending: PendingSignIn,
): Promise<OwnAnswer> {
  const session = await c.session();
  const same =
    session !== undefined &&
    session.id === pending.session &&
    session.issuer === party.settings.issuer &&
    session.subject === result.subject;
  if (!same || session.stage !== 'open') {
    return failed(c, party, 403, 'refused', 'another person or session', '/');
  }
  const { authentication } = result;
  const renewed = await c.browsers.sessions.renew(session, {
    at: authentication.at,
    methods: authentication.methods,
    acr: authentication.acr,
    factorAt: authentication.factorAt,
    scopes: result.scopes,
    roles: result.roles,
    patient: result.patient,
  });
  if (renewed === undefined) return failed(c, party, 400, 'expired', 'session ended', '/');
  await c.note('stepped-up', session);
  return redirect(c.method, returnAddress(pending.returnTo), {
    reason: 'signed-in',
    cookies: [setCookie('session', renewed.secret), clearCookie('signIn')],
  });
}

async function failed(
  c: Call,
  party: RelyingParty,
  status: number,
  kind: 'expired' | 'refused',
  detail: string,
  retryHref: string,
): Promise<OwnAnswer> {
  await c.note('sign-in-failed', { issuer: party.settings.issuer, subject: '' }, detail);
  return c.refuse(status, kind, 'sign-in-refused', detail, { retryHref });
}
