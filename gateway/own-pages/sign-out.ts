import { renderSignedOut, renderSignOut } from '../../console/index.ts';
import { clearCookie } from '../../identity/sessions/index.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { PAGES } from './paths.ts';

/** `GET /.chartgate/sign-out`: asks first, so that no link from elsewhere signs anybody out. */
export async function askSignOut(c: Call): Promise<OwnAnswer> {
  const session = await c.session();
  if (session === undefined) return redirect(c.method, PAGES.signedOut);
  const party = c.browsers.party(c.x.tenant.settings, session.issuerId);
  const target = await party?.endSessionUrl({ idToken: undefined, returnTo: afterwards(c) });
  return pageAnswer(
    200,
    renderSignOut(c.site, {
      form: c.form(PAGES.signOut),
      everywhere: true,
      backHref: '/',
      // Chromium holds redirects of a form to its page's policy too.
      formTargets: target === undefined ? [] : [new URL(target).origin],
    }),
  );
}

/** Ends the session here, then at the issuer (OpenID Connect RP-Initiated Logout 1.0). */
export async function signOut(c: Call, fields: Fields): Promise<OwnAnswer> {
  const session = await c.session();
  if (session === undefined) return redirect(c.method, PAGES.signedOut);
  const { sessions } = c.browsers;
  if (only(fields, 'do') === 'sign-out-everywhere') await sessions.endOthers(session, () => true);
  await sessions.end(session);
  await c.note('signed-out', session);
  const party = c.browsers.party(c.x.tenant.settings, session.issuerId);
  const target = await party?.endSessionUrl({
    idToken: sessions.idTokenOf(session),
    returnTo: afterwards(c),
  });
  return redirect(c.method, target ?? PAGES.signedOut, {
    reason: 'signed-out',
    cookies: [
      clearCookie('session'),
      clearCookie('signIn'),
      clearCookie('form'),
      clearCookie('who'),
      ...c.forgetEmr(),
    ],
  });
}

export async function signedOut(c: Call): Promise<OwnAnswer> {
  return pageAnswer(200, renderSignedOut(c.site, { signInHref: PAGES.signIn, reason: 'asked' }), {
    // On a shared device nobody finds the pages of whoever was there before (W3C Clear Site Data §3.1).
    headers: ['clear-site-data', '"cache"'],
  });
}

function afterwards(c: Call): string {
  return `https://${c.x.facts.authority}${PAGES.signedOut}`;
}
