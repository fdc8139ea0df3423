import { STATUS_CODES } from 'node:http';
import { renderIncidents } from '../../console/index.ts';
import type { IncidentEvent } from '../../contracts/activity.ts';
import { parseRequestId, type RequestId } from '../../contracts/identifiers.ts';
import { isForeign } from '../../contracts/principal.ts';
import type { Session } from '../../identity/sessions/index.ts';
import type { Incident } from '../incidents/record.ts';
import type { Incidents } from '../incidents/store.ts';
import { harmless, headersOf, textOf } from '../incidents/text.ts';
import { type OwnAnswer, pageAnswer } from './answer.ts';
import { type Fields, only } from './body.ts';
import type { Call } from './call.ts';
import { toSignIn } from './lead.ts';
import { PAGES } from './paths.ts';

/** No room for prose, in which names would soon stand. */
const TICKET = /^[A-Za-z0-9][A-Za-z0-9#/._:-]{1,63}$/;

interface Reader {
  readonly incidents: Incidents;
  readonly principal: NonNullable<Session['principal']>;
}

/** Somebody of this tenant's own who signed in with every factor and has a role that may read; anybody else is turned away. */
async function reader(c: Call): Promise<Reader | OwnAnswer> {
  const { incidents, settings } = c.x.runtime;
  const roles = settings.incidents?.readers ?? [];
  if (incidents === undefined || roles.length === 0)
    return c.refuse(404, 'not-found', 'route-unknown', undefined);
  const session = await c.session();
  if (session?.stage !== 'open' || session.principal === undefined) return toSignIn(c, PAGES.incidents);
  const { principal } = session;
  if (isForeign(principal) || !roles.some((role) => principal.roles?.has(role) === true)) {
    await record(c, principal, 'refused', '', '');
    return c.refuse(403, 'refused', 'role-missing', 'incidents');
  }
  return { incidents, principal };
}

/** `GET /.chartgate/incidents` */
export async function askIncident(c: Call): Promise<OwnAnswer> {
  const who = await reader(c);
  return 'status' in who ? who : show(c, {});
}

/** Shows one, once it is recorded that somebody looks. */
export async function showIncident(c: Call, fields: Fields): Promise<OwnAnswer> {
  const who = await reader(c);
  if ('status' in who) return who;
  const number = (only(fields, 'number') ?? '').trim().toUpperCase();
  const ticket = (only(fields, 'ticket') ?? '').trim();
  const request = parseRequestId(number);
  const because = TICKET.test(ticket) ? ticket : undefined;
  if (request === undefined || because === undefined) {
    const problems = [
      ...(request === undefined ? (['number'] as const) : []),
      ...(because === undefined ? (['ticket'] as const) : []),
    ];
    return show(c, { number: number.slice(0, 64), ticket: ticket.slice(0, 64), problems });
  }
  const kept = await who.incidents.find(request);
  // Of another tenant is of nobody here.
  const found = kept?.tenant === c.x.tenant.id ? kept : undefined;
  await record(c, who.principal, found === undefined ? 'not-found' : 'shown', request, because);
  return show(c, {
    number: request,
    ticket: because,
    found: found === undefined ? 'none' : await shown(found),
  });
}

/** Durable before the answer. @throws ChartgateError `activity-log-unavailable` */
function record(
  c: Call,
  { issuer, subject }: Reader['principal'],
  event: IncidentEvent,
  request: RequestId | '',
  because: string,
): Promise<void> {
  return c.x.services.activity.append({
    kind: 'incident',
    event,
    request,
    tenant: c.x.tenant.id,
    account: '',
    issuer,
    subject,
    because,
  });
}

function show(c: Call, more: Omit<Parameters<typeof renderIncidents>[1], 'form' | 'backHref'>): OwnAnswer {
  const page = renderIncidents(c.site, { form: c.form(PAGES.incidents), backHref: '/', ...more });
  return pageAnswer(more.problems === undefined ? 200 : 422, page);
}

async function shown(incident: Incident) {
  const text = await textOf(incident);
  const status = (code: number) => `${code} ${STATUS_CODES[code] ?? ''}`.trim();
  return {
    request: incident.request,
    time: incident.time,
    asked: `${incident.method} ${harmless(incident.path)}`,
    given: `${status(incident.status)} (${incident.reason})`,
    answered: status(incident.backend.status),
    fields: headersOf(incident),
    body: text === undefined ? undefined : harmless(text, true),
    cut: incident.backend.cut,
  };
}
