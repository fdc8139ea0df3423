import type { EventTotals } from './event-totals.ts';
import { type ClientSecretsReading, type Metric, metric, type PairReading, type Sample } from './snapshot.ts';

/** What was counted of people and clients; nobody of them is named in it. */
export function identityMetrics(totals: EventTotals): Metric[] {
  return [
    metric(
      'counter',
      'chartgate_session_events_total',
      "What became of people's sign-ins and second factors at browsers, by tenant and event.",
      pairSamples(totals.sessionEvents.reading(), 'tenant', 'event'),
    ),
    metric(
      'counter',
      'chartgate_session_changes_total',
      'Sessions that were opened, and that ended otherwise than by their limits, by tenant and how.',
      pairSamples(totals.sessionChanges.reading(), 'tenant', 'change'),
    ),
    metric(
      'counter',
      'chartgate_second_factors_total',
      'Second factors given, refused, enrolled, locked and reset, by method and outcome.',
      pairSamples(totals.factors.reading(), 'method', 'outcome'),
    ),
    metric(
      'counter',
      'chartgate_issuer_requests_total',
      'Requests to an issuer, by whether it answered.',
      pairSamples(totals.issuers.reading(), 'issuer', 'outcome'),
    ),
  ];
}

/** Per tenant the soonest end that any worker knows of. */
export function clientSecretMetrics(readings: readonly ClientSecretsReading[], now: number): Metric[] {
  const soonest = new Map<string, number>();
  for (const { tenant, expiresAt } of readings)
    soonest.set(tenant, Math.min(expiresAt, soonest.get(tenant) ?? expiresAt));
  return [
    metric(
      'gauge',
      'chartgate_client_secret_expiry_seconds',
      "Time until the first of a tenant's active API clients has no good secret any more.",
      Array.from(soonest, ([tenant, expiresAt]) => ({ labels: { tenant }, value: (expiresAt - now) / 1000 })),
    ),
  ];
}

export function pairSamples(pairs: readonly PairReading[], first: string, second: string): Sample[] {
  return pairs.map(([a, b, value]) => ({ labels: { [first]: a, [second]: b }, value }));
}
