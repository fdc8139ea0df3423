import { AggregatorRegistry } from 'prom-client';
import type { CertificateExpiry } from '../contracts/certificates.ts';
import { eventMetrics, integrityMetrics } from './event-metrics.ts';
import type { CounterMemory } from './event-totals.ts';
import { clientSecretMetrics } from './identity-metrics.ts';
import { type Metric, metric, parseSnapshot } from './snapshot.ts';

export interface BuildInfo {
  readonly version: string;
  /** SHA-256 of the policy set in force, hex. */
  readonly policyDigest: string;
}

/** What the supervisor knows by itself. */
export interface OwnReadings {
  readonly build: BuildInfo;
  /** When certificates expire that the gateway shows or goes by. */
  readonly certificates: readonly CertificateExpiry[];
  /** Workers that did not answer in time, or not in the right form. */
  readonly silent: number;
}

/**
 * Adds the workers up. One with a snapshot of another form counts as silent.
 * @param memory of the same supervisor, so that what was counted once stays counted
 */
export async function exposition(
  answers: readonly unknown[],
  own: OwnReadings,
  memory: CounterMemory,
): Promise<{ readonly contentType: string; readonly text: string }> {
  const snapshots = answers.map(parseSnapshot).filter((snapshot) => snapshot !== undefined);
  const silent = own.silent + answers.length - snapshots.length;
  for (const { instance, events } of snapshots) memory.remember(instance, events);
  const registry = AggregatorRegistry.aggregate([
    ...snapshots.map(({ metrics }) => metrics),
    eventMetrics(memory.totals()),
    clientSecretMetrics(
      snapshots.flatMap(({ events }) => events.clientSecrets),
      Date.now(),
    ),
    integrityMetrics(snapshots.flatMap(({ events }) => events.integrity)),
    ownMetrics(own, snapshots.length, silent),
  ]);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function ownMetrics(own: OwnReadings, reporting: number, silent: number): Metric[] {
  const { build, certificates } = own;
  const metrics = [
    metric('gauge', 'chartgate_build_info', 'Versions and policy in force; always 1.', [
      { labels: { version: build.version, node: process.version, policy: build.policyDigest }, value: 1 },
    ]),
    metric(
      'gauge',
      'chartgate_workers',
      'Processes whose figures are on this page, and those that did not answer.',
      [
        { labels: { state: 'reporting' }, value: reporting },
        { labels: { state: 'silent' }, value: silent },
      ],
    ),
  ];
  if (certificates.length > 0) {
    metrics.push(
      metric(
        'gauge',
        'chartgate_certificate_expiry_seconds',
        'Time until the first certificate of a kind expires; of tenants those that expire first.',
        soonest(certificates, Date.now()),
      ),
    );
  }
  return metrics;
}

/** Tenants whose certificates are on the page, the soonest: those that matter are among them. */
const MOST_TENANTS = 500;

/** One sample for each kind and tenant. */
function soonest(certificates: readonly CertificateExpiry[], now: number) {
  const first = new Map<string, Map<string, number>>();
  const tenants = new Set<string>();
  for (const { kind, tenant, expiresAt } of certificates.toSorted((a, b) => a.expiresAt - b.expiresAt)) {
    if (tenant !== '' && !tenants.has(tenant) && tenants.size >= MOST_TENANTS) continue;
    if (tenant !== '') tenants.add(tenant);
    let ofKind = first.get(kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      first.set(kind, ofKind);
    }
    if (!ofKind.has(tenant)) ofKind.set(tenant, (expiresAt - now) / 1000);
  }
  return [...first].flatMap(([kind, ofKind]) =>
    [...ofKind].map(([tenant, value]) => ({ labels: { kind, tenant }, value })),
  );
}
