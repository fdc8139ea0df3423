import { renderChooseProvider } from '../../console/index.ts';
import type { RelyingParty } from '../../identity/relying-party/index.ts';
import { newSecret, setCookie } from '../../identity/sessions/index.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import type { Call } from './call.ts';
import { PAGES, returnAddress, withQuery } from './paths.ts';

/** `GET /.chartgate/sign-in?return=…&issuer=…`: to the one issuer, or the choice among several. */
export async function signIn(c: Call): Promise<OwnAnswer> {
  const returnTo = returnAddress(c.parameter('return'));
  const session = await c.session();
  // Somebody who is signed in already has nothing to do here; somebody half-way goes on.
  if (session !== undefined) {
    return redirect(
      c.method,
      session.stage === 'open' ? returnTo : withQuery(PAGES.factor, { return: returnTo }),
    );
  }
  const { settings } = c.x.tenant;
  const parties = c.browsers.parties(settings);
  const named = c.parameter('issuer');
  const party =
    named === undefined ? (parties.length === 1 ? parties[0] : undefined) : c.browsers.party(settings, named);
  if (party === undefined && named !== undefined)
    return c.refuse(404, 'not-found', 'sign-in-refused', 'issuer');
  if (party === undefined) {
    const page = renderChooseProvider(c.site, {
      providers: parties.map((each) => ({
        name: each.party.name,
        href: withQuery(PAGES.signIn, { issuer: each.settings.id, return: returnTo }),
      })),
    });
    return pageAnswer(200, page);
  }
  return begin(c, party, { returnTo, maxAge: undefined, session: undefined });
}

/** Sends the browser to the issuer, and remembers what it must come back with. */
export async function begin(
  c: Call,
  party: RelyingParty,
  how: {
    readonly returnTo: string;
    /** For step-up: seconds, and the session that is to be renewed. */
    readonly maxAge: number | undefined;
    readonly session: string | undefined;
  },
): Promise<OwnAnswer> {
  const { tenant } = c.x;
  const begun = await party.begin({
    redirectUri: redirectUri(c, party),
    audience: tenant.settings.audience,
    maxAge: how.maxAge,
  });
  if ('reason' in begun) {
    return begun.reason === 'unavailable'
      ? c.unavailable('issuer-unavailable', begun.detail, withQuery(PAGES.signIn, { return: how.returnTo }))
      : c.refuse(502, 'failed', 'sign-in-refused', begun.detail);
  }
  // One for all that one browser has under way: several tabs may sign in at once.
  const browser = c.cookies.signIn ?? newSecret();
  const kept = await c.browsers.signIns.keep(
    {
      tenant: tenant.id,
      issuerId: party.settings.id,
      state: begun.state,
      nonce: begun.nonce,
      verifier: begun.verifier,
      ...how,
    },
    browser,
  );
  if (!kept) return c.unavailable('session-state-unavailable');
  return redirect(c.method, begun.url, { reason: 'sign-in-begun', cookies: [setCookie('signIn', browser)] });
}

/** One for each issuer, so that one issuer's answer is never taken for another's (RFC 9700 §4.4.2.2). */
export function redirectUri(c: Call, party: RelyingParty): string {
  return `https://${c.x.facts.authority}${PAGES.callback}/${party.settings.id}`;
}
