import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ChartgateError } from '../contracts/errors.ts';
import {
  type AlarmEvent,
  type AttestationEvent,
  CHANNELS,
  type ClientSecretsEvent,
  type FactorEvent,
  type FindingEvent,
  type HiddenEvent,
  type IssuerEvent,
  type LimitEvent,
  type RequestEvent,
  type SessionEventCount,
} from '../contracts/events.ts';
import { EventCounts } from './event-counts.ts';
import { nameLabel } from './labels.ts';
import { processMetrics } from './process-metrics.ts';
import { type Metric, metric, type Sample, type WorkerSnapshot } from './snapshot.ts';

const LAG_RESOLUTION_MS = 10;

/** The state of the pool to one back end. */
export interface PoolState {
  readonly tenant: string;
  /** Only tells back ends apart; it does not become a label. */
  readonly origin: string;
  /** Its place among the tenant's back ends, from 0. */
  readonly index: number;
  readonly connected: number;
  readonly free: number;
  readonly pending: number;
  readonly running: number;
  readonly ejected: boolean;
  readonly healthy: boolean;
  /** Requests of the tenant that were sent again since the start. */
  readonly retries: number;
}

export interface WorkerTelemetryOptions {
  /** Name of this process among its gateway's, such as `worker-1` or `supervisor`. */
  readonly worker: string;
  /** Asked at each snapshot. */
  readonly pools?: () => readonly PoolState[];
  /** When answers are released that hide whether a record exists, by tenant and route, in seconds. */
  readonly hideDeadlines?: () => readonly { tenant: string; route: string; seconds: number }[];
  /** Whether the store that limits are shared in answers; undefined where there is none. */
  readonly limitsShared?: () => boolean | undefined;
}

export interface WorkerTelemetry {
  /** Everything since the start. Structured-clonable; for `createOperationsServer`. Never rejects. */
  snapshot(): Promise<WorkerSnapshot>;
  /** Stops listening to events. What was counted stays readable. */
  stop(): void;
}

/**
 * Counts the events that the parts of this process publish (contracts/events.ts). It never affects
 * them: what an event may bring about here is caught and counted.
 */
export function startWorkerTelemetry(options: WorkerTelemetryOptions): WorkerTelemetry {
  const { worker } = options;
  if (nameLabel(worker) === '') throw new ChartgateError('internal', 'The name of a worker is not valid.');
  const instance = randomUUID();
  const counts = new EventCounts();
  let errors = 0;
  // An exception in a subscriber would be thrown again on the next tick and end the process.
  const guarded =
    <Event>(record: (event: Event) => void) =>
    (message: unknown): void => {
      try {
        record(message as Event);
      } catch {
        errors += 1;
      }
    };
  const subscriptions = [
    [CHANNELS.request, guarded((event: RequestEvent) => counts.request(event))],
    [
      CHANNELS.attestation,
      guarded((event: AttestationEvent) => counts.attestation(event, performance.now())),
    ],
    [CHANNELS.limit, guarded((event: LimitEvent) => counts.limit(event))],
    [CHANNELS.finding, guarded((event: FindingEvent) => counts.finding(event))],
    [CHANNELS.hidden, guarded((event: HiddenEvent) => counts.hidden(event))],
    [CHANNELS.alarm, guarded((event: AlarmEvent) => counts.alarm(event))],
    [CHANNELS.session, guarded((event: SessionEventCount) => counts.session(event))],
    [CHANNELS.factor, guarded((event: FactorEvent) => counts.factor(event))],
    [CHANNELS.issuer, guarded((event: IssuerEvent) => counts.issuer(event))],
    [CHANNELS.clientSecrets, guarded((event: ClientSecretsEvent) => counts.clientSecrets(event))],
  ] as const;
  for (const [name, listener] of subscriptions) subscribe(name, listener);
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();

  return {
    async snapshot() {
      const quantiles = [50, 99].map((percent): Sample => {
        // The timer's own interval is no lag. Nanoseconds; NaN before the first sample.
        const seconds = lag.percentile(percent) / 1e9 - LAG_RESOLUTION_MS / 1000;
        return { labels: { worker, quantile: String(percent / 100) }, value: Math.max(0, seconds || 0) };
      });
      lag.reset();
      let pools: Metric[] = [];
      let ofProcess: readonly Metric[] = [];
      try {
        pools = [
          ...poolMetrics(options.pools?.() ?? []),
          ...deadlineMetrics(options.hideDeadlines?.() ?? []),
        ];
        ofProcess = await processMetrics(worker);
      } catch {
        errors += 1;
      }
      const shared = options.limitsShared?.();
      const metrics = [
        ...pools,
        ...(shared === undefined ? [] : [sharedMetric(worker, shared)]),
        metric(
          'gauge',
          'chartgate_event_loop_lag_seconds',
          'How late the event loop was since the reading before, by worker.',
          quantiles,
          'max',
        ),
        metric(
          'counter',
          'chartgate_telemetry_errors_total',
          'Events and readings that could not be counted.',
          [{ labels: {}, value: errors }],
        ),
        ...ofProcess,
      ];
      return { format: 1, worker, instance, events: counts.reading(performance.now()), metrics };
    },
    stop() {
      for (const [name, listener] of subscriptions) unsubscribe(name, listener);
      lag.disable();
    },
  };
}

/** Routes whose deadline is shown; a Prometheus has no use for more. */
const MAX_DEADLINES = 2048;

function deadlineMetrics(
  deadlines: readonly { readonly tenant: string; readonly route: string; readonly seconds: number }[],
): Metric[] {
  if (deadlines.length === 0) return [];
  const values = deadlines.slice(0, MAX_DEADLINES).map(({ tenant, route, seconds }) => ({
    labels: { tenant: nameLabel(tenant), route: nameLabel(route) },
    value: seconds,
  }));
  return [
    metric(
      'gauge',
      'chartgate_hide_deadline_seconds',
      'From arrival until an answer is released that hides whether a record exists; of the workers, the longest.',
      values,
      'max',
    ),
  ];
}

function sharedMetric(worker: string, shared: boolean): Metric {
  return metric(
    'gauge',
    'chartgate_limits_shared',
    '1: limits are counted with the other gateways, in Redis; 0: it is away, and each lets its own part pass. By worker.',
    [{ labels: { worker }, value: shared ? 1 : 0 }],
    'max',
  );
}

const POOL_STATES = ['connected', 'free', 'pending', 'running'] as const;

function poolMetrics(pools: readonly PoolState[]): Metric[] {
  const states: Sample[] = [];
  const ejected: Sample[] = [];
  const healthy: Sample[] = [];
  const retries: Sample[] = [];
  for (const pool of pools) {
    const tenant = nameLabel(pool.tenant);
    const backend = String(pool.index);
    for (const state of POOL_STATES) {
      const value = Number.isFinite(pool[state]) ? pool[state] : 0;
      states.push({ labels: { tenant, backend, state }, value });
    }
    ejected.push({ labels: { tenant, backend }, value: pool.ejected ? 1 : 0 });
    healthy.push({ labels: { tenant, backend }, value: pool.healthy ? 0 : 1 });
    if (pool.retries > 0) retries.push({ labels: { tenant }, value: pool.retries });
  }
  return [
    metric(
      'gauge',
      'chartgate_backend_pool',
      "Connections (connected, free) and requests (pending, running) of the pools to a tenant's back end.",
      states,
    ),
    metric(
      'gauge',
      'chartgate_backend_ejected',
      'Number of workers that leave a back end out because of how requests fared.',
      ejected,
    ),
    metric(
      'gauge',
      'chartgate_backend_unhealthy',
      'Number of workers whose health checks a back end fails.',
      healthy,
    ),
    metric(
      'counter',
      'chartgate_backend_retries_total',
      'Requests that were sent again because a back end failed before it answered.',
      retries,
    ),
  ];
}
