import { setTimeout as sleep } from 'node:timers/promises';
import { openActivityLog } from '../../activity-log/index.ts';
import { type Sources, type SourcesChange, withSourcesChange } from '../../config/index.ts';
import type { ActivitySink } from '../../contracts/activity.ts';
import { systemClock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { Revocation } from '../../contracts/issuer-link.ts';
import { watchExpiry } from '../../identity/index.ts';
import { startWorkerTelemetry } from '../../telemetry/index.ts';
import { createTenantRouter } from '../../tenant-router/index.ts';
import { deadlines } from '../answer/route-deadline.ts';
import type { DeskLine } from '../limits/index.ts';
import { Exchange, type Services } from '../pipeline/exchange.ts';
import { run } from '../pipeline/pipeline.ts';
import { errorMatcher } from '../recognise/errors.ts';
import { WriteMarks } from '../replicas/write-marks.ts';
import { sameCertificates } from '../transport/client-certificates.ts';
import { listen } from '../transport/listener.ts';
import { collectOnce } from '../transport/scavenge.ts';
import { checkCertificate } from '../transport/tls-context.ts';
import { createTunnels } from '../transport/tunnels.ts';
import { log } from './log.ts';
import type { Readiness } from './messages.ts';
import { createRuntime, type OwnedRuntime, readSettings } from './runtime.ts';
import { TenantBook } from './tenant-book.ts';

export interface WorkerOptions {
  readonly sources: Sources;
  /** Names this worker's chain in the activity log. */
  readonly name: string;
  /** How many share the limits. */
  readonly workers: number;
  readonly port: number;
}

export interface Worker {
  readonly port: number;
  /** Compiles a configuration, told by what differs from the one that serves, and keeps it aside. Throws, with everything as it was, when it is not whole. */
  prepare(change: SourcesChange): void;
  /** Swaps to what `prepare` made. */
  commit(): Promise<void>;
  abort(): Promise<void>;
  snapshot(): Promise<unknown>;
  readiness(): Readiness;
  /** Goes on serving, and lets clients go elsewhere with their next request. */
  leave(): void;
  /**
   * Stops accepting, lets requests under way end within the configured time, then stops. Called once.
   * @param limitMs bounds that time further
   */
  drain(limitMs?: number): Promise<void>;
}

/** Milliseconds between looks at each database's verdict, so that metrics and readiness are true without traffic. */
const WATCH_MS = 1000;
const FIRST_WORKER = 'worker-1';
/** Milliseconds to wait for the activity log; longer than an orphaned worker lives. */
const TAKEOVER_MS = 3000;

/** One worker: a listener and everything a request needs. The wiring of the gateway's parts is here and nowhere else. */
export async function startWorker(options: WorkerOptions, desk?: DeskLine): Promise<Worker> {
  const clock = systemClock;
  const settings = readSettings(options.sources);
  let { sources } = options;
  const router = createTenantRouter(settings.tenants, { clock });
  const book = new TenantBook(settings.tenants);
  let runtime: OwnedRuntime = createRuntime(
    settings,
    router,
    clock,
    options.workers,
    undefined,
    revoked,
    desk,
    book,
  );
  let prepared: { readonly runtime: OwnedRuntime; readonly sources: Sources } | undefined;
  let underWay = 0;
  let whenIdle: (() => void) | undefined;

  const activity = await takeOverLog(settings.activityLog.directory, options.name);
  runtime.sharing?.recordIn(activity);
  const telemetry = startWorkerTelemetry({
    worker: options.name,
    pools: () => router.stats(),
    hideDeadlines: deadlines,
    limitsShared: () => runtime.limits.redis?.available,
  });
  const tunnels = createTunnels(clock, () => runtime);
  const writes = new WriteMarks({
    clock,
    line: options.workers > 1 ? desk : undefined,
    store: () => runtime.limits.redis,
  });
  const services: Services = { clock, activity, tunnels, writes, current: () => runtime };
  await activity.append({ kind: 'process', event: 'start', detail: digestsOf(runtime) });

  const watch = setInterval(() => watchDatabases(runtime), WATCH_MS);
  watch.unref();
  watchDatabases(runtime);
  const endExpiry = watchClients();

  // Its tables are made now: the first answer that has to be looked through finds them there.
  errorMatcher();
  collectOnce();
  // `run` never rejects: one function for all, and no promise more than there has to be.
  const over = (): void => {
    underWay -= 1;
    if (underWay === 0) whenIdle?.();
  };
  const listener = await listen(
    { ...settings, listen: { ...settings.listen, port: options.port } },
    clock,
    (client, arrival) => {
      underWay += 1;
      return run(new Exchange(client, arrival, runtime, services)).then(over);
    },
  );

  /** Every worker hears it; that each ends the same sessions does no harm, and none is forgotten. */
  function revoked(issuer: string, revocation: Revocation): void {
    const { kind, value, issuedBefore } = revocation;
    if (kind !== 'session' && kind !== 'subject') return;
    // The feed repeats what is still live when it begins: whoever signed in since stays.
    runtime.browsers?.sessions
      .endByIssuer(issuer, kind === 'session' ? { sid: value } : { subject: value, before: issuedBefore })
      .catch(() => log('error', 'sessions-not-ended', {}));
  }

  /** API clients whose secrets end soon; one worker says it. */
  function watchClients(): () => void {
    if (options.name !== FIRST_WORKER) return () => undefined;
    const store = () => {
      const { settings: serving, state } = runtime;
      return serving.tenants.some(({ apiClients }) => apiClients !== undefined) ? state : undefined;
    };
    return watchExpiry(store, clock, (client, tenant, daysLeft) =>
      log('warning', 'client-secret-expires', { client, tenant, daysLeft }),
    );
  }

  function watchDatabases(of: OwnedRuntime): void {
    for (const database of of.databases)
      void of.oracle.attest(database, { mode: 'bounded', maxAgeMs: WATCH_MS }, 0);
  }

  /** Connections for databases that no tenant has any more, nor those of a configuration that may come. */
  function forgetDatabases(): void {
    runtime.parts.oracle.value.keepOnly([...runtime.databases, ...(prepared?.runtime.databases ?? [])]);
  }

  /** A log that cannot be written says so itself, and must not keep a reload or an end from being complete. */
  async function note(event: 'reload' | 'reload-refused' | 'stop', detail: string): Promise<void> {
    await activity
      .append({ kind: 'process', event, detail })
      .catch(() => log('error', 'activity-log-unavailable', { unrecorded: event }));
  }

  return {
    port: listener.port,
    prepare(change) {
      const wanted = withSourcesChange(sources, change);
      const next = readSettings(wanted, runtime.settings);
      // What cannot be used must be refused here: a commit does not fail.
      if (!sameCertificates(runtime.settings, next)) checkCertificate(next);
      void prepared?.runtime.close();
      const made = createRuntime(next, router, clock, options.workers, runtime, revoked, desk, book);
      prepared = { runtime: made, sources: wanted };
      made.sharing?.recordIn(activity);
      watchDatabases(made);
    },
    async commit() {
      if (prepared === undefined) return;
      const { runtime: next, sources: wanted } = prepared;
      prepared = undefined;
      // The first verdicts of what is new, so that the swap itself refuses nobody; bounded by the oracle's own timeout.
      const known = new Set(next.oracle === runtime.oracle ? runtime.databases : []);
      await Promise.all(
        next.databases
          .filter((database) => !known.has(database))
          .map((database) => next.oracle.attest(database, { mode: 'strict' }, clock.monotonic())),
      );
      const old = runtime;
      const { drainMs } = old.settings.timeouts;
      // One turn of the event loop: no request sees the new tenants with the old policies.
      router.replace(next.settings.tenants, drainMs).catch(() => log('error', 'tenants-not-replaced'));
      const forget = book.take(next.settings.tenants);
      runtime = next;
      sources = wanted;
      if (!sameCertificates(old.settings, next.settings)) listener.updateCertificate(next.settings);
      // First in its chain: whatever the new configuration lets through is recorded after it, and waits for the same disk.
      void note('reload', digestsOf(next));
      // Requests under way keep the configuration they arrived under until they are done.
      setTimeout(() => {
        forget();
        forgetDatabases();
        void old.close();
      }, drainMs).unref();
    },
    async abort() {
      const unused = prepared;
      prepared = undefined;
      await unused?.runtime.close();
      forgetDatabases();
      await note('reload-refused', '');
    },
    snapshot: () => telemetry.snapshot(),
    readiness: () => readinessOf(runtime, activity),
    leave: () => listener.leave(),
    async drain(limitMs = Number.POSITIVE_INFINITY) {
      const graceMs = Math.min(runtime.settings.timeouts.drainMs, limitMs);
      const deadline = clock.monotonic() + graceMs;
      // Event streams and WebSockets never end by themselves; downloads get their time.
      tunnels.closeEndless();
      const cut = setTimeout(() => tunnels.close(), graceMs);
      const drained = listener.drain(graceMs);
      if (underWay > 0) {
        await Promise.race([
          new Promise<void>((resolve) => (whenIdle = resolve)),
          new Promise((resolve) => setTimeout(resolve, graceMs)),
        ]);
      }
      await drained;
      clearTimeout(cut);
      tunnels.close();
      clearInterval(watch);
      endExpiry();
      writes.close();
      await router.close(Math.max(0, deadline - clock.monotonic()));
      await runtime.close();
      await note('stop', '');
      await activity.close();
      telemetry.stop();
    },
  };
}

/**
 * Opens this worker's chain. After a supervisor was killed, its workers still finish what they had under
 * way; the service manager starts the next gateway at once, which waits for them instead of failing.
 */
async function takeOverLog(directory: string, name: string): Promise<ActivitySink> {
  const until = systemClock.monotonic() + TAKEOVER_MS;
  for (;;) {
    try {
      return await openActivityLog({ directory, name });
    } catch (error) {
      // A chain that is broken stays broken.
      const mayPass = error instanceof ChartgateError && error.code === 'activity-log-unavailable';
      if (!mayPass || systemClock.monotonic() > until) throw error;
      await sleep(100);
    }
  }
}

function digestsOf(runtime: OwnedRuntime): string {
  return [...runtime.policies.values()].map((policy) => `${policy.name}=${policy.digest}`).join(' ');
}

/** Ready: the log takes entries, and the audit of at least one database is attested. The others are named. */
function readinessOf(runtime: OwnedRuntime, activity: ActivitySink): Readiness {
  const reasons: string[] = [];
  if (!activity.healthy) reasons.push('activity-log-unavailable');
  // Only signed-in routes need it: named, but no reason to send everybody elsewhere.
  if (runtime.parts.state.value?.opened === false) reasons.push('state-unavailable');
  // Stricter limits are no reason either.
  if (runtime.limits.redis?.available === false) reasons.push('limits-unshared');
  let intact = 0;
  for (const database of runtime.databases) {
    const verdict = runtime.oracle.current(database);
    if (verdict.state === 'intact') intact += 1;
    else reasons.push(`integrity of ${database}: ${verdict.state}`);
  }
  return { ready: activity.healthy && intact > 0, reasons };
}
