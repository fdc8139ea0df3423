import { renderSessions } from '../../console/index.ts';
import type { Session } from '../../identity/sessions/index.ts';
import { type OwnAnswer, pageAnswer } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { toSignIn } from './lead.ts';
import { PAGES } from './paths.ts';

/** One's own sessions at this tenant. */
export async function listSessions(c: Call): Promise<OwnAnswer> {
  const session = await c.session();
  if (session?.stage !== 'open') return toSignIn(c, PAGES.sessions);
  return list(c, session, undefined);
}

/** Ends one of the others, or all of them. The one at hand is ended by signing out. */
export async function endSessions(c: Call, fields: Fields): Promise<OwnAnswer> {
  const session = await c.session();
  if (session?.stage !== 'open') return toSignIn(c, PAGES.sessions);
  const [id, all] = [only(fields, 'end'), only(fields, 'do') === 'end-others'];
  const ended =
    id === undefined && !all
      ? 0
      : await c.browsers.sessions.endOthers(session, (other) => all || other.id === id);
  if (ended > 0) await c.note('others-ended', session);
  return list(c, session, ended);
}

async function list(c: Call, session: Session, ended: number | undefined): Promise<OwnAnswer> {
  const all = await c.browsers.sessions.ofPerson(session);
  const issuer = c.browsers.issuer(session.issuerId);
  return pageAnswer(
    200,
    renderSessions(c.site, {
      form: c.form(PAGES.sessions),
      sessions: all.map((each) => ({
        id: each.id,
        current: each.id === session.id,
        startedAt: each.openedAt,
        lastSeenAt: each.seenAt,
        browser: each.browser === '' ? undefined : each.browser,
      })),
      ended,
      signOutHref: PAGES.signOut,
      factorsHref:
        issuer?.secondFactor?.by === 'gateway' || issuer?.embedded !== undefined ? PAGES.factors : undefined,
      backHref: '/',
    }),
  );
}
