import { renderExpired } from '../../console/index.ts';
import { HELD_FORM_LIMIT, HELD_MEDIA_TYPES, setCookie } from '../../identity/sessions/index.ts';
import type { Ending } from '../pipeline/ending.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import { readBody } from './body.ts';
import type { Browsers } from './browsers.ts';
import { Call } from './call.ts';
import { PAGES, returnAddress, withQuery } from './paths.ts';

/** Characters of an address with a query that a page of ours leads to. */
const LONGEST_TARGET = 8000;

/** What a browser gets for a page that its session does not open, or not any more. */
export async function leadBrowser(x: Exchange, browsers: Browsers, ending: Ending): Promise<OwnAnswer> {
  const c = new Call(x, browsers);
  const { facts } = x;
  const denied = { outcome: 'denied', reason: ending.reason } as const;
  if (facts.method !== 'POST') {
    const here = facts.query === '' ? facts.path.text : `${facts.path.text}?${facts.query}`;
    return redirect(facts.method, nextPage(x, ending, returnAddress(here)), denied);
  }
  const kept = await keep(c);
  const next = nextPage(x, ending, kept?.state === 'kept' ? PAGES.continued : '/');
  const page = renderExpired(c.site, {
    signInHref: next,
    reason: 'ended',
    kept: kept?.state === 'kept' ? { bytes: kept.bytes } : kept?.state,
  });
  return pageAnswer(401, page, {
    ...denied,
    cookies: kept?.state === 'kept' ? [setCookie('form', kept.secret)] : [],
  });
}

/** Signing in; the second factor where the first was given; or a fresh one for a route that wants it. */
function nextPage(x: Exchange, ending: Ending, returnTo: string): string {
  if (ending.kind === 'factor-stale') {
    const age = x.match?.route.factorMaxAge;
    return withQuery(PAGES.stepUp, { return: returnTo, age: age === undefined ? undefined : String(age) });
  }
  const page = x.session?.stage === 'factor' ? PAGES.factor : PAGES.signIn;
  return withQuery(page, { return: returnTo });
}

type Kept =
  | { readonly state: 'kept'; readonly secret: string; readonly bytes: number }
  | { readonly state: 'too-large' };

/**
 * Keeps a form that somebody filled in who had been signed in here: sealed, for a quarter of an hour, for the same
 * person, and for the route it was meant for. Nothing is kept for whoever was never signed in.
 */
async function keep(c: Call): Promise<Kept | undefined> {
  const { x } = c;
  const { facts, match } = x;
  const who = x.session === undefined ? c.cookies.who : c.browsers.whoIs(x.tenant.id, x.session.person);
  // A cookie is what anybody can write: what was not made here is of nobody who was.
  if (who === undefined || !c.browsers.wasHere(x.tenant.id, who)) return undefined;
  if (match === undefined || facts.body.kind === 'none') return undefined;
  const { route } = match;
  const takesSession = route.credential === 'session' || route.credential === 'bearer-or-session';
  if (!takesSession || facts.mediaType === undefined || !route.mediaTypes.has(facts.mediaType))
    return undefined;
  const contentType = facts.headers.get('content-type');
  if (contentType === undefined || !HELD_MEDIA_TYPES.has(facts.mediaType)) return undefined;
  // Compressed, in a language, a part of something: no browser sends a form so.
  if (['content-encoding', 'content-range'].some((name) => facts.headers.has(name))) return undefined;
  const target = facts.query === '' ? facts.path.text : `${facts.path.text}?${facts.query}`;
  if (target.length > LONGEST_TARGET) return undefined;
  const body = await readBody(x, Math.min(HELD_FORM_LIMIT, route.maxBodyBytes));
  if (body === 'overflow') return { state: 'too-large' };
  if (body === 'gone' || body.length === 0) return undefined;
  try {
    const secret = await c.browsers.heldForms.hold({
      tenant: x.tenant.id,
      route: route.id,
      target,
      mediaType: facts.mediaType,
      contentType,
      body,
      who,
    });
    await c.note('form-kept', undefined);
    return { state: 'kept', secret, bytes: body.length };
  } catch {
    // Signing in must not fail because the form could not be kept.
    return undefined;
  }
}
