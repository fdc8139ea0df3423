import { channel } from 'node:diagnostics_channel';
import type { JsonObject } from '../../contracts/content.ts';
import { EMERGENCY_VERDICTS, type Emergency } from '../../contracts/emergency.ts';
import { type AlarmEvent, CHANNELS } from '../../contracts/events.ts';
import type { AuthenticatedPrincipal } from '../../contracts/principal.ts';
import type { EmergencySettings } from '../../contracts/settings.ts';
import { dateTime } from '../../identity/consents/index.ts';
import type { Begun, Reviewed, ShownEmergency } from '../../identity/emergency/index.ts';
import { jsonAnswer, type OwnAnswer } from '../own-pages/answer.ts';
import type { Exchange, Step } from '../pipeline/exchange.ts';
import { log } from '../process/log.ts';
import { problem, readJsonBody, record, type SharingCall } from './call.ts';
import type { Sharing } from './sharing.ts';

/** For those who look into emergency accesses. */
export const REVIEW_SCOPE = 'chartgate/emergency.review';

type Answered = Promise<OwnAnswer | Exclude<Step, undefined>>;
const alarms = channel(CHANNELS.alarm);

/**
 * Breaks the glass: recorded, alarmed, and known to every worker when it returns.
 * @throws ChartgateError `state-unavailable`, `activity-log-unavailable`
 */
export async function breakGlass(
  x: Exchange,
  sharing: Sharing,
  principal: AuthenticatedPrincipal,
  settings: EmergencySettings,
  reason: string,
): Promise<Begun> {
  const begun = await sharing.emergencies.begin(principal, settings, reason);
  if (!begun.ok) {
    await record(x, 'emergency-refused', principal, '');
    return begun;
  }
  const { id } = begun.emergency;
  try {
    await record(x, 'emergency-begun', principal, id);
  } catch (error) {
    // Unrecorded, it must not go on.
    await sharing.emergencies.end(id, principal.tenant, 'reviewer');
    throw error;
  }
  x.held('emergency-access', id);
  if (alarms.hasSubscribers)
    alarms.publish({ alarm: 'emergency-access', tenant: principal.tenant } satisfies AlarmEvent);
  log('warning', 'emergency-access', { tenant: principal.tenant, record: id, request: x.facts.id });
  // Whoever is told that it has begun may ask any worker next.
  await sharing.settle();
  return begun;
}

export async function beginEmergency(call: SharingCall, settings: EmergencySettings): Answered {
  const { x, sharing, principal } = call;
  const read = await readJsonBody(call, ['application/json']);
  if (!read.ok) return read.answer;
  const { body } = read;
  const given = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined;
  const reason = (given as JsonObject | undefined)?.reason;
  if (given === undefined || Object.keys(given).length !== 1 || typeof reason !== 'string')
    return problem(x, 422, 'The body must be {"reason": "…"}.', { reason: 'content-malformed' });
  const begun = await breakGlass(x, sharing, principal, settings, reason);
  if (begun.ok) return jsonAnswer(201, ownJson(begun.emergency));
  switch (begun.why) {
    case 'not-entitled':
      return problem(x, 403, 'Emergency access is not for this caller.', { reason: 'scope-missing' });
    case 'factor-stale':
      return problem(x, 403, 'Emergency access needs a fresh second factor.', { reason: 'factor-stale' });
    case 'reason':
      return problem(x, 422, 'The reason must have 10 to 500 characters.', { reason: 'content-malformed' }, [
        { at: 'reason', message: 'must have 10 to 500 characters' },
      ]);
    case 'in-force':
      return problem(x, 409, 'Emergency access is in force already.', { reason: 'emergency-access' });
  }
}

export async function showOwnEmergency({ x, sharing, principal }: SharingCall): Answered {
  const emergency = sharing.inForce(principal, x.facts.receivedAt / 1000);
  return jsonAnswer(200, { emergency: emergency === undefined ? null : ownJson(emergency) });
}

export async function endOwnEmergency({ x, sharing, principal, tenant }: SharingCall): Answered {
  const ended = await endOwn(x, sharing, principal);
  if (!ended) return problem(x, 404, 'No emergency access is in force.', { reason: 'route-unknown' });
  return jsonAnswer(200, { emergency: null, tenant });
}

/** @returns whether there was one. @throws ChartgateError `state-unavailable`, `activity-log-unavailable` */
export async function endOwn(
  x: Exchange,
  sharing: Sharing,
  principal: AuthenticatedPrincipal,
): Promise<boolean> {
  const emergency = sharing.inForce(principal, x.facts.receivedAt / 1000);
  if (emergency === undefined) return false;
  const ended = await sharing.emergencies.end(emergency.id, principal.tenant, 'holder');
  if (ended !== undefined) await record(x, 'emergency-ended', principal, emergency.id);
  await sharing.settle();
  return ended !== undefined;
}

export async function listEmergencies({ sharing, tenant }: SharingCall): Answered {
  const all = await sharing.emergencies.list(tenant);
  return jsonAnswer(200, { emergencies: all.slice(0, 500).map(reviewJson) });
}

export async function showEmergency({ x, sharing, tenant, id }: SharingCall): Answered {
  const found = await sharing.emergencies.show(id, tenant);
  return found === undefined
    ? problem(x, 404, 'There is no such emergency access.', { reason: 'route-unknown' })
    : jsonAnswer(200, reviewJson(found));
}

export async function reviewEmergency(call: SharingCall): Answered {
  const { x, sharing, tenant, id, principal } = call;
  const read = await readJsonBody(call, ['application/json']);
  if (!read.ok) return read.answer;
  const { verdict: said, note = '', ...others } = (read.body ?? {}) as JsonObject;
  const verdict = EMERGENCY_VERDICTS.find((each) => each === said);
  if (verdict === undefined || typeof note !== 'string' || Object.keys(others).length > 0)
    return problem(x, 422, `The body must be {"verdict": …, "note": …}.`, { reason: 'content-malformed' }, [
      { at: 'verdict', message: `must be one of ${EMERGENCY_VERDICTS.join(', ')}` },
    ]);
  const { issuer, subject } = principal;
  const by = { issuer, subject, name: undefined };
  const reviewed = await sharing.emergencies.review(id, tenant, by, verdict, note);
  if (!reviewed.ok) {
    const [status, title] = NOT_REVIEWED[reviewed.why];
    return problem(x, status, title, { reason: 'request-malformed' });
  }
  await record(x, 'emergency-reviewed', principal, id);
  const found = await sharing.emergencies.show(id, tenant);
  return jsonAnswer(200, found === undefined ? {} : reviewJson(found));
}

export async function endOtherEmergency({ x, sharing, tenant, id, principal }: SharingCall): Answered {
  const ended = await sharing.emergencies.end(id, tenant, 'reviewer');
  if (ended === undefined)
    return problem(x, 404, 'There is no such emergency access in force.', { reason: 'route-unknown' });
  await record(x, 'emergency-ended', principal, id);
  await sharing.settle();
  return jsonAnswer(200, ownJson(ended));
}

const NOT_REVIEWED: Readonly<
  Record<Extract<Reviewed, { ok: false }>['why'], readonly [status: number, title: string]>
> = Object.freeze({
  'not-found': [404, 'There is no such emergency access.'],
  own: [403, 'Nobody reviews their own emergency access.'],
  'in-force': [409, 'It is in force; end it first.'],
  note: [422, 'The note must have at most 500 characters.'],
});

function ownJson({ id, scopes, begunAt, until, ended }: Emergency): JsonObject {
  return {
    id,
    scopes,
    begunAt: dateTime(begunAt),
    until: dateTime(ended?.at ?? until),
  };
}

function reviewJson(emergency: ShownEmergency): JsonObject {
  const { issuer, subject, credential, ended, reviews, notes, reason } = emergency;
  return {
    ...ownJson(emergency),
    issuer,
    subject,
    client: credential.clientId ?? null,
    by: credential.kind,
    endedBy: ended?.by ?? null,
    reason: reason ?? null,
    reviews: reviews.map((review, index) => ({
      issuer: review.issuer,
      subject: review.subject,
      name: review.name ?? null,
      verdict: review.verdict,
      note: notes[index] ?? '',
      at: dateTime(review.at),
    })),
  };
}
