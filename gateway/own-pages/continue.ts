import { renderContinue } from '../../console/index.ts';
import { clearCookie, type HeldForm } from '../../identity/sessions/index.ts';
import { canonicalPath } from '../canonical/path.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import type { Fields } from './body.ts';
import type { Call } from './call.ts';
import { filesIn } from './form-files.ts';
import { toSignIn } from './lead.ts';
import { CONTINUE, PAGES, withQuery } from './paths.ts';

/** `GET /.chartgate/continue`: may the form that was posted too late be sent now? */
export async function askContinue(c: Call): Promise<OwnAnswer> {
  const session = await c.session();
  if (session?.stage !== 'open') return toSignIn(c, PAGES.continued);
  const { form: secret } = c.cookies;
  const { tenant } = c.x;
  const held =
    secret === undefined
      ? undefined
      : await c.browsers.heldForms.find(secret, {
          tenant: tenant.id,
          who: c.browsers.whoIs(tenant.id, session.person),
        });
  if (held === undefined) return c.refuse(404, 'expired', 'own-page', 'no form is kept');
  if (!isStillMeant(c, held))
    return c.refuse(409, 'expired', 'route-unknown', 'the form’s route is another now');
  const page = renderContinue(c.site, {
    route: held.route,
    bytes: held.body.length,
    files: filesIn(held.contentType, held.body),
    // To the page that it was meant for, so that whatever the EMR answers stands where it would have stood.
    send: c.form(`${held.target}${held.target.includes('?') ? '&' : '?'}${CONTINUE}=yes`, {
      [CONTINUE]: 'yes',
    }),
    discard: c.form(PAGES.continued),
  });
  return pageAnswer(200, page);
}

/** Thrown away, as was wished. */
export async function discardForm(c: Call, _fields: Fields): Promise<OwnAnswer> {
  const { form } = c.cookies;
  if (form !== undefined) await c.browsers.heldForms.drop(form);
  return redirect(c.method, '/', { cookies: [clearCookie('form')] });
}

/** Whether it was asked for, and by whom; then the form, which nobody gets a second time. */
export async function takeForm(c: Call): Promise<{ readonly form: HeldForm } | { readonly no: OwnAnswer }> {
  const { facts, tenant } = c.x;
  const session = await c.session();
  if (session?.stage !== 'open')
    return { no: redirect(facts.method, withQuery(PAGES.signIn, { return: PAGES.continued })) };
  const { form: secret } = c.cookies;
  const by = { tenant: tenant.id, who: c.browsers.whoIs(tenant.id, session.person) };
  const held = secret === undefined ? undefined : await c.browsers.heldForms.find(secret, by);
  // Sent already: whoever loads the answer anew must not send it twice.
  if (secret === undefined || held === undefined)
    return { no: c.refuse(404, 'expired', 'own-page', 'no form is kept') };
  const here = facts.query === '' ? facts.path.text : `${facts.path.text}?${facts.query}`;
  if (held.target !== here || !isStillMeant(c, held))
    return { no: c.refuse(409, 'expired', 'route-unknown', 'the form’s route is another now') };
  await c.note('form-continued', session);
  if (!(await c.browsers.heldForms.drop(secret)))
    return { no: c.refuse(404, 'expired', 'own-page', 'no form is kept') };
  return { form: held };
}

/** The policy may have changed meanwhile: the form goes to the route it was meant for, or nowhere. */
function isStillMeant(c: Call, held: HeldForm): boolean {
  const path = canonicalPath(held.target.split('?', 1)[0] ?? '');
  if (path === undefined) return false;
  const match = c.x.policy.match({ method: 'POST', path, upgrade: undefined });
  return match?.route.id === held.route && match.route.mediaTypes.has(held.mediaType);
}
