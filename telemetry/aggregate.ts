import { OUTCOMES } from '../contracts/activity.ts';
import type { AlarmEvent, AttestationEvent, LimitEvent, RequestEvent } from '../contracts/events.ts';
import { VERDICT_STATES, type VerdictState } from '../contracts/integrity.ts';
import { ATTESTATION_BUCKETS, HistogramCounts, REQUEST_BUCKETS } from './histogram.ts';
import { codeLabel, nameLabel, outcomeIndex, reasonLabel, STATUS_CLASSES, statusClass } from './labels.ts';
import { PairTable } from './pair-table.ts';
import type { IntegrityReading, Metric, Sample } from './snapshot.ts';

/** Pairs of tenant and route that are told apart; each costs about 55 lines of text and 500 bytes. */
const MAX_PAIRS = 4096;
const MAX_DATABASES = 1024;
const MAX_FINDINGS = 64;

interface Count {
  value: number;
}
const newCount = (): Count => ({ value: 0 });

/** Everything counted of one tenant's one route. */
interface RequestSeries {
  /** Outcome by status class. */
  readonly counts: Float64Array;
  readonly gateway: HistogramCounts;
  readonly backend: HistogramCounts;
}

interface LastVerdict {
  state: VerdictState;
  at: number;
  findings: readonly string[];
}

/**
 * What the events of one process add up to. Its labels come from bounded sets only, so that nobody
 * outside can make it grow. Not guarded: the caller sees to what may throw.
 */
export class EventCounts {
  readonly #requests = new PairTable<RequestSeries>(nameLabel, nameLabel, MAX_PAIRS, () => ({
    counts: new Float64Array(OUTCOMES.length * STATUS_CLASSES.length),
    gateway: new HistogramCounts(REQUEST_BUCKETS),
    backend: new HistogramCounts(REQUEST_BUCKETS),
  }));
  readonly #denials = new PairTable<Count>(nameLabel, reasonLabel, MAX_PAIRS, newCount);
  readonly #limited = new PairTable<Count>(codeLabel, nameLabel, MAX_PAIRS, newCount);
  readonly #alarms = new PairTable<Count>(codeLabel, nameLabel, MAX_PAIRS, newCount);
  readonly #attestation = new HistogramCounts(ATTESTATION_BUCKETS);
  readonly #verdicts = new Map<string, LastVerdict>();

  request(event: RequestEvent): void {
    const series = this.#requests.get(event.tenant, event.route);
    const outcome = outcomeIndex(event.outcome);
    const index = outcome * STATUS_CLASSES.length + statusClass(event.status);
    series.counts[index] = (series.counts[index] ?? 0) + 1;
    series.gateway.observe(event.gatewaySeconds);
    if (event.backendSeconds !== undefined) series.backend.observe(event.backendSeconds);
    if (outcome !== 0) this.#denials.get(event.tenant, event.reason).value += 1;
  }

  /** @param now monotonic milliseconds */
  attestation(event: AttestationEvent, now: number): void {
    this.#attestation.observe(event.seconds);
    const database = nameLabel(event.database);
    // What is not a known state is not "intact".
    const state = VERDICT_STATES.includes(event.state) ? event.state : 'unverified';
    const findings = codes(event.findings);
    const last = this.#verdicts.get(database);
    if (last) {
      last.state = state;
      last.at = now;
      last.findings = findings;
    } else if (this.#verdicts.size < MAX_DATABASES) {
      this.#verdicts.set(database, { state, at: now, findings });
    }
  }

  limit(event: LimitEvent): void {
    this.#limited.get(event.limit, event.tenant).value += 1;
  }

  alarm(event: AlarmEvent): void {
    this.#alarms.get(event.alarm, event.tenant).value += 1;
  }

  /** @param now monotonic milliseconds */
  integrity(now: number): IntegrityReading[] {
    return Array.from(this.#verdicts, ([database, { state, at, findings }]) => ({
      database,
      state,
      ageSeconds: Math.max(0, now - at) / 1000,
      findings,
    }));
  }

  metrics(): Metric[] {
    const requests: Sample[] = [];
    const gateway: Sample[] = [];
    const backend: Sample[] = [];
    for (const [tenant, route, series] of this.#requests.entries()) {
      requests.push(...requestSamples(tenant, route, series.counts));
      gateway.push(...series.gateway.samples('chartgate_gateway_seconds', { tenant, route }));
      backend.push(...series.backend.samples('chartgate_backend_seconds', { tenant, route }));
    }
    return [
      metric(
        'counter',
        'chartgate_requests_total',
        'Requests by tenant, route, outcome and class of status.',
        requests,
      ),
      metric(
        'counter',
        'chartgate_denials_total',
        'Requests that were denied or failed, by tenant and the reason that decided.',
        pairSamples(this.#denials, 'tenant', 'reason'),
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
        'histogram',
        'chartgate_attestation_seconds',
        'Time until a verdict of the integrity checker.',
        this.#attestation.samples('chartgate_attestation_seconds', {}),
      ),
      metric(
        'counter',
        'chartgate_limited_total',
        'Requests refused by a rate limit, by kind of limit and tenant.',
        pairSamples(this.#limited, 'limit', 'tenant'),
      ),
      metric(
        'counter',
        'chartgate_alarms_total',
        'Things that an operator must look at, by kind and tenant.',
        pairSamples(this.#alarms, 'alarm', 'tenant'),
      ),
    ];
  }
}

const NONE: readonly string[] = Object.freeze([]);

function codes(findings: unknown): readonly string[] {
  if (!Array.isArray(findings) || findings.length === 0) return NONE;
  return [...new Set(findings.slice(0, MAX_FINDINGS).map(codeLabel))];
}

export function metric(
  type: Metric['type'],
  name: string,
  help: string,
  values: readonly Sample[],
  aggregator: Metric['aggregator'] = 'sum',
): Metric {
  return { name, help, type, values, aggregator };
}

function requestSamples(tenant: string, route: string, counts: Float64Array): Sample[] {
  const samples: Sample[] = [];
  for (const [o, outcome] of OUTCOMES.entries()) {
    for (const [s, status] of STATUS_CLASSES.entries()) {
      const value = counts[o * STATUS_CLASSES.length + s] ?? 0;
      if (value > 0) samples.push({ labels: { tenant, route, outcome, status }, value });
    }
  }
  return samples;
}

function pairSamples(table: PairTable<Count>, first: string, second: string): Sample[] {
  return Array.from(table.entries(), ([a, b, { value }]) => ({ labels: { [first]: a, [second]: b }, value }));
}
