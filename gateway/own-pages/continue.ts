import { renderContinue } from '../../console/index.ts';
import { clearCookie, type HeldForm } from '../../identity/sessions/index.ts';
import { canonicalPath } from '../canonical/path.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import type { Fields } from './body.ts';
import type { Call } from './call.ts';
import { formFieldsOf } from './form-fields.ts';
import { toSignIn } from './lead.ts';
import { PAGES } from './paths.ts';

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
  const decoded = formFieldsOf(held.body);
  if (decoded === undefined || !isStillMeant(c, held))
    return c.refuse(409, 'expired', 'route-unknown', 'the form’s route is another now');
  await c.note('form-continued', session);
  const page = renderContinue(c.site, {
    route: held.route,
    bytes: Buffer.byteLength(held.body),
    send: {
      replay: {
        action: held.target,
        encoding: 'application/x-www-form-urlencoded',
        charset: decoded.charset,
        fields: decoded.fields,
      },
    },
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

/** The policy may have changed meanwhile: the form goes to the route it was meant for, or nowhere. */
function isStillMeant(c: Call, held: HeldForm): boolean {
  const path = canonicalPath(held.target.split('?', 1)[0] ?? '');
  if (path === undefined) return false;
  const match = c.x.policy.match({ method: 'POST', path, upgrade: undefined });
  return match?.route.id === held.route && match.route.mediaTypes.has(held.mediaType);
}
