import { VERDICT_STATES, type VerdictState } from '../contracts/integrity.ts';

/** One value of a metric, in the form of prom-client's `getMetricsAsJSON`. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** `…_bucket`, `…_sum`, `…_count` of a histogram. */
  readonly metricName?: string;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
  /** How values with the same labels from several workers become one. */
  readonly aggregator: 'sum' | 'max' | 'first';
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

/** Observations per bucket (not cumulative), the last above all bounds, and their sum in seconds. */
export interface HistogramReading {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Everything counted of one tenant's one route. */
export interface RequestReading {
  readonly tenant: string;
  readonly route: string;
  /** Requests by outcome and, within it, class of status. */
  readonly counts: readonly number[];
  readonly gateway: HistogramReading;
  readonly backend: HistogramReading;
}

export type PairReading = readonly [first: string, second: string, count: number];

/** When the secret of a tenant's API client that is closest to its end expires. */
export interface ClientSecretsReading {
  readonly tenant: string;
  /** Wall-clock milliseconds. */
  readonly expiresAt: number;
}

/** The last verdict that a worker received about a database. */
export interface IntegrityReading {
  readonly database: string;
  readonly state: VerdictState;
  readonly ageSeconds: number;
  readonly findings: readonly string[];
}

/** What the events of one process add up to. Bare numbers: the supervisor, not a worker, makes text of them. */
export interface EventReading {
  readonly requests: readonly RequestReading[];
  readonly denials: readonly PairReading[];
  readonly limited: readonly PairReading[];
  /** Tenant and rule. */
  readonly reported: readonly PairReading[];
  readonly hidden: readonly PairReading[];
  readonly overruns: readonly PairReading[];
  readonly alarms: readonly PairReading[];
  /** By tenant and event. */
  readonly sessionEvents: readonly PairReading[];
  /** By tenant and change. */
  readonly sessionChanges: readonly PairReading[];
  /** By method and outcome. */
  readonly factors: readonly PairReading[];
  /** By issuer and outcome. */
  readonly issuers: readonly PairReading[];
  readonly clientSecrets: readonly ClientSecretsReading[];
  readonly attestation: HistogramReading;
  readonly integrity: readonly IntegrityReading[];
}

/** What a worker sends to the supervisor. Structured-clonable and plain JSON. */
export interface WorkerSnapshot {
  readonly format: 1;
  readonly worker: string;
  /** Names one run of one process; never used again. */
  readonly instance: string;
  readonly events: EventReading;
  /** What concerns the process. */
  readonly metrics: readonly Metric[];
}

type Check<T> = (value: unknown) => value is T;

const METRIC_NAME = /^[a-z][a-z0-9_]{0,99}$/;
const LABEL_NAME = /^[a-z][a-z0-9_]{0,49}$/;
const TYPES: readonly unknown[] = ['counter', 'gauge', 'histogram'];
const AGGREGATORS: readonly unknown[] = ['sum', 'max', 'first'];

/**
 * A snapshot as it came from another process. Undefined when anything in it has another form: then it
 * counts as no answer, and cannot break the page for the other workers.
 */
export function parseSnapshot(value: unknown): WorkerSnapshot | undefined {
  if (!isObject(value) || value.format !== 1) return undefined;
  const { worker, instance, events, metrics } = value;
  if (!isString(worker) || !isString(instance) || instance.length > 64) return undefined;
  if (!isEvents(events) || !isArrayOf(isMetric)(metrics)) return undefined;
  return { format: 1, worker, instance, events, metrics };
}

const PAIRS = [
  'denials',
  'limited',
  'reported',
  'hidden',
  'overruns',
  'alarms',
  'sessionEvents',
  'sessionChanges',
  'factors',
  'issuers',
] as const;

function isClientSecrets(value: unknown): value is ClientSecretsReading {
  return isObject(value) && isString(value.tenant) && isNumber(value.expiresAt);
}

function isEvents(value: unknown): value is EventReading {
  return (
    isObject(value) &&
    isArrayOf(isRequests)(value.requests) &&
    PAIRS.every((name) => isArrayOf(isPair)(value[name])) &&
    isArrayOf(isClientSecrets)(value.clientSecrets) &&
    isHistogram(value.attestation) &&
    isArrayOf(isIntegrity)(value.integrity)
  );
}

function isRequests(value: unknown): value is RequestReading {
  return (
    isObject(value) &&
    isString(value.tenant) &&
    isString(value.route) &&
    isArrayOf(isNumber)(value.counts) &&
    isHistogram(value.gateway) &&
    isHistogram(value.backend)
  );
}

function isPair(value: unknown): value is PairReading {
  return Array.isArray(value) && isString(value[0]) && isString(value[1]) && isNumber(value[2]);
}

function isHistogram(value: unknown): value is HistogramReading {
  return isObject(value) && isArrayOf(isNumber)(value.counts) && isNumber(value.sum);
}

function isIntegrity(value: unknown): value is IntegrityReading {
  return (
    isObject(value) &&
    isString(value.database) &&
    isNumber(value.ageSeconds) &&
    (VERDICT_STATES as readonly unknown[]).includes(value.state) &&
    isArrayOf(isString)(value.findings)
  );
}

function isMetric(value: unknown): value is Metric {
  return (
    isObject(value) &&
    isString(value.name) &&
    METRIC_NAME.test(value.name) &&
    isString(value.help) &&
    TYPES.includes(value.type) &&
    AGGREGATORS.includes(value.aggregator) &&
    isArrayOf(isSample)(value.values)
  );
}

function isSample(value: unknown): value is Sample {
  return (
    isObject(value) &&
    isNumber(value.value) &&
    (value.metricName === undefined || (isString(value.metricName) && METRIC_NAME.test(value.metricName))) &&
    isObject(value.labels) &&
    Object.entries(value.labels).every(
      ([name, label]) => LABEL_NAME.test(name) && (isString(label) || isNumber(label)),
    )
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isArrayOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(check);
}
