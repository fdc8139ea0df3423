import { newCount, newRequestCounts } from './event-counts.ts';
import { ATTESTATION_BUCKETS, addCounts, HistogramCounts } from './histogram.ts';
import { type LabelRule, PairTable } from './pair-table.ts';
import type { EventReading, PairReading } from './snapshot.ts';

/** The workers have already seen to the labels, and to how many there are. */
const asIs: LabelRule = String;

class PairTotals extends PairTable<{ value: number }> {
  constructor() {
    super(asIs, asIs, Number.POSITIVE_INFINITY, newCount);
  }

  add(readings: readonly PairReading[]): void {
    for (const [first, second, count] of readings) this.get(first, second).value += count;
  }

  reading(): PairReading[] {
    return Array.from(this.entries(), ([first, second, { value }]) => [first, second, value] as const);
  }
}

/** Readings of several processes added up: all that only counts. Verdicts and times of expiry are not among it. */
export class EventTotals {
  readonly requests = new PairTable(asIs, asIs, Number.POSITIVE_INFINITY, newRequestCounts);
  readonly denials = new PairTotals();
  readonly limited = new PairTotals();
  readonly reported = new PairTotals();
  readonly hidden = new PairTotals();
  readonly overruns = new PairTotals();
  readonly alarms = new PairTotals();
  readonly sessionEvents = new PairTotals();
  readonly sessionChanges = new PairTotals();
  readonly factors = new PairTotals();
  readonly issuers = new PairTotals();
  readonly attestation = new HistogramCounts(ATTESTATION_BUCKETS);

  add(reading: EventReading): void {
    for (const { tenant, route, counts, gateway, backend } of reading.requests) {
      const total = this.requests.get(tenant, route);
      addCounts(total.counts, counts);
      total.gateway.add(gateway);
      total.backend.add(backend);
    }
    this.denials.add(reading.denials);
    this.limited.add(reading.limited);
    this.reported.add(reading.reported);
    this.hidden.add(reading.hidden);
    this.overruns.add(reading.overruns);
    this.alarms.add(reading.alarms);
    this.sessionEvents.add(reading.sessionEvents);
    this.sessionChanges.add(reading.sessionChanges);
    this.factors.add(reading.factors);
    this.issuers.add(reading.issuers);
    this.attestation.add(reading.attestation);
  }

  reading(): EventReading {
    return {
      requests: Array.from(this.requests.entries(), ([tenant, route, { counts, gateway, backend }]) => ({
        tenant,
        route,
        counts: [...counts],
        gateway: gateway.reading(),
        backend: backend.reading(),
      })),
      denials: this.denials.reading(),
      limited: this.limited.reading(),
      reported: this.reported.reading(),
      hidden: this.hidden.reading(),
      overruns: this.overruns.reading(),
      alarms: this.alarms.reading(),
      sessionEvents: this.sessionEvents.reading(),
      sessionChanges: this.sessionChanges.reading(),
      factors: this.factors.reading(),
      issuers: this.issuers.reading(),
      clientSecrets: [],
      attestation: this.attestation.reading(),
      integrity: [],
    };
  }
}

/** How long the last figures of a process that no longer answers are kept apart. */
const KEPT_APART_MS = 3_600_000;

/**
 * Keeps the sums from going back. A worker that is too slow once, or was replaced, would take its
 * counts with it; Prometheus reads that as a restart, and counts everything again when it is back. So
 * the last reading of each process that ever answered stays in the sum.
 */
export class CounterMemory {
  readonly #last = new Map<string, { reading: EventReading; at: number }>();
  /** What processes counted that have been gone for long. */
  #gone = new EventTotals().reading();

  /** @param instance names one process, never another one after it */
  remember(instance: string, reading: EventReading): void {
    this.#last.set(instance, { reading, at: performance.now() });
  }

  totals(): EventTotals {
    this.#fold(performance.now() - KEPT_APART_MS);
    const totals = new EventTotals();
    totals.add(this.#gone);
    for (const { reading } of this.#last.values()) totals.add(reading);
    return totals;
  }

  /** A crash loop must not make this grow: what has been gone for long is kept as one. */
  #fold(before: number): void {
    const totals = new EventTotals();
    let folded = false;
    for (const [instance, { reading, at }] of this.#last) {
      if (at >= before) continue;
      totals.add(reading);
      this.#last.delete(instance);
      folded = true;
    }
    if (!folded) return;
    totals.add(this.#gone);
    this.#gone = totals.reading();
  }
}
