import { renderStepUp } from '../../console/index.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { toSignIn } from './lead.ts';
import { PAGES, returnAddress, withQuery } from './paths.ts';
import { begin } from './sign-in.ts';

const LONGEST = 86_400;

/** `GET /.chartgate/step-up`: a route wants a fresher factor. The gateway asks for it, or tells why the issuer will. */
export async function askStepUp(c: Call): Promise<OwnAnswer> {
  const returnTo = returnAddress(c.parameter('return'));
  const session = await c.session();
  if (session?.stage !== 'open') return toSignIn(c, returnTo);
  if (c.browsers.issuer(session.issuerId)?.secondFactor?.by === 'gateway') {
    return redirect(c.method, withQuery(PAGES.factor, { return: returnTo }), { reason: 'factor-stale' });
  }
  const party = c.browsers.party(c.x.tenant.settings, session.issuerId);
  const maxAge = ageOf(c.parameter('age'));
  const where = await party?.authorizationOrigin();
  if (party === undefined || where === undefined) return c.unavailable('issuer-unavailable');
  const page = renderStepUp(c.site, {
    form: c.form(PAGES.stepUp, { return: returnTo, age: String(maxAge) }),
    minutes: Math.max(1, Math.round(maxAge / 60)),
    keptForm: returnTo === PAGES.continued,
    cancelHref: '/',
    formTargets: [where],
  });
  return pageAnswer(200, page);
}

/** To the issuer once more. How old the factor may be is the route's to judge afterwards, whatever is asked here. */
export async function beginStepUp(c: Call, fields: Fields): Promise<OwnAnswer> {
  const returnTo = returnAddress(only(fields, 'return'));
  const session = await c.session();
  if (session?.stage !== 'open') return toSignIn(c, returnTo);
  const party = c.browsers.party(c.x.tenant.settings, session.issuerId);
  if (party === undefined) return c.refuse(403, 'refused', 'sign-in-refused', 'issuer');
  return begin(c, party, { returnTo, maxAge: ageOf(only(fields, 'age')), session: session.id });
}

/** Seconds; whatever is not plainly that is "now". */
function ageOf(text: string | undefined): number {
  const seconds = /^[1-9]\d{0,5}$/.test(text ?? '') ? Number(text) : 1;
  return Math.min(LONGEST, seconds);
}
