import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Metric } from './snapshot.ts';

/** One for the process, since that is what it is about: its observers cannot be taken down again. */
let registry: Registry | undefined;

/**
 * prom-client's standard metrics of a process (CPU, memory, descriptors, garbage collection), under
 * the names that common dashboards know, labelled with the worker so that none hides another.
 */
export async function processMetrics(worker: string): Promise<readonly Metric[]> {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  const metrics = (await registry.getMetricsAsJSON()) as unknown as readonly Metric[];
  return metrics.map((metric) => ({
    name: metric.name,
    help: metric.help,
    type: metric.type,
    values: metric.values
      .filter(({ value }) => Number.isFinite(value))
      .map((sample) => ({ ...sample, labels: { ...sample.labels, worker } })),
    // Each worker has labels of its own, so there is nothing to add up.
    aggregator: 'first',
  }));
}
