import { ChartgateError, ConfigurationError } from '../../contracts/errors.ts';
import { DeskLine } from '../limits/index.ts';
import { log } from './log.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { startWorker, type Worker } from './worker.ts';

/** A worker process: does what the supervisor says, and ends when the supervisor is gone. */
let worker: Worker | undefined;
/** Where the workers count together. */
const desk = new DeskLine((asks) => say({ type: 'desk', asks }));

/** Milliseconds that requests under way get when the supervisor is gone: a new gateway waits for the log and the port. */
const ORPHAN_MS = 1000;

function say(message: FromWorker): void {
  // The supervisor may be gone at any moment; 'disconnect' tells, and a failure here must not end what drains.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** What may be told of an error: our own errors are written to be shown, others only by kind. */
function describe(error: unknown): string {
  return error instanceof ChartgateError
    ? error.message
    : `unexpected ${error instanceof Error ? error.name : typeof error}`;
}

async function drainAndEnd(limitMs?: number): Promise<void> {
  await worker?.drain(limitMs);
  process.exit(0);
}

async function take(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'start':
      try {
        worker = await startWorker(message, desk);
        say({ type: 'started', port: worker.port });
      } catch (error) {
        say({
          type: 'failed',
          message: describe(error),
          exitCode: error instanceof ConfigurationError ? 3 : 4,
        });
        if (!(error instanceof ChartgateError))
          log('error', 'worker-start', { at: error instanceof Error ? error.stack : undefined });
      }
      return;
    case 'prepare':
      try {
        worker?.prepare(message.change);
        say({ type: 'prepared' });
      } catch (error) {
        say({ type: 'refused', message: describe(error) });
      }
      return;
    case 'commit':
      await worker?.commit();
      say({ type: 'committed' });
      return;
    case 'abort':
      await worker?.abort();
      return;
    case 'snapshot':
      if (worker === undefined) return;
      say({
        type: 'snapshot',
        id: message.id,
        metrics: await worker.snapshot(),
        readiness: worker.readiness(),
      });
      return;
    case 'desk':
      desk.receive(message.answers);
      return;
    case 'leave':
      worker?.leave();
      return;
    case 'drain':
      await drainAndEnd();
  }
}

process.on('message', (message: ToWorker) => {
  take(message).catch((error: unknown) =>
    log('error', 'worker-message', { error: error instanceof Error ? error.name : typeof error }),
  );
});
// Without a supervisor nobody could reload, drain or watch this process.
process.once('disconnect', () => void drainAndEnd(ORPHAN_MS));
// A terminal sends its signals to every process of the group; the supervisor is the one to act on them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('uncaughtException', (error) => {
  log('error', 'uncaught', { error: error.name, at: (error.stack ?? '').split('\n').slice(1, 4) });
  process.exit(70);
});
