import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificateExpiries, readGatewaySources, type Sources, sourcesChange } from '../../config/index.ts';
import { systemClock } from '../../contracts/clock.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { type AlarmEvent, CHANNELS } from '../../contracts/events.ts';
import type { TenantId } from '../../contracts/identifiers.ts';
import {
  createOperationsServer,
  createReadinessServer,
  startWorkerTelemetry,
} from '../../telemetry/index.ts';
import { Desk, type DeskAnswer, type DeskAsk } from '../limits/index.ts';
import { listenForCommands } from './control.ts';
import { describe, type InForce, needsRestart, watchCertificates } from './in-force.ts';
import { log } from './log.ts';
import type { Readiness } from './messages.ts';
import { changesTo, type Read, readAgain, readTenants, tenantsChangedSince } from './reading.ts';
import { readSettings } from './runtime.ts';
import { Slot } from './slot.ts';

export interface Gateway {
  readonly port: number;
  readonly operationsPort: number;
  readonly workerPids: readonly number[];
  /** Validates the file again; every worker takes it over, or none does. Returns what was wrong, if anything. */
  reload(): Promise<string | undefined>;
  /** The same for files of the folder of tenants, while everything else stays as it is. */
  reloadTenants(ids: readonly TenantId[]): Promise<string | undefined>;
  stop(): Promise<void>;
}

const SNAPSHOT_MS = 1000;
/** Milliseconds within which a worker has compiled a configuration, or taken it over. */
const RELOAD_MS = 15_000;
const LONGEST_RESTART_MS = 2000;
const alarms = channel(CHANNELS.alarm);

/** Starts the gateway: validates the configuration, starts its workers and keeps them running, serves operations. */
export async function startGateway(file: string, version: string): Promise<Gateway> {
  let starting = true;
  let reloadWanted = false;
  // Without anybody listening, this signal ends a process; and one that comes while the configuration is
  // being read must not be lost, since it speaks of a newer one.
  process.on('SIGHUP', () => {
    reloadWanted ||= starting;
  });

  let sources: Sources = readGatewaySources(file);
  const settings = readSettings(sources);
  let serving = settings;
  let inForce = describe(settings);
  const own = startWorkerTelemetry({ worker: 'supervisor', pools: () => [] });
  let stopping = false;
  // With port 0 the first worker chooses, and the others and every restart follow.
  let sharedPort = settings.listen.port;
  /** Reloads happen one after the other. */
  let turn: Promise<unknown> = Promise.resolve();

  const slots = Array.from(
    { length: settings.workers },
    (_, index) => new Slot(`worker-${index + 1}`, ended, count),
  );
  const desk = new Desk(
    systemClock,
    (answers) => {
      for (const slot of slots) slot.tell({ type: 'desk', answers });
    },
    () => slots.filter((slot) => slot.up).map((slot) => slot.name),
  );

  /** What the workers count together. */
  function count(slot: Slot, asks: readonly DeskAsk[]): void {
    const tell = (answers: readonly DeskAnswer[]) => {
      if (answers.length > 0) slot.tell({ type: 'desk', answers });
    };
    void desk.handle(slot.name, asks, tell).then(tell);
  }

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = turn.then(task);
    turn = result.catch(() => undefined);
    return result;
  }

  function alarm(what: AlarmEvent['alarm']): void {
    if (alarms.hasSubscribers) alarms.publish({ alarm: what, tenant: '' } satisfies AlarmEvent);
  }

  function ended(slot: Slot, code: number | null, signal: NodeJS.Signals | null): void {
    desk.left(slot.name);
    if (stopping) return;
    log('error', 'worker-exit', { worker: slot.name, code, signal });
    alarm('worker-exit');
    restartLater(slot);
  }

  function restartLater(slot: Slot): void {
    setTimeout(() => void restart(slot), slot.restartMs);
    slot.restartMs = Math.min(slot.restartMs * 2, LONGEST_RESTART_MS);
  }

  async function startSlot(slot: Slot): Promise<void> {
    const { name } = slot;
    sharedPort = await slot.start({ type: 'start', sources, name, workers: slots.length, port: sharedPort });
    setTimeout(() => (slot.restartMs = 100), 10_000).unref();
    // A reload that went on meanwhile has passed this worker over.
    if (slot.sources !== sources) await inTurn(() => catchUp(slot));
  }

  async function catchUp(slot: Slot): Promise<void> {
    if (!slot.up || slot.sources === sources) return;
    const next = sources;
    try {
      const change = sourcesChange(slot.sources ?? next, next);
      const said = await slot.ask({ type: 'prepare', change }, ['prepared', 'refused'], RELOAD_MS);
      if (said.type === 'refused') throw new ChartgateError('configuration-invalid', said.message);
      await slot.ask({ type: 'commit' }, ['committed'], RELOAD_MS);
      slot.sources = next;
    } catch (error) {
      // It must not go on with the old configuration; its successor starts with the new one.
      log('error', 'worker-behind', { worker: slot.name, message: messageOf(error) });
      slot.kill();
    }
  }

  async function restart(slot: Slot): Promise<void> {
    if (stopping) return;
    try {
      await startSlot(slot);
      log('info', 'worker-restarted', { worker: slot.name });
    } catch (error) {
      log('error', 'worker-restart-failed', { worker: slot.name, message: messageOf(error) });
      restartLater(slot);
    }
  }

  async function collect(): Promise<unknown[]> {
    const up = slots.filter((slot) => slot.up).map((slot) => slot.snapshot(SNAPSHOT_MS));
    const snapshots = await Promise.all([...up, own.snapshot()]);
    return snapshots.filter((snapshot) => snapshot !== undefined);
  }

  function ready(): Readiness {
    const reasons = slots.flatMap((slot) =>
      slot.readiness.reasons.map((reason) => `${slot.name}: ${reason}`),
    );
    return { ready: !stopping && slots.some((slot) => slot.readiness.ready), reasons };
  }

  function refuse(message: string): string {
    log('error', 'reload-refused', { message });
    alarm('reload-refused');
    // Each drops what it may have prepared, and records the refusal.
    for (const slot of slots) slot.tell({ type: 'abort' });
    return message;
  }

  /** Everything anew: SIGHUP. */
  async function reload(): Promise<string | undefined> {
    if (stopping) return 'the gateway is stopping';
    let read: Read;
    let described: InForce;
    try {
      read = readAgain(file, { sources, settings: serving });
      described = describe(read.settings);
    } catch (error) {
      return refuse(messageOf(error));
    }
    const refused = await takeOver(read, described);
    if (refused !== undefined) return refused;
    const waiting = needsRestart(settings, read.settings);
    if (waiting.length > 0) log('warning', 'restart-needed', { settings: waiting });
    return undefined;
  }

  /** These files of the folder of tenants anew, and nothing else. */
  async function reloadTenants(ids: readonly TenantId[]): Promise<string | undefined> {
    if (stopping) return 'the gateway is stopping';
    try {
      return await takeOver(readTenants(ids, { sources, settings: serving }), inForce);
    } catch (error) {
      return refuse(messageOf(error));
    }
  }

  /** Commands that came before there was anybody to ask have been told that their tenants are taken at the start. */
  async function missedTenants(): Promise<void> {
    const ids = tenantsChangedSince(file, sources);
    if (ids.length > 0) await reloadTenants(ids);
  }

  /** Every worker takes it over, or none does. */
  async function takeOver(
    { sources: next, settings: changed }: Read,
    described: InForce,
  ): Promise<string | undefined> {
    const running = slots.filter((slot) => slot.up);
    const changeFor = changesTo(next);
    const refusals = await Promise.all(
      running.map(async (slot) => {
        try {
          const change = changeFor(slot.sources ?? next);
          const said = await slot.ask({ type: 'prepare', change }, ['prepared', 'refused'], RELOAD_MS);
          return said.type === 'refused' ? said.message : undefined;
        } catch (error) {
          // One that ended starts again with whatever serves then.
          return slot.up ? messageOf(error) : undefined;
        }
      }),
    );
    const refused = refusals.filter((message) => message !== undefined);
    if (refused.length > 0) return refuse([...new Set(refused)].join('\n'));
    sources = next;
    serving = changed;
    inForce = described;
    const committed = running.map(async (slot) => {
      await slot.ask({ type: 'commit' }, ['committed'], RELOAD_MS);
      slot.sources = next;
    });
    await Promise.allSettled(committed);
    for (const slot of running) await catchUp(slot);
    log('info', 'reloaded', { workers: running.length, tenants: changed.tenants.length });
    return undefined;
  }

  try {
    // One after the other, so that a fault is reported once.
    for (const slot of slots) await startSlot(slot);
  } catch (error) {
    stopping = true;
    for (const slot of slots) slot.kill();
    own.stop();
    throw error;
  }
  const operations = await createOperationsServer({
    ...settings.operations,
    collect,
    ready,
    buildInfo: () => ({ version, policyDigest: inForce.policyDigest }),
    certificates: () => certificateExpiries(serving),
  });
  const { balancer } = settings.operations;
  const readiness = balancer === undefined ? undefined : await createReadinessServer(balancer, ready);
  const endWatch = watchCertificates(() => serving);
  const refresh = setInterval(() => void collect(), SNAPSHOT_MS);
  await collect();
  const control = await listenForCommands(settings.activityLog.directory, {
    takeTenants: (ids) => inTurn(() => reloadTenants(ids)),
    async status() {
      await collect();
      const tenants = serving.tenants.map(({ id, paused }) => ({ id, paused: paused === true }));
      const tenantsFolder = sources.tenants?.folder ?? null;
      return {
        ok: true,
        do: 'status',
        pid: process.pid,
        version,
        file: serving.file,
        tenantsFolder,
        ...ready(),
        tenants,
      };
    },
  });
  starting = false;
  void inTurn<unknown>(reloadWanted ? reload : missedTenants);

  return {
    port: sharedPort,
    operationsPort: operations.port,
    get workerPids() {
      return slots.flatMap((slot) => slot.pid ?? []);
    },
    reload: () => inTurn(reload),
    reloadTenants: (ids) => inTurn(() => reloadTenants(ids)),
    async stop() {
      stopping = true;
      clearInterval(refresh);
      endWatch();
      if (inForce.leaveMs > 0) {
        // Not ready from here on; whoever comes all the same, before the balancer has noticed, is served.
        log('info', 'leaving', { milliseconds: inForce.leaveMs });
        for (const slot of slots) slot.tell({ type: 'leave' });
        await sleep(inForce.leaveMs);
      }
      await Promise.all(slots.map((slot) => slot.end(inForce.drainMs + 3000)));
      await control.close();
      await operations.close();
      await readiness?.close();
      desk.close();
      own.stop();
    },
  };
}

/** What may be told of an error: our own errors are written to be shown, others only by kind. */
function messageOf(error: unknown): string {
  return error instanceof ChartgateError ? error.message : 'internal error';
}
