import { OUTCOMES } from '../contracts/activity.ts';
import type {
  AlarmEvent,
  AttestationEvent,
  ClientSecretsEvent,
  FactorEvent,
  FindingEvent,
  HiddenEvent,
  IssuerEvent,
  LimitEvent,
  RequestEvent,
  SessionEventCount,
} from '../contracts/events.ts';
import { VERDICT_STATES, type VerdictState } from '../contracts/integrity.ts';
import { ATTESTATION_BUCKETS, HistogramCounts, REQUEST_BUCKETS } from './histogram.ts';
import { codeLabel, nameLabel, outcomeIndex, reasonLabel, STATUS_CLASSES, statusClass } from './labels.ts';
import { PairTable } from './pair-table.ts';
import type { EventReading, PairReading } from './snapshot.ts';

/** Pairs of tenant and route that are told apart; each has up to forty lines on the page. */
const MAX_PAIRS = 2048;
const MAX_DATABASES = 1024;
const MAX_FINDINGS = 64;

export interface Count {
  value: number;
}

/** Everything counted of one tenant's one route. */
export interface RequestCounts {
  /** By outcome and, within it, class of status. */
  readonly counts: number[];
  readonly gateway: HistogramCounts;
  readonly backend: HistogramCounts;
}

export function newCount(): Count {
  return { value: 0 };
}

export function newRequestCounts(): RequestCounts {
  return {
    counts: new Array<number>(OUTCOMES.length * STATUS_CLASSES.length).fill(0),
    gateway: new HistogramCounts(REQUEST_BUCKETS),
    backend: new HistogramCounts(REQUEST_BUCKETS),
  };
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
  readonly #requests = new PairTable(nameLabel, nameLabel, MAX_PAIRS, newRequestCounts);
  readonly #denials = new PairTable(nameLabel, reasonLabel, MAX_PAIRS, newCount);
  readonly #limited = new PairTable(codeLabel, nameLabel, MAX_PAIRS, newCount);
  readonly #reported = new PairTable(nameLabel, codeLabel, MAX_PAIRS, newCount);
  readonly #hidden = new PairTable(nameLabel, nameLabel, MAX_PAIRS, newCount);
  readonly #overruns = new PairTable(nameLabel, nameLabel, MAX_PAIRS, newCount);
  readonly #alarms = new PairTable(codeLabel, nameLabel, MAX_PAIRS, newCount);
  readonly #sessionEvents = new PairTable(nameLabel, codeLabel, MAX_PAIRS, newCount);
  readonly #sessionChanges = new PairTable(nameLabel, codeLabel, MAX_PAIRS, newCount);
  readonly #factors = new PairTable(codeLabel, codeLabel, MAX_PAIRS, newCount);
  readonly #issuers = new PairTable(nameLabel, codeLabel, MAX_PAIRS, newCount);
  readonly #clientSecrets = new Map<string, number>();
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

  finding(event: FindingEvent): void {
    this.#reported.get(event.tenant, event.rule).value += 1;
  }

  hidden(event: HiddenEvent): void {
    this.#hidden.get(event.tenant, event.route).value += 1;
    if (event.late) this.#overruns.get(event.tenant, event.route).value += 1;
  }

  alarm(event: AlarmEvent): void {
    this.#alarms.get(event.alarm, event.tenant).value += 1;
  }

  session({ tenant, event, change, count }: SessionEventCount): void {
    if (!Number.isSafeInteger(count) || count < 0) return;
    if (event !== undefined) this.#sessionEvents.get(tenant, event).value += count;
    if (change !== undefined) this.#sessionChanges.get(tenant, change).value += count;
  }

  factor(event: FactorEvent): void {
    this.#factors.get(event.method ?? 'any', event.what).value += 1;
  }

  issuer(event: IssuerEvent): void {
    this.#issuers.get(event.issuer, event.ok ? 'answered' : 'failed').value += 1;
  }

  clientSecrets(event: ClientSecretsEvent): void {
    const tenant = nameLabel(event.tenant);
    if (event.expiresAt === undefined) this.#clientSecrets.delete(tenant);
    else if (this.#clientSecrets.has(tenant) || this.#clientSecrets.size < MAX_PAIRS)
      this.#clientSecrets.set(tenant, event.expiresAt);
  }

  /** @param now monotonic milliseconds */
  reading(now: number): EventReading {
    return {
      requests: Array.from(this.#requests.entries(), ([tenant, route, { counts, gateway, backend }]) => ({
        tenant,
        route,
        counts: [...counts],
        gateway: gateway.reading(),
        backend: backend.reading(),
      })),
      denials: pairs(this.#denials),
      limited: pairs(this.#limited),
      reported: pairs(this.#reported),
      hidden: pairs(this.#hidden),
      overruns: pairs(this.#overruns),
      alarms: pairs(this.#alarms),
      sessionEvents: pairs(this.#sessionEvents),
      sessionChanges: pairs(this.#sessionChanges),
      factors: pairs(this.#factors),
      issuers: pairs(this.#issuers),
      clientSecrets: Array.from(this.#clientSecrets, ([tenant, expiresAt]) => ({ tenant, expiresAt })),
      attestation: this.#attestation.reading(),
      integrity: Array.from(this.#verdicts, ([database, { state, at, findings }]) => ({
        database,
        state,
        ageSeconds: Math.max(0, now - at) / 1000,
        findings,
      })),
    };
  }
}

function pairs(table: PairTable<Count>): PairReading[] {
  return Array.from(table.entries(), ([first, second, { value }]) => [first, second, value] as const);
}

const NONE: readonly string[] = Object.freeze([]);

function codes(findings: unknown): readonly string[] {
  if (!Array.isArray(findings) || findings.length === 0) return NONE;
  return [...new Set(findings.slice(0, MAX_FINDINGS).map(codeLabel))];
}
