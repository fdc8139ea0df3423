import { renderEmergency } from '../../console/index.ts';
import type { EmergencySettings } from '../../contracts/settings.ts';
import { isEntitled } from '../../identity/emergency/index.ts';
import type { Session } from '../../identity/sessions/index.ts';
import { breakGlass, endOwn } from '../sharing/emergency.ts';
import type { Sharing } from '../sharing/sharing.ts';
import { type OwnAnswer, pageAnswer, redirect } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { toSignIn } from './lead.ts';
import { PAGES, withQuery } from './paths.ts';

interface Entitled {
  readonly sharing: Sharing;
  readonly settings: EmergencySettings;
  readonly session: Session;
  readonly principal: NonNullable<Session['principal']>;
}

/** Whoever may break the glass here; anybody else is led or turned away. */
async function entitled(c: Call): Promise<Entitled | OwnAnswer> {
  const { sharing } = c.x.runtime;
  const settings = sharing?.emergencyOf(c.x.tenant.id);
  if (sharing === undefined || settings === undefined)
    return c.refuse(404, 'not-found', 'route-unknown', undefined);
  const session = await c.session();
  if (session?.stage !== 'open' || session.principal === undefined) return toSignIn(c, PAGES.emergency);
  const { principal } = session;
  if (!isEntitled(principal, settings)) return c.refuse(403, 'refused', 'scope-missing', 'emergency');
  return { sharing, settings, session, principal };
}

/** `GET /.chartgate/emergency-access` */
export async function askEmergency(c: Call): Promise<OwnAnswer> {
  const who = await entitled(c);
  return 'status' in who ? who : show(c, who, {});
}

/** Breaks the glass, or ends it early. */
export async function changeEmergency(c: Call, fields: Fields): Promise<OwnAnswer> {
  const who = await entitled(c);
  if ('status' in who) return who;
  const { sharing, settings, session, principal } = who;
  if (only(fields, 'do') === 'end') {
    await endOwn(c.x, sharing, principal);
    return show(c, who, { ended: true });
  }
  const reason = only(fields, 'reason') ?? '';
  const begun = await breakGlass(c.x, sharing, principal, settings, reason);
  if (!begun.ok) {
    if (begun.why === 'not-entitled') return c.refuse(403, 'refused', 'scope-missing', 'emergency');
    if (begun.why === 'factor-stale') {
      const age = String(settings.factorMaxAge ?? 1);
      const where = withQuery(PAGES.stepUp, { return: PAGES.emergency, age });
      return redirect(c.method, where, { reason: 'factor-stale' });
    }
    return show(c, who, { reason, problems: [begun.why] });
  }
  await c.browsers.sessions.shorten(session, begun.emergency.until * 1000);
  return redirect(c.method, PAGES.emergency, { reason: 'emergency-access' });
}

function show(
  c: Call,
  { sharing, settings, principal }: Entitled,
  more: Pick<Parameters<typeof renderEmergency>[1], 'ended' | 'reason' | 'problems'>,
): OwnAnswer {
  const open = sharing.inForce(principal, c.x.facts.receivedAt / 1000);
  const page = renderEmergency(c.site, {
    form: c.form(PAGES.emergency),
    scopes: settings.scopes,
    minutes: Math.round(settings.durationMs / 60_000),
    openUntil: open === undefined || more.ended === true ? undefined : open.until * 1000,
    backHref: '/',
    ...more,
  });
  return pageAnswer(more.problems === undefined ? 200 : 422, page);
}
