import { type ChildProcess, fork } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { readGatewaySources, type Sources, warningsOf } from '../../config/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { type AlarmEvent, CHANNELS } from '../../contracts/events.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { createOperationsServer, startWorkerTelemetry } from '../../telemetry/index.ts';
import { log } from './log.ts';
import type { FromWorker, Readiness, ToWorker } from './messages.ts';
import { compilePolicies, readSettings } from './runtime.ts';

export interface Gateway {
  readonly port: number;
  readonly operationsPort: number;
  readonly workerPids: readonly number[];
  /** Validates the file again; every worker takes it over, or none does. Returns what was wrong, if anything. */
  reload(): Promise<string | undefined>;
  stop(): Promise<void>;
}

interface Slot {
  readonly name: string;
  child: ChildProcess | undefined;
  readiness: Readiness;
  restartMs: number;
}

/** What the supervisor shows of the configuration that serves. */
interface InForce {
  readonly policyDigest: string;
  readonly certificateExpiresAt: number;
}

/** Compiles what the supervisor itself does not use, to know that it is whole; throws when it is not. */
function describe(settings: GatewaySettings): InForce {
  for (const { code, message } of warningsOf(settings)) log('warning', code, { message });
  const digests = [...compilePolicies(settings).values()].map((policy) => [policy.name, policy.digest]);
  return {
    policyDigest: createHash('sha256').update(JSON.stringify(digests.sort())).digest('hex'),
    certificateExpiresAt: new X509Certificate(settings.listen.certificate).validToDate.getTime(),
  };
}

const SNAPSHOT_MS = 1000;
const alarms = channel(CHANNELS.alarm);

/** This file's own kind: `.ts` in the repository, `.js` in the compiled package. */
const WORKER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './worker-main.ts' : './worker-main.js', import.meta.url),
);

/** Starts the gateway: validates the configuration, starts its workers and keeps them running, serves operations. */
export async function startGateway(file: string, version: string): Promise<Gateway> {
  let sources: Sources = readGatewaySources(file);
  const settings = readSettings(sources);
  let inForce = describe(settings);
  const own = startWorkerTelemetry({ worker: 'supervisor', pools: () => [] });
  let stopping = false;
  let snapshotId = 0;
  // With port 0 the first worker chooses, and the others and every restart follow.
  let sharedPort = settings.listen.port;
  const waiting = new Map<number, (metrics: unknown) => void>();

  const slots: Slot[] = Array.from({ length: settings.workers }, (_, index) => ({
    name: `worker-${index + 1}`,
    child: undefined,
    readiness: { ready: false, reasons: ['starting'] },
    restartMs: 100,
  }));

  function tell(slot: Slot, message: ToWorker): void {
    if (slot.child?.connected === true) slot.child.send(message);
  }

  /** The next message of one of these types; rejects when the worker ends first. */
  function answer<T extends FromWorker['type']>(
    slot: Slot,
    ...types: T[]
  ): Promise<Extract<FromWorker, { type: T }>> {
    const { promise, resolve, reject } = Promise.withResolvers<Extract<FromWorker, { type: T }>>();
    const { child } = slot;
    const onMessage = (message: FromWorker) => {
      if ((types as string[]).includes(message.type))
        done(() => resolve(message as Extract<FromWorker, { type: T }>));
    };
    const onExit = () => done(() => reject(new ChartgateError('internal', `${slot.name} ended`)));
    function done(then: () => void): void {
      child?.off('message', onMessage);
      child?.off('exit', onExit);
      then();
    }
    child?.on('message', onMessage);
    child?.once('exit', onExit);
    if (child === undefined) reject(new ChartgateError('internal', `${slot.name} is not running`));
    return promise;
  }

  async function startSlot(slot: Slot): Promise<void> {
    const child = fork(WORKER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
    slot.child = child;
    child.on('message', (message: FromWorker) => {
      if (message.type !== 'snapshot') return;
      slot.readiness = message.readiness;
      waiting.get(message.id)?.(message.metrics);
      waiting.delete(message.id);
    });
    child.once('exit', (code, signal) => {
      slot.child = undefined;
      slot.readiness = { ready: false, reasons: [`${slot.name} is not running`] };
      if (stopping) return;
      log('error', 'worker-exit', { worker: slot.name, code, signal });
      if (alarms.hasSubscribers) alarms.publish({ alarm: 'worker-exit', tenant: '' } satisfies AlarmEvent);
      setTimeout(() => void restart(slot), slot.restartMs);
      slot.restartMs = Math.min(slot.restartMs * 2, 2000);
    });
    const started = answer(slot, 'started', 'failed');
    tell(slot, { type: 'start', sources, name: slot.name, workers: slots.length, port: sharedPort });
    const result = await started;
    if (result.type === 'failed') {
      child.removeAllListeners('exit');
      child.kill('SIGKILL');
      slot.child = undefined;
      throw new ChartgateError(
        result.exitCode === 3 ? 'configuration-invalid' : 'activity-log-unavailable',
        result.message,
      );
    }
    sharedPort = result.port;
    setTimeout(() => (slot.restartMs = 100), 10_000).unref();
  }

  async function restart(slot: Slot): Promise<void> {
    if (stopping) return;
    try {
      await startSlot(slot);
      log('info', 'worker-restarted', { worker: slot.name });
    } catch (error) {
      log('error', 'worker-restart-failed', {
        worker: slot.name,
        message: error instanceof ChartgateError ? error.message : undefined,
      });
      if (!stopping) setTimeout(() => void restart(slot), slot.restartMs);
    }
  }

  async function collect(): Promise<unknown[]> {
    const asked = slots
      .filter((slot) => slot.child?.connected === true)
      .map((slot) => {
        snapshotId += 1;
        const id = snapshotId;
        const { promise, resolve } = Promise.withResolvers<unknown>();
        waiting.set(id, resolve);
        tell(slot, { type: 'snapshot', id });
        const timer = setTimeout(() => {
          waiting.delete(id);
          resolve(undefined);
        }, SNAPSHOT_MS);
        return promise.finally(() => clearTimeout(timer));
      });
    const snapshots = await Promise.all([...asked, own.snapshot()]);
    return snapshots.filter((snapshot) => snapshot !== undefined);
  }

  function ready(): Readiness {
    const reasons = slots.flatMap((slot) =>
      slot.readiness.reasons.map((reason) => `${slot.name}: ${reason}`),
    );
    return { ready: !stopping && slots.some((slot) => slot.readiness.ready), reasons };
  }

  try {
    // One after the other, so that a fault is reported once.
    for (const slot of slots) await startSlot(slot);
  } catch (error) {
    stopping = true;
    for (const slot of slots) slot.child?.kill('SIGKILL');
    own.stop();
    throw error;
  }
  const operations = await createOperationsServer({
    ...settings.operations,
    collect,
    ready,
    buildInfo: () => ({ version, policyDigest: inForce.policyDigest }),
    certificateExpiresAt: () => inForce.certificateExpiresAt,
  });
  const refresh = setInterval(() => void collect(), SNAPSHOT_MS);
  await collect();

  return {
    port: sharedPort,
    operationsPort: operations.port,
    get workerPids() {
      return slots.flatMap((slot) => (slot.child?.pid === undefined ? [] : [slot.child.pid]));
    },
    async reload() {
      let next: Sources;
      let described: InForce;
      try {
        next = readGatewaySources(file);
        described = describe(readSettings(next));
      } catch (error) {
        return refuse(error instanceof ChartgateError ? error.message : 'internal error');
      }
      const running = slots.filter((slot) => slot.child?.connected === true);
      const answers = running.map((slot) => answer(slot, 'prepared', 'refused'));
      for (const slot of running) tell(slot, { type: 'prepare', sources: next });
      const results = await Promise.allSettled(answers);
      const refused = results.flatMap((r) =>
        r.status === 'fulfilled' && r.value.type === 'refused' ? [r.value.message] : [],
      );
      if (refused.length > 0) {
        for (const slot of running) tell(slot, { type: 'abort' });
        return refuse(refused.join('\n'));
      }
      sources = next;
      inForce = described;
      const committed = running.map((slot) => answer(slot, 'committed'));
      for (const slot of running) tell(slot, { type: 'commit' });
      await Promise.allSettled(committed);
      log('info', 'reloaded', { workers: running.length });
      return undefined;
    },
    async stop() {
      stopping = true;
      clearInterval(refresh);
      const graceMs = settings.timeouts.drainMs;
      const ended = slots.flatMap((slot) => {
        const { child } = slot;
        if (child === undefined) return [];
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        tell(slot, { type: 'drain' });
        const kill = setTimeout(() => child.kill('SIGKILL'), graceMs + 3000);
        return [gone.finally(() => clearTimeout(kill))];
      });
      await Promise.all(ended);
      await operations.close();
      own.stop();
    },
  };

  function refuse(message: string): string {
    log('error', 'reload-refused', { message });
    if (alarms.hasSubscribers) alarms.publish({ alarm: 'reload-refused', tenant: '' } satisfies AlarmEvent);
    return message;
  }
}
