import { OUTCOMES } from '../contracts/activity.ts';
import type { EventTotals } from './event-totals.ts';
import { identityMetrics, pairSamples } from './identity-metrics.ts';
import { STATUS_CLASSES } from './labels.ts';
import { type IntegrityReading, type Metric, metric, type Sample } from './snapshot.ts';

/** What was counted, under its names. */
export function eventMetrics(totals: EventTotals): Metric[] {
  const requests: Sample[] = [];
  const gateway: Sample[] = [];
  const backend: Sample[] = [];
  for (const [tenant, route, total] of totals.requests.entries()) {
    for (const [o, outcome] of OUTCOMES.entries()) {
      for (const [s, status] of STATUS_CLASSES.entries()) {
        const value = total.counts[o * STATUS_CLASSES.length + s] ?? 0;
        if (value > 0) requests.push({ labels: { tenant, route, outcome, status }, value });
      }
    }
    gateway.push(...total.gateway.samples('chartgate_gateway_seconds', { tenant, route }));
    backend.push(...total.backend.samples('chartgate_backend_seconds', { tenant, route }));
  }
  return [
    metric(
      'counter',
      'chartgate_requests_total',
      'Requests by tenant, route, outcome and class of status.',
      requests,
    ),
    metric(
      'histogram',
      'chartgate_gateway_seconds',
      "Time from a request's arrival to its answer's head, without the back end's share.",
      gateway,
    ),
    metric(
      'histogram',
      'chartgate_backend_seconds',
      "Time from forwarding a request to the head of the back end's answer.",
      backend,
    ),
    metric(
      'counter',
      'chartgate_denials_total',
      'Requests that were denied or failed, by tenant and the reason that decided.',
      pairSamples(totals.denials.reading(), 'tenant', 'reason'),
    ),
    metric(
      'counter',
      'chartgate_limited_total',
      'Requests refused by a rate limit, by kind of limit and tenant.',
      pairSamples(totals.limited.reading(), 'limit', 'tenant'),
    ),
    metric(
      'counter',
      'chartgate_findings_reported_total',
      'Findings of request inspection on routes that only report them, by tenant and rule.',
      pairSamples(totals.reported.reading(), 'tenant', 'rule'),
    ),
    metric(
      'counter',
      'chartgate_hidden_total',
      'Answers that hide whether a record exists, by tenant and route.',
      pairSamples(totals.hidden.reading(), 'tenant', 'route'),
    ),
    metric(
      'counter',
      'chartgate_hide_overruns_total',
      'Of them, those that were not ready at their deadline and left at a whole multiple of it.',
      pairSamples(totals.overruns.reading(), 'tenant', 'route'),
    ),
    metric(
      'counter',
      'chartgate_alarms_total',
      'Things that an operator must look at, by kind and tenant.',
      pairSamples(totals.alarms.reading(), 'alarm', 'tenant'),
    ),
    ...identityMetrics(totals),
    metric(
      'histogram',
      'chartgate_attestation_seconds',
      'Time until a verdict of the integrity checker.',
      totals.attestation.samples('chartgate_attestation_seconds', {}),
    ),
  ];
}

/**
 * Per database the youngest verdict that any worker received. Adding up or taking the worst would show
 * what an idle worker last saw, maybe an hour ago, as the state of now.
 */
export function integrityMetrics(readings: readonly IntegrityReading[]): Metric[] {
  const youngest = new Map<string, IntegrityReading>();
  for (const reading of readings) {
    const former = youngest.get(reading.database);
    if (former === undefined || reading.ageSeconds < former.ageSeconds)
      youngest.set(reading.database, reading);
  }
  const last = [...youngest.values()];
  return [
    metric(
      'gauge',
      'chartgate_integrity_state',
      '1: the audit of a database was intact at the last verdict; 0: it was broken or could not be verified.',
      last.map(({ database, state }) => ({ labels: { database }, value: state === 'intact' ? 1 : 0 })),
    ),
    metric(
      'gauge',
      'chartgate_integrity_age_seconds',
      'Time since the last verdict on a database.',
      last.map(({ database, ageSeconds }) => ({ labels: { database }, value: ageSeconds })),
    ),
    metric(
      'gauge',
      'chartgate_integrity_findings',
      '1 for each finding of the last verdict on a database.',
      last.flatMap(({ database, findings }) =>
        findings.map((code) => ({ labels: { database, code }, value: 1 })),
      ),
    ),
  ];
}
