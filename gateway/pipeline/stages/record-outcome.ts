import { channel } from 'node:diagnostics_channel';
import { CHANNELS, type RequestEvent } from '../../../contracts/events.ts';
import type { Reason } from '../../../contracts/reasons.ts';
import { shapeEnding } from '../../answer/endings.ts';
import { outcomeOf } from '../ending.ts';
import type { Exchange, Step } from '../exchange.ts';

const requests = channel(CHANNELS.request);

/**
 * Stage 12a: the outcome, durable before the answer. Where it cannot be recorded, nothing is served: the
 * answer becomes the uniform failure.
 */
export async function recordOutcome(x: Exchange): Promise<Step> {
  const now = x.services.clock.monotonic();
  try {
    const { tenant, route, method, peer, issuer, subject, client } = x.intentRecorded ? SAID : about(x);
    await x.services.activity.append({
      kind: 'outcome',
      request: x.arrival.id,
      tenant,
      route,
      method,
      peer,
      issuer,
      subject,
      client,
      outcome: x.ending === undefined ? 'permitted' : outcomeOf(x.ending),
      reason: x.ending?.reason ?? 'route-matched',
      // The intent has the reasons already; they are repeated only where there is none.
      reasons: x.intentRecorded && x.ending === undefined ? NO_REASONS : x.reasons,
      status: x.answer.status,
      backendStatus: x.backend?.status ?? 0,
      micros: Math.round((now - x.arrival.arrivedAt) * 1000),
    });
  } catch {
    x.backend?.discard();
    x.tunnel?.abandon();
    x.ending = { kind: 'unavailable', reason: 'activity-log-unavailable' };
    x.answer = shapeEnding(x, x.ending);
  }
  if (requests.hasSubscribers) requests.publish(eventOf(x, now));
  return undefined;
}

/** Who asked and for what, when the intent of this request has said it already. */
const SAID = Object.freeze({
  tenant: '',
  route: '',
  method: '',
  peer: '',
  issuer: '',
  subject: '',
  client: '',
} as const);
const NO_REASONS: readonly Reason[] = Object.freeze([]);

function about(x: Exchange) {
  const principal = x.knownPrincipal;
  const somebody = principal?.kind === 'anonymous' ? undefined : principal;
  return {
    tenant: x.knownTenant?.id ?? ('' as const),
    route: x.match?.route.id ?? ('' as const),
    method: x.knownFacts?.method ?? '',
    peer: x.arrival.peer,
    issuer: somebody?.issuer ?? '',
    subject: somebody?.subject ?? '',
    client: somebody?.clientId ?? '',
  };
}

function eventOf(x: Exchange, now: number): RequestEvent {
  const backendMs =
    x.forwardedAt === undefined || x.backend === undefined ? undefined : x.backend.headAt - x.forwardedAt;
  return {
    tenant: x.knownTenant?.id ?? '',
    route: x.match?.route.id ?? '',
    method: x.knownFacts?.method ?? '',
    outcome: x.ending === undefined ? 'permitted' : outcomeOf(x.ending),
    reason: x.ending?.reason ?? 'route-matched',
    status: x.answer.status,
    gatewaySeconds: (now - x.arrival.arrivedAt - (backendMs ?? 0)) / 1000,
    backendSeconds: backendMs === undefined ? undefined : backendMs / 1000,
  };
}
