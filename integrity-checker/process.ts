import type { CheckerSettings } from '../contracts/settings.ts';
import { startChecker } from './checker.ts';
import { jsonLog } from './log.ts';

/**
 * The checker as a process: log on stderr, one line of JSON on stdout once it listens, orderly stop on
 * SIGTERM and SIGINT. Resolves when it has stopped.
 */
export async function runChecker(settings: CheckerSettings): Promise<void> {
  // A reader of the log that went away must not stop the checker.
  process.stderr.on('error', () => {});
  process.stdout.on('error', () => {});
  const log = jsonLog(process.stderr);
  const stopped = Promise.withResolvers<void>();
  let ending = false;
  const checker = await startChecker(settings, log);
  const stop = (signal: NodeJS.Signals): void => {
    if (ending) return;
    ending = true;
    log({ level: 'info', event: 'signal', sentence: `Stopping after ${signal}.` });
    checker.close().then(() => {
      log({ level: 'info', event: 'stopped', sentence: 'Stopped.' });
      stopped.resolve();
    }, stopped.reject);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    log({
      level: 'info',
      event: 'signal',
      sentence: 'Baselines are read again by themselves; for other settings, restart the checker.',
    });
  });
  const databases = settings.databases.map((database) => database.id);
  process.stdout.write(
    `${JSON.stringify({ event: 'ready', socket: settings.socket, databases, pid: process.pid })}\n`,
  );
  await stopped.promise;
}
