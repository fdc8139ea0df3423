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

/** The last verdict that a worker received about a database. */
export interface IntegrityReading {
  readonly database: string;
  readonly state: VerdictState;
  readonly ageSeconds: number;
  readonly findings: readonly string[];
}

/** What a worker sends to the supervisor. Structured-clonable and plain JSON. */
export interface WorkerSnapshot {
  readonly format: 1;
  readonly worker: string;
  readonly metrics: readonly Metric[];
  readonly integrity: readonly IntegrityReading[];
}

const METRIC_NAME = /^[a-z][a-z0-9_]{0,99}$/;
const LABEL_NAME = /^[a-z][a-z0-9_]{0,49}$/;
const TYPES: readonly unknown[] = ['counter', 'gauge', 'histogram'];
const AGGREGATORS: readonly unknown[] = ['sum', 'max', 'first'];

/**
 * A snapshot as it came from another process. Undefined when anything in it has another form: then it
 * counts as no answer, and cannot break the page for the other workers.
 */
export function parseSnapshot(value: unknown): WorkerSnapshot | undefined {
  if (!isObject(value) || value.format !== 1 || typeof value.worker !== 'string') return undefined;
  const { metrics, integrity } = value;
  if (!Array.isArray(metrics) || !metrics.every(isMetric)) return undefined;
  if (!Array.isArray(integrity) || !integrity.every(isReading)) return undefined;
  return { format: 1, worker: value.worker, metrics, integrity };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isMetric(value: unknown): value is Metric {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    METRIC_NAME.test(value.name) &&
    typeof value.help === 'string' &&
    TYPES.includes(value.type) &&
    AGGREGATORS.includes(value.aggregator) &&
    Array.isArray(value.values) &&
    value.values.every(isSample)
  );
}

function isSample(value: unknown): value is Sample {
  return (
    isObject(value) &&
    typeof value.value === 'number' &&
    (value.metricName === undefined ||
      (typeof value.metricName === 'string' && METRIC_NAME.test(value.metricName))) &&
    isObject(value.labels) &&
    Object.entries(value.labels).every(
      ([name, label]) => LABEL_NAME.test(name) && (typeof label === 'string' || typeof label === 'number'),
    )
  );
}

function isReading(value: unknown): value is IntegrityReading {
  return (
    isObject(value) &&
    typeof value.database === 'string' &&
    typeof value.ageSeconds === 'number' &&
    (VERDICT_STATES as readonly unknown[]).includes(value.state) &&
    Array.isArray(value.findings) &&
    value.findings.every((finding) => typeof finding === 'string')
  );
}
